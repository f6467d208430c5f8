import type { MiddlewareHandler } from 'hono';

import portcullis = require('../index.js');

/** The variables after a guard: `new Hono<{ Variables: Variables }>()`. */
export interface Variables<Admitted = portcullis.Access> {
  /** The request's token with its header, claims and scope; null without a token, by an optional guard. */
  auth: Admitted;
  /** The claims of the request's token. */
  claims: null extends Admitted ? portcullis.Claims | null : portcullis.Claims;
}

/**
 * Middleware for Hono on Node that lets a request pass only with a valid access token that the rules allow. The functions among the
 * options get Hono's context. With `next`, refusals are thrown.
 *
 * @example
 * ```js
 * app.use(secure(jwksService, { scope: ['read'] }));
 * app.get('/', (c) => c.text(c.var.claims.sub));
 * ```
 *
 * @throws TypeError if an option is invalid
 */
export declare function secure(
  keys: portcullis.Keys,
  options?: portcullis.Options & portcullis.NeedsToken,
): MiddlewareHandler<{ Variables: Variables }>;
export declare function secure(
  keys: portcullis.Keys,
  options: portcullis.Options,
): MiddlewareHandler<{ Variables: Variables<portcullis.Access | null> }>;

/** Middleware for Hono by a guard, such as one of a resource; the functions among its options get the `Request`. */
export declare function protect<Admitted extends portcullis.Access | null>(
  guard: portcullis.Guard<Admitted, unknown>,
): MiddlewareHandler<{ Variables: Variables<Admitted> }>;

import type { Middleware } from 'koa';

import portcullis = require('../index.js');

/** The properties of `ctx.state` after a guard. */
export interface State<Admitted = portcullis.Access> {
  /** The request's token with its header, claims and scope; null without a token, by an optional guard. */
  auth: Admitted;
  /** The claims of the request's token. */
  claims: null extends Admitted ? portcullis.Claims | null : portcullis.Claims;
}

/**
 * Middleware for Koa that lets a request pass only with a valid access token that the rules allow. The functions among the options
 * get Koa's context. With `next`, refusals are thrown.
 *
 * @example
 * ```js
 * app.use(secure(jwksService, { scope: ['read'] }));
 * app.use((ctx) => (ctx.body = ctx.state.claims.sub));
 * ```
 *
 * @throws TypeError if an option is invalid
 */
export declare function secure(keys: portcullis.Keys, options?: portcullis.Options & portcullis.NeedsToken): Middleware<State>;
export declare function secure(keys: portcullis.Keys, options: portcullis.Options): Middleware<State<portcullis.Access | null>>;

/** Middleware for Koa by a guard, such as one of a resource. */
export declare function protect<Admitted extends portcullis.Access | null>(guard: portcullis.Guard<Admitted, unknown>): Middleware<State<Admitted>>;

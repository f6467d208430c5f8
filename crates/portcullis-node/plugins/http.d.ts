import type { IncomingMessage, ServerResponse } from 'node:http';

import portcullis = require('../index.js');

/** The properties of a request that has passed; absent ones are those of a request without a token, by an optional guard. */
export type Attached<Admitted> = null extends Admitted
  ? { auth?: portcullis.Access; claims?: portcullis.Claims }
  : { auth: portcullis.Access; claims: portcullis.Claims };

/**
 * Makes a handler for `node:http`, `node:https` and `node:http2` that calls another one for requests that pass, and answers all
 * others.
 *
 * @example
 * ```js
 * const guard = secure(jwksService, { scope: ['read'] });
 * http.createServer(protect(guard, (req, res) => res.end(req.claims.sub))).listen(3000);
 * ```
 *
 * @param failed - gets the error of a judgement that failed, and a refusal if the guard has `next`; by default the answer is
 *   500, and the refusal's own
 * @throws TypeError if an argument is invalid
 */
export declare function protect<
  Admitted extends portcullis.Access | null,
  Req extends portcullis.IncomingRequest = IncomingMessage,
  Res extends portcullis.OutgoingResponse = ServerResponse,
>(
  guard: portcullis.Guard<Admitted, unknown>,
  handler: (req: Req & Attached<Admitted>, res: Res) => unknown,
  failed?: (error: unknown, req: Req, res: Res) => unknown,
): (req: Req, res: Res) => Promise<unknown>;

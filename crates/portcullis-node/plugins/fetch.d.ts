import portcullis = require('../index.js');

/**
 * Judges a request. Resolves to its `Access`, or to null if an optional guard lets it pass without a token, or to the `Response` that
 * refuses it.
 *
 * @example
 * ```js
 * const judged = await judge(guard, request);
 * if (judged instanceof Response) return judged;
 * ```
 *
 * @throws the error of a judgement that failed, as a rejection; and the {@link portcullis.errors.RefusalError} if the guard has `next`
 */
export declare function judge<Admitted extends portcullis.Access | null>(
  guard: portcullis.Guard<Admitted, unknown>,
  request: Request,
): Promise<Admitted | Response>;

/**
 * Makes a handler that calls another one, with the `Access`, for requests that pass, and answers all others.
 *
 * @example
 * ```js
 * export const GET = protect(guard, async (request, { claims }) => Response.json({ hello: claims.sub }));
 * ```
 *
 * @throws TypeError if an argument is invalid
 */
export declare function protect<Admitted extends portcullis.Access | null, Others extends unknown[] = []>(
  guard: portcullis.Guard<Admitted, unknown>,
  handler: (request: Request, access: Admitted, ...others: Others) => Response | Promise<Response>,
): (request: Request, ...others: Others) => Promise<Response>;

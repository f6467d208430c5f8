import portcullis = require('./index.js');

/**
 * Makes an `OAuthTokenVerifier` for `requireBearerAuth` of the TypeScript SDK of the Model Context Protocol: versions 1.x
 * (`@modelcontextprotocol/sdk`) and 2.x (`@modelcontextprotocol/express` and `server`).
 *
 * @example
 * ```js
 * const { requireBearerAuth } = require('@modelcontextprotocol/express');
 * const { tokenVerifier } = require('portcullis/mcp');
 *
 * const verifier = tokenVerifier({ resource: 'https://mcp.example.com/mcp', issuer: 'https://login.example.com' });
 * app.use('/mcp', requireBearerAuth({ verifier, requiredScopes: ['files:read'] }));
 * ```
 *
 * @throws TypeError if an option is invalid, or if neither SDK is installed and `errors` is absent
 */
export declare function tokenVerifier<Schema extends portcullis.StandardSchema | undefined = undefined>(
  options: TokenVerifierOptions<Schema>,
): TokenVerifier<portcullis.ClaimsBy<Schema>>;

/** The options of {@link tokenVerifier}: the resource, its issuers, and the rules for tokens. */
export type TokenVerifierOptions<Schema extends portcullis.StandardSchema | undefined = undefined> = portcullis.ResourceIssuers & {
  /** The identifier of the resource: the URL that clients use (RFC 9728). The audience of tokens unless `audience` is set. */
  resource: string;
  /** The claims that a token must have, or must not have. */
  claims?: readonly portcullis.ClaimRule[];
  /** A schema for the claims, whose output takes their place in `extra`. */
  schema?: Schema;
  /** The further scope values that each scope value grants; `scopes` has them, too. */
  impliedScopes?: { readonly [value: string]: readonly string[] };
  /** The greatest length of a token, in bytes: 16,384 by default. */
  maxTokenBytes?: number;
  /** The error classes of the SDK. By default those of the installed SDK. */
  errors?: ErrorClasses;
};

/** The error classes of the SDK, such as its module of errors has: of version 1.x, or of 2.x. */
export type ErrorClasses =
  | {
      InvalidTokenError: new (message: string) => Error;
      ServerError: new (message: string) => Error;
    }
  | { OAuthError: new (code: string, message: string) => Error };

/** The `OAuthTokenVerifier` of the SDK. */
export interface TokenVerifier<C = portcullis.Claims> {
  /**
   * Judges a token.
   *
   * @throws an error of the SDK, as a rejection: `InvalidTokenError` (1.x) or an `OAuthError` with the code `invalid_token`
   * (2.x), which `requireBearerAuth` answers with 401; `ServerError` or `server_error` if the token was not judged, because keys
   * are unavailable. `cause` is the {@link portcullis.errors.RefusalError}.
   */
  verifyAccessToken(token: string): Promise<AuthInfo<C>>;
}

/** The SDK's data about an accepted token. */
export interface AuthInfo<C = portcullis.Claims> {
  /** The token. */
  token: string;
  /** The client: the claim `client_id` (RFC 9068), or else `azp`, `cid` or `appid`; an empty string if there is none. */
  clientId: string;
  /** The scope values that the token grants, with those of `impliedScopes`. */
  scopes: string[];
  /** The time of expiry, in seconds since 1970. */
  expiresAt?: number;
  /** The resource. */
  resource: URL;
  /** Further data. */
  extra: {
    /** The token's claims, or the output of `schema` for them, frozen. */
    claims: C;
  };
}

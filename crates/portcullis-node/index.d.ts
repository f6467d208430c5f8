import type { KeyObject, X509Certificate, webcrypto } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

/**
 * Middleware that lets a request pass only with a valid access token that the rules allow (RFC 6750).
 *
 * A request that passes has its token's claims in `req.claims` and an {@link portcullis.Access} in `req.auth`. Any
 * other request is answered with the status and the `WWW-Authenticate` field of its refusal.
 *
 * @example
 * ```js
 * const { getSimpleJwksService, secure } = require('portcullis');
 *
 * const jwksService = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
 * app.use(secure(jwksService, { realm: 'my-realm', scope: ['read'] }));
 * ```
 *
 * @param keys - a JWKS service, several issuers (`anyOf`), or a function that finds keys, such as jose's
 *   `createRemoteJWKSet` returns
 * @param options - the rules for tokens; by default any valid token passes
 * @throws TypeError if an option is invalid
 */
declare function portcullis<Schema extends portcullis.StandardSchema | undefined = undefined>(
  keys: portcullis.Keys,
  options?: portcullis.Options<Schema> & portcullis.NeedsToken,
): portcullis.Guard<portcullis.Access<portcullis.ClaimsBy<Schema>>>;
declare function portcullis<Schema extends portcullis.StandardSchema | undefined = undefined>(
  keys: portcullis.Keys,
  options: portcullis.Options<Schema> & { reportOnly: true },
): portcullis.ReportingGuard<portcullis.Access<portcullis.ClaimsBy<Schema>>>;
declare function portcullis<Schema extends portcullis.StandardSchema | undefined = undefined>(
  keys: portcullis.Keys,
  options: portcullis.Options<Schema>,
): portcullis.Guard<portcullis.Access<portcullis.ClaimsBy<Schema>> | null>;

declare namespace portcullis {
  /** The function itself, for imports by name. */
  const secure: typeof portcullis;

  /** The source of keys of `secure`. */
  type Keys = JwksService | Issuers | Introspector | GetKey;

  /** The options of {@link secure}: rules for valid tokens, rules of the endpoint, and the form of a refusal. */
  interface Options<Schema extends StandardSchema | undefined = undefined> extends VerificationOptions, EndpointOptions<Schema> {}

  /** The options of a guard that lets no request pass without an accepted token. */
  type NeedsToken = { optional?: false; reportOnly?: false };

  /** The rules for valid tokens. */
  interface VerificationOptions {
    /**
     * The accepted issuers: `iss` has to equal one of them to the letter (RFC 7519 section 4.1.1). By default the issuer
     * of `discovery`, or any.
     */
    issuer?: string | readonly string[];

    /**
     * The accepted values of `sub`, of which a token has to match one; `*` stands for any run of characters. All by default.
     *
     * @example
     * ```js
     * secure(keys, { issuer: 'https://token.actions.githubusercontent.com', subjects: 'repo:my-org/*', audience: 'api' });
     * ```
     */
    subjects?: string | readonly string[];

    /**
     * The claim that has to be equal to the tenant in `iss`, by its name or JSON Pointer, if `issuer` has a placeholder for the
     * tenant. The placeholder is one segment of the path.
     *
     * @example
     * ```js
     * const keys = getSimpleJwksService('https://login.microsoftonline.com/common/discovery/v2.0/keys');
     * secure(keys, { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', tenantClaim: 'tid', audience: 'api' });
     * ```
     */
    tenantClaim?: string;

    /**
     * The accepted tenants, if `issuer` has a placeholder: all by default. A function gets the tenant of each verified token and has
     * to return true or false.
     */
    tenants?: string | readonly string[] | ((tenant: string) => boolean);

    /**
     * The accepted SPIFFE trust domain, such as `example.org`: `sub` has to be `spiffe://example.org/…`. It replaces
     * `issuer`, because JWT-SVIDs need no `iss`.
     */
    trustDomain?: string;

    /** The accepted audiences: `aud` has to contain one of them (RFC 7519 section 4.1.3). By default any. */
    audience?: string | readonly string[];

    /**
     * The accepted algorithms (RFC 8725 section 3.1). By default all except HS256, HS384 and HS512, which have to be listed
     * and work with local secrets only: they alone are an error with keys that are fetched.
     */
    algorithms?: Algorithm | readonly Algorithm[];

    /**
     * The accepted types of token (`typ`, RFC 8725 section 3.11), in any case and with or without `application/`. By
     * default `JWT`, `at+jwt` or no `typ`; with `trustDomain` `JWT`, `JOSE` or no `typ`; with `rfc9068` only `at+jwt`.
     */
    types?: string | readonly string[];

    /** Accepts tokens without `typ` too, in addition to those of `types` and `rfc9068`. Off by default. */
    orNoType?: boolean;

    /** The allowed difference of clocks, in seconds: 5 by default, 300 at the most. */
    leeway?: number;

    /**
     * The longest time from `iat` to `exp`, in seconds: any by default. A token with a longer time is refused with
     * `token_lifetime_too_long`, a token without `iat` or `exp` with `missing_claim`.
     */
    maxTokenLifetime?: number;

    /**
     * The longest time since `iat`, in seconds, give or take the leeway: any by default. An older token is refused with
     * `token_too_old`, a token without `iat` with `missing_claim`.
     */
    maxTokenAge?: number;

    /**
     * The claims that may hold the scope, each by its name, or by its JSON Pointer (RFC 6901) if it starts with a slash. The
     * first one present counts. By default `scope` and `scp`.
     */
    scopeClaims?: string | readonly string[];

    /**
     * The number of keys that are tried for a token without `kid`: 16 by default. Each try takes time, and every client can
     * send such tokens.
     */
    maxKeyAttempts?: number;

    /**
     * Accepts only tokens that follow the profile for JWT access tokens (RFC 9068). Needs `audience`, and `issuer` unless
     * the keys are from `discovery`. Off by default.
     */
    rfc9068?: boolean;

    /** Accepts tokens without `exp`, which stay valid until their key is withdrawn. Off by default. */
    dangerouslyAcceptTokensWithoutExpiry?: boolean;

    /**
     * Accepts tokens bound to a key of their sender (`cnf`, RFC 7800) as if they were bearer tokens, so that a stolen token
     * can be used. Only for services behind a proxy that checks the DPoP proof (RFC 9449) or the client certificate
     * (RFC 8705). Off by default: such a token is refused with `sender_constrained_token`.
     */
    dangerouslyAcceptSenderConstrainedTokens?: boolean;

    /**
     * The cache of verified tokens, whose signatures are not verified again: its size, or `false` for no cache. On by
     * default.
     */
    tokenCache?: boolean | TokenCacheOptions;
  }

  /** The size of the cache of verified tokens. */
  interface TokenCacheOptions {
    /** The greatest number of bytes: 32 MiB by default, about 10,000 tokens of 1 KB. */
    bytes?: number;

    /** The greatest number of tokens: 100,000 by default. */
    tokens?: number;
  }

  /** The rules of an endpoint, and the form of a refusal. */
  interface EndpointOptions<Schema extends StandardSchema | undefined = undefined> {
    /** The protection space in `WWW-Authenticate` (RFC 9110 section 11.5). None by default. */
    realm?: string;

    /**
     * The scope values that a token must grant, all of them: an array, or one string separated by spaces (RFC 6749 section
     * 3.3).
     */
    scope?: string | readonly string[];

    /** Scope values of which a token must grant at least one; or groups of values, with at least one of each. */
    anyScope?: string | readonly string[] | readonly (readonly string[])[];

    /** The further scope values that each scope value grants, directly or through others. */
    impliedScopes?: { readonly [value: string]: readonly string[] };

    /**
     * The authentication contexts, one of which the token's `acr` has to name (RFC 9470). Any other token gets 401 and a challenge
     * that names them, so that the client can have the user step up.
     */
    acr?: string | readonly string[];

    /**
     * The longest time since the user authenticated (`auth_time`), in seconds, give or take the leeway (RFC 9470). A token with
     * an earlier `auth_time`, or without one, gets 401 and a challenge that names the time.
     */
    maxAge?: number;

    /** The claims that a token must have, or must not have. */
    claims?: readonly ClaimRule[];

    /**
     * A schema for the claims, of zod, valibot, arktype or another library of the Standard Schema specification. Its output takes the
     * place of the claims in `req.claims` and `access.claims`, with its type; `access.payload` has the token's own.
     *
     * It sees a copy of the claims, once for each token, after all rules have held. A token that does not fit is refused with
     * `required_claims`, whose `reason` has the places. A schema that throws, or that is async, fails the request.
     *
     * @example
     * ```js
     * const { z } = require('zod');
     *
     * secure(jwksService, { schema: z.object({ sub: z.string(), level: z.coerce.number().min(3) }) });
     * ```
     */
    schema?: Schema;

    /**
     * The greatest length of a token, in bytes: 16,384 by default. Node itself refuses requests whose header fields take more
     * than that in all (`--max-http-header-size`).
     */
    maxTokenBytes?: number;

    /** The status for an invalid token: 403 by default, or 401 (RFC 6750 section 3.1); always 401 where DPoP is required (RFC 9449 section 7.1). */
    invalidTokenStatus?: 401 | 403;

    /** Gives refusals a body of `application/problem+json` (RFC 9457). Off by default: the body is empty. */
    problemJson?: boolean;

    /**
     * The use of DPoP (RFC 9449): `off`, `allowed`, `required`, or an object with further options, which requires proofs unless `use`
     * says otherwise. Off by default: tokens that are bound by DPoP are refused.
     *
     * @example
     * ```js
     * secure(jwksService, { dpop: { publicUrl: 'https://api.example.com', nonces: true } });
     * ```
     */
    dpop?: DpopUse | DpopOptions;

    /**
     * Accepts only tokens that are bound to a key of their sender, by a client certificate or by DPoP; others are refused with
     * `sender_constraint_required`. Off by default.
     */
    senderConstrained?: boolean;

    /**
     * Finds the client's certificate, as DER or as an `X509Certificate`, if it is not that of the connection: behind a proxy that
     * ends TLS, in a header field. The proxy has to remove this field from requests of clients, and nobody else may reach the server.
     *
     * @example
     * ```js
     * // Caddy: header_up X-Client-Certificate {http.request.tls.client.certificate_der_base64}
     * secure(jwksService, { clientCertificate: (req) => Buffer.from(req.get('x-client-certificate') ?? '', 'base64') });
     * ```
     */
    clientCertificate?: (request: any) => Uint8Array | X509Certificate | null | undefined;

    /**
     * The introspector for tokens that are not JWTs. With `secure(introspector)` alone, no JWT passes; with a JWKS service, JWTs are
     * verified by its keys.
     */
    introspection?: Introspector;

    /**
     * The token exchanges of handlers, by the names for `auth.exchange(name)` (RFC 8693). Of an array, the exchange at the issuer of
     * the token is taken.
     */
    exchange?: { readonly [name: string]: Exchange | readonly Exchange[] };

    /**
     * Lets all requests pass, and reports those that would be refused, which pass without claims: for use before a roll-out. Off by
     * default.
     */
    reportOnly?: boolean;

    /**
     * Called with `reportOnly` for each request that would be refused, in place of a line in the log. Its failure changes nothing.
     */
    onReport?: (error: errors.RefusalError | Error, request: any) => void;

    /** Lets requests without credentials pass, without claims. An invalid token is still refused. Off by default. */
    optional?: boolean;

    /**
     * Passes a refusal to the next error handler, as an {@link errors.RefusalError}, and sends no answer. Off by default.
     */
    next?: boolean;

    /** Called for each request that the middleware refuses. An error in it is logged, and changes nothing. */
    onError?: (error: errors.RefusalError, request: any) => void;

    /**
     * Finds the token in another place than the `Authorization` field. A result that is not a string counts as no token.
     *
     * @example
     * ```js
     * secure(jwksService, { getToken: (req) => req.cookies.at });
     * ```
     */
    getToken?: (request: any) => string | null | undefined;

    /** The longest time for `getKey`, in seconds: 5 by default. After it the request gets 503. */
    getKeyTimeout?: number;
  }

  /**
   * The use of DPoP: `off` refuses tokens that need a proof, `allowed` checks their proofs and lets bearer tokens pass, `required` lets
   * only tokens with a proof pass.
   */
  type DpopUse = 'off' | 'allowed' | 'required';

  /** The options for DPoP proofs. Guards with the same options share the memory of the proofs seen. */
  interface DpopOptions {
    /** The use of DPoP: `required` by default. */
    use?: DpopUse;

    /** The algorithms of proofs: all but HS256, HS384 and HS512 by default. They are apart from those of tokens. */
    algorithms?: Algorithm | readonly Algorithm[];

    /** The longest time since a proof was made (`iat`), in seconds: 300 by default. With nonces, the nonce's age counts. */
    maxAge?: number;

    /** The longest time that a proof may be made ahead of this machine's clock, in seconds: 10 by default, 300 at the most. */
    leeway?: number;

    /** The greatest length of a proof, in bytes: 8,192 by default. */
    maxProofBytes?: number;

    /**
     * The URL that clients use: scheme, host and port, and the path that a proxy takes off. By default it is made of the connection, the
     * field `Host` and `originalUrl`, or of `X-Forwarded-Proto` and `X-Forwarded-Host` if Express trusts the proxy (`trust proxy`).
     */
    publicUrl?: string | URL;

    /**
     * Asks for a nonce of this server in each proof (RFC 9449 section 9): true, or an object with the secret that replicas share. Off
     * by default.
     */
    nonces?: boolean | NonceOptions;

    /** A store that processes share, so that each proof passes once at all of them. By default each process has a memory. */
    replayStore?: ReplayStore;

    /**
     * The judgement while the store fails or takes longer than 250 ms: `judge_locally`, the default, by the memory of the process;
     * `refuse` answers 503.
     */
    whenStoreIsAway?: 'judge_locally' | 'refuse';
  }

  /** The options for nonces. */
  interface NonceOptions {
    /** The secret, of 32 bytes or more. */
    secret: string | Uint8Array;

    /** The time for which a nonce is accepted at least, in seconds: 300 by default, 3,600 at the most. */
    lifetime?: number;
  }

  /** A store of the DPoP proofs seen. */
  interface ReplayStore {
    /**
     * Keeps an identifier for this many seconds unless it is kept already, in one atomic operation. Resolves to true if it is new.
     *
     * @example
     * ```js
     * const keepNew = async (id, seconds) => (await redis.set(`dpop:${id}`, '', { EX: seconds, NX: true })) === 'OK';
     * ```
     */
    keepNew(id: string, seconds: number): Promise<boolean>;
  }

  /**
   * A claim that a token must have, or must not have; or a function of all claims that returns true if they suffice.
   *
   * @example
   * ```js
   * const claims = [
   *   { name: 'sub' },
   *   { name: 'role', value: 'admin' },
   *   { name: '/region/name', oneOf: ['eu', 'uk'] },
   *   { name: 'repository', matches: 'my-org/*' },
   *   { name: 'act', absent: true },
   *   { name: 'level', value: (level) => level >= 3 },
   *   (claims) => claims.sub === claims.owner,
   * ];
   * ```
   */
  // A function has a `name` too: `call` keeps an async function from matching `Claim`.
  type ClaimRule = (Claim & { call?: never }) | ((claims: Claims) => boolean);

  /**
   * A claim that a token must have, or must not have. At most one of `value`, `oneOf`, `matches` and `absent` may be set;
   * without them the claim has to be present, with any value. One that is present and
   * undefined is an error.
   */
  interface Claim {
    /** The name of the claim, or its JSON Pointer (RFC 6901) if it starts with a slash. */
    name: string;

    /** The expected value, or an element if the claim is an array; or a function that returns true if the value suffices. */
    value?: Json | ((value: any, claims: Claims) => boolean);

    /** The expected values: the claim equals one of them, or contains one if it is an array. */
    oneOf?: readonly Json[];

    /**
     * A pattern for the whole value, or for one element if the claim is an array. `*` stands for any characters, including
     * none and `/`.
     */
    matches?: string;

    /** True if the claim must be absent. A claim that is null is present. */
    absent?: boolean;
  }

  /** A schema by the Standard Schema specification, version 1: those of zod, valibot, arktype and others. It has to be synchronous. */
  interface StandardSchema<Output extends object = object> {
    readonly '~standard': {
      readonly version: 1;
      readonly vendor: string;
      readonly validate: (value: unknown) => any;
      readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    };
  }

  /** The claims of a guard with this schema: its output, or without a schema the token's own. */
  type ClaimsBy<Schema extends StandardSchema | undefined> = Schema extends StandardSchema
    ? NonNullable<Schema['~standard']['types']>['output']
    : Claims;

  /** The claims of requests that a guard lets pass: `ClaimsOf<typeof guard>`. */
  type ClaimsOf<AnyGuard extends Guard<any, any>> = AnyGuard extends Guard<infer Admitted, any>
    ? NonNullable<Admitted> extends Access<infer C>
      ? C
      : never
    : never;

  /** The type of `req.claims` in Express: that of `claims` in `Portcullis.Register`, or the claims of any token. */
  type RequestClaims = Portcullis.Register extends { claims: infer C } ? C : Claims;

  /** A JSON value (RFC 8259). */
  type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

  /** The name of a signature algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864, RFC 9964). */
  type Algorithm =
    | 'RS256'
    | 'RS384'
    | 'RS512'
    | 'PS256'
    | 'PS384'
    | 'PS512'
    | 'ES256'
    | 'ES384'
    | 'ES512'
    | 'EdDSA'
    | 'Ed25519'
    | 'ML-DSA-44'
    | 'ML-DSA-65'
    | 'ML-DSA-87'
    | 'HS256'
    | 'HS384'
    | 'HS512';

  /** A guard with `reportOnly`: each request passes, and a token that would be refused is verified to null. */
  type ReportingGuard<Admitted = Access> = Guard<Admitted | null, Admitted | null>;

  /** Middleware for Express, connect and compatible frameworks, with methods for other frameworks. */
  interface Guard<Admitted = Access, Verified = NonNullable<Admitted>> {
    (req: IncomingRequest, res: OutgoingResponse, next: (error?: any) => void): void;

    /**
     * Judges a token alone, so that one that is bound to a key is refused. A guard of an MCP server with rules for tools or methods
     * needs the request: its `verify` rejects with a TypeError. With `reportOnly`, it resolves to null in place of a refusal.
     *
     * @throws {@link errors.RefusalError}, as a rejection, if the token is refused
     *
     * @example
     * ```js
     * const { claims } = await guard.verify(token);
     * ```
     */
    verify(token: string): Promise<Verified>;

    /**
     * Judges the `Authorization` field of a request of Node, Fastify, Koa or `fetch`, or of its headers alone. Resolves to
     * null for a request without credentials if `optional` is set, and in place of a refusal with `reportOnly`. A DPoP proof and the
     * certificate of the connection count if it is the request. A guard of an MCP server judges the message, too: by the content, or by
     * the headers if they are all that it gets.
     *
     * @throws {@link errors.RefusalError}, as a rejection, if the request is refused
     *
     * @example
     * ```js
     * fastify.addHook('onRequest', async (request) => {
     *   request.auth = await guard.verifyRequest(request);
     * });
     * ```
     */
    verifyRequest(request: { readonly headers: RequestHeaders } | RequestHeaders): Promise<Admitted>;

    /**
     * Explains the verdict on a token or a request, check by check: for operators, not for clients. Keys are fetched and tokens
     * introspected as for a request; a DPoP proof is not used up.
     *
     * @example
     * ```js
     * console.log(String(await guard.explain(token)));
     * ```
     */
    explain(tokenOrRequest: string | { readonly headers: RequestHeaders }): Promise<Explanation>;

    /**
     * Removes a token from the cache, so that its signature is verified again, or its authorization server is asked again, also if it
     * was refused. This does not revoke the token.
     *
     * @throws TypeError if the guard gets its keys from a `getKey`
     */
    invalidate(token: string): void;
  }

  /** The properties of a request that the middleware needs. */
  interface IncomingRequest {
    readonly headers: { readonly authorization?: string | undefined };
    readonly rawHeaders: readonly string[];
  }

  /** The properties of a response that the middleware needs. */
  interface OutgoingResponse {
    statusCode: number;
    readonly headersSent: boolean;
    readonly writableEnded: boolean;
    setHeader(name: string, value: string | readonly string[]): unknown;
    end(body: string): unknown;
  }

  /** The fields of a request: an object, or `Headers` of `fetch`. */
  type RequestHeaders =
    | { get(name: string): string | null }
    | { readonly [name: string]: string | readonly string[] | undefined };

  /**
   * Evidence that a request passed by its token: the value of `req.auth`. It is an `AuthInfo` of the TypeScript SDK of the Model
   * Context Protocol, too.
   */
  interface Access<C = Claims> {
    /** The token's claims, or the output of the guard's `schema` for them; frozen, and shared by requests with the same token. */
    readonly claims: C;

    /** The token's own claims: the same as `claims`, unless the guard has a `schema`. */
    readonly payload: Claims;

    /** The token. Neither `JSON.stringify` nor a log of this object shows it. */
    readonly token: string;

    /** The header of the token, or of the JWT behind a phantom token (RFC 7515 section 4); undefined for other opaque tokens. */
    readonly header: Header | undefined;

    /** The JWT behind a phantom token, to hand on to an upstream; undefined for other tokens. */
    readonly phantomJwt?: string;

    /** The client: the claim `client_id` (RFC 9068), or else `azp`, `cid` or `appid`; an empty string if there is none. */
    readonly clientId: string;

    /** The time of expiry, in seconds since 1970. */
    readonly expiresAt?: number;

    /** The identifier of the resource, if the guard is one of a resource. */
    readonly resource?: URL;

    /** The claims, under the name that tools of the Model Context Protocol find them by. */
    readonly extra: { claims: C };

    /**
     * The nonce for the client's next DPoP proofs, if the guard asks for nonces. Middleware and plugins send it; a caller of
     * `verifyRequest` sends it in the field `DPoP-Nonce` of the response (RFC 9449 section 8.2).
     */
    readonly dpopNonce?: string;

    /** The scope values in the token's `scope` claim, or in `scp` if `scope` is absent (option `scopeClaims`). */
    readonly scopes: string[];

    /** The scope values that the token grants, directly or by implication (`impliedScopes`). */
    readonly grantedScopes: string[];

    /** Returns true if the token grants this scope value, directly or by implication (`impliedScopes`). */
    hasScope(value: string): boolean;

    /**
     * Exchanges the token for one of an upstream, by a name of the option `exchange` (RFC 8693). The same token is exchanged once, until
     * one of the two expires.
     *
     * @throws {@link errors.ExchangeError}, as a rejection: 403 if the authorization server refuses, 503 if it is away
     *
     * @example
     * ```js
     * app.get('/stock', async (req, res) => {
     *   const { authorization } = await req.auth.exchange('inventory');
     *   const answer = await fetch('https://inventory.example.com/', { headers: { authorization } });
     *   res.json(await answer.json());
     * });
     * ```
     */
    exchange(name: string): Promise<ExchangedToken>;
  }

  /** A token for an upstream. Neither `JSON.stringify` nor a log of it shows the token. */
  interface ExchangedToken {
    /** The token. */
    readonly token: string;
    /** The `Authorization` field for the upstream. */
    readonly authorization: string;
    /** The time until which it may be used, in seconds since 1970. */
    readonly until: number;
    /** The claims, if it is a verified JWT. */
    readonly claims?: Claims;
  }

  /** The verdict on a token, check by check; as a string, a table for people. It contains claims, and not the token. */
  interface Explanation {
    /** `not_judged` if keys or an introspection were out of reach. */
    readonly verdict: 'passed' | 'refused' | 'not_judged';
    /** The code of the refusal, or null. */
    readonly code: RefusalCode | null;
    /** The reason of the refusal, or null. */
    readonly reason: string | null;
    /** The time of the judgement, as in RFC 3339. */
    readonly now: string;
    /** True if a signature, or the authorization server, vouches for header and claims. */
    readonly vouched: boolean;
    /** The header, if it is readable: escape it for display. */
    readonly header: Header | null;
    /** The claims, if they are readable: escape them for display. */
    readonly claims: Claims | null;
    /** All checks, in the order of verification. */
    readonly checks: readonly ExplainedCheck[];
    /** The first failed check. */
    readonly failure: ExplainedCheck | undefined;
    toString(): string;
  }

  /** A check of an explanation. */
  interface ExplainedCheck {
    readonly check: string;
    readonly title: string;
    readonly outcome: 'passed' | 'failed' | 'not_reached' | 'not_asked' | 'not_checked';
    readonly code: RefusalCode | null;
    readonly expected: string | null;
    readonly actual: { readonly text: string; readonly vouched: boolean } | null;
    readonly reference: string | null;
    /** The likely cause of a failure, and what to do. */
    readonly hint: string | null;
  }

  /** The claims of a token (RFC 7519 section 4). They are frozen: copy them to change them. */
  interface Claims {
    /** The issuer. */
    readonly iss?: string;
    /** The subject. */
    readonly sub?: string;
    /** The audience. */
    readonly aud?: string | readonly string[];
    /** The time of expiry, in seconds since 1970. */
    readonly exp?: number;
    /** The time from which the token is valid, in seconds since 1970. */
    readonly nbf?: number;
    /** The time of issue, in seconds since 1970. */
    readonly iat?: number;
    /** The token's id. */
    readonly jti?: string;
    /** Any other claim. */
    readonly [claim: string]: unknown;
  }

  /** The header of a token (RFC 7515 section 4). */
  interface Header {
    /** The signature algorithm. */
    alg: string;
    /** The id of the key. */
    kid?: string;
    /** The token's type. */
    typ?: string;
    /** Any other member. */
    [member: string]: any;
  }

  /** A JWK Set (RFC 7517 section 5). */
  interface JwkSet {
    keys: Jwk[];
  }

  /** A JWK (RFC 7517 section 4). */
  interface Jwk {
    kty?: string;
    kid?: string;
    alg?: string;
    use?: string;
    [member: string]: any;
  }

  /**
   * The keys of an issuer, fetched on first use and kept fresh, or local keys. Made by {@link getSimpleJwksService},
   * {@link jwksService}, {@link discovery} and {@link localKeys}.
   */
  interface JwksService {
    /** The issuer, if the keys are from `discovery`. */
    readonly issuer: string | undefined;

    /** True if there are keys to verify with, for a readiness probe. */
    readonly ready: boolean;

    /** The state of the service, for a console. */
    status(): JwksStatus;

    /**
     * Fetches the keys unless they are cached. Rejects if that fails: the error for a wrong issuer of `discovery` names it and that of
     * the metadata.
     */
    prefetch(): Promise<void>;

    /** Fetches the keys now. Rejects if that fails. */
    refresh(): Promise<void>;
  }

  /** The state of a JWKS service. */
  interface JwksStatus {
    /** The endpoint or issuer, without credentials and query; null for local keys. */
    source: string | null;
    /** True if there are keys to verify with. */
    ready: boolean;
    /** The number of tenants whose keys are kept; null unless each tenant of the issuer has its own. */
    tenants: number | null;
    /** The `kid` of each key in use. */
    keys: (string | null)[];
    /** The unused keys of the set, with reasons. */
    skipped: { kid: string | null; problem: string }[];
    /** The oddities of keys that are still used. */
    warnings: { kid: string | null; oddity: string }[];
    /** The time since the last fetch, in seconds; null for local keys, or if there is no set. */
    age: number | null;
    /** The time until the next fetch, in seconds; null for local keys. */
    nextRefresh: number | null;
    /** The number of failures since the last success. */
    failures: number;
    /** The reason of the last failure; null after a success. */
    lastError: string | null;
  }

  /** The options for fetching and caching keys. */
  interface ServiceOptions {
    /** The longest time for a whole fetch, in seconds: 5 by default. No request waits longer for keys. */
    timeout?: number;

    /**
     * The greatest age of keys if the endpoint sends no `Cache-Control: max-age`, in seconds: 300 by default. They are
     * fetched again before that.
     */
    maxAge?: number;

    /** The time for which keys are used while the endpoint is down, in seconds: 86,400 by default. Then requests get 503. */
    maxStale?: number;

    /** The greatest length of a fetched document, in bytes: 524,288 by default. */
    maxDocumentBytes?: number;

    /** The greatest number of keys in a set: 1,000 by default. A larger set counts as an outage. */
    maxKeys?: number;

    /** The greatest number of tenants whose keys are kept, for `discovery` of an issuer with a placeholder: 1,000 by default. */
    maxTenants?: number;

    /** The accepted uses of keys (`use`) besides `sig`, such as `jwt-svid` in a SPIFFE bundle. */
    keyUses?: string | readonly string[];

    /** A further cache for the keys. By default they are in memory only. */
    cache?: Cache;

    /** The HTTP client: a module like `https`, or options for Node's own client (`agent`, `ca`, `headers`). */
    client?: Client | ClientOptions;

    /** Fetches over plain http from other machines too: an attacker on the network can then forge tokens. Off by default. */
    dangerouslyAllowHttp?: boolean;

    /**
     * The clock of a test, from `portcullis/testkit`: the age of keys and the times of tokens are judged by it. Nothing else is
     * accepted. The machine's clock by default.
     */
    clock?: import('./testkit.js').TestClock | undefined;
  }

  /** A cache of a key set outside of the process. Everyone with write access to it can forge tokens. */
  interface Cache {
    /**
     * Returns the cached key set, or null: a JWK Set, its text, or a key store of jose 1. Called once, before the first
     * fetch.
     */
    getKeyStore(): KeptKeys | Promise<KeptKeys>;

    /** Caches a key set, which is valid JSON and has jose 1's method `toJWKS`. Called after each fetch. */
    setKeyStore(keyStore: KeyStore): unknown;
  }

  /** The results of a cache. */
  type KeptKeys = JwkSet | { toJWKS(): object } | string | null | undefined;

  /** A key set for a cache: a JWK Set and the time of its fetch. */
  interface KeyStore extends JwkSet {
    /** The time of the fetch, in milliseconds since 1970. */
    readonly fetchedAt?: number;
    /** Returns the JWK Set, as in jose 1. */
    toJWKS?(): JwkSet;
  }

  /** Options for Node's own client. */
  interface ClientOptions extends Omit<RequestOptions, 'headers'> {
    /**
     * Your own header fields, or a function that returns them and is called at each fetch, for example for a token that
     * rotates. They and `auth` are sent to the configured origin only, not to others in its metadata. They replace the
     * package's own fields, such as `user-agent`.
     *
     * @example
     * ```js
     * const headers = async () => ({ authorization: `Bearer ${await readFile('token', 'utf8')}` });
     * ```
     */
    headers?: Fields | (() => Fields | Promise<Fields>);
  }

  /** Fields of a request. */
  type Fields = OutgoingHttpHeaders | Headers | ReadonlyMap<string, string>;

  /** A module like `https`. */
  interface Client {
    get(url: string, options: any, callback: (response: any) => void): unknown;
  }

  /** A function that finds the keys for a token, such as jose's `createRemoteJWKSet` returns. Called for each request. */
  type GetKey = (header: Header, token: FlattenedJws) => Key | Promise<Key>;

  /** A key: a KeyObject or a CryptoKey, a secret, PEM (SPKI), a JWK or a JWK Set. */
  type Key = { readonly type: string } | Uint8Array | string | Jwk | JwkSet;

  /** A token in three parts (RFC 7515 section 7.2). */
  interface FlattenedJws {
    protected: string;
    payload: string;
    signature: string;
  }

  /** Several issuers, made by {@link anyOf}. */
  interface Issuers {
    readonly verifier: object;
  }

  /** One of several issuers: its keys, and the rules for its tokens. */
  interface IssuerOptions extends VerificationOptions {
    /** The issuer's keys. Unless they are from `discovery`, set `issuer` too. */
    jwks: JwksService;

    /** The introspector for the opaque tokens of this issuer; of several issuers, one may have one. */
    introspection?: Introspector;
  }

  /** The description of a protected resource, and its issuers. */
  type ResourceOptions = ResourceIssuers &
    ResourceDescription & {
      /** The rules of an MCP server, or true for one without rules of its own. By default the resource is none. */
      mcp?: boolean | McpRules;
    };

  /** The description of an MCP server, its issuers, and its rules. */
  type McpOptions = ResourceIssuers & ResourceDescription & McpRules;

  /** The description of a protected resource (RFC 9728 section 2). */
  interface ResourceDescription {
    /**
     * The identifier: the https URL that clients use, to the letter, without query and fragment. Plain http is for this machine
     * alone. It is the audience of tokens from issuers without an `audience` of their own.
     */
    resource: string;

    /** The name for people. */
    name?: string;

    /** The URL of the documentation for developers. */
    documentation?: string;

    /** The URL of the requirements on the use of the data. */
    policyUri?: string;

    /** The URL of the terms of service. */
    tosUri?: string;

    /** The scope values that clients may ask for, in addition to those that the guards ask for. */
    scopesSupported?: string | readonly string[];

    /** The authorization servers that clients are sent to, in place of the issuers: a server in front of them, for instance. */
    authorizationServers?: string | readonly string[];

    /** The URL of the resource's own keys, for tokens that are encrypted to it. It has nothing to do with keys of issuers. */
    jwksUri?: string;
  }

  /** The rules of an MCP server. */
  interface McpRules {
    /**
     * The origins of web pages that may send requests, besides the resource's own, such as `https://chat.example.com`. Any other
     * `Origin` gets 403; a request without one passes, as programs other than browsers send it.
     */
    allowedOrigins?: string | readonly string[];

    /** The scope values that tools need, in addition to those of the guard. All rules that match a tool apply. */
    tools?: readonly ToolRule[];

    /** The scope values that JSON-RPC methods need, in addition to those of the guard. All rules that match apply. */
    methods?: readonly MethodRule[];

    /**
     * Leaves the `Authorization` field in requests that pass. Off by default: handlers cannot pass the token on by mistake, and
     * other guards of this package find it nonetheless.
     */
    forwardAuthorization?: boolean;

    /** The greatest length of a content that rules for tools and methods need, in bytes: 1,048,576 by default. */
    maxBodyBytes?: number;
  }

  /** The scope values that tools need. */
  interface ToolRule {
    /** The name of the tool; `*` stands for any characters, including none. */
    name: string;

    /** The scope values, all of which a token must grant. */
    scope: string | readonly string[];
  }

  /** The scope values that JSON-RPC methods need. */
  interface MethodRule {
    /** The method, such as `resources/read`; `*` stands for any characters, including none. */
    method: string;

    /** The prompt, tool or URI of a resource, if only some are meant; `*` stands for any characters, including none. */
    name?: string;

    /** The scope values, all of which a token must grant. */
    scope: string | readonly string[];
  }

  /** A protected resource: the router of its document, and its guards. */
  interface ProtectedResource {
    /** Middleware that serves the resource's document at its well-known path (RFC 9728 section 3). Mount it at the root. */
    router(req: { readonly method?: string | undefined; readonly url?: string | undefined }, res: OutgoingResponse, next: (error?: any) => void): void;

    /**
     * Makes middleware for a part of the resource, with rules of its own. The document names the scope values of all guards.
     *
     * @throws TypeError if an option is invalid
     */
    guard<Schema extends StandardSchema | undefined = undefined>(
      options?: EndpointOptions<Schema> & NeedsToken,
    ): Guard<Access<ClaimsBy<Schema>>>;
    guard<Schema extends StandardSchema | undefined = undefined>(
      options: EndpointOptions<Schema> & { reportOnly: true },
    ): ReportingGuard<Access<ClaimsBy<Schema>>>;
    guard<Schema extends StandardSchema | undefined = undefined>(
      options: EndpointOptions<Schema>,
    ): Guard<Access<ClaimsBy<Schema>> | null>;
  }

  /**
   * The issuers of a resource: one, whose rules stand beside it, or several in `issuers`. Keys come from the metadata of the
   * issuer (OpenID Connect Discovery 1.0, RFC 8414) unless `jwks` has them.
   */
  type ResourceIssuers =
    | (ResourceIssuer & { issuers?: never })
    | ({ issuers: readonly (string | ResourceIssuer)[] } & { [name in keyof ResourceIssuer]?: never });

  /** An issuer of a resource, and the rules for its tokens. Their audience is the resource unless `audience` is set. */
  type ResourceIssuer = Omit<VerificationOptions, 'issuer' | 'trustDomain'> & (
    | {
        /** The URL of the authorization server, to the letter. */
        issuer: string;
        /** The issuer's keys. By default those of its metadata. */
        jwks?: JwksService;
      }
    | {
        /** The issuer's URL is that of `discovery`. */
        issuer?: never;
        /** The issuer's keys, from `discovery`. */
        jwks: JwksService;
      }
  );

  /** The options for finding keys by an issuer's metadata. */
  interface DiscoveryOptions extends ServiceOptions {
    /** The issuer's URL, to the letter. */
    issuer: string;
  }

  /**
   * Describes a protected resource once (RFC 9728). From it come the document by which clients find the authorization server, the
   * audience of tokens, and the challenges of the guards, with `scope` and `resource_metadata`.
   *
   * @example
   * ```js
   * const { router, guard } = protectedResource({ resource: 'https://api.example.com', issuer: 'https://login.example.com' });
   * app.use(router);
   * app.use('/orders', guard({ scope: 'orders:read' }));
   * ```
   *
   * @throws TypeError if an option is invalid
   */
  function protectedResource(options: ResourceOptions): ProtectedResource;

  /**
   * Describes a server of the Model Context Protocol (MCP): a protected resource whose guards answer a bad token with 401, check
   * `Origin`, and ask for the scope that a tool needs.
   *
   * @example
   * ```js
   * const { router, guard } = mcp({
   *   resource: 'https://mcp.example.com/mcp',
   *   issuer: 'https://login.example.com',
   *   tools: [{ name: 'delete_*', scope: 'files:write' }],
   * });
   * app.use(router);
   * app.use('/mcp', guard({ scope: 'files:read' }));
   * ```
   *
   * @throws TypeError if an option is invalid
   */
  function mcp(options: McpOptions): ProtectedResource;

  /**
   * The keys of a JWKS endpoint, cached in memory. The first token or `prefetch` starts the first fetch.
   *
   * @example
   * ```js
   * const jwksService = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
   * ```
   */
  function getSimpleJwksService(jwksUri: string | URL, options?: ServiceOptions): JwksService;

  /**
   * The keys of a JWKS endpoint, with your own cache and HTTP client.
   *
   * @example
   * ```js
   * const https = require('node:https');
   *
   * const jwks = jwksService(new InMemoryCache(), 'https://myoauthserver.com/auth/jwks', https);
   * ```
   *
   * @param client - a module like `https`, or options for Node's own client; Node's own client by default
   */
  function jwksService(
    cache: Cache,
    jwksUri: string | URL,
    client?: Client | ClientOptions | null,
    options?: Omit<ServiceOptions, 'cache'>,
  ): JwksService;

  /**
   * The keys in an issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414). A guard with them accepts this issuer's
   * tokens only.
   *
   * @example
   * ```js
   * app.use(secure(discovery({ issuer: 'https://login.example.com' }), { audience: 'https://api.example.com' }));
   * ```
   */
  function discovery(options: DiscoveryOptions): JwksService;

  /**
   * Local keys: a JWK Set or a JWK, as an object or as text; PEM (a public key or a certificate), or its base64 alone; a
   * public or secret KeyObject or CryptoKey; or a secret of at least 32 bytes, for which `algorithms` has to list HS256,
   * HS384 or HS512, and which must not be a key itself. Keys for other uses (`use`) than `sig` need their use in `keyUses`.
   *
   * @example
   * ```js
   * secure(localKeys(Buffer.from(process.env.SECRET, 'hex')), { algorithms: 'HS256' });
   * ```
   */
  function localKeys(
    keys: JwkSet | Jwk | string | KeyObject | webcrypto.CryptoKey | Uint8Array,
    options?: { keyUses?: string | readonly string[]; clock?: import('./testkit.js').TestClock | undefined },
  ): JwksService;

  /**
   * Accepts tokens of several issuers, each with its own keys and rules. A token's `iss` selects the issuer.
   *
   * @example
   * ```js
   * secure(anyOf([
   *   { jwks: discovery({ issuer: 'https://login.example.com' }), audience: 'https://api.example.com' },
   *   { jwks: discovery({ issuer: 'https://partner.example.org' }), audience: 'partners', algorithms: 'ES256' },
   * ]));
   * ```
   */
  function anyOf(issuers: readonly IssuerOptions[]): Issuers;

  /** The authentication of this server as a client of an authorization server (RFC 6749 section 2.3). */
  interface ClientAuthentication {
    /** The client identifier. */
    clientId?: string;
    /** The secret, for `basic` and `post`. */
    clientSecret?: string;
    /**
     * The method: a secret in `Authorization` (`basic`, the default) or in the form (`post`), a signed JWT (`private_key_jwt`, RFC 7523),
     * the certificate of `client` (`tls`, RFC 8705), or `none`.
     */
    authentication?: 'basic' | 'post' | 'private_key_jwt' | 'tls' | 'none';
    /** The private key for `private_key_jwt`: PEM (PKCS#8), or a KeyObject. */
    privateKey?: string | KeyObject;
    /** The id of that key at the server. */
    kid?: string;
    /** The algorithm of that key, if it is PS256. */
    algorithm?: Algorithm;
    /** The audience of the signed JWTs, if it is not the endpoint. */
    assertionAudience?: string;
  }

  /** The options for an endpoint of an authorization server. */
  interface AskedOptions extends ClientAuthentication {
    /** The URL of the endpoint. */
    endpoint: string | URL;
    /** The HTTP client: a module like `https`, with `request`, or options for Node's own client (`agent`, `ca`, `cert`, `key`). */
    client?: Client | ClientOptions;
    /** A clock of `portcullis/testkit`, in tests. */
    clock?: ServiceOptions['clock'];
    /** The time limit of a question, in seconds: 5 by default. */
    timeout?: number;
    /** The longest time for which an answer is kept, in seconds. */
    keepFor?: number;
    /** The time for which a refusal is kept, in seconds: 5 by default. */
    rememberRefusalsFor?: number;
    /** The greatest number of questions at a time. */
    maxQuestions?: number;
    /** The longest accepted answer, in bytes. */
    maxAnswerBytes?: number;
    /** The size of the cache of answers, in bytes; 0 for none. */
    cacheBytes?: number;
    /** A store of answers that processes share; its entries are sealed with `storeSecret`, and useless to its readers. */
    store?: AnswerStore;
    /** The secret of the store, at least 32 bytes, the same for all processes. */
    storeSecret?: string | Uint8Array;
    /** Asks over plain http on other machines too: an attacker on the network then sees tokens. Off by default. */
    dangerouslyAllowHttp?: boolean;
  }

  /** A store of sealed answers, such as Redis. */
  interface AnswerStore {
    /** Returns the entry of a key, or null. */
    get(key: string): Promise<string | null | undefined>;
    /** Keeps an entry for at most this many seconds. */
    set(key: string, entry: string, seconds: number): Promise<unknown>;
  }

  /** The options of {@link introspector}. */
  interface IntrospectorOptions extends AskedOptions {
    /** The form of answers: JSON (the default), a signed JWT (RFC 9701), or the JWT behind a phantom token. */
    form?: 'json' | 'jwt' | 'phantom';
    /** The introspected tokens: those that are not JWTs (`opaque`, the default), `all`, or also JWTs whose claims meet one of these rules. */
    introspect?: 'opaque' | 'all' | readonly Claim[];
    /** The greatest number of remembered refused tokens. */
    rememberRefusals?: number;
    /** The longest time since a signed answer was made, in seconds: 60 by default. */
    maxAnswerAge?: number;
  }

  /** The state of an endpoint of an authorization server. */
  interface EndpointStatus {
    /** The endpoint, without credentials and query. */
    endpoint: string;
    /** The number of failures since the last success. */
    failures: number;
    /** The seconds until questions are asked again, or null. */
    retryAfter: number | null;
    /** The reason why the last question failed, or null. */
    lastError: string | null;
  }

  /** Asks an authorization server about opaque tokens: made by {@link introspector}. */
  interface Introspector {
    /** The state of the endpoint. */
    status(): EndpointStatus;
  }

  /**
   * Asks the introspection endpoint of an authorization server about opaque tokens (RFC 7662), and keeps its answers for a minute at
   * most: for that long, a revoked token may still pass.
   *
   * @example
   * ```js
   * const introspection = introspector({
   *   endpoint: 'https://login.example.com/introspect',
   *   clientId: 'my-api',
   *   clientSecret: process.env.SECRET,
   *   form: 'phantom',
   * });
   * app.use(secure(discovery({ issuer: 'https://login.example.com' }), { introspection }));
   * ```
   *
   * @throws TypeError if an option is invalid
   */
  function introspector(options: IntrospectorOptions): Introspector;

  /** The options of {@link exchanger}: its endpoint, and the keys and rules for the exchanged tokens. */
  interface ExchangerOptions extends Omit<AskedOptions, 'endpoint'>, VerificationOptions {
    /** The URL of the token endpoint; by default the one in the issuer's metadata, if `jwks` is from `discovery`. */
    endpoint?: string | URL;
    /** The keys of the exchanged tokens. */
    jwks: JwksService;
    /** The issuer whose tokens are exchanged, if it is another than that of the exchanged tokens. */
    subjectIssuer?: string;
    /** The time by which an exchanged token may outlive the one that it was exchanged for, in seconds: 0 by default. */
    mayOutlive?: number;
    /** Hands on tokens that are not JWTs, unverified. Off by default. */
    dangerouslyAcceptUnverifiedTokens?: boolean;
    /** Hands on tokens of another `sub` than that of the client's token. Off by default. */
    dangerouslyAcceptOtherSubjects?: boolean;
  }

  /** Exchanges tokens at an authorization server: made by {@link exchanger}. */
  interface Exchanger {
    /** The state of the endpoint. */
    status(): EndpointStatus;
  }

  /** An exchange: its exchanger and its target, by `audience` or `resource`. */
  interface Exchange {
    /** The exchanger. */
    by: Exchanger;
    /** The name of the upstream at the authorization server. */
    audience?: string;
    /** The absolute URI of the upstream (RFC 8707). */
    resource?: string;
    /** The scope values to ask for: an array, or a string with spaces. */
    scope?: string | readonly string[];
    /** The type of token to ask for: `access_token` by default. */
    tokenType?: 'access_token' | 'jwt';
  }

  /**
   * Exchanges tokens of clients for tokens of upstreams at a token endpoint (RFC 8693). An exchanged token is verified before it is
   * handed on: its signature, issuer, audience and subject.
   *
   * @example
   * ```js
   * const jwks = discovery({ issuer: 'https://login.example.com' });
   * const by = exchanger({ clientId: 'orders-api', clientSecret: process.env.SECRET, jwks });
   * app.use(secure(jwks, { audience: 'orders', exchange: { inventory: { by, audience: 'inventory' } } }));
   * ```
   *
   * @throws TypeError if an option is invalid
   */
  function exchanger(options: ExchangerOptions): Exchanger;

  /** A cache in memory, the same as the services' default. */
  class InMemoryCache implements Cache {
    /** The key set, or null. */
    keyStore: KeyStore | null;
    getKeyStore(): Promise<KeyStore | null>;
    setKeyStore(keyStore: KeyStore): Promise<void>;
  }

  /**
   * Sets the logger of warnings: `console` by default, null for none. Warnings contain neither tokens nor claims.
   *
   * @example
   * ```js
   * setLogger(pino());
   * ```
   */
  function setLogger(logger: { warn(line: string): unknown } | null): void;

  /** The code of a refusal: stable, and the same in logs, problem details and errors. */
  type RefusalCode =
    | 'no_credentials'
    | 'other_scheme'
    | 'empty_token'
    | 'several_tokens'
    | 'mcp_origin'
    | 'mcp_fields_disagree'
    | 'mcp_fields_malformed'
    | 'mcp_fields_missing'
    | 'mcp_content_type'
    | 'mcp_body'
    | 'mcp_body_too_large'
    | 'token_too_large'
    | 'malformed_token'
    | 'malformed_token_parts'
    | 'encrypted_token'
    | 'malformed_base64'
    | 'malformed_json'
    | 'duplicate_member'
    | 'nested_too_deep'
    | 'malformed_header'
    | 'critical_header'
    | 'algorithm_not_allowed'
    | 'wrong_type'
    | 'unknown_key'
    | 'key_mismatch'
    | 'unusable_key'
    | 'too_many_keys'
    | 'bad_signature'
    | 'expired'
    | 'not_yet_valid'
    | 'issued_in_future'
    | 'token_too_old'
    | 'token_lifetime_too_long'
    | 'missing_claim'
    | 'malformed_claim'
    | 'wrong_issuer'
    | 'wrong_tenant'
    | 'wrong_subject'
    | 'wrong_audience'
    | 'inactive_token'
    | 'sender_constrained_token'
    | 'unsupported_confirmation'
    | 'wrong_certificate'
    | 'unbound_token'
    | 'dpop_required'
    | 'sender_constraint_required'
    | 'missing_dpop_proof'
    | 'several_dpop_proofs'
    | 'dpop_proof_too_large'
    | 'malformed_dpop_proof'
    | 'dpop_type'
    | 'dpop_algorithm'
    | 'dpop_key'
    | 'dpop_method'
    | 'dpop_url'
    | 'dpop_url_unknown'
    | 'dpop_too_old'
    | 'dpop_ahead'
    | 'dpop_nonce_missing'
    | 'dpop_nonce_stale'
    | 'dpop_wrong_token'
    | 'dpop_wrong_key'
    | 'dpop_signature'
    | 'dpop_replayed'
    | 'required_claims'
    | 'forbidden_claim'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
    | 'keys_unavailable'
    | 'introspection_unavailable'
    | 'exchange_refused'
    | 'exchange_unavailable'
    | 'exchange_unusable'
    | 'unknown_exchange'
    | 'replay_store_unavailable';

  /** The errors of refused requests. */
  namespace errors {
    /**
     * A refusal: its reason and the whole response. It contains no part of the token.
     *
     * @example
     * ```js
     * app.use((error, req, res, next) => {
     *   if (!(error instanceof errors.RefusalError)) return next(error);
     *   res.status(error.status).set(error.headers).json({ code: error.code });
     * });
     * ```
     */
    class RefusalError extends Error {
      protected constructor();
      /** The stable code. */
      readonly code: RefusalCode;
      /** The status: 400, 401, 403, 413, 415 or 503. */
      readonly status: number;
      /** The same as `status`. */
      readonly statusCode: number;
      /** The response's fields, by lower-case names. Several challenges are an array, to be sent in a field each. */
      readonly headers: { readonly [name: string]: string | string[] };
      /** The response's body: empty, or problem details as JSON. */
      readonly body: string;
      /** The reason, for operators; `message` is for clients. */
      readonly reason: string;
      /** True, because clients may read `message`. */
      readonly expose: true;
      /** Returns the whole response as a `Response` of fetch. */
      getResponse(): Response;
    }

    /** A request without a token: no credentials, another scheme, or `Bearer` alone. Status 401. */
    class UnauthorizedError extends RefusalError {
      protected constructor();
    }

    /**
     * A request with more than one token (RFC 6750 section 3.1, `invalid_request`), or one to an MCP server that cannot be judged
     * or is from another origin. Status 400, 403, 413 or 415.
     */
    class InvalidRequestError extends RefusalError {
      protected constructor();
    }

    /**
     * An invalid token: malformed, forged, expired or for another audience (RFC 6750 section 3.1, `invalid_token`). Status
     * 403, or 401 if `invalidTokenStatus` is 401 or DPoP is accepted.
     */
    class InvalidTokenError extends RefusalError {
      protected constructor();
    }

    /** A valid token without a claim that the endpoint requires, or with a forbidden one. Status as for invalid tokens. */
    class TokenClaimsError extends InvalidTokenError {
      constructor();
    }

    /** A valid token without a required scope value (RFC 6750 section 3.1, `insufficient_scope`). Status 403. */
    class InsufficientScopeError extends RefusalError {
      constructor();
    }

    /** A valid token of a user who has to authenticate again, or in another way (RFC 9470 section 3). Status 401. */
    class InsufficientUserAuthenticationError extends RefusalError {
      protected constructor();
    }

    /** A missing or bad DPoP proof, or one without a nonce of this server (RFC 9449 sections 7.1 and 9). Status 401. */
    class DpopProofError extends RefusalError {
      protected constructor();
    }

    /** A token that was not judged, because its keys are unavailable. Status 503, with `Retry-After`. */
    class KeysUnavailableError extends RefusalError {
      protected constructor();
    }

    /** A token that was not judged, because the authorization server cannot be asked about it. Status 503, with `Retry-After`. */
    class IntrospectionUnavailableError extends RefusalError {
      protected constructor();
    }

    /** A token that was not exchanged for one of an upstream. Status 403, 500 or 503. */
    class ExchangeError extends RefusalError {
      protected constructor();
    }

    /** A DPoP proof that was not judged, because the store of the proofs seen is unavailable. Status 503, with `Retry-After`. */
    class ReplayStoreUnavailableError extends RefusalError {
      protected constructor();
    }
  }
}

declare global {
  namespace Portcullis {
    /**
     * The types of your app. An app whose guards have a schema declares the type of `req.claims` here, once:
     *
     * @example
     * ```ts
     * declare global {
     *   namespace Portcullis {
     *     interface Register {
     *       claims: ClaimsOf<typeof guard>;
     *     }
     *   }
     * }
     * ```
     */
    interface Register {}
  }

  namespace Express {
    interface Request {
      /** The claims of the request's token, set by `secure`. */
      claims?: portcullis.RequestClaims;
      /** The request's token with its header, claims and scope, set by `secure`. */
      auth?: portcullis.Access<portcullis.RequestClaims>;
    }
  }
}

export = portcullis;

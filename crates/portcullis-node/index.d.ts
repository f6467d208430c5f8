import type { KeyObject, webcrypto } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

/**
 * Middleware that lets a request pass only with an access token that may pass (RFC 6750).
 *
 * A request that passes has its token's claims in `req.claims` and an {@link portcullis.Access} in `req.auth`. Any
 * other is answered with the status and the `WWW-Authenticate` field that say why.
 *
 * @example
 * ```js
 * const { getSimpleJwksService, secure } = require('portcullis');
 *
 * const jwksService = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
 * app.use(secure(jwksService, { realm: 'my-realm', scope: ['read'] }));
 * ```
 *
 * @param keys - a JWKS service, what `anyOf` gives, or a function that finds keys, as jose's `createRemoteJWKSet` makes
 * @param options - what is asked for; nothing beyond a good token by default
 * @throws TypeError if the options cannot be used
 */
declare function portcullis(
  keys: portcullis.Keys,
  options?: portcullis.Options & { optional?: false },
): portcullis.Guard;
declare function portcullis(
  keys: portcullis.Keys,
  options: portcullis.Options,
): portcullis.Guard<portcullis.Access | null>;

declare namespace portcullis {
  /** The function itself, for those who import it by name. */
  const secure: typeof portcullis;

  /** What `secure` takes its keys from. */
  type Keys = JwksService | Issuers | GetKey;

  /** What {@link secure} can be told: which tokens are good, what the endpoint asks for, and how a refusal is told. */
  interface Options extends VerificationOptions, EndpointOptions {}

  /** Which tokens are good. */
  interface VerificationOptions {
    /**
     * The issuers whose tokens are accepted: `iss` has to equal one of them to the letter (RFC 7519 section 4.1.1).
     * By default that of `discovery`, or any.
     */
    issuer?: string | readonly string[];

    /**
     * The SPIFFE trust domain whose workloads are accepted, such as `example.org`: `sub` has to be `spiffe://example.org/…`.
     * It takes the place of `issuer`, since JWT-SVIDs need no `iss`.
     */
    trustDomain?: string;

    /** Whom tokens are for: `aud` has to name one of them (RFC 7519 section 4.1.3). By default anybody. */
    audience?: string | readonly string[];

    /**
     * The algorithms that are accepted (RFC 8725 section 3.1). By default all but the HS ones, which have to be named
     * here and work with local secrets only.
     */
    algorithms?: Algorithm | readonly Algorithm[];

    /**
     * The types of token that are accepted, in any case and with or without `application/` (`typ`, RFC 8725 section
     * 3.11). By default `JWT`, `at+jwt` and none at all; `JWT`, `JOSE` and none with `trustDomain`; `at+jwt` alone with
     * `rfc9068`.
     */
    types?: string | readonly string[];

    /** Accepts tokens without `typ`, too, beside those of `types` and of `rfc9068`. Off by default. */
    orNoType?: boolean;

    /** How far the clocks may be apart, in seconds: 5 by default, 300 at the most. */
    leeway?: number;

    /**
     * The longest time from `iat` to `exp`, in seconds: any by default. A token without either is refused where it is set
     * (`token_lifetime_too_long`, `missing_claim`).
     */
    maxTokenLifetime?: number;

    /**
     * The claims that may be the scope, each by its name, or by its JSON Pointer (RFC 6901) if that starts with a slash: the
     * first that is there counts. By default `scope` and `scp`.
     */
    scopeClaims?: string | readonly string[];

    /**
     * How many keys are tried for a token that does not name its own (`kid`): 16 by default. Each costs a signature, and anyone
     * can send such tokens.
     */
    maxKeyAttempts?: number;

    /**
     * Accepts only tokens that follow the profile for JWT access tokens (RFC 9068). Needs `audience`, and `issuer`
     * where the keys are not of `discovery`. Off by default.
     */
    rfc9068?: boolean;

    /** Accepts tokens without `exp`, which stay good until their key is withdrawn. Off by default. */
    dangerouslyAcceptTokensWithoutExpiry?: boolean;

    /**
     * Accepts tokens that are bound to a key of their sender (`cnf`, RFC 7800) as if they were bearer tokens: whoever took one
     * can use it. For the time in which something in front checks the DPoP proof (RFC 9449) or the client certificate
     * (RFC 8705). Off by default: such a token is refused with `sender_constrained_token`.
     */
    dangerouslyAcceptSenderConstrainedTokens?: boolean;

    /**
     * How many verified tokens are kept, so that their signature need not be verified again; `false` for none. On by
     * default.
     */
    tokenCache?: boolean | TokenCacheOptions;
  }

  /** How many verified tokens are kept. */
  interface TokenCacheOptions {
    /** How many bytes they may take: 32 MiB by default, about 10,000 tokens of 1 KB. */
    bytes?: number;

    /** How many tokens there may be: 100,000 by default. */
    tokens?: number;
  }

  /** What an endpoint asks for, and how a refusal is told. */
  interface EndpointOptions {
    /** The protection space that `WWW-Authenticate` names (RFC 9110 section 11.5). None by default. */
    realm?: string;

    /**
     * The scope values that a token must have been granted, all of them: an array, or one string with spaces between
     * (RFC 6749 section 3.3).
     */
    scope?: string | readonly string[];

    /** The scope values of which a token must have been granted at least one; or groups of them, one value of each. */
    anyScope?: string | readonly string[] | readonly (readonly string[])[];

    /** The scope values that each scope value grants as well; what those grant is granted, too. */
    impliedScopes?: { readonly [value: string]: readonly string[] };

    /** The claims that a token must have, or must not have. */
    claims?: readonly ClaimRule[];

    /**
     * The longest token that is looked at, in bytes: 16,384 by default. Node itself refuses fields of more than that, all
     * together (`--max-http-header-size`).
     */
    maxTokenBytes?: number;

    /** The status for a bad token: 403 by default, or 401 (RFC 6750 section 3.1). */
    invalidTokenStatus?: 401 | 403;

    /** Gives refusals a body of `application/problem+json` (RFC 9457). Off by default: the body is empty. */
    problemJson?: boolean;

    /** Lets requests without credentials pass, without claims. A bad token is refused all the same. Off by default. */
    optional?: boolean;

    /**
     * Hands a refusal to the next error handler, as an {@link errors.RefusalError}, and answers nothing. Off by
     * default.
     */
    next?: boolean;

    /** Is told of each request that the middleware refuses. What it throws is logged, and changes nothing. */
    onError?: (error: errors.RefusalError, request: any) => void;

    /**
     * Finds the token somewhere else than in the `Authorization` field. Whatever it gives that is no string counts as
     * no token.
     *
     * @example
     * ```js
     * secure(jwksService, { getToken: (req) => req.cookies.at });
     * ```
     */
    getToken?: (request: any) => string | null | undefined;

    /** How long a `getKey` may take, in seconds: 5 by default. The request then gets 503. */
    getKeyTimeout?: number;
  }

  /**
   * A claim that a token must have, or must not have; or a function of all claims, which says whether they will do.
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
  // A function has a name, too: `call` keeps one that promises from being taken for a claim.
  type ClaimRule = (Claim & { call?: never }) | ((claims: Claims) => boolean);

  /**
   * A claim that a token must have, or must not have. At most one of `value`, `oneOf`, `matches` and `absent` is set; without
   * them, the claim has to be there, whatever its value.
   */
  interface Claim {
    /** Its name; its JSON Pointer (RFC 6901) if that starts with a slash. */
    name: string;

    /** Its value, or one that is in it if it is an array; or a function of the value, which says whether it will do. */
    value?: Json | ((value: any, claims: Claims) => boolean);

    /** Values of which it equals one, or has one in it if it is an array. */
    oneOf?: readonly Json[];

    /**
     * A pattern that it matches as a whole, or that one of its elements matches if it is an array. `*` stands for any
     * characters, also for none and for `/`.
     */
    matches?: string;

    /** Whether it must not be there. A claim that is null is there. */
    absent?: boolean;
  }

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

  /** Middleware for Express, connect and whatever calls it like them; it judges tokens and requests of others, too. */
  interface Guard<Admitted = Access> {
    (req: IncomingRequest, res: OutgoingResponse, next: (error?: any) => void): void;

    /**
     * Judges a token.
     *
     * @throws {@link errors.RefusalError}, as a rejection, if it may not pass
     *
     * @example
     * ```js
     * const { claims } = await guard.verify(token);
     * ```
     */
    verify(token: string): Promise<Access>;

    /**
     * Judges a request of any kind, by its `Authorization` field: one of Node, Fastify or Koa, one of `fetch`, or its
     * headers alone. Gives null for a request without credentials where `optional` is set.
     *
     * @throws {@link errors.RefusalError}, as a rejection, if it may not pass
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
     * Forgets a token, so that its signature is verified anew. This does not revoke it.
     *
     * @throws TypeError if the guard finds its keys with a `getKey`
     */
    invalidate(token: string): void;
  }

  /** What the middleware needs of a request. */
  interface IncomingRequest {
    readonly headers: { readonly authorization?: string | undefined };
    readonly rawHeaders: readonly string[];
  }

  /** What the middleware needs of a response. */
  interface OutgoingResponse {
    statusCode: number;
    readonly headersSent: boolean;
    readonly writableEnded: boolean;
    setHeader(name: string, value: string): unknown;
    end(body: string): unknown;
  }

  /** The fields of a request: an object, or `Headers` of `fetch`. */
  type RequestHeaders =
    | { get(name: string): string | null }
    | { readonly [name: string]: string | readonly string[] | undefined };

  /** That a request may pass, by its token: what `req.auth` is. */
  interface Access {
    /** The token's claims: frozen, and shared by requests with the same token. */
    readonly claims: Claims;

    /** The same as `claims`. */
    readonly payload: Claims;

    /** The token. Neither `JSON.stringify` nor a log of this object shows it. */
    readonly token: string;

    /** The token's header (RFC 7515 section 4). */
    readonly header: Header;

    /** The scope values that the token grants itself: of `scope`, or of `scp` where that is absent (`scopeClaims`). */
    readonly scopes: string[];

    /** Whether the token grants this scope value, itself or by one that implies it (`impliedScopes`). */
    hasScope(value: string): boolean;
  }

  /** The claims of a token (RFC 7519 section 4). They are frozen: copy what you want to change. */
  interface Claims {
    /** The issuer. */
    readonly iss?: string;
    /** The subject. */
    readonly sub?: string;
    /** Whom the token is for. */
    readonly aud?: string | readonly string[];
    /** When it expires, in seconds since 1970. */
    readonly exp?: number;
    /** When it becomes valid, in seconds since 1970. */
    readonly nbf?: number;
    /** When it was issued, in seconds since 1970. */
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
   * The keys of an issuer, fetched when they are needed and kept fresh, or local ones. Made by
   * {@link getSimpleJwksService}, {@link jwksService}, {@link discovery} and {@link localKeys}.
   */
  interface JwksService {
    /** The issuer, if the keys were found by `discovery`. */
    readonly issuer: string | undefined;

    /** Whether there are keys to verify with: a readiness probe. */
    readonly ready: boolean;

    /** How the service is doing, for a console. */
    status(): JwksStatus;

    /** Fetches the keys unless they are there. Rejects if they cannot be had. */
    prefetch(): Promise<void>;

    /** Fetches the keys now. Rejects if they cannot be had. */
    refresh(): Promise<void>;
  }

  /** How a JWKS service is doing. */
  interface JwksStatus {
    /** The endpoint or issuer, without credentials and query; null for local keys. */
    source: string | null;
    /** Whether there are keys to verify with. */
    ready: boolean;
    /** The `kid` of each key in use. */
    keys: (string | null)[];
    /** The keys of the set that are not used, and why. */
    skipped: { kid: string | null; problem: string }[];
    /** What is odd about keys that are used all the same. */
    warnings: { kid: string | null; oddity: string }[];
    /** How long ago the set was fetched, in seconds; null for local keys, or if there is no set. */
    age: number | null;
    /** In what time it is fetched again, in seconds; null for local keys. */
    nextRefresh: number | null;
    /** Failures since the last success. */
    failures: number;
    /** Why the last attempt failed, until one succeeds. */
    lastError: string | null;
  }

  /** How keys are fetched and kept. */
  interface ServiceOptions {
    /** How long a fetch may take from start to end, in seconds: 5 by default. No request waits longer for keys. */
    timeout?: number;

    /**
     * How old keys may become where the endpoint does not say (`Cache-Control: max-age`), in seconds: 300 by default.
     * They are fetched again before that.
     */
    maxAge?: number;

    /** How long keys are used while the endpoint is down, in seconds: 86,400 by default. Requests then get 503. */
    maxStale?: number;

    /** The longest document that is read, in bytes: 524,288 by default. */
    maxDocumentBytes?: number;

    /** How many keys a set may have: 1,000 by default. A larger set counts as an outage. */
    maxKeys?: number;

    /** Uses of keys (`use`) that are accepted beside `sig`: `jwt-svid`, in a SPIFFE bundle. */
    keyUses?: string | readonly string[];

    /** Keeps the keys there, too. In memory only by default. */
    cache?: Cache;

    /** Fetches the keys: a module like `https`, or options for Node's own (`agent`, `ca`, `headers`). */
    client?: Client | ClientOptions;

    /** Fetches over plain http from other machines, too: whoever sits between can then sign tokens. Off by default. */
    dangerouslyAllowHttp?: boolean;
  }

  /** Keeps a key set beyond the process. Whoever can write to it decides which tokens are good. */
  interface Cache {
    /**
     * The key set that was kept, or null: a JWK Set, its text, or a key store of jose 1. It is asked for once, before
     * the first fetch.
     */
    getKeyStore(): KeptKeys | Promise<KeptKeys>;

    /** Keeps a key set: JSON, if you like, and with the method `toJWKS` of jose 1. Called after each fetch. */
    setKeyStore(keyStore: KeyStore): unknown;
  }

  /** What a cache may give. */
  type KeptKeys = JwkSet | { toJWKS(): object } | string | null | undefined;

  /** A key set as a cache gets it: a JWK Set, and when it was fetched. */
  interface KeyStore extends JwkSet {
    /** When it was fetched, in milliseconds since 1970. */
    readonly fetchedAt?: number;
    /** The JWK Set, as jose 1 gave it. */
    toJWKS?(): JwkSet;
  }

  /** Options for Node's own client. */
  interface ClientOptions extends Omit<RequestOptions, 'headers'> {
    /**
     * Fields of yours, or a function that gives them and is asked at each fetch, as for a token that rotates. They, and
     * `auth`, go to the origin that you have named only, and not to another that its metadata point to. One of yours goes
     * before one of ours, such as `user-agent`.
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

  /** Finds the keys for a token; what jose's `createRemoteJWKSet` gives is one. Asked for each request. */
  type GetKey = (header: Header, token: FlattenedJws) => Key | Promise<Key>;

  /** A key: a KeyObject or a CryptoKey, a secret, PEM (SPKI), a JWK or a JWK Set. */
  type Key = { readonly type: string } | Uint8Array | string | Jwk | JwkSet;

  /** A token in three parts (RFC 7515 section 7.2). */
  interface FlattenedJws {
    protected: string;
    payload: string;
    signature: string;
  }

  /** Several issuers, as {@link anyOf} gives them. */
  interface Issuers {
    readonly verifier: object;
  }

  /** An issuer of several: its keys, and which of its tokens are good. */
  interface IssuerOptions extends VerificationOptions {
    /** The issuer's keys. Unless they were found by `discovery`, name the `issuer`, too. */
    jwks: JwksService;
  }

  /** How keys are found by the metadata of an issuer. */
  interface DiscoveryOptions extends ServiceOptions {
    /** The issuer's URL, to the letter. */
    issuer: string;
  }

  /**
   * The keys of a JWKS endpoint, kept in memory. Nothing is fetched before the first token, or `prefetch`.
   *
   * @example
   * ```js
   * const jwksService = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
   * ```
   */
  function getSimpleJwksService(jwksUri: string | URL, options?: ServiceOptions): JwksService;

  /**
   * The keys of a JWKS endpoint, kept in a cache of yours, and fetched by a client of yours.
   *
   * @example
   * ```js
   * const https = require('node:https');
   *
   * const jwks = jwksService(new InMemoryCache(), 'https://myoauthserver.com/auth/jwks', https);
   * ```
   *
   * @param client - a module like `https`, or options for Node's own; Node's own by default
   */
  function jwksService(
    cache: Cache,
    jwksUri: string | URL,
    client?: Client | ClientOptions | null,
    options?: Omit<ServiceOptions, 'cache'>,
  ): JwksService;

  /**
   * The keys that the metadata of an issuer name (OpenID Connect Discovery 1.0, RFC 8414). A guard with them accepts
   * this issuer's tokens only.
   *
   * @example
   * ```js
   * app.use(secure(discovery({ issuer: 'https://login.example.com' }), { audience: 'https://api.example.com' }));
   * ```
   */
  function discovery(options: DiscoveryOptions): JwksService;

  /**
   * Keys of your own: a JWK Set or a JWK, as an object or as text; PEM (a public key or a certificate), or its base64 alone; a
   * public or secret KeyObject or CryptoKey; or a secret of at least 32 bytes, for which `algorithms` has to name an HS
   * algorithm. Keys for other uses (`use`) than `sig` are used where `keyUses` names these.
   *
   * @example
   * ```js
   * secure(localKeys(Buffer.from(process.env.SECRET, 'hex')), { algorithms: 'HS256' });
   * ```
   */
  function localKeys(
    keys: JwkSet | Jwk | string | KeyObject | webcrypto.CryptoKey | Uint8Array,
    options?: { keyUses?: string | readonly string[] },
  ): JwksService;

  /**
   * Accepts tokens of several issuers, each by its own keys and rules. A token's `iss` chooses which.
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

  /** A cache that keeps the key set in memory, as services do without one. */
  class InMemoryCache implements Cache {
    /** The key set, or null. */
    keyStore: KeyStore | null;
    getKeyStore(): Promise<KeyStore | null>;
    setKeyStore(keyStore: KeyStore): Promise<void>;
  }

  /**
   * Sends warnings to a logger: `console` by default, null for none. Neither tokens nor claims are in them.
   *
   * @example
   * ```js
   * setLogger(pino());
   * ```
   */
  function setLogger(logger: { warn(line: string): unknown } | null): void;

  /** Why a request may not pass: stable, and the same in logs, problem details and errors. */
  type RefusalCode =
    | 'no_credentials'
    | 'other_scheme'
    | 'empty_token'
    | 'several_tokens'
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
    | 'token_lifetime_too_long'
    | 'missing_claim'
    | 'malformed_claim'
    | 'wrong_issuer'
    | 'wrong_audience'
    | 'sender_constrained_token'
    | 'unsupported_confirmation'
    | 'required_claims'
    | 'forbidden_claim'
    | 'insufficient_scope'
    | 'keys_unavailable';

  /** The errors of requests that may not pass. */
  namespace errors {
    /**
     * Why a request may not pass, and the whole response to it. No part of the token is in it.
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
      /** The status: 400, 401, 403 or 503. */
      readonly status: number;
      /** The same as `status`. */
      readonly statusCode: number;
      /** The response's fields, by lower-case names. */
      readonly headers: { readonly [name: string]: string };
      /** The response's body: empty, or problem details as JSON. */
      readonly body: string;
      /** Why, for operators. `message` says it for clients. */
      readonly reason: string;
      /** Whether clients may read `message`: they may. */
      readonly expose: true;
    }

    /** There is no token: no credentials, another scheme, or `Bearer` alone. Status 401. */
    class UnauthorizedError extends RefusalError {
      protected constructor();
    }

    /** There is more than one token (RFC 6750 section 3.1, `invalid_request`). Status 400. */
    class InvalidRequestError extends RefusalError {
      protected constructor();
    }

    /**
     * The token is malformed, forged, out of time or not for us (RFC 6750 section 3.1, `invalid_token`). Status 403, or
     * 401 where `invalidTokenStatus` says so.
     */
    class InvalidTokenError extends RefusalError {
      protected constructor();
    }

    /** A good token lacks a claim that the endpoint asks for. Status as for other invalid tokens. */
    class TokenClaimsError extends InvalidTokenError {
      constructor();
    }

    /** A good token lacks scope that the endpoint asks for (RFC 6750 section 3.1, `insufficient_scope`). Status 403. */
    class InsufficientScopeError extends RefusalError {
      constructor();
    }

    /** The token was not judged: the keys to judge it with could not be had. Status 503, with `Retry-After`. */
    class KeysUnavailableError extends RefusalError {
      protected constructor();
    }
  }
}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the token by which `secure` let the request pass. */
      claims?: portcullis.Claims;
      /** That token, its header, its claims and its scope. */
      auth?: portcullis.Access;
    }
  }
}

export = portcullis;

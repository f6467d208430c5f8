import portcullis = require('./index.js');

/**
 * An OAuth 2.0 authorization server in the test's process, on loopback: keys (RFC 7517), metadata (OpenID Connect Discovery, RFC
 * 8414), tokens for client credentials, and introspection (RFC 7662). It does not keep the process alive.
 *
 * @example
 * ```js
 * const { AuthorizationServer } = require('portcullis/testkit');
 *
 * const server = await AuthorizationServer.start();
 * const app = createApp({ issuer: server.issuer });
 * const response = await fetch(url, { headers: { authorization: `Bearer ${server.token({ scope: 'read' })}` } });
 * await server.stop();
 * ```
 */
export declare class AuthorizationServer implements AsyncDisposable {
  private constructor();

  /**
   * Starts a server on any free port of 127.0.0.1.
   *
   * @throws TypeError, as a rejection, if an option is invalid; an Error if the port is taken
   */
  static start(options?: ServerOptions): Promise<AuthorizationServer>;

  /** The issuer, such as `http://127.0.0.1:49152`. */
  readonly issuer: string;

  /** The URL of the key set. */
  readonly jwksUri: string;

  /** The URL of the token endpoint, for client credentials (RFC 6749 section 4.4). */
  readonly tokenUri: string;

  /** The URL of the introspection endpoint (RFC 7662). */
  readonly introspectionUri: string;

  /** The client that the server knows: `test-client` with `test-secret` by default. */
  readonly client: { readonly id: string; readonly secret: string };

  /** The server's clock, if it has one of the test. */
  readonly clock: TestClock | undefined;

  /** The URL of a path, which begins with a slash. */
  url(path: string): string;

  /**
   * Signs a token (RFC 9068): `iss`, `sub: 'alice'`, `client_id: 'test-client'`, `aud: 'https://api.example.com'`, `iat`, `exp` in 300
   * s, and a unique `jti`, with `typ: 'at+jwt'`.
   *
   * @param claims - claims that replace these, or, where they are undefined, leave them out; or the whole payload as a text, valid
   *   or not
   *
   * @example
   * ```js
   * server.token({ sub: 'bob', scope: 'orders:write' });
   * server.token({ aud: undefined }, { header: { typ: 'JWT' }, expiresIn: -60 });
   * ```
   */
  token(claims?: Members, options?: TokenOptions): string;

  /** Issues an opaque token with the claims of a good token, changed as in {@link token}; introspection tells them. */
  opaqueToken(claims?: Changes, options?: { expiresIn?: number }): string;

  /** Revokes a token, opaque or JWT: introspection tells that it is inactive. */
  revoke(token: string): void;

  /**
   * Makes the hostile tokens of the test kit, more than 60, each wrong in a single point and otherwise as {@link token} makes it.
   *
   * @example
   * ```js
   * for (const { name, token, code } of server.hostileTokens({ scope: 'read' })) {
   *   await assert.rejects(guard.verify(token), { code }, name);
   * }
   * ```
   */
  hostileTokens(claims?: Changes, options?: { expiresIn?: number }): HostileToken[];

  /** Makes a client with a key of its own, which sends DPoP proofs by the server's clock. ES256 by default. */
  dpopClient(options?: { alg?: portcullis.Algorithm }): DpopClient;

  /**
   * Makes the requests of a DPoP client to a URL, good ones and hostile ones, more than 90. Use a URL with letters in host and path.
   *
   * `nonces` adds those for an API that asks for nonces; give the client one first ({@link DpopClient.useNonce}).
   */
  dpopAttempts(
    client: DpopClient,
    request: { url: string | URL; method?: string; claims?: Changes; nonces?: boolean },
  ): DpopAttempt[];

  /** Demands a new nonce of DPoP proofs at the token endpoint, and returns it. */
  renewDpopNonce(): string;

  /** The key that signs by default. */
  readonly signingKey: SigningKey;

  /** Signs with a new key from now on, and returns it. The old key stays published unless `withdraw` is true. */
  rotate(options?: { withdraw?: boolean }): SigningKey;

  /** Removes a key from the published set. */
  withdraw(key: string | SigningKey): void;

  /** Publishes one more key: a JWK, valid or not, or the public half of a key. */
  publish(jwk: SigningKey | portcullis.Json): void;

  /** Publishes this document, valid or not, in place of the key set. Without one, publishes the key set again. */
  replaceJwks(document?: portcullis.Json): void;

  /** The number of requests to each endpoint, also of those that got a fault. */
  readonly counts: Counts;

  /** Sets all counts to zero. */
  resetCounts(): void;

  /**
   * Waits until an endpoint has got this many requests (1 by default), answered or not.
   *
   * @throws Error, as a rejection, after `timeout` seconds, 5 by default
   */
  waitForRequests(endpoint: Endpoint, count?: number, options?: { timeout?: number }): Promise<void>;

  /** The header fields of the latest request to an endpoint; undefined before the first. */
  lastHeaders(endpoint: Endpoint): Headers | undefined;

  /**
   * Answers requests with a fault from now on: those to all endpoints, or to those in `at`; only the next one if `once` is true.
   *
   * @example
   * ```js
   * server.fail({ status: 503 });
   * server.fail('hang', { at: 'jwks', once: true });
   * ```
   */
  fail(fault: Fault, options?: { at?: Endpoint | readonly Endpoint[]; once?: boolean }): void;

  /** Ends the faults, and answers hanging requests. */
  recover(options?: { at?: Endpoint | readonly Endpoint[] }): void;

  /** Stops listening, and drops every connection. A stopped server still signs tokens. */
  stop(): Promise<void>;

  /** Listens again, on the same port with the same keys. */
  restart(): Promise<void>;

  /** The same as {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The settings of a server. */
export interface ServerOptions {
  /** The algorithms: one key for each, of which the first signs by default. RS256 by default. */
  algorithms?: portcullis.Algorithm | readonly portcullis.Algorithm[];
  /** The `aud` of tokens: `https://api.example.com` by default. */
  audience?: string | readonly string[];
  /** The client that the server knows: `test-client` with `test-secret` by default. */
  client?: { id: string; secret: string };
  /** The clock of the test, by which the server issues tokens and judges them: the machine's by default. */
  clock?: TestClock;
  /** The shape of a well-known provider, such as `keycloak`: its metadata, its key set with all oddities, and its tokens. */
  provider?: ProviderName;
  /** The issuer in tokens and metadata: the server's URL by default. */
  issuer?: string;
  /** The path of everything, such as `/tenant1`; the issuer ends with it. None by default. */
  path?: string;
  /** The port. Any free one by default. */
  port?: number;
  /** The `max-age` of the key set, in seconds. None by default. */
  jwksMaxAge?: number;
  /** False for a key set without `ETag`. */
  etag?: boolean;
  /** False for no OpenID Connect metadata. */
  openidConfiguration?: boolean;
  /** False for no metadata of RFC 8414. */
  oauthMetadata?: boolean;
  /** A wrong issuer for the metadata. */
  metadataIssuer?: string;
  /** True to demand a nonce in DPoP proofs at the token endpoint. */
  dpopNonces?: boolean;
  /** Serves https with a certificate of this authority. */
  tls?: CertificateAuthority;
  /** Asks for client certificates of this authority, and binds tokens to them (RFC 8705). Needs `tls`. */
  clientAuthority?: CertificateAuthority;
}

/** Members of a part of a token to set, or, where they are undefined, to leave out. */
export type Changes = { readonly [member: string]: portcullis.Json | undefined };

/** Members of a part of a token to set or to leave out; or the whole part as a text, valid or not. */
export type Members = Changes | string;

/** The changes of a token that are not claims. */
export interface TokenOptions {
  /** The time until it expires, in seconds; a negative one since it expired. 300 by default. */
  expiresIn?: number;
  /** The server's key of this algorithm signs: one of `algorithms` of the server. */
  alg?: portcullis.Algorithm;
  /** This key signs, published or not. The header names it, unless `header` has another `kid`. */
  key?: SigningKey;
  /** Members of the header, or the whole header as a text. */
  header?: Members;
}

/** A hostile token. */
export interface HostileToken {
  /** The name, such as `alg_none`. */
  readonly name: string;
  /** The fault, in a sentence. */
  readonly description: string;
  /** The token. `oversized` and `deep_json` are longer than Node's limit for header fields, which it answers with 431. */
  readonly token: string;
  /**
   * The code of the refusal by a guard with the server's issuer and audience. Without them, a guard accepts some of the tokens:
   * those of another issuer or audience.
   */
  readonly code: portcullis.RefusalCode;
}

/** An endpoint of a server. `attacker` is one to which only hostile tokens point: a request there means that a URL in a token was followed. */
export type Endpoint = 'jwks' | 'openidConfiguration' | 'oauthMetadata' | 'token' | 'introspection' | 'rotate' | 'attacker';

/** The number of requests to each endpoint. */
export type Counts = { readonly [endpoint in Endpoint]: number };

/** A faulty answer. */
export type Fault =
  /** Never answers, until the fault ends. */
  | 'hang'
  /** Drops the connection in the middle of the usual body. */
  | 'cutOff'
  /** Answers with a page of HTML that says it is JSON. */
  | 'notJson'
  /** Begins a JSON document and never ends it. */
  | 'endlessBody'
  /** Answers with a key set without keys. */
  | 'noKeys'
  /** Closes the connection without an answer. */
  | 'refuse'
  /** Answers with this status and no body. */
  | { status: number }
  /** Answers as usual, this many seconds later. */
  | { delay: number }
  /** Answers as usual, after this many bytes of white space. */
  | { hugeBody: number }
  /** Answers with a redirect to this URL. */
  | { redirect: string }
  /** Answers 200 with this text as JSON. */
  | { body: string };

/** The name of a provider, one of {@link providers}. */
export type ProviderName =
  | 'keycloak'
  | 'entra_v1'
  | 'entra_v2'
  | 'entra_b2c'
  | 'auth0'
  | 'okta'
  | 'okta_org'
  | 'cognito'
  | 'google'
  | 'firebase'
  | 'supabase'
  | 'github_actions'
  | 'kubernetes'
  | 'spiffe'
  | 'zitadel'
  | 'curity'
  | 'duende'
  | 'spring_authorization_server'
  | 'adfs'
  | 'laravel_passport';

/** The names of the providers whose shapes a server can take. */
export declare const providers: readonly ProviderName[];

/**
 * A clock that stands still until the test moves it. Give it to a server, and to the key service of the guards under test: both see
 * the same time, also for tokens that were seen before.
 *
 * @example
 * ```js
 * const clock = new TestClock();
 * const server = await AuthorizationServer.start({ clock });
 * const guard = secure(discovery({ issuer: server.issuer, clock }));
 * const token = server.token();
 * await guard.verify(token);
 * clock.advance(400);
 * await assert.rejects(guard.verify(token), { code: 'expired' });
 * ```
 */
export declare class TestClock {
  // No other object is taken for a clock.
  #private;

  /** Starts at this time: a `Date`, or seconds since 1970; by default now, at a whole second. */
  constructor(time?: Date | number);

  /** The time that the clock shows. */
  now(): Date;

  /** Moves the time forward, in seconds; back by a negative number. */
  advance(seconds: number): void;

  /** Sets the time: a `Date`, or seconds since 1970. */
  set(time: Date | number): void;
}

/** A private key for signing tokens, with its id and algorithm. */
export declare class SigningKey {
  #private;
  private constructor();

  /** Makes a new random key: ES256 with a random id by default. */
  static generate(alg?: portcullis.Algorithm, kid?: string): SigningKey;

  /** The key id. */
  readonly kid: string;

  /** The algorithm. */
  readonly alg: portcullis.Algorithm;

  /** The public key as a JWK (RFC 7517), for `localKeys`; of an HS key, the secret. */
  readonly publicJwk: portcullis.Jwk;

  /** The public key as PEM. An HS key has none, and throws a TypeError. */
  readonly publicPem: string;

  /** The thumbprint of the public JWK (RFC 7638). */
  readonly thumbprint: string;
}

/** A client with a key of its own, which sends DPoP proofs (RFC 9449). */
export declare class DpopClient {
  #private;

  constructor(options?: { alg?: portcullis.Algorithm; clock?: TestClock | undefined });

  /** The client's key. */
  readonly key: SigningKey;

  /** The thumbprint of the client's key. */
  readonly thumbprint: string;

  /** The claims of a token that is bound to the client's key: `server.token(client.bound)`. */
  readonly bound: { cnf: { jkt: string } };

  /** Puts this nonce, a value of a `DPoP-Nonce` field, in each proof from now on. */
  useNonce(nonce: string): void;

  /** Signs a proof for a request. `claims` and `header` change it, and another `key` signs it. */
  proof(
    request: { url: string | URL; method?: string; token?: string },
    changes?: { claims?: Changes; header?: Changes; key?: SigningKey },
  ): string;

  /** The header fields of a good request with a token that is bound to the client's key. */
  headers(request: { url: string | URL; method?: string; token: string }): { authorization: string; dpop: string };
}

/** A request of a DPoP client, good or hostile. */
export interface DpopAttempt {
  /** The name, such as `htu_with_query`. */
  readonly name: string;
  /** The case, in a sentence. */
  readonly description: string;
  /** True if the API must accept the request, false if it must refuse it. */
  readonly passes: boolean;
  /** The header fields, names and values: a name can occur more than once. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The fields of good requests to send before: empty but for replays. */
  readonly earlier: readonly (readonly (readonly [name: string, value: string])[])[];
}

/** A certificate authority made for the test: for a server with https, and for clients with certificates (RFC 8705). */
export declare class CertificateAuthority {
  #private;

  constructor();

  /** The authority's certificate as PEM: `client: { ca }` of a key service. */
  readonly pem: string;

  /** Issues a certificate for a client; one that expired in 2001 if `expired` is true. */
  client(name?: string, options?: { expired?: boolean }): ClientIdentity;

  /** Makes a self-signed certificate for a client, which no authority vouches for. */
  static selfSigned(name?: string): ClientIdentity;
}

/** A client's certificate and private key: options of Node's `https`. */
export interface ClientIdentity {
  /** The certificate as PEM. */
  readonly cert: string;
  /** The private key as PEM. */
  readonly key: string;
  /** The certificate as DER. */
  readonly der: Buffer;
  /** The thumbprint of a token that is bound to the certificate: `cnf: { 'x5t#S256': thumbprint }`. */
  readonly thumbprint: string;
}

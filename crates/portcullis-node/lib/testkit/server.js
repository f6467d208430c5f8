'use strict';

const { configured } = require('../library.js');
const { expected, isOptions, readTimeout } = require('../values.js');
const { CertificateAuthority } = require('./certificate.js');
const { changesOf } = require('./changes.js');
const { TestClock } = require('./clock.js');
const { DpopClient } = require('./dpop.js');
const { withCodes } = require('./hostile.js');
const { SigningKey } = require('./key.js');
const kit = require('./kit.js');

/** The client that the server knows, unless the test names another. */
const CLIENT = { id: 'test-client', secret: 'test-secret' };

/** The servers that listen, held so that none ends because a test keeps only its issuer. */
const listening = new Set();

/** An OAuth 2.0 authorization server in the test's process, on loopback: keys, metadata, tokens and introspection. */
class AuthorizationServer {
  #native;

  constructor(native, { clock, client }) {
    this.#native = native;
    /** The server's clock; undefined for the machine's. */
    this.clock = clock;
    /** The client that the server knows: its `id` and `secret`. */
    this.client = client;
  }

  /** Starts a server on any free port. */
  static async start(options = {}) {
    const owner = 'AuthorizationServer.start';
    if (!isOptions(options)) {
      throw expected(owner, 'options', 'an object', options);
    }
    const { clock, tls, clientAuthority, algorithms = [], client = CLIENT, ...others } = options;
    const parts = [
      TestClock.ofKit(owner, clock),
      CertificateAuthority.ofKit(owner, 'tls', tls),
      CertificateAuthority.ofKit(owner, 'clientAuthority', clientAuthority),
    ];
    if (clientAuthority !== undefined && tls === undefined) {
      throw new TypeError(`${owner}: expected \`tls\` with \`clientAuthority\`, got none: certificates need https`);
    }
    const text = JSON.stringify({ ...others, client, algorithms: [algorithms].flat() });
    const started = await configured(owner, () => kit.Server.start(text, ...parts));
    const server = new AuthorizationServer(started, { clock, client });
    listening.add(server);
    return server;
  }

  /** The issuer. */
  get issuer() {
    return this.#native.issuer;
  }

  /** The URL of the key set. */
  get jwksUri() {
    return this.#native.jwksUri;
  }

  /** The URL of the token endpoint: client credentials. */
  get tokenUri() {
    return this.url('/token');
  }

  /** The URL of the introspection endpoint. */
  get introspectionUri() {
    return this.url('/introspect');
  }

  /** The URL of a path under the server's base. */
  url(path) {
    return this.#native.url(path);
  }

  /** Signs a token: a good one with these claims, unless the claims or the options say otherwise. */
  token(claims, { key, alg, header, expiresIn } = {}) {
    const changes = changesOf('token', claims, header, expiresIn);
    return configured('token', () => this.#native.token(changes, SigningKey.ofKit('token', key), alg));
  }

  /** Issues an opaque token for these claims, which introspection tells. */
  opaqueToken(claims, { expiresIn } = {}) {
    const changes = changesOf('opaqueToken', claims, {}, expiresIn);
    return configured('opaqueToken', () => this.#native.opaqueToken(changes));
  }

  /** Revokes a token, opaque or JWT: introspection tells that it is inactive. */
  revoke(token) {
    this.#native.revoke(token);
  }

  /** The hostile tokens that resemble a good one with these claims, each wrong in one point. */
  hostileTokens(claims, { expiresIn } = {}) {
    const changes = changesOf('hostileTokens', claims, {}, expiresIn);
    return withCodes(JSON.parse(configured('hostileTokens', () => this.#native.hostile(changes))), this.#native.algorithms);
  }

  /** Makes a client with a key of its own, which sends DPoP proofs by the server's clock. */
  dpopClient({ alg } = {}) {
    return new DpopClient({ alg, clock: this.clock });
  }

  /** The requests of a DPoP client to this URL, good ones and hostile ones. */
  dpopAttempts(client, { method = 'GET', url, claims, nonces = false } = {}) {
    return client.attempts(this.#native, { method, url, changes: changesOf('dpopAttempts', claims), nonces });
  }

  /** Demands a new nonce of DPoP proofs at the token endpoint, and returns it. */
  renewDpopNonce() {
    return this.#native.renewDpopNonce();
  }

  /** The key that signs by default. */
  get signingKey() {
    return new SigningKey(this.#native.signingKey);
  }

  /** Signs with a new key from now on. The old one stays published unless `withdraw` is true. */
  rotate({ withdraw = false } = {}) {
    return new SigningKey(this.#native.rotate(Boolean(withdraw)));
  }

  /** Removes a key from the published set; it goes on signing. */
  withdraw(kid) {
    this.#native.withdraw(kid instanceof SigningKey ? kid.kid : kid);
  }

  /** Publishes one more JWK, valid or not, or the public half of a `SigningKey`. */
  publish(jwk) {
    this.#native.publish(JSON.stringify(jwk instanceof SigningKey ? jwk.publicJwk : jwk));
  }

  /** Publishes this document, valid or not, in place of the key set; none publishes the key set again. */
  replaceJwks(document) {
    this.#native.replaceJwks(JSON.stringify(document));
  }

  /** The number of requests to each endpoint. */
  get counts() {
    return this.#native.counts;
  }

  /** Sets all counts to zero. */
  resetCounts() {
    this.#native.resetCounts();
  }

  /** Waits until an endpoint has got this many requests, answered or not. */
  async waitForRequests(endpoint, count = 1, { timeout = 5 } = {}) {
    const seconds = readTimeout('waitForRequests', 'timeout', timeout);
    await configured('waitForRequests', () => this.#native.waitForRequests(endpoint, count, seconds));
  }

  /** The header fields of the latest request to an endpoint; undefined before the first. */
  lastHeaders(endpoint) {
    const fields = configured('lastHeaders', () => this.#native.lastFields(endpoint));
    return fields === null ? undefined : new Headers(pairs(fields));
  }

  /** Answers requests with a fault: those to all endpoints, or to those in `at`; the next one only if `once` is true. */
  fail(fault, { at = [], once = false } = {}) {
    const text = JSON.stringify(fault);
    if (text === undefined) {
      throw expected('fail', 'the fault', 'a name or an object', fault);
    }
    configured('fail', () => this.#native.fault([at].flat(), text, Boolean(once)));
  }

  /** Ends the faults of all endpoints, or of those in `at`, and answers hanging requests. */
  recover({ at = [] } = {}) {
    configured('recover', () => this.#native.heal([at].flat()));
  }

  /** Stops listening and drops every connection. A stopped server still signs tokens. */
  async stop() {
    await this.#native.stop();
    listening.delete(this);
  }

  /** Listens again on the same port with the same keys. */
  async restart() {
    await this.#native.restart();
    listening.add(this);
  }

  async [Symbol.asyncDispose]() {
    await this.stop();
  }
}

function pairs(fields) {
  return Array.from({ length: fields.length / 2 }, (_, index) => [fields[2 * index], fields[2 * index + 1]]);
}

module.exports = { AuthorizationServer };

'use strict';

const { KeyObject } = require('node:crypto');

const native = require('../native.js');
const { InMemoryCache, readFrom, writeTo } = require('./cache.js');
const { Client } = require('./client.js');
const { fetchWith } = require('./fetch.js');
const { textOf } = require('./log.js');
const { SERVICE, configured, expected, inOurNames, nameOf } = require('./options.js');
const { readBoolean, readSeconds, readTimeout, refuseUnknown } = require('./options.js');

/** How long a fetch may take from start to end, in seconds. */
const TIMEOUT = 5;

/** The keys of an issuer, fetched when they are needed and kept fresh, or local ones. */
class JwksService {
  /** The addon's key service. */
  #native;

  constructor(keys, issuer) {
    this.#native = keys;
    /** The issuer whose metadata name the keys, if it was found by them. */
    this.issuer = issuer;
  }

  /** Whether there are keys to verify with: a readiness probe. */
  get ready() {
    return this.#native.ready;
  }

  /** How the service is doing: keys, their age, the last error. */
  status() {
    const status = JSON.parse(this.#native.status());
    return { ...status, lastError: status.lastError && inOurNames(status.lastError) };
  }

  /** Fetches the keys unless they are there. */
  async prefetch() {
    await this.#native.prefetch();
  }

  /** Fetches the keys now. */
  async refresh() {
    await this.#native.refresh();
  }

  /** The addon's key service; undefined for what is none of ours. */
  static nativeOf(service) {
    return service !== null && typeof service === 'object' && #native in service ? service.#native : undefined;
  }
}

/** The keys of a JWKS endpoint, kept in memory. */
function getSimpleJwksService(jwksUri, options = {}) {
  return atUri('getSimpleJwksService', jwksUri, options);
}

/**
 * The keys of a JWKS endpoint, kept in `cache`, too, and fetched by `client`: a module like `https`, or options
 * for Node's own (`agent`, `ca`…).
 */
function jwksService(cache, jwksUri, client, options = {}) {
  readCache('jwksService', cache);
  return atUri('jwksService', jwksUri, { ...options, cache, client: client ?? options.client });
}

/** The keys that the metadata of an issuer name: OpenID Connect Discovery, or RFC 8414. */
function discovery({ issuer, ...options } = {}) {
  if (typeof issuer !== 'string') {
    throw expected('discovery', 'issuer', 'a URL as a string', issuer);
  }
  const { text, ask, cached } = fetching('discovery', issuer, options);
  const keys = configured('discovery', () => native.KeyService.ofIssuer(issuer, text, ask, cached));
  return new JwksService(keys, issuer);
}

/** Keys of your own: a JWK Set, a PEM text, a KeyObject, or a secret as bytes. */
function localKeys(keys) {
  return new JwksService(configured('localKeys', () => importKeys(keys)));
}

function atUri(name, jwksUri, options) {
  const uri = jwksUri instanceof URL ? jwksUri.href : jwksUri;
  if (typeof uri !== 'string') {
    throw expected(name, 'the JWKS URI', 'a URL', jwksUri);
  }
  const { text, ask, cached } = fetching(name, uri, options);
  return new JwksService(configured(name, () => native.KeyService.atUri(uri, text, ask, cached)));
}

/** What a service that fetches is made from; `home` is the URL that it was made for. */
function fetching(name, home, options) {
  refuseUnknown(options, SERVICE, name);
  const { cache, client, dangerouslyAllowHttp, timeout = TIMEOUT, maxAge, maxStale } = options;
  if (cache !== undefined) {
    readCache(name, cache);
  }
  const seconds = {
    timeout: readTimeout(name, 'timeout', timeout),
    maxAge: readSeconds(name, 'maxAge', maxAge),
    maxStale: readSeconds(name, 'maxStale', maxStale),
  };
  const anyHttp = readBoolean(name, 'dangerouslyAllowHttp', dangerouslyAllowHttp);
  const text = JSON.stringify({ ...seconds, dangerouslyAllowHttp: anyHttp });
  const ask = answering(cache, new Client(name, client, home), timeout * 1000);
  return { text, ask, cached: cache !== undefined };
}

function readCache(name, cache) {
  const missing = ['getKeyStore', 'setKeyStore'].find((method) => typeof cache?.[method] !== 'function');
  if (missing !== undefined) {
    const what = 'expected a cache with the functions getKeyStore and setKeyStore';
    throw new TypeError(`${name}: ${what}, ${missing} is missing`);
  }
}

/** Answers what the addon asks. It never throws, and answers whatever happens. */
function answering(cache, client, timeout) {
  const answers = {
    async fetch(number, argument) {
      const { status, fields, body } = await fetchWith(client, JSON.parse(argument), timeout);
      native.answerFetched(number, status, fields, body);
    },
    async getKeyStore(number) {
      native.answerText(number, await readFrom(cache));
    },
    async setKeyStore(number, argument) {
      await writeTo(cache, argument);
      native.answerText(number, null);
    },
  };
  return (number, kind, argument) => {
    answers[kind](number, argument).catch((error) => native.answerFailed(number, textOf(error)));
  };
}

/** The addon's key service for keys in any of the forms that Node knows. */
function importKeys(keys) {
  if (typeof keys === 'string') {
    return keys.trimStart().startsWith('{') ? native.KeyService.ofJwks(keys) : native.KeyService.ofPem(keys);
  }
  if (keys instanceof KeyObject) {
    return importKeyObject(keys);
  }
  if (keys instanceof Uint8Array) {
    return native.KeyService.ofSecret(keys);
  }
  if (keys instanceof CryptoKey) {
    return importCryptoKey(keys);
  }
  if (Array.isArray(keys?.keys)) {
    return native.KeyService.ofJwks(JSON.stringify(keys));
  }
  if (typeof keys?.kty === 'string') {
    return importJwk(keys);
  }
  throw new TypeError(`expected a JWK Set, a JWK, a KeyObject, a CryptoKey, PEM or bytes, ${nameOf(keys)} came`);
}

function importKeyObject(key) {
  if (key.type === 'secret') {
    return native.KeyService.ofSecret(key.export());
  }
  if (key.type === 'private') {
    throw new TypeError('expected a public key or a secret, a private key came');
  }
  return native.KeyService.ofPem(key.export({ type: 'spki', format: 'pem' }));
}

/** The key answers for any `kid`: whoever gave it, gave it for the token at hand. */
function importJwk({ kid, ...jwk }) {
  return native.KeyService.ofJwks(JSON.stringify({ keys: [jwk] }));
}

/** A CryptoKey is bound to one algorithm already, and stays so. */
function importCryptoKey(key) {
  const object = KeyObject.from(key);
  const alg = algorithmOf(key);
  if (object.type === 'private') {
    throw new TypeError('expected a public key or a secret, a private key came');
  }
  return importJwk({ ...object.export({ format: 'jwk' }), ...(alg && { alg }) });
}

function algorithmOf({ algorithm }) {
  const bits = algorithm.hash?.name?.replace('SHA-', '');
  switch (algorithm.name) {
    case 'RSASSA-PKCS1-v1_5':
      return `RS${bits}`;
    case 'RSA-PSS':
      return `PS${bits}`;
    case 'HMAC':
      return `HS${bits}`;
    default:
      // Curves have one algorithm each.
      return undefined;
  }
}

module.exports = { JwksService, InMemoryCache, getSimpleJwksService, jwksService, discovery, localKeys, importKeys };

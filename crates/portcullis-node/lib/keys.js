'use strict';

const { KeyObject } = require('node:crypto');

const native = require('../native.js');
const { InMemoryCache, readFrom, writeTo } = require('./cache.js');
const { Client } = require('./client.js');
const { readClock } = require('./clock.js');
const { fetchWith } = require('./fetch.js');
const { textOf } = require('./log.js');
const { SERVICE, configured, inOurNames, readObject, refuseUnknown } = require('./library.js');
const { expected, isUrl, nameOf, readBoolean, readLimit, readSeconds, readStrings, readTimeout } = require('./values.js');

/** The longest time for a whole fetch, in seconds. */
const TIMEOUT = 5;

/** The algorithms of secrets, which are taken from local keys alone: whoever can verify by one can sign. */
const OF_SECRETS = ['HS256', 'HS384', 'HS512'];

/** The end of the addon's error for a text in no form of keys. */
const OF_NO_FORM = /, got (a text that is not JSON|JSON that is not an object)$/;

const OF_URLS = 'for the URL of a key set write `getSimpleJwksService(url)`, for that of an issuer `discovery({ issuer: url })`';

const OF_LOCAL_KEYS = 'for keys of your own write `localKeys(keys)`';

/** The keys of an issuer, fetched on first use and kept fresh, or local keys. */
class JwksService {
  /** The addon's key service. */
  #native;

  constructor(keys, issuer) {
    this.#native = keys;
    /** The issuer whose metadata have the keys' URL, if the keys are from `discovery`. */
    this.issuer = issuer;
  }

  /** True if there are keys to verify with, for a readiness probe. */
  get ready() {
    return this.#native.ready;
  }

  /** The state of the service: keys, their age, the last error. */
  status() {
    const status = JSON.parse(this.#native.status());
    const skipped = status.skipped.map(({ kid, problem }) => ({ kid, problem: inOurNames(problem) }));
    return { ...status, skipped, lastError: status.lastError && inOurNames(status.lastError) };
  }

  /** Fetches the keys unless they are cached. */
  async prefetch() {
    await inOurWords(this.#native.prefetch());
  }

  /** Fetches the keys now. */
  async refresh() {
    await inOurWords(this.#native.refresh());
  }

  /** The addon's key service; undefined for other values. */
  static nativeOf(service) {
    return service !== null && typeof service === 'object' && #native in service ? service.#native : undefined;
  }
}

/** The same promise, whose error has the names of JavaScript's options. */
function inOurWords(promise) {
  return promise.catch((error) => {
    error.message = inOurNames(error.message);
    throw error;
  });
}

/** The keys of a JWKS endpoint, cached in memory. */
function getSimpleJwksService(jwksUri, options = {}) {
  return atUri('getSimpleJwksService', jwksUri, options);
}

/**
 * The keys of a JWKS endpoint, also kept in `cache`, and fetched by `client`: a module like `https`, or options for Node's
 * own client (`agent`, `ca`…).
 */
function jwksService(cache, jwksUri, client, options = {}) {
  readCache('jwksService', cache);
  refuseUnknown(options, SERVICE, 'jwksService');
  return atUri('jwksService', jwksUri, { ...options, cache, client: client ?? options.client });
}

/** The keys in an issuer's metadata: OpenID Connect Discovery, or RFC 8414. */
function discovery(given) {
  const { issuer, ...options } = readObject('discovery', "{ issuer: 'https://login.example.com' }", given);
  if (typeof issuer !== 'string') {
    throw expected('discovery', 'issuer', 'a URL as a string', issuer);
  }
  const { text, ask, cached, clock } = fetching('discovery', { home: issuer, follows: true }, options);
  const keys = configured('discovery', () => native.KeyService.ofIssuer(issuer, text, ask, cached, clock));
  return new JwksService(keys, issuer);
}

/** Local keys: a JWK Set, a JWK, PEM, a KeyObject, a CryptoKey, or a secret as bytes. */
function localKeys(keys, options = {}) {
  refuseUnknown(options, ['keyUses', 'clock'], 'localKeys');
  const [uses, clock] = [readKeyUses('localKeys', options.keyUses), readClock('localKeys', options.clock)];
  const imported = configured('localKeys', () => importKeys(keys, uses));
  return new JwksService(clock === undefined ? imported : imported.byClock(clock));
}

/** The error for a value in the place of keys, with the function that makes keys of it, if there is one. */
function noKeys(owner, name, what, value) {
  const error = expected(owner, name, what, value);
  const remedy = isUrl(value) ? OF_URLS : isKeys(value) && OF_LOCAL_KEYS;
  error.message += remedy ? `: ${remedy}` : '';
  return error;
}

/** Returns true for keys in a form of `localKeys`, apart from texts. */
function isKeys(value) {
  const isKey = value instanceof KeyObject || value instanceof CryptoKey || value instanceof Uint8Array;
  return isKey || Array.isArray(value?.keys) || typeof value?.kty === 'string';
}

/** The accepted uses of keys besides `sig`. */
function readKeyUses(name, keyUses) {
  return keyUses === undefined ? [] : readStrings(name, 'keyUses', keyUses);
}

/**
 * Refuses algorithms by which no token of a service passes: those of secrets alone, where keys are fetched. `hasOthers` is true if
 * tokens pass without a signature, too.
 */
function refuseSecretsAlone(owner, service, { algorithms }, hasOthers) {
  const ofSecrets = algorithms?.every((algorithm) => OF_SECRETS.includes(algorithm));
  if (!ofSecrets || hasOthers || service.status().source === null) {
    return;
  }
  throw new TypeError(`${owner}: expected an algorithm with public keys in \`algorithms\`, since the keys are fetched, got \
${algorithms.join(', ')} alone: for a shared secret use localKeys, for public keys leave \`algorithms\` out`);
}

function atUri(name, jwksUri, options) {
  const uri = jwksUri instanceof URL ? jwksUri.href : jwksUri;
  if (typeof uri !== 'string') {
    throw expected(name, 'the JWKS URI', 'a URL', jwksUri);
  }
  const { text, ask, cached, clock } = fetching(name, { home: uri, follows: false }, options);
  return new JwksService(configured(name, () => native.KeyService.atUri(uri, text, ask, cached, clock)));
}

/** The parts of a service that fetches; `place` has its URL, and tells whether metadata may lead to others. */
function fetching(name, place, options) {
  refuseUnknown(options, SERVICE, name);
  const { cache, client, dangerouslyAllowHttp, timeout = TIMEOUT, maxAge, maxStale } = options;
  const { maxDocumentBytes, maxKeys, maxTenants } = options;
  if (cache !== undefined) {
    readCache(name, cache);
  }
  const seconds = {
    timeout: readTimeout(name, 'timeout', timeout),
    maxAge: readSeconds(name, 'maxAge', maxAge),
    maxStale: readSeconds(name, 'maxStale', maxStale),
  };
  const limits = {
    maxDocumentBytes: readLimit(name, 'maxDocumentBytes', maxDocumentBytes),
    maxKeys: readLimit(name, 'maxKeys', maxKeys),
    maxTenants: readLimit(name, 'maxTenants', maxTenants),
  };
  const anyHttp = readBoolean(name, 'dangerouslyAllowHttp', dangerouslyAllowHttp);
  const keyUses = readKeyUses(name, options.keyUses);
  const text = JSON.stringify({ ...seconds, ...limits, keyUses, dangerouslyAllowHttp: anyHttp });
  const ask = answering(cache, new Client(name, client, place), timeout * 1000);
  return { text, ask, cached: cache !== undefined, clock: readClock(name, options.clock) };
}

function readCache(name, cache) {
  const missing = ['getKeyStore', 'setKeyStore'].find((method) => typeof cache?.[method] !== 'function');
  if (missing !== undefined) {
    const what = 'expected a cache with the functions getKeyStore and setKeyStore';
    throw new TypeError(`${name}: ${what}, got ${Object(cache) === cache ? `one without ${missing}` : nameOf(cache)}`);
  }
}

/** A function that answers the addon's questions. It never throws, and always answers. */
function answering(cache, client, timeout) {
  const answers = {
    async fetch(number, argument) {
      const mayConnectTo = (address) => native.mayConnectTo(number, address);
      const { status, fields, body, peer } = await fetchWith(client, JSON.parse(argument), timeout, mayConnectTo);
      native.answerFetched(number, status, fields, body, peer);
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

/** The addon's key service for keys in any of Node's forms. */
function importKeys(keys, uses = []) {
  if (typeof keys === 'string') {
    return importText(keys, uses);
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
    return native.KeyService.ofText(JSON.stringify(keys), uses);
  }
  if (typeof keys?.kty === 'string') {
    return importJwk(keys, uses);
  }
  throw new TypeError(`expected a JWK Set, a JWK, a KeyObject, a CryptoKey, PEM or bytes, got ${nameOf(keys)}`);
}

/** Imports a text; the error for one that is in no form of keys tells how its likely meaning is written. */
function importText(text, uses) {
  try {
    return native.KeyService.ofText(text, uses);
  } catch (error) {
    if (isUrl(text)) {
      error.message += `: ${OF_URLS}`;
    } else if (OF_NO_FORM.test(error.message)) {
      error.message += ': for a shared secret pass its bytes, `localKeys(Buffer.from(secret))`';
    }
    throw error;
  }
}

function importKeyObject(key) {
  if (key.type === 'secret') {
    return native.KeyService.ofSecret(key.export());
  }
  if (key.type === 'private') {
    throw new TypeError('expected a public key or a secret, got a private key');
  }
  return native.KeyService.ofText(key.export({ type: 'spki', format: 'pem' }), []);
}

/** A JWK matches any `kid`, because the caller chose it for the token. */
function importJwk({ kid, ...jwk }, uses = []) {
  return native.KeyService.ofText(JSON.stringify({ keys: [jwk] }), uses);
}

/** Imports a CryptoKey, which stays bound to its algorithm. */
function importCryptoKey(key) {
  const object = KeyObject.from(key);
  const alg = algorithmOf(key);
  if (object.type === 'private') {
    throw new TypeError('expected a public key or a secret, got a private key');
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

module.exports = {
  JwksService,
  InMemoryCache,
  getSimpleJwksService,
  jwksService,
  discovery,
  localKeys,
  importKeys,
  noKeys,
  refuseSecretsAlone,
};

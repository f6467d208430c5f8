'use strict';

const { KeyObject } = require('node:crypto');

const native = require('../native.js');
const { partOf, tokenOf } = require('./claims.js');
const { Guard } = require('./guard.js');
const { RefusalError } = require('./errors.js');
const { importKeys } = require('./keys.js');
const { textOf, warn } = require('./log.js');
const { ISSUER_RULES } = require('./library.js');
const { LONGEST_TIMER } = require('./values.js');
const { Verifier } = require('./verifier.js');

/** The greatest number of parsed keys in the cache of texts, bytes and plain objects. */
const MOST_TEXTS = 64;

/** The `Retry-After` for a failed `getKey`, in seconds. */
const RETRY_AFTER = 5;

/** The codes of refusals that another key might avoid. */
const FOR_WANT_OF_A_KEY = new Set(['unknown_key', 'unusable_key', 'too_many_keys', 'key_mismatch', 'bad_signature']);

/**
 * Judges requests with keys from `getKey(header, token)`, such as jose's `createRemoteJWKSet` returns.
 *
 * `getKey` is called for each request, so that a withdrawn key admits nothing; each key is parsed once.
 */
class AskingGuard {
  #getKey;
  #make;
  #timeout;
  #attempts;
  #keyless;
  #byObject = new WeakMap();
  #byText = new Map();

  constructor(getKey, verification, endpoint) {
    this.#getKey = getKey;
    this.#timeout = endpoint.getKeyTimeout * 1000;
    this.#attempts = verification.maxKeyAttempts ?? ISSUER_RULES.defaults.maxKeyAttempts;
    // A key may be another than was expected: that is a fault of the token that names it.
    this.#make = (keys) => new Guard(Verifier.of(keys, verification, undefined, true), endpoint);
    this.#keyless = this.#make(native.KeyService.empty());
  }

  judge(authorization, several, request) {
    // Judge without a key first, so that `getKey` gets no malformed token.
    const verdict = this.#keyless.judge(authorization, several, request, true);
    return verdict instanceof RefusalError && verdict.code === 'unknown_key'
      ? this.#judgeWithKeys(authorization, request, verdict)
      : verdict;
  }

  invalidate() {
    throw new TypeError('invalidate: expected a guard with a JWKS service, got one with getKey, whose tokens are cached by key');
  }

  /** Explains the verdict on a request: with the first key of `getKey`, or without one if the token is refused anyway. */
  async explain(authorization, several, request) {
    const verdict = this.#keyless.judge(authorization, several, request, true);
    if (verdict?.code !== 'unknown_key') {
      return this.#keyless.explain(authorization, several, request);
    }
    const guards = await within(this.#timeout, this.#guardsFor(tokenOf(authorization))).catch(() => []);
    return (guards[0] ?? this.#keyless).explain(authorization, several, request);
  }

  async #judgeWithKeys(authorization, request, unknown) {
    let guards;
    try {
      guards = await within(this.#timeout, this.#guardsFor(tokenOf(authorization)));
    } catch (error) {
      if (error?.code === 'ERR_JWKS_NO_MATCHING_KEY') {
        return unknown;
      }
      warn(`getKey failed: ${textOf(error)}`);
      return this.#keyless.unjudged(RETRY_AFTER);
    }
    let verdict = unknown;
    for (const guard of guards.slice(0, this.#attempts)) {
      verdict = await guard.judge(authorization, false, request);
      if (!FOR_WANT_OF_A_KEY.has(verdict?.code)) {
        return verdict;
      }
    }
    return guards.length > this.#attempts ? this.#keyless.hasTooManyKeys(this.#attempts) : verdict;
  }

  /** The guards for the token's possible keys, nearly always one; at most one more than may be tried. */
  async #guardsFor(token) {
    try {
      return [this.#guardFor(await this.#ask(token))];
    } catch (error) {
      if (error?.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' || typeof error[Symbol.asyncIterator] !== 'function') {
        throw error;
      }
      return this.#guardsForAll(error);
    }
  }

  async #guardsForAll(keys) {
    const guards = [];
    for await (const key of keys) {
      guards.push(this.#guardFor(key));
      if (guards.length > this.#attempts) {
        break;
      }
    }
    return guards;
  }

  async #ask(token) {
    const [header, payload, signature] = token.split('.');
    return this.#getKey(partOf(header), { protected: header, payload, signature });
  }

  #guardFor(key) {
    if (key instanceof KeyObject || key instanceof CryptoKey) {
      return kept(this.#byObject, key, () => this.#make(importKeys(key)));
    }
    const guard = kept(this.#byText, textOfKey(key), () => this.#make(importKeys(key)));
    if (this.#byText.size > MOST_TEXTS) {
      this.#byText.delete(this.#byText.keys().next().value);
    }
    return guard;
  }
}

/** The result of a promise; rejects after this many milliseconds. */
async function within(timeout, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${timeout / 1000} s`));
    timer = setTimeout(giveUp, Math.min(timeout, LONGEST_TIMER));
  });
  try {
    return await Promise.race([late, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function kept(map, key, make) {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The contents of a key as text: objects and bytes can change, so their identity does not count. */
function textOfKey(key) {
  return key instanceof Uint8Array ? `bytes ${Buffer.from(key).toString('base64')}` : JSON.stringify(key);
}

module.exports = { AskingGuard };

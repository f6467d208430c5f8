'use strict';

const { KeyObject } = require('node:crypto');

const native = require('../native.js');
const { partOf, tokenOf } = require('./claims.js');
const { Guard } = require('./guard.js');
const { RefusalError } = require('./errors.js');
const { importKeys } = require('./keys.js');
const { textOf, warn } = require('./log.js');
const { ISSUER_RULES, LONGEST_TIMER } = require('./options.js');
const { Verifier } = require('./verifier.js');

/** How many keys that came as texts, bytes or fresh objects are kept parsed. */
const MOST_TEXTS = 64;

/** When to come back after `getKey` has failed, in seconds. */
const RETRY_AFTER = 5;

/** The codes of a refusal that another key may turn into a pass. */
const FOR_WANT_OF_A_KEY = new Set(['unknown_key', 'unusable_key', 'too_many_keys', 'key_mismatch', 'bad_signature']);

/**
 * Judges requests with keys that `getKey(header, token)` finds, as jose's `createRemoteJWKSet` does.
 *
 * It is asked for each request, so that a key which it no longer gives opens nothing; what it gives is parsed once.
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
    this.#make = (keys) => new Guard(Verifier.of(keys, verification), endpoint);
    this.#keyless = this.#make(native.KeyService.empty());
  }

  judge(authorization, several) {
    // All that can be said without a key is said first: `getKey` sees no token that is malformed.
    const verdict = this.#keyless.judge(authorization, several, true);
    return verdict instanceof RefusalError && verdict.code === 'unknown_key'
      ? this.#judgeWithKeys(authorization, verdict)
      : verdict;
  }

  invalidate() {
    throw new TypeError('invalidate: a guard that asks getKey keeps tokens by key; give it a service to use this');
  }

  async #judgeWithKeys(authorization, unknown) {
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
      verdict = await guard.judge(authorization, false);
      if (!FOR_WANT_OF_A_KEY.has(verdict?.code)) {
        return verdict;
      }
    }
    return guards.length > this.#attempts ? this.#keyless.hasTooManyKeys(this.#attempts) : verdict;
  }

  /** A guard for each key that the token may be signed with, and no more than one that is not tried: nearly always one. */
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

/** What a promise comes to within so many milliseconds. */
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

/** Objects and bytes can change under our hands: what they hold counts. */
function textOfKey(key) {
  return key instanceof Uint8Array ? `bytes ${Buffer.from(key).toString('base64')}` : JSON.stringify(key);
}

module.exports = { AskingGuard };

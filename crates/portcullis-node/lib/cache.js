'use strict';

/** A cache of the key set in memory: `keyStore` is a JWK Set, or null. */
class InMemoryCache {
  keyStore = null;

  async getKeyStore() {
    return this.keyStore;
  }

  async setKeyStore(keyStore) {
    this.keyStore = keyStore;
  }
}

/** The contents of a cache as the text of a JWK Set, or null. */
async function readFrom(cache) {
  const kept = await cache.getKeyStore();
  if (kept === null || kept === undefined) {
    return null;
  }
  if (typeof kept === 'string') {
    return kept;
  }
  // A key store of jose 1, as in express-oauth-jwt 1.x.
  const text = JSON.stringify(typeof kept.toJWKS === 'function' ? kept.toJWKS() : kept);
  if (text === undefined) {
    throw new TypeError(`expected getKeyStore to return a JWK Set or null, got a ${typeof kept}`);
  }
  return text;
}

/** Writes the JWK Set of this text to a cache, with the method `toJWKS` of jose 1. */
async function writeTo(cache, text) {
  const keyStore = JSON.parse(text);
  Object.defineProperty(keyStore, 'toJWKS', { value: () => JSON.parse(text), enumerable: false });
  await cache.setKeyStore(keyStore);
}

module.exports = { InMemoryCache, readFrom, writeTo };

'use strict';

/** Keeps the key set in memory: `keyStore` is a JWK Set, or null. */
class InMemoryCache {
  keyStore = null;

  async getKeyStore() {
    return this.keyStore;
  }

  async setKeyStore(keyStore) {
    this.keyStore = keyStore;
  }
}

/** What a cache has, as the text of a JWK Set, or null. */
async function readFrom(cache) {
  const kept = await cache.getKeyStore();
  if (kept === null || kept === undefined) {
    return null;
  }
  if (typeof kept === 'string') {
    return kept;
  }
  // A key store of jose 1, which express-oauth-jwt 1.x kept.
  const text = JSON.stringify(typeof kept.toJWKS === 'function' ? kept.toJWKS() : kept);
  if (text === undefined) {
    throw new TypeError(`expected getKeyStore to give a JWK Set or null, got a ${typeof kept}`);
  }
  return text;
}

/** Gives a cache the JWK Set of this text, which can be had as jose 1 gave it, too. */
async function writeTo(cache, text) {
  const keyStore = JSON.parse(text);
  Object.defineProperty(keyStore, 'toJWKS', { value: () => JSON.parse(text), enumerable: false });
  await cache.setKeyStore(keyStore);
}

module.exports = { InMemoryCache, readFrom, writeTo };

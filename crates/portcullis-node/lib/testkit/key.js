'use strict';

const { randomUUID } = require('node:crypto');

const { configured } = require('../library.js');
const { expected } = require('../values.js');
const kit = require('./kit.js');

/** A private key for signing tokens, with its id and algorithm. */
class SigningKey {
  #native;

  constructor(native) {
    this.#native = native;
  }

  /** Makes a new random key. */
  static generate(alg = 'ES256', kid = randomUUID()) {
    return new SigningKey(configured('SigningKey.generate', () => kit.SigningKey.generate(alg, kid)));
  }

  /** The key id. */
  get kid() {
    return this.#native.kid;
  }

  /** The algorithm. */
  get alg() {
    return this.#native.alg;
  }

  /** The public key as a JWK; of an HS key, the secret. */
  get publicJwk() {
    return JSON.parse(this.#native.publicJwk);
  }

  /** The public key as PEM. */
  get publicPem() {
    return configured('publicPem', () => this.#native.publicPem);
  }

  /** The thumbprint of the public JWK (RFC 7638). */
  get thumbprint() {
    return this.#native.thumbprint;
  }

  /** The kit's own key; undefined for undefined. */
  static ofKit(owner, key) {
    if (key === undefined) {
      return undefined;
    }
    if (!(key instanceof SigningKey)) {
      throw expected(owner, 'key', 'a SigningKey', key);
    }
    return key.#native;
  }
}

module.exports = { SigningKey };

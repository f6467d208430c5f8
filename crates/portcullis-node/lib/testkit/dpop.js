'use strict';

const { configured } = require('../library.js');
const { expected } = require('../values.js');
const { changesOf } = require('./changes.js');
const { TestClock } = require('./clock.js');
const { SigningKey } = require('./key.js');
const kit = require('./kit.js');

/** A client with a key of its own, which sends DPoP proofs (RFC 9449). */
class DpopClient {
  #native;

  constructor({ alg = 'ES256', clock } = {}) {
    const ofKit = TestClock.ofKit('DpopClient', clock);
    this.#native = configured('DpopClient', () => new kit.DpopClient(alg, ofKit));
  }

  /** The client's key. */
  get key() {
    return new SigningKey(this.#native.key);
  }

  /** The thumbprint of the client's key. */
  get thumbprint() {
    return this.#native.key.thumbprint;
  }

  /** The claims of a token that is bound to the client's key: `server.token({ ...client.bound })`. */
  get bound() {
    return { cnf: { jkt: this.thumbprint } };
  }

  /** Puts this nonce, a value of a `DPoP-Nonce` field, in each proof from now on. */
  useNonce(nonce) {
    this.#native.useNonce(nonce);
  }

  /** Signs a proof for a request with this token; `claims` and `header` change its members, `key` signs in place of the client's. */
  proof({ method = 'GET', url, token } = {}, { claims = {}, header = {}, key } = {}) {
    const changes = changesOf('proof', readMembers('claims', claims), readMembers('header', header));
    const [signer, target] = [SigningKey.ofKit('proof', key), readUrl('proof', url)];
    return configured('proof', () => this.#native.proof(method, target, token, changes, signer));
  }

  /** The header fields of a good request with a token that is bound to the client's key. */
  headers({ method = 'GET', url, token }) {
    return { authorization: `DPoP ${token}`, dpop: this.proof({ method, url, token }) };
  }

  /** The requests of each case, with tokens of a server of the kit. */
  attempts(server, { method, url, changes, nonces }) {
    const target = readUrl('dpopAttempts', url);
    return JSON.parse(configured('dpopAttempts', () => this.#native.attempts(server, method, target, changes, Boolean(nonces))));
  }
}

function readMembers(name, members) {
  if (typeof members === 'string') {
    throw expected('proof', name, 'an object', members);
  }
  return members;
}

function readUrl(owner, url) {
  const text = url instanceof URL ? url.href : url;
  if (typeof text !== 'string') {
    throw expected(owner, 'url', 'a URL', url);
  }
  return text;
}

module.exports = { DpopClient };

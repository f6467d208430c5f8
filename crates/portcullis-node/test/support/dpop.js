'use strict';

const { createHash, randomUUID } = require('node:crypto');

const { mintText, namedKey } = require('./tokens.js');

/** The members of a public JWK by which its thumbprint is made (RFC 7638 section 3.2). */
const MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] };

/** A client that proves possession of its key (RFC 9449). */
class DpopClient {
  constructor(alg = 'ES256', name = 'client') {
    this.key = namedKey(alg, name);
    const { jwk } = this.key;
    this.jwk = Object.fromEntries(MEMBERS[jwk.kty].map((member) => [member, jwk[member]]));
    this.jkt = sha256(JSON.stringify(this.jwk));
  }

  /** The claims of a token that is bound to the client's key. */
  get bound() {
    return { cnf: { jkt: this.jkt } };
  }

  /** The claims of a good proof. */
  claims({ method = 'GET', url, token, nonce }) {
    const iat = Math.floor(Date.now() / 1000);
    return { jti: randomUUID(), htm: method, htu: url, iat, ath: token && sha256(token), nonce };
  }

  /** The header of a good proof. */
  get header() {
    return { typ: 'dpop+jwt', alg: this.key.alg, jwk: this.jwk };
  }

  /** A proof for a request; `claims` and `header` change members, and leave out those that are undefined. */
  proof(request, claims = {}, header = {}, key = this.key) {
    return this.proofOf(JSON.stringify({ ...this.claims(request), ...claims }), JSON.stringify({ ...this.header, ...header }), key);
  }

  /** A signed proof of these texts. */
  proofOf(payload, header = JSON.stringify(this.header), key = this.key) {
    return mintText(key, payload, header);
  }

  /** The fields of a request with a token that is bound to the client's key. */
  fields(token, proof) {
    return { authorization: `DPoP ${token}`, dpop: proof };
  }
}

/** The hash of a text in base64url. */
function sha256(text) {
  return createHash('sha256').update(text).digest('base64url');
}

module.exports = { DpopClient, sha256 };

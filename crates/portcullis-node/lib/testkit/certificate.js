'use strict';

const { expected } = require('../values.js');
const kit = require('./kit.js');

/** A certificate authority made for the test: for a server with https, and for clients with certificates. */
class CertificateAuthority {
  #native = new kit.CertificateAuthority();

  /** The authority's certificate as PEM, for `ca`. */
  get pem() {
    return this.#native.pem;
  }

  /** Issues a certificate for a client; one that expired in 2001 if `expired` is true. */
  client(name = 'client', { expired = false } = {}) {
    return identity(this.#native.client(String(name), Boolean(expired)));
  }

  /** Makes a self-signed certificate for a client, which no authority vouches for. */
  static selfSigned(name = 'client') {
    return identity(kit.ClientIdentity.selfSigned(String(name)));
  }

  /** The kit's own authority; undefined for undefined. */
  static ofKit(owner, name, authority) {
    if (authority === undefined) {
      return undefined;
    }
    if (!(authority instanceof CertificateAuthority)) {
      throw expected(owner, name, 'a CertificateAuthority', authority);
    }
    return authority.#native;
  }
}

/** A client's certificate: `cert` and `key` are options of Node's `https`, `thumbprint` is the `x5t#S256` of bound tokens. */
function identity({ der, pem, keyPem, thumbprint }) {
  return { cert: pem, key: keyPem, der, thumbprint };
}

module.exports = { CertificateAuthority };

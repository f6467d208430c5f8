'use strict';

const { partOf, tokenOf } = require('./claims.js');

/** That a request may pass, by its token: what `req.auth` is. */
class Access {
  /** The field that the token came in. */
  #authorization;

  constructor(authorization, claims) {
    this.#authorization = authorization;
    /** The claims, frozen: requests with the same token share them. */
    this.claims = claims;
  }

  /** The token. Neither JSON nor a log of this object holds it. */
  get token() {
    return tokenOf(this.#authorization);
  }

  /** The same as `claims`. */
  get payload() {
    return this.claims;
  }

  /** The token's header. */
  get header() {
    return partOf(this.token.split('.', 1)[0]);
  }

  /** The scope values that the token was granted: what the rules `scope` and `anyScope` go by. */
  get scopes() {
    const { claims } = this;
    const name = ['scope', 'scp'].find((name) => Object.hasOwn(claims, name));
    const scope = name && claims[name];
    return Array.isArray(scope) ? scope.filter((value) => typeof value === 'string') : wordsOf(scope);
  }

  /** Whether the token was granted this scope value; what has a space in it is none. */
  hasScope(value) {
    return value !== '' && !String(value).includes(' ') && this.scopes.includes(value);
  }
}

/** The values of a scope string (RFC 6749 section 3.3); what is none grants nothing. */
function wordsOf(scope) {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}

module.exports = { Access };

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

  /** The scope values that the token was granted. */
  get scopes() {
    const { scope, scp } = this.claims;
    const granted = scope ?? scp ?? [];
    return Array.isArray(granted) ? [...granted] : granted.split(' ').filter(Boolean);
  }

  /** Whether the token was granted this scope value. */
  hasScope(value) {
    return this.scopes.includes(value);
  }
}

module.exports = { Access };

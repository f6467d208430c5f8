'use strict';

const { partOf, tokenOf } = require('./claims.js');

/** That a request may pass, by its token: what `req.auth` is. */
class Access {
  /** The field that the token came in. */
  #authorization;
  #scope;

  constructor(authorization, claims, scope) {
    this.#authorization = authorization;
    this.#scope = scope;
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

  /** The scope values that the token grants itself. */
  get scopes() {
    return this.#scope.valuesOf(this.claims);
  }

  /** Whether the token grants this scope value, itself or by another that implies it: what the rules go by. */
  hasScope(value) {
    return this.#scope.isGranted(this.claims, value);
  }
}

module.exports = { Access };

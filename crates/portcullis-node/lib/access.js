'use strict';

const { partOf, tokenOf } = require('./claims.js');

/** Evidence that a request passed by its token: the value of `req.auth`. */
class Access {
  /** The `Authorization` field of the request. */
  #authorization;
  #scope;

  constructor(authorization, claims, scope) {
    this.#authorization = authorization;
    this.#scope = scope;
    /** The claims, frozen because requests with the same token share them. */
    this.claims = claims;
  }

  /** The token. JSON and logs of this object do not contain it. */
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

  /** The scope values in the token, without implied ones. */
  get scopes() {
    return this.#scope.valuesOf(this.claims);
  }

  /** The scope values that the token grants, directly or by implication. */
  get grantedScopes() {
    return this.#scope.grantedBy(this.claims);
  }

  /** Returns true if the token grants this scope value, directly or by implication, as the rules judge it. */
  hasScope(value) {
    return this.#scope.isGranted(this.claims, value);
  }
}

module.exports = { Access };

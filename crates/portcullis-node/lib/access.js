'use strict';

const { find, partOf, tokenOf } = require('./claims.js');

/** The claims that may name the client, in the order of preference: RFC 9068, OpenID Connect, Okta, Entra ID. */
const CLIENT_ID = ['client_id', 'azp', 'cid', 'appid'];

/**
 * Evidence that a request passed by its token: the value of `req.auth`.
 *
 * It is an `AuthInfo` of the TypeScript SDK of the Model Context Protocol, too, whose transports hand `req.auth` on to tools.
 */
class Access {
  /** The `Authorization` field of the request. */
  #authorization;
  #scope;
  #resource;
  #dpopNonce;

  constructor(authorization, claims, scope, resource, dpopNonce) {
    this.#authorization = authorization;
    this.#scope = scope;
    this.#resource = resource;
    this.#dpopNonce = dpopNonce;
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

  /** The client to which the token was issued; an empty string if no claim names it. */
  get clientId() {
    return CLIENT_ID.map((name) => find(this.claims, name)).find((id) => typeof id === 'string') ?? '';
  }

  /** The time of expiry, in seconds since 1970. */
  get expiresAt() {
    return this.claims.exp;
  }

  /** The resource that the token is for, if the guard is one of a resource. */
  get resource() {
    return this.#resource === undefined ? undefined : new URL(this.#resource);
  }

  /** The nonce for the client's next proofs, for the field `DPoP-Nonce` of the response (RFC 9449 section 8.2). */
  get dpopNonce() {
    return this.#dpopNonce;
  }

  /** The claims under the name of the SDK. */
  get extra() {
    return { claims: this.claims };
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

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
  #known;
  #guard;
  #passed;
  #client;

  constructor(authorization, known, guard, passed, client) {
    this.#authorization = authorization;
    this.#known = known;
    this.#guard = guard;
    this.#passed = passed;
    this.#client = client;
    /** The claims, frozen because requests with the same token share them. */
    this.claims = known.claims;
  }

  /** The token. JSON and logs of this object do not contain it. */
  get token() {
    return tokenOf(this.#authorization);
  }

  /** The token's own claims: the same as `claims`, unless the guard has a schema. */
  get payload() {
    return this.claims;
  }

  /** The header of the token, or of the JWT behind it; undefined for an opaque token without one. */
  get header() {
    const jwt = this.phantomJwt ?? (this.#known.isOpaque ? undefined : this.token);
    return jwt && partOf(jwt.split('.', 1)[0]);
  }

  /** The JWT behind a phantom token, for an upstream. */
  get phantomJwt() {
    return this.#known.phantomJwt;
  }

  /** The scope values in the token, without implied ones. */
  get scopes() {
    return this.#guard.scope.valuesOf(this.payload);
  }

  /** The client to which the token was issued; an empty string if no claim names it. */
  get clientId() {
    return CLIENT_ID.map((name) => find(this.payload, name)).find((id) => typeof id === 'string') ?? '';
  }

  /** The time of expiry, in seconds since 1970. */
  get expiresAt() {
    return this.payload.exp;
  }

  /** The resource that the token is for, if the guard is one of a resource. */
  get resource() {
    const { resource } = this.#guard;
    return resource === undefined ? undefined : new URL(resource);
  }

  /** The nonce for the client's next proofs, for the field `DPoP-Nonce` of the response (RFC 9449 section 8.2). */
  get dpopNonce() {
    return this.#passed?.dpopNonce;
  }

  /** The claims under the name of the SDK. */
  get extra() {
    return { claims: this.claims };
  }

  /** The scope values that the token grants, directly or by implication. */
  get grantedScopes() {
    return this.#guard.scope.grantedBy(this.payload);
  }

  /** Returns true if the token grants this scope value, directly or by implication, as the rules judge it. */
  hasScope(value) {
    return this.#guard.scope.isGranted(this.payload, value);
  }

  /**
   * Exchanges the token for one of an upstream, by a name of the option `exchange` (RFC 8693). The same token is exchanged once, until
   * one of the two expires. Rejects with the refusal for the client.
   */
  exchange(name) {
    return this.#guard.exchange(name, this.#authorization, this.#client, this.#passed);
  }
}

/** The same where a schema's output takes the place of the claims. */
class ShapedAccess extends Access {
  #payload;

  constructor(output, authorization, known, ...others) {
    super(authorization, known, ...others);
    this.claims = output;
    this.#payload = known.claims;
  }

  get payload() {
    return this.#payload;
  }
}

module.exports = { Access, ShapedAccess };

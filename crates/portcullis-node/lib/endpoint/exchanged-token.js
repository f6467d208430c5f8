'use strict';

/** A token for an upstream. JSON and logs of it do not contain the token. */
class ExchangedToken {
  #token;

  constructor({ token, claims, until }) {
    this.#token = token;
    /** The time until which it may be used, in seconds since 1970. */
    this.until = until / 1000;
    /** The claims, if it is a verified JWT. */
    this.claims = typeof claims === 'string' ? JSON.parse(claims) : undefined;
  }

  /** The token. */
  get token() {
    return this.#token;
  }

  /** The `Authorization` field for the upstream. */
  get authorization() {
    return `Bearer ${this.#token}`;
  }
}

module.exports = { ExchangedToken };

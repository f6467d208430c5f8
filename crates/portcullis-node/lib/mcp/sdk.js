'use strict';

const { expected } = require('../values.js');

/**
 * The errors that `requireBearerAuth` of the TypeScript SDK answers with 401 and 500.
 *
 * Version 1.x knows its errors by their classes, version 2.x by a mark on the object. An error is made so that both know it,
 * because a verifier cannot see which of them it serves.
 */
class SdkErrors {
  #first;
  #second;

  /**
   * `first` has the classes `InvalidTokenError` and `ServerError` of version 1.x, `second` the class `OAuthError` of 2.x; either
   * may be undefined.
   */
  constructor({ InvalidTokenError, ServerError } = {}, { OAuthError } = {}) {
    this.#first = { invalid_token: InvalidTokenError, server_error: ServerError };
    this.#second = OAuthError;
  }

  /** Reads the option `errors`: the error classes of either version. */
  static given(owner, errors) {
    const { InvalidTokenError, ServerError, OAuthError } = errors ?? {};
    const isFirst = [InvalidTokenError, ServerError].every(isClass);
    // Version 1.x has an `OAuthError`, too, of another form.
    if (!isFirst && !isClass(OAuthError)) {
      throw expected(owner, 'errors', 'the classes InvalidTokenError and ServerError (SDK 1.x), or OAuthError (2.x)', errors);
    }
    return isFirst ? new SdkErrors(errors) : new SdkErrors(undefined, errors);
  }

  /** True if an SDK is there. */
  get areKnown() {
    return this.#first.invalid_token !== undefined || this.#second !== undefined;
  }

  /** The error with this code (`invalid_token`, `server_error`) and text for clients. */
  make(code, message, cause) {
    const First = this.#first[code];
    const second = this.#second && new this.#second(code, message);
    const error = First === undefined ? second : new First(message);
    if (error !== second && second !== undefined) {
      // The mark of 2.x is a property of its errors; `code` and `message` are the same in both.
      Object.defineProperties(error, Object.getOwnPropertyDescriptors(second));
    }
    return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  }
}

function isClass(value) {
  return typeof value === 'function';
}

module.exports = { SdkErrors };

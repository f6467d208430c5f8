'use strict';

const { inOurNames } = require('../library.js');

/** An object of the addon that asks an endpoint of an authorization server. */
class Asking {
  #native;

  constructor(native) {
    this.#native = native;
  }

  /** The state of the endpoint: its failures, and the reason of the last. */
  status() {
    const status = JSON.parse(this.#native.status());
    return { ...status, lastError: status.lastError && inOurNames(status.lastError) };
  }

  /** The addon's object in one of this class; undefined for other values. */
  static nativeOf(value) {
    return value instanceof this && #native in value ? value.#native : undefined;
  }
}

module.exports = { Asking };

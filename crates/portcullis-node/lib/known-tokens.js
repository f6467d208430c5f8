'use strict';

const { partOf, tokenOf } = require('./claims.js');
const { currentEpoch } = require('./epoch.js');

/** The bytes of tokens that are kept, unless the token cache is smaller. */
const BYTES = 16 * 1024 * 1024;

/**
 * The number of characters at the end of a field by which it is found: a part of the signature, which clients cannot choose. V8 would
 * need as long for the hash of a whole token as the addon for its verdict.
 */
const END = 32;

/** A token that the addon has accepted, and the time for which a verdict on it holds. */
class KnownToken {
  #field = '';
  #epoch = Number.NaN;
  #since = 0;
  #until = 0;
  #bytes;

  constructor(number, claims, bytes) {
    /** The addon's number of the token. */
    this.number = number;
    /** The claims, frozen because requests with the same token share them. */
    this.claims = claims;
    this.#bytes = bytes;
    /** True if the claims are those of an answer about the token. */
    this.isOpaque = false;
    /** The JWT behind a phantom token. */
    this.phantomJwt = undefined;
  }

  /** The token in this field, with the claims of the authorization server's answer. */
  static ofAnswer(number, field, claims, phantomJwt) {
    const known = new KnownToken(number, freeze(claims), field.length + JSON.stringify(claims).length + (phantomJwt?.length ?? 0));
    return Object.assign(known, { isOpaque: true, phantomJwt });
  }

  /** The size, with the field on which a verdict holds. */
  get bytes() {
    return this.#bytes + this.#field.length;
  }

  /** The end of the field on which a verdict holds. */
  get end() {
    return this.#field.slice(-END);
  }

  /** Returns true if a verdict on requests with this field holds still. */
  holds(field) {
    if (this.#field !== field || this.#epoch !== currentEpoch()) {
      return false;
    }
    const now = Date.now();
    return this.#since <= now && now < this.#until;
  }

  /** Has the verdict on this field hold until a time in milliseconds, in this epoch. */
  hold(field, epoch, until) {
    this.#field = field;
    this.#epoch = epoch;
    this.#since = Date.now();
    this.#until = until;
  }
}

/**
 * The tokens that the addon has accepted, by its numbers and by the fields of requests.
 *
 * A field is found from the second request on, so that tokens that are used once take no space for it.
 */
class KnownTokens {
  #byNumber = new Map();
  #byEnd = new Map();
  #bytes = 0;
  #limit;

  constructor(tokenCache) {
    this.#limit = tokenCache?.off ? 0 : Math.min(BYTES, tokenCache?.bytes ?? BYTES);
  }

  /** The token in this field, if a verdict on it holds. */
  held(field) {
    const known = this.#byEnd.get(field.slice(-END));
    return known !== undefined && known.holds(field) ? known : undefined;
  }

  /** The token with this number, if it is kept. */
  get(number) {
    return this.#byNumber.get(number);
  }

  /**
   * Reads and keeps the token in this field, which the addon has accepted under this number. Of an introspected token the addon's
   * verdict has the claims.
   */
  learn(number, field, passed) {
    const claims = passed?.claims;
    const known = claims === undefined
      ? new KnownToken(number, freeze(partOf(tokenOf(field).split('.')[1])), field.length)
      : KnownToken.ofAnswer(number, field, JSON.parse(claims), passed.phantomJwt);
    if (known.bytes <= this.#limit) {
      this.#byNumber.set(number, known);
      this.#count(known);
    }
    return known;
  }

  /**
   * Has a verdict on this field hold until a time in milliseconds, in this epoch. The token is found by no other field then: a client
   * may spell the scheme and the spaces before one token in many ways.
   */
  hold(known, field, epoch, until) {
    if (this.#byNumber.get(known.number) !== known) {
      return;
    }
    this.#discount(known);
    known.hold(field, epoch, until);
    this.#byEnd.set(known.end, known);
    this.#count(known);
  }

  /** Counts a token, and drops the oldest ones beyond the limit; a Map keeps the order. */
  #count({ bytes }) {
    this.#bytes += bytes;
    for (const oldest of this.#byNumber.values()) {
      if (this.#bytes <= this.#limit) {
        return;
      }
      this.#byNumber.delete(oldest.number);
      this.#discount(oldest);
    }
  }

  /** Takes a token out of the count, and its field out of those by which tokens are found. */
  #discount(known) {
    this.#bytes -= known.bytes;
    if (this.#byEnd.get(known.end) === known) {
      this.#byEnd.delete(known.end);
    }
  }
}

function freeze(value) {
  if (value !== null && typeof value === 'object') {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

module.exports = { KnownTokens };

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
  #field;
  #epoch = Number.NaN;
  #since = 0;
  #until = 0;

  constructor(number, claims, bytes) {
    /** The addon's number of the token. */
    this.number = number;
    /** The claims, frozen because requests with the same token share them. */
    this.claims = claims;
    this.bytes = bytes;
    /** The end of the field by which it is found; undefined until one is kept. */
    this.end = undefined;
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
      this.#add(known.bytes);
    }
    return known;
  }

  /** Has a verdict on this field hold until a time in milliseconds, in this epoch. */
  hold(known, field, epoch, until) {
    if (this.#byNumber.get(known.number) !== known) {
      return;
    }
    known.hold(field, epoch, until);
    const [end, before] = [field.slice(-END), known.end];
    if (end !== before) {
      // Of a short token, the scheme counts, which a client may write in several ways.
      this.#forget(known);
    }
    known.end = end;
    this.#byEnd.set(end, known);
    if (before === undefined) {
      known.bytes += field.length;
      this.#add(field.length);
    }
  }

  /** Counts bytes, and drops the oldest tokens beyond the limit; a Map keeps the order. */
  #add(bytes) {
    this.#bytes += bytes;
    for (const known of this.#byNumber.values()) {
      if (this.#bytes <= this.#limit) {
        return;
      }
      this.#drop(known);
    }
  }

  #drop(known) {
    this.#byNumber.delete(known.number);
    this.#bytes -= known.bytes;
    this.#forget(known);
  }

  /** Has the token be found by no field, unless another one has its place. */
  #forget(known) {
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

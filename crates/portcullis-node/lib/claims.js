'use strict';

/** How many bytes of tokens a memory keeps the claims of, if the token cache is of the usual size. */
const BYTES = 16 * 1024 * 1024;

/**
 * The claims of tokens that the addon has accepted, as objects.
 *
 * They are a function of the token's text alone, so that remembering them decides nothing: whether a token passes is the
 * addon's word, at each request. An object is shared by all requests with the same token, and frozen for that reason.
 */
class ClaimsMemory {
  #claims = new Map();
  #bytes = 0;
  #limit;

  constructor(tokenCache) {
    this.#limit = tokenCache?.off ? 0 : Math.min(BYTES, tokenCache?.bytes ?? BYTES);
  }

  of(token) {
    const known = this.#claims.get(token);
    if (known !== undefined) {
      return known;
    }
    const claims = freeze(decode(token));
    this.#remember(token, claims);
    return claims;
  }

  forget(token) {
    if (this.#claims.delete(token)) {
      this.#bytes -= token.length;
    }
  }

  /** Whoever came first goes first: a Map keeps the order. */
  #remember(token, claims) {
    if (token.length > this.#limit) {
      return;
    }
    this.#claims.set(token, claims);
    this.#bytes += token.length;
    for (const oldest of this.#claims.keys()) {
      if (this.#bytes <= this.#limit) {
        return;
      }
      this.forget(oldest);
    }
  }
}

/** The claims of a token, whose form the addon has found good. */
function decode(token) {
  const [, payload] = token.split('.');
  return partOf(payload);
}

/** A part of a token as an object. */
function partOf(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function freeze(value) {
  if (value !== null && typeof value === 'object') {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

/** The value of a claim by its name, or, if that starts with a slash, by its JSON Pointer (RFC 6901). */
function find(claims, name) {
  const steps = name.startsWith('/') ? name.slice(1).split('/').map(unescaped) : [name];
  return steps.reduce((value, step) => (hasOwn(value, step) ? value[step] : undefined), claims);
}

function unescaped(step) {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function hasOwn(value, step) {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, step);
}

module.exports = { ClaimsMemory, partOf, find };

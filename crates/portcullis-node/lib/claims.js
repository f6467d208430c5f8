'use strict';

/** The bytes of tokens whose claims are kept, unless the token cache is smaller. */
const BYTES = 16 * 1024 * 1024;

/**
 * The claims of tokens that the addon has accepted, as objects, by the addon's numbers of the tokens.
 *
 * Requests with the same token share an object, which is frozen for that reason.
 */
class ClaimsMemory {
  #known = new Map();
  #bytes = 0;
  #limit;

  constructor(tokenCache) {
    this.#limit = tokenCache?.off ? 0 : Math.min(BYTES, tokenCache?.bytes ?? BYTES);
  }

  /** The claims of the token with this number, if they are kept. */
  get(number) {
    return this.#known.get(number)?.claims;
  }

  /** Reads and keeps the claims of the token in this field, which the addon has accepted under this number. */
  learn(number, authorization) {
    const [, payload] = tokenOf(authorization).split('.');
    const claims = freeze(partOf(payload));
    this.#remember(number, { claims, bytes: authorization.length });
    return claims;
  }

  /** Keeps an entry and drops the oldest ones beyond the limit; a Map keeps the order. */
  #remember(number, entry) {
    if (entry.bytes > this.#limit) {
      return;
    }
    this.#known.set(number, entry);
    this.#bytes += entry.bytes;
    for (const [oldest, { bytes }] of this.#known) {
      if (this.#bytes <= this.#limit) {
        return;
      }
      this.#known.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

/** The token of an accepted field: scheme, spaces, token. */
function tokenOf(authorization) {
  return authorization.slice(authorization.lastIndexOf(' ') + 1);
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

/** The value of a claim by its name, or by its JSON Pointer (RFC 6901) if it starts with a slash. */
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

module.exports = { ClaimsMemory, tokenOf, partOf, find };

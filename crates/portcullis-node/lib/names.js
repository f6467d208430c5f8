'use strict';

const dns = require('node:dns');

/** The number of remembered names with their addresses: the issuer's, and the latest in its metadata. */
const MOST_NAMES = 8;

/**
 * Looks up names for a service that follows an issuer's metadata. They may lead to public addresses and to addresses of the
 * issuer's own kind, but not from outside to this machine or its network. Names that a proxy looks up are not checked.
 */
class Names {
  #lookup;
  #found = new Map();

  constructor(lookup = dns.lookup) {
    this.#lookup = lookup;
  }

  /** A function `lookup` for Node's clients that leaves out forbidden addresses. */
  within(mayConnectTo) {
    return (name, options, callback) => {
      this.#lookup(name, { ...options, all: true }, (error, ...found) => {
        if (error) {
          return callback(error);
        }
        const allowed = listOf(found).filter(({ address }) => mayConnectTo(address));
        if (allowed.length === 0) {
          return callback(new Error(OUT_OF_REACH));
        }
        this.#remember(name, allowed);
        return options?.all ? callback(null, allowed) : callback(null, allowed[0].address, allowed[0].family);
      });
    };
  }

  /** The address, if the URL's name was resolved to it; otherwise it is a proxy's. */
  peerOf(url, address) {
    const isFound = this.#found.get(new URL(url).hostname)?.some((found) => found.address === address);
    return isFound ? address : undefined;
  }

  #remember(name, addresses) {
    this.#found.delete(name);
    this.#found.set(name, addresses);
    if (this.#found.size > MOST_NAMES) {
      this.#found.delete(this.#found.keys().next().value);
    }
  }
}

const OUT_OF_REACH =
  'the host is on this machine or in a network that the issuer itself is not in: if this is intended, pass its URI to ' +
  'getSimpleJwksService';

/** The addresses in a lookup's result: all of them, or one and its family. */
function listOf([addresses, family]) {
  return Array.isArray(addresses) ? addresses : [{ address: addresses, family }];
}

module.exports = { Names };

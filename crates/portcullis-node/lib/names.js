'use strict';

const dns = require('node:dns');

/** How many names are remembered with their addresses: that of the issuer, and those that its metadata have named of late. */
const MOST_NAMES = 8;

/**
 * Looks names up for a service that follows an issuer's metadata. They may lead to public addresses and to such of the issuer's
 * own kind, and not from outside to this machine or into its network. What a proxy looks up is the proxy's to judge.
 */
class Names {
  #lookup;
  #found = new Map();

  constructor(lookup = dns.lookup) {
    this.#lookup = lookup;
  }

  /** A function `lookup` for Node's clients, that leaves the addresses out which may not be connected to. */
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

  /** The server's address, if the URL's name has led there: else it is that of a proxy. */
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
  'the host is on this machine or in a network that the issuer itself is not in: if it is meant, name its URI to ' +
  'getSimpleJwksService';

/** The addresses that a lookup gives: all, or one and its family. */
function listOf([addresses, family]) {
  return Array.isArray(addresses) ? addresses : [{ address: addresses, family }];
}

module.exports = { Names };

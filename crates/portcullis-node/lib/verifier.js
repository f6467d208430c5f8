'use strict';

const native = require('../native.js');
const { ClaimsMemory } = require('./claims.js');
const { ISSUER_RULES } = require('./options.js');
const { ScopeClaims } = require('./scope.js');

/** How many verifiers of a service are remembered before those that are gone are swept out. */
const MANY = 64;

/** Which tokens are good: the addon's verifier, and the claims of those that it has accepted. */
class Verifier {
  constructor(verifier, branches) {
    this.native = verifier;
    this.memory = new ClaimsMemory(branches[0].verification.tokenCache);
    this.scopeClaims = new ScopeClaims(branches.map(({ verification }) => verification));
  }

  /** For keys of the addon and options that `readOptions` has read. */
  static of(keys, { issuer = [undefined], ...verification }) {
    return Verifier.ofBranches(issuer.map((issuer) => ({ keys, verification: { ...verification, issuer } })));
  }

  /** For several issuers, each with keys and options of its own. */
  static ofBranches(branches) {
    const keys = branches.map(({ keys }) => keys);
    const options = branches.map(({ verification }) => JSON.stringify(verification));
    const verifier =
      branches.length === 1
        ? new native.TokenVerifier(keys[0], options[0])
        : native.TokenVerifier.anyOf(keys, options);
    return new Verifier(verifier, branches);
  }

  invalidate(token) {
    // It has another number when it comes again.
    this.native.invalidate(token);
  }
}

/** The verifiers of each service that are in use, by their options. */
const shared = new WeakMap();

/** The verifier of a service with these options: one for all guards that ask for it, so that they share its cache. */
function sharedVerifier(service, keys, verification) {
  const verifiers = shared.get(service) ?? new Map();
  shared.set(service, verifiers);
  const options = JSON.stringify(verification, (name, value) => (isDefault(name, value) ? undefined : value));
  const known = verifiers.get(options)?.deref();
  if (known !== undefined) {
    return known;
  }
  if (verifiers.size >= MANY) {
    sweep(verifiers);
  }
  const verifier = Verifier.of(keys, verification);
  verifiers.set(options, new WeakRef(verifier));
  return verifier;
}

/** Tells whether an option has its default, so that it is the same left out. */
function isDefault(name, value) {
  const { defaults } = ISSUER_RULES;
  return Object.hasOwn(defaults, name) && JSON.stringify(value) === JSON.stringify(defaults[name]);
}

function sweep(verifiers) {
  for (const [options, reference] of verifiers) {
    if (reference.deref() === undefined) {
      verifiers.delete(options);
    }
  }
}

module.exports = { Verifier, sharedVerifier };

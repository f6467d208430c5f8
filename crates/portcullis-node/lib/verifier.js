'use strict';

const native = require('../native.js');
const { ClaimsMemory } = require('./claims.js');
const { ISSUER_RULES } = require('./library.js');
const { ScopeClaims } = require('./scope.js');
const { Shared } = require('./shared.js');
const { Tenants, forEach } = require('./tenants.js');

/** A verifier of the addon, with the claims of the tokens that it has accepted. */
class Verifier {
  /** The identifier of the resource, if it is a resource's. */
  resource = undefined;

  /** True if it is the verifier of an MCP server. */
  isMcpServer = false;

  constructor(verifier, branches, owner) {
    this.native = verifier;
    /** The functions that accept tenants, if there are some. */
    this.tenants = Tenants.of(owner, branches.map(({ verification, accepts }) => ({ issuer: verification.issuer, accepts })));
    this.memory = new ClaimsMemory(branches[0].verification.tokenCache);
    this.scopeClaims = new ScopeClaims(branches.map(({ verification }) => verification));
  }

  /** A verifier for the addon's keys and options read by `readOptions`. */
  static of(keys, { issuer = [undefined], ...verification }) {
    return Verifier.ofBranches(forEach(issuer, verification).map((verification) => ({ keys, verification })));
  }

  /** A verifier for several issuers, each with its own keys and options. */
  static ofBranches(branches) {
    const [keys, options] = forAddon(branches);
    const verifier =
      branches.length === 1
        ? new native.TokenVerifier(keys[0], options[0])
        : native.TokenVerifier.anyOf(keys, options);
    return new Verifier(verifier, branches, 'anyOf');
  }

  /** A verifier for the tokens of these issuers for a resource, by the resource's description. */
  static ofResource(description, branches) {
    const { mcp, ...rules } = description;
    const texts = [JSON.stringify(rules), mcp === false ? null : JSON.stringify(mcp)];
    const verifier = native.TokenVerifier.ofResource(...texts, ...forAddon(branches));
    return Object.assign(new Verifier(verifier, branches, 'protectedResource'), { resource: rules.resource, isMcpServer: mcp !== false });
  }

  invalidate(token) {
    // Verified again, the token has another number.
    this.native.invalidate(token);
  }
}

/** The keys and the options of each issuer. */
function forAddon(branches) {
  return [branches.map(({ keys }) => keys), branches.map(({ verification }) => JSON.stringify(verification))];
}

/** The verifiers in use of each service, by their options. */
const verifiers = new Shared();

/** The verifier of a service with these options, shared by guards so that they share its cache. */
function sharedVerifier(service, keys, verification) {
  const options = JSON.stringify(verification, (name, value) => (isDefault(name, value) ? undefined : value));
  return verifiers.get(service, options, () => Verifier.of(keys, verification));
}

/** Returns true if an option has its default value, so that it can be left out. */
function isDefault(name, value) {
  const { defaults } = ISSUER_RULES;
  return Object.hasOwn(defaults, name) && JSON.stringify(value) === JSON.stringify(defaults[name]);
}

module.exports = { Verifier, sharedVerifier };

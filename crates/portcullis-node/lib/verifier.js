'use strict';

const native = require('../native.js');
const { KnownTokens } = require('./known-tokens.js');
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
    this.tokens = new KnownTokens(branches[0].verification.tokenCache);
    /** True if it asks an authorization server about tokens. */
    this.introspects = branches.some(({ introspection }) => introspection !== undefined);
    this.scopeClaims = new ScopeClaims(branches);
  }

  /**
   * A verifier for the addon's keys, options read by `readOptions`, and an introspector of the addon. With `anyKeys`, keys that are for
   * none of its algorithms are no error.
   */
  static of(keys, { issuer = [undefined], ...verification }, introspection, anyKeys = false) {
    const branches = forEach(issuer, verification).map((verification) => ({ keys, verification, introspection, anyKeys }));
    return Verifier.ofBranches(branches);
  }

  /** A verifier for the opaque tokens that an authorization server vouches for, by the addon's introspector. */
  static ofIntrospector(introspection) {
    const branches = [{ verification: {}, introspection }];
    return new Verifier(native.TokenVerifier.ofIntrospector(introspection), branches, 'secure');
  }

  /** A verifier for several issuers, each with its own keys and options. */
  static ofBranches(branches) {
    const issuers = forAddon(branches);
    const verifier = issuers.length === 1 ? new native.TokenVerifier(issuers[0]) : native.TokenVerifier.anyOf(issuers);
    return new Verifier(verifier, branches, 'anyOf');
  }

  /** A verifier for the tokens of these issuers for a resource, by the resource's description. */
  static ofResource(description, branches) {
    const { mcp, ...rules } = description;
    const texts = [JSON.stringify(rules), mcp === false ? null : JSON.stringify(mcp)];
    const verifier = native.TokenVerifier.ofResource(...texts, forAddon(branches));
    return Object.assign(new Verifier(verifier, branches, 'protectedResource'), { resource: rules.resource, isMcpServer: mcp !== false });
  }

  invalidate(token) {
    // Verified again, the token has another number.
    this.native.invalidate(token);
  }
}

/** The issuers, each with its keys, its options and its introspector. */
function forAddon(branches) {
  const issuer = ({ keys, verification, introspection, anyKeys }) =>
    new native.Issuer(keys, JSON.stringify(verification), introspection, anyKeys);
  return branches.map(issuer);
}

/** The verifiers in use of each service, by their options. */
const verifiers = new Shared();

/** The verifiers of each introspector alone. */
const introspecting = new Shared();

/** The verifier of a service with these options, shared by guards so that they share its cache. */
function sharedVerifier(service, keys, verification, introspection) {
  const options = JSON.stringify(verification, (name, value) => (isDefault(name, value) ? undefined : value));
  const owner = introspection === undefined ? service : pairOf(service, introspection);
  return verifiers.get(owner, options, () => Verifier.of(keys, verification, introspection));
}

/** The verifier of an introspector without keys, shared in the same way. */
function introspectingVerifier(introspection) {
  return introspecting.get(introspection, '', () => Verifier.ofIntrospector(introspection));
}

/** The introspectors that are used with a service, each with an object that stands for the two. */
const pairs = new WeakMap();

function pairOf(service, introspection) {
  const ofService = pairs.get(service) ?? new WeakMap();
  pairs.set(service, ofService);
  const pair = ofService.get(introspection) ?? {};
  ofService.set(introspection, pair);
  return pair;
}

/** Returns true if an option has its default value, so that it can be left out. */
function isDefault(name, value) {
  const { defaults } = ISSUER_RULES;
  return Object.hasOwn(defaults, name) && JSON.stringify(value) === JSON.stringify(defaults[name]);
}

module.exports = { Verifier, introspectingVerifier, sharedVerifier };

'use strict';

const { readIntrospection } = require('./endpoint/introspector.js');
const { JwksService, noKeys, refuseSecretsAlone } = require('./keys.js');
const { ISSUER_RULES, VERIFICATION, configured, refuseUnknown } = require('./library.js');
const { readVerification } = require('./options.js');
const { acceptsOf, forEach } = require('./tenants.js');
const { expected, isOptions } = require('./values.js');
const { Verifier } = require('./verifier.js');

/** Several issuers, each with its own keys and rules: made by `anyOf`, used by `secure`. */
class Issuers {
  constructor(verifier) {
    this.verifier = verifier;
  }
}

/**
 * Accepts tokens of several issuers. A token's `iss`, not yet trusted, selects the issuer whose keys and rules judge it.
 */
function anyOf(issuers) {
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw expected('anyOf', 'its argument', 'an array of issuers', issuers);
  }
  const branches = issuers.flatMap((issuer) => readIssuer('anyOf', issuer));
  return new Issuers(configured('anyOf', () => Verifier.ofBranches(branches)));
}

/** The keys and the rules of an issuer, once for each of its names. */
function readIssuer(owner, options = {}) {
  if (!isOptions(options) || JwksService.nativeOf(options) !== undefined) {
    const example = "an object such as { jwks: discovery({ issuer: 'https://login.example.com' }) }";
    throw expected(owner, 'each issuer', example, options);
  }
  const { jwks } = options;
  const keys = JwksService.nativeOf(jwks);
  if (keys === undefined) {
    throw noKeys(owner, 'jwks', 'a JWKS service', jwks);
  }
  refuseUnknown(options, ['jwks', 'introspection', ...VERIFICATION], owner, ISSUER_RULES.notOffered);
  const verification = readVerification(options, owner);
  const introspection = readIntrospection(owner, options.introspection);
  refuseSecretsAlone(owner, jwks, verification, introspection !== undefined);
  if (verification.trustDomain !== undefined) {
    return [{ keys, verification, introspection }];
  }
  const { issuer = jwks.issuer && [jwks.issuer] } = verification;
  if (issuer === undefined) {
    throw expected(owner, 'issuer', 'a string for each issuer, because it selects the keys for a token', issuer);
  }
  const accepts = acceptsOf(options);
  return forEach(issuer, verification).map((verification) => ({ keys, verification, introspection, accepts }));
}

module.exports = { Issuers, anyOf, readIssuer };

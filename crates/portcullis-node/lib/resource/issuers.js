'use strict';

const { readIssuer } = require('../any-of.js');
const { JwksService, discovery } = require('../keys.js');
const { ISSUER_RULES, VERIFICATION, pick, refuseUnknown } = require('../library.js');
const { expected, isOptions } = require('../values.js');

/** The members of an issuer in `issuers`, and of the options for a single one. */
const ISSUER = ['jwks', 'introspection', ...VERIFICATION.filter((name) => name !== 'trustDomain')];

/** Rules for tokens that issuers of a resource cannot have, with the reasons. */
const NOT_OF_ISSUERS = {
  ...ISSUER_RULES.notOffered,
  trustDomain: 'a resource names its authorization servers, and a trust domain has none: use `secure`',
};

/**
 * The issuers of a resource, each with its keys and rules: `issuer` and `jwks` with the rules for their tokens, or a list of these in
 * `issuers`. Keys come from the issuer's metadata unless `jwks` has them.
 */
function branchesOf(owner, options) {
  return listOf(owner, options).flatMap((issuer) => branchOf(owner, issuer));
}

function listOf(owner, { issuers, ...options }) {
  if (issuers === undefined) {
    return [Object.fromEntries(ISSUER.map((name) => [name, options[name]]))];
  }
  const misplaced = ISSUER.find((name) => options[name] !== undefined);
  if (misplaced !== undefined) {
    throw new TypeError(`${owner}: expected \`${misplaced}\` in \`issuers\`, for each issuer, got it beside them`);
  }
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw expected(owner, 'issuers', 'an array of issuers', issuers);
  }
  return Array.from(issuers, (issuer) => (typeof issuer === 'string' ? { issuer } : issuer));
}

function branchOf(owner, issuer) {
  if (!isOptions(issuer) || JwksService.nativeOf(issuer) !== undefined) {
    throw expected(owner, 'each of issuers', 'a URL, or an object with `issuer`', issuer);
  }
  refuseUnknown(issuer, ISSUER, owner, NOT_OF_ISSUERS);
  return readIssuer(owner, { ...pick(issuer, ISSUER), jwks: issuer.jwks ?? keysOf(owner, issuer) });
}

/** The keys in an issuer's metadata. */
function keysOf(owner, { issuer }) {
  if (typeof issuer !== 'string') {
    throw expected(owner, 'issuer', 'the URL of an authorization server, or `jwks` with its keys', issuer);
  }
  return discovery({ issuer });
}

module.exports = { ISSUER, NOT_OF_ISSUERS, branchesOf };

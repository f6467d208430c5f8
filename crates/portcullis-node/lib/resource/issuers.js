'use strict';

const { anyOf } = require('../any-of.js');
const { discovery } = require('../keys.js');
const { ISSUER_RULES, VERIFICATION, refuseUnknown } = require('../options.js');
const { expected } = require('../values.js');

/** The members of an issuer in `issuers`, and of the options for a single one. */
const ISSUER = ['jwks', ...VERIFICATION.filter((name) => name !== 'trustDomain')];

/** Rules for tokens that issuers of a resource cannot have, with the reasons. */
const NOT_OF_ISSUERS = {
  ...ISSUER_RULES.notOffered,
  trustDomain: 'a resource names its authorization servers, and a trust domain has none: use `secure`',
};

/**
 * The issuers of a resource: `issuer` and `jwks` with the rules for their tokens, or a list of these in `issuers`.
 *
 * Keys come from the issuer's metadata unless `jwks` has them, and a token's audience has to be the resource unless `audience`
 * has others.
 */
function issuersOf(owner, resource, options) {
  return anyOf(listOf(owner, options).map((issuer) => branch(owner, resource, issuer)));
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

function branch(owner, resource, issuer) {
  if (issuer === null || typeof issuer !== 'object') {
    throw expected(owner, 'each of issuers', 'a URL, or an object with `issuer`', issuer);
  }
  refuseUnknown(issuer, ISSUER, owner, NOT_OF_ISSUERS);
  const { jwks = keysOf(owner, issuer), audience = resource, ...rules } = issuer;
  return { ...rules, jwks, audience };
}

/** The keys in an issuer's metadata. */
function keysOf(owner, { issuer }) {
  if (typeof issuer !== 'string') {
    throw expected(owner, 'issuer', 'the URL of an authorization server, or `jwks` with its keys', issuer);
  }
  return discovery({ issuer });
}

/** Reads the identifier of a resource (RFC 9728 section 1.2). */
function readIdentifier(owner, resource) {
  if (typeof resource !== 'string' || !URL.canParse(resource)) {
    throw expected(owner, 'resource', 'the URL of the resource as a string, which clients use', resource);
  }
  return resource;
}

module.exports = { ISSUER, NOT_OF_ISSUERS, issuersOf, readIdentifier };

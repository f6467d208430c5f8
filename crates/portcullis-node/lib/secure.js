'use strict';

const { Issuers } = require('./any-of.js');
const { AskingGuard } = require('./asking-guard.js');
const { Guard } = require('./guard.js');
const { JwksService } = require('./keys.js');
const { middleware } = require('./middleware.js');
const { VERIFICATION, configured } = require('./library.js');
const { readOptions } = require('./options.js');
const { Tenants } = require('./tenants.js');
const { expected } = require('./values.js');
const { sharedVerifier } = require('./verifier.js');

/**
 * Middleware that lets a request pass only with a valid access token that the rules allow.
 *
 * `keys` is a JWKS service, several issuers (`anyOf`), or a function `getKey(header, token)`.
 */
function secure(keys, options) {
  const { verification, endpoint } = readOptions(options ?? {});
  return middleware(configured('secure', () => guardFor(keys, verification, endpoint)), endpoint);
}

function guardFor(keys, verification, endpoint) {
  if (typeof keys === 'function') {
    return new AskingGuard(keys, verification, withTenants(endpoint, verification.issuer));
  }
  if (keys instanceof Issuers) {
    const isTenants = endpoint.accepts !== undefined && 'tenants';
    const set = VERIFICATION.find((name) => verification[name] !== undefined || name === isTenants);
    if (set !== undefined) {
      throw new TypeError(`secure: expected \`${set}\` in anyOf, for each issuer, got it in secure`);
    }
    return new Guard(keys.verifier, endpoint);
  }
  const service = JwksService.nativeOf(keys);
  if (service === undefined) {
    throw expected('secure', 'its first argument', 'a JWKS service, several issuers (anyOf), or a function getKey', keys);
  }
  const issuer = issuerFor(keys, verification);
  return new Guard(sharedVerifier(keys, service, { ...verification, issuer }), withTenants(endpoint, issuer));
}

/** The rules of an endpoint with the function that accepts tenants of these issuers, if there is one. */
function withTenants(endpoint, issuers = [undefined]) {
  const branches = issuers.map((issuer) => ({ issuer, accepts: endpoint.accepts }));
  return { ...endpoint, tenants: Tenants.of('secure', branches) };
}

/** The accepted issuers: those in the options, or the one of `discovery`. */
function issuerFor(keys, { issuer, trustDomain }) {
  return issuer ?? (keys.issuer === undefined || trustDomain !== undefined ? undefined : [keys.issuer]);
}

module.exports = { secure };

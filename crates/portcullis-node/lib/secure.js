'use strict';

const { Issuers } = require('./any-of.js');
const { AskingGuard } = require('./asking-guard.js');
const { Introspector } = require('./endpoint/introspector.js');
const { Guard } = require('./guard.js');
const { JwksService, noKeys, refuseSecretsAlone } = require('./keys.js');
const { middleware } = require('./middleware.js');
const { VERIFICATION, configured } = require('./library.js');
const { readOptions, warnOfUndefined } = require('./options.js');
const { Tenants } = require('./tenants.js');
const { introspectingVerifier, sharedVerifier } = require('./verifier.js');

/**
 * Middleware that lets a request pass only with a valid access token that the rules allow.
 *
 * `keys` is a JWKS service, several issuers (`anyOf`), an introspector, or a function `getKey(header, token)`.
 */
function secure(keys, options) {
  return secureAsGiven('secure', keys, options);
}

/** The same for a function of another name with the options as a user gives them, of which undefined ones are told. */
function secureAsGiven(owner, keys, options) {
  const made = secureFor(owner, 'its first argument', keys, options);
  warnOfUndefined(options ?? {}, owner);
  return made;
}

/** The same with options from several places; errors name the argument with the keys. */
function secureFor(owner, argument, keys, options) {
  const { verification, endpoint } = readOptions(options ?? {}, owner);
  return middleware(configured(owner, () => guardFor({ owner, argument }, keys, verification, endpoint)), endpoint);
}

function guardFor({ owner, argument }, keys, verification, endpoint) {
  const { introspection } = endpoint;
  const alone = Introspector.nativeOf(keys);
  if (introspection !== undefined && (alone !== undefined || typeof keys === 'function' || keys instanceof Issuers)) {
    throw new TypeError(`${owner}: expected \`introspection\` with a JWKS service, got it with other keys: set it in anyOf, or use a \
JWKS service`);
  }
  if (alone !== undefined) {
    refuseVerification(owner, verification, endpoint, 'with a JWKS service, got it with an introspector alone: pass that as `introspection`');
    return new Guard(introspectingVerifier(alone), endpoint);
  }
  if (typeof keys === 'function') {
    return new AskingGuard(keys, verification, withTenants(owner, endpoint, verification.issuer));
  }
  if (keys instanceof Issuers) {
    refuseVerification(owner, verification, endpoint, `in anyOf, for each issuer, got it in ${owner}`);
    return new Guard(keys.verifier, endpoint);
  }
  const service = JwksService.nativeOf(keys);
  if (service === undefined) {
    throw noKeys(owner, argument, 'a JWKS service, several issuers (anyOf), an introspector, or a function getKey', keys);
  }
  refuseSecretsAlone(owner, keys, verification, introspection !== undefined);
  const issuer = issuerFor(keys, verification);
  const verifier = sharedVerifier(keys, service, { ...verification, issuer }, introspection);
  return new Guard(verifier, withTenants(owner, endpoint, issuer));
}

/** Refuses rules for tokens where they have no effect. */
function refuseVerification(owner, verification, endpoint, where) {
  const isTenants = endpoint.accepts !== undefined && 'tenants';
  const set = VERIFICATION.find((name) => verification[name] !== undefined || name === isTenants);
  if (set !== undefined) {
    throw new TypeError(`${owner}: expected \`${set}\` ${where}`);
  }
}

/** The rules of an endpoint with the function that accepts tenants of these issuers, if there is one. */
function withTenants(owner, endpoint, issuers = [undefined]) {
  const branches = issuers.map((issuer) => ({ issuer, accepts: endpoint.accepts }));
  return { ...endpoint, tenants: Tenants.of(owner, branches) };
}

/** The accepted issuers: those in the options, or the one of `discovery`. */
function issuerFor(keys, { issuer, trustDomain }) {
  return issuer ?? (keys.issuer === undefined || trustDomain !== undefined ? undefined : [keys.issuer]);
}

module.exports = { secure, secureAsGiven, secureFor };

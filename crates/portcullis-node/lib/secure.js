'use strict';

const { Issuers } = require('./any-of.js');
const { AskingGuard } = require('./asking-guard.js');
const { Guard } = require('./guard.js');
const { JwksService } = require('./keys.js');
const { middleware } = require('./middleware.js');
const { VERIFICATION, configured } = require('./library.js');
const { readOptions } = require('./options.js');
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
    return new AskingGuard(keys, verification, endpoint);
  }
  if (keys instanceof Issuers) {
    const set = VERIFICATION.find((name) => verification[name] !== undefined);
    if (set !== undefined) {
      throw new TypeError(`secure: expected \`${set}\` in anyOf, for each issuer, got it in secure`);
    }
    return new Guard(keys.verifier, endpoint);
  }
  const service = JwksService.nativeOf(keys);
  if (service === undefined) {
    throw expected('secure', 'its first argument', 'a JWKS service, several issuers (anyOf), or a function getKey', keys);
  }
  return new Guard(sharedVerifier(keys, service, { ...verification, issuer: issuerFor(keys, verification) }), endpoint);
}

/** The accepted issuers: those in the options, or the one of `discovery`. */
function issuerFor(keys, { issuer, trustDomain }) {
  return issuer ?? (keys.issuer === undefined || trustDomain !== undefined ? undefined : [keys.issuer]);
}

module.exports = { secure };

'use strict';

const { JwksService } = require('./keys.js');
const { VERIFICATION, expected, readVerification, refuseUnknown } = require('./options.js');
const { Verifier } = require('./verifier.js');

/** Several issuers, each with its own keys and rules: made by `anyOf`, taken by `secure`. */
class Issuers {
  constructor(verifier) {
    this.verifier = verifier;
  }
}

/**
 * Accepts tokens of several issuers. A token's `iss` chooses whose keys and rules it is held against, before anything
 * of it is trusted.
 */
function anyOf(issuers) {
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw expected('anyOf', 'its argument', 'an array of issuers', issuers);
  }
  return new Issuers(Verifier.ofBranches(issuers.flatMap(readIssuer)));
}

function readIssuer({ jwks, ...options } = {}) {
  const keys = JwksService.nativeOf(jwks);
  if (keys === undefined) {
    throw expected('anyOf', 'jwks', 'a JWKS service', jwks);
  }
  refuseUnknown(options, VERIFICATION, 'anyOf');
  const verification = readVerification(options, 'anyOf');
  const { issuer = [jwks.issuer] } = verification;
  return issuer.map((issuer) => ({ keys, verification: { ...verification, issuer } }));
}

module.exports = { Issuers, anyOf };

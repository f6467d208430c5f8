'use strict';

const { Access } = require('../access.js');
const { expected } = require('../values.js');

/** The name of the method of guards by which plugins judge requests. */
const ADMIT = Symbol('admit');

/** The field of the nonce for a client's next proofs (RFC 9449 section 8.2). */
const NONCE = 'dpop-nonce';

/** Reads a guard, so that a mistaken one is an error at set-up. */
function readGuard(owner, guard) {
  if (typeof guard?.[ADMIT] !== 'function') {
    throw expected(owner, 'guard', 'the result of `secure`, or of `guard` of a resource', guard);
  }
  return guard;
}

/**
 * Judges a request, and calls one of three functions, whose result is the result: `pass` with the `Access` and the fields for the
 * response, for a request that passes; `refuse` with the refusal that the plugin has to answer with; `fail` with the error of
 * a judgement that failed, or with a refusal if the option `next` is set. Without `fail`, these errors are thrown.
 */
async function admit(guard, request, { pass, refuse, fail = rethrow }) {
  let outcome;
  try {
    outcome = await guard[ADMIT](request);
  } catch (error) {
    return fail(error);
  }
  const { access, refusal, isThrown, nonce } = outcome;
  if (refusal !== undefined) {
    return isThrown ? fail(refusal) : refuse(refusal);
  }
  // Only an optional guard admits without an access, and says so by null.
  if (access !== null && !(access instanceof Access)) {
    return fail(expected('admit', 'the verdict', 'an Access, or null', access));
  }
  return pass(access, nonce === undefined ? {} : { [NONCE]: nonce });
}

function rethrow(error) {
  throw error;
}

module.exports = { ADMIT, admit, readGuard };

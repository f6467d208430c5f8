'use strict';

const native = require('../native.js');
const { Access } = require('./access.js');
const { find } = require('./claims.js');
const { refusalError } = require('./errors.js');
const { ScopeRules } = require('./scope.js');
const turn = require('./turn.js');
const { nameOf } = require('./values.js');

/** The addon's verdict for a request that passes without a token; a greater number is the accepted token's. */
const ANONYMOUSLY = 1;

/**
 * Judges requests by their `Authorization` field, and by the certificate of the client.
 *
 * A verdict is an `Access`, null for a request that passes without a token, or an error. It is a promise if keys have to be
 * fetched, or if many new tokens come at once.
 */
class Guard {
  #verifier;
  #judge;
  #ownRules;
  #scope;
  #findCertificate;

  constructor(verifier, { rules, ownRules, findCertificate }) {
    this.#verifier = verifier;
    this.door = new native.Door(verifier.native, JSON.stringify(rules));
    this.#judge = this.door.judge;
    this.#ownRules = ownRules;
    this.#findCertificate = findCertificate;
    this.#scope = new ScopeRules(verifier.scopeClaims, rules.impliedScopes);
  }

  /** `hasTime` is true if a new token may be verified on this thread now. */
  judge(authorization, several, request, hasTime = turn.hasTime()) {
    const clientCertificate = this.certificateOf(request);
    return clientCertificate === undefined
      ? this.conclude(this.#judge(authorization, several, hasTime), authorization)
      : this.judgeWhole({ authorization, several, method: '', fields: [], clientCertificate }, hasTime);
  }

  /** The certificate of the client that has sent a request, in DER. */
  certificateOf(request) {
    return request === undefined ? undefined : this.#findCertificate(request);
  }

  /** Judges all parts of a request that may count. */
  judgeWhole(message, hasTime = turn.hasTime()) {
    return this.conclude(this.door.judgeMessage(message, hasTime), message.authorization);
  }

  /** Turns the addon's verdict, or its promise, into JavaScript's. */
  conclude(verdict, authorization) {
    if (typeof verdict !== 'number' && verdict instanceof Promise) {
      return verdict.then((verdict) => this.#conclude(verdict, authorization));
    }
    return this.#conclude(verdict, authorization, turn.spend);
  }

  /** The refusal of a request that was not judged, because its keys are unavailable. */
  unjudged(retryAfter) {
    return refusalError(this.door.refuseUnjudged(retryAfter));
  }

  /** The refusal of a token signed by none of the first keys up to this limit, when there are more. */
  hasTooManyKeys(limit) {
    const refused = this.door.refuseTooManyKeys(limit);
    const reason = `none of the first ${limit} keys of getKey verifies the signature, and there are more: have the issuer name \
the key (kid), or raise maxKeyAttempts`;
    return refusalError({ ...refused, reason });
  }

  invalidate(token) {
    this.#verifier.invalidate(token);
  }

  /** Calls `spend` if a signature was verified on this thread. */
  #conclude(verdict, authorization, spend) {
    if (typeof verdict !== 'number') {
      if (verdict.tookSignature) {
        spend?.();
      }
      return refusalError(verdict);
    }
    return verdict === ANONYMOUSLY ? null : this.#admit(verdict, authorization, spend);
  }

  #admit(number, authorization, spend) {
    let claims = this.#verifier.memory.get(number);
    if (claims === undefined) {
      spend?.();
      claims = this.#verifier.memory.learn(number, authorization);
    }
    for (const rule of this.#ownRules) {
      if (!isMet(rule, claims)) {
        return refusalError(this.door.refuseClaim(rule.name ?? (rule.holds.name || 'a rule of yours')));
      }
    }
    return new Access(authorization, claims, this.#scope, this.#verifier.resource);
  }
}

function isMet({ name, holds }, claims) {
  const met = name === undefined ? holds(claims) : holds(find(claims, name), claims);
  if (typeof met !== 'boolean') {
    // A promise is truthy: a rule that is async by mistake would let every token pass.
    throw new TypeError(`expected the rule for ${name ?? 'the claims'} to return true or false, got ${nameOf(met)}`);
  }
  return met;
}

module.exports = { Guard };

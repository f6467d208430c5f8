'use strict';

const native = require('../native.js');
const { Access } = require('./access.js');
const { find } = require('./claims.js');
const { refusalError } = require('./errors.js');
const { ScopeRules } = require('./scope.js');
const { Sender } = require('./sender/sender.js');
const turn = require('./turn.js');
const { nameOf } = require('./values.js');

/** The addon's verdict for a request that passes without a token; a greater number is the accepted token's. */
const ANONYMOUSLY = 1;

/**
 * Judges requests by their `Authorization` field, and by the proof or the certificate of the client.
 *
 * A verdict is an `Access`, null for a request that passes without a token, or an error. It is a promise if keys have to be
 * fetched, or if many new tokens come at once.
 */
class Guard {
  #verifier;
  #judge;
  #ownRules;
  #scope;
  #tenants;

  constructor(verifier, { rules, ownRules, dpop, findCertificate, tenants }) {
    this.#verifier = verifier;
    this.#tenants = verifier.tenants ?? tenants;
    this.sender = new Sender(rules.dpop, dpop, findCertificate);
    this.door = new native.Door(verifier.native, JSON.stringify(rules), this.sender.dpop);
    this.#judge = this.door.judge;
    this.#ownRules = ownRules;
    this.#scope = new ScopeRules(verifier.scopeClaims, rules.impliedScopes);
  }

  /** `hasTime` is true if a signature may be verified on this thread now. */
  judge(authorization, several, request, hasTime = turn.hasTime()) {
    const shown = this.sender.shownBy(request);
    if (shown === undefined) {
      return this.conclude(this.#judge(authorization, several, hasTime), authorization, request);
    }
    return this.judgeWhole(request, { authorization, several, ...shown }, hasTime);
  }

  /** Judges all parts of a request that may count. */
  judgeWhole(request, message, hasTime = turn.hasTime()) {
    const verdict = this.door.judgeMessage(message, hasTime, this.sender.passedBefore(request));
    return this.conclude(verdict, message.authorization, request);
  }

  /** Turns the addon's verdict, or its promise, into JavaScript's. */
  conclude(verdict, authorization, request) {
    if (typeof verdict !== 'number' && verdict instanceof Promise) {
      return verdict.then((verdict) => this.#conclude(verdict, authorization, request));
    }
    return this.#conclude(verdict, authorization, request, turn.spend);
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
  #conclude(verdict, authorization, request, spend) {
    if (typeof verdict === 'number') {
      return verdict === ANONYMOUSLY ? null : this.#admit(verdict, authorization, spend);
    }
    if (verdict.tookSignature) {
      spend?.();
    }
    if (!(verdict instanceof native.Passed)) {
      return refusalError(verdict);
    }
    this.sender.remember(request, verdict);
    const { number, dpopNonce } = verdict;
    return number === ANONYMOUSLY ? null : this.#admit(number, authorization, spend, dpopNonce);
  }

  #admit(number, authorization, spend, dpopNonce) {
    let claims = this.#verifier.memory.get(number);
    if (claims === undefined) {
      spend?.();
      claims = this.#verifier.memory.learn(number, authorization);
    }
    if (this.#tenants !== undefined && !this.#tenants.accept(claims)) {
      return refusalError(this.door.refuseTenant());
    }
    for (const rule of this.#ownRules) {
      if (!isMet(rule, claims)) {
        return refusalError(this.door.refuseClaim(rule.name ?? (rule.holds.name || 'a rule of yours')));
      }
    }
    return new Access(authorization, claims, this.#scope, this.#verifier.resource, dpopNonce);
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

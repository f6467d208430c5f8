'use strict';

const native = require('../native.js');
const { Access, ShapedAccess } = require('./access.js');
const { find } = require('./claims.js');
const { ExchangedToken } = require('./endpoint/exchanged-token.js');
const { currentEpoch } = require('./epoch.js');
const { refusalError } = require('./errors.js');
const { Explanation } = require('./explanation.js');
const { clientOf } = require('./request.js');
const { ScopeRules } = require('./scope.js');
const { Sender } = require('./sender/sender.js');
const turn = require('./turn.js');
const { expected, isPromise, nameOf } = require('./values.js');

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
  #schema;
  #tenants;
  #exchanges;

  /** Tells whether known tokens pass here without a question to the addon, as long as verdicts on them hold. */
  #passes = new WeakMap();

  constructor(verifier, { rules, ownRules, schema, dpop, findCertificate, tenants, exchanges }) {
    this.#verifier = verifier;
    this.#tenants = verifier.tenants ?? tenants;
    this.#exchanges = exchanges.length > 0;
    this.sender = new Sender(rules.dpop, dpop, findCertificate);
    this.door = new native.Door(verifier.native, JSON.stringify(rules), this.sender.dpop);
    exchanges.forEach((exchange) => declare(this.door, exchange));
    // Taken after all changes of the door.
    this.#judge = this.door.judge;
    this.#ownRules = ownRules;
    this.#schema = schema;
    /** The scope that tokens grant here. */
    this.scope = new ScopeRules(verifier.scopeClaims, rules.impliedScopes);
  }

  /** The resource that tokens are for, if the guard is one of a resource. */
  get resource() {
    return this.#verifier.resource;
  }

  /** `hasTime` is true if a signature may be verified on this thread now. */
  judge(authorization, several, request, hasTime = turn.hasTime()) {
    const shown = this.sender.shownBy(request);
    if (shown === undefined) {
      const known = several || authorization === undefined ? undefined : this.#verifier.tokens.held(authorization);
      if (known !== undefined && this.#passes.get(known) === true) {
        return this.#accessOf(known, authorization, request);
      }
      if (!this.#verifier.introspects) {
        return this.conclude(this.#judge(authorization, several, hasTime), authorization, request);
      }
    }
    return this.judgeWhole(request, { authorization, several, ...NOTHING, ...shown }, hasTime);
  }

  /** Judges all parts of a request that may count. */
  judgeWhole(request, message, hasTime = turn.hasTime()) {
    const verdict = this.door.judgeMessage(this.#withClient(message, request), hasTime, this.sender.passedBefore(request));
    return this.conclude(verdict, message.authorization, request);
  }

  /** Turns the addon's verdict, or its promise, into JavaScript's. */
  conclude(verdict, authorization, request) {
    if (typeof verdict !== 'number' && isPromise(verdict)) {
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

  /** Explains the verdict on a request, check by check; the functions of the options are the last checks. */
  async explain(authorization, several, request) {
    const shown = request === undefined ? undefined : this.sender.shownBy(request);
    const message = this.#withClient({ authorization, several, ...NOTHING, ...shown }, request);
    const explanation = Explanation.read(await this.door.explain(message));
    return explanation.verdict === 'passed' && explanation.claims !== null
      ? explanation.and(this.#refusedByOwn(explanation.claims))
      : explanation;
  }

  /** Exchanges the token of a request; `passed` is the addon's verdict on it, if it has more than a number. */
  async exchange(name, authorization, client, passed) {
    if (typeof name !== 'string') {
      throw expected('exchange', 'its argument', 'the name of an exchange', name);
    }
    const exchanged = await this.door.exchange(authorization, name, client, passed);
    if (exchanged.token === undefined) {
      throw refusalError(exchanged);
    }
    return new ExchangedToken(exchanged);
  }

  #withClient(message, request) {
    return this.#verifier.introspects ? { ...message, client: clientOf(request) } : message;
  }

  /** Calls `spend` if a signature was verified on this thread. */
  #conclude(verdict, authorization, request, spend) {
    if (typeof verdict === 'number') {
      return verdict === ANONYMOUSLY ? null : this.#admit(verdict, authorization, request, spend);
    }
    if (verdict.tookSignature) {
      spend?.();
    }
    if (!(verdict instanceof native.Passed)) {
      return refusalError(verdict);
    }
    this.sender.remember(request, verdict);
    const { number } = verdict;
    return number === ANONYMOUSLY ? null : this.#admit(number, authorization, request, spend, verdict);
  }

  #admit(number, authorization, request, spend, passed) {
    const { tokens } = this.#verifier;
    let known = tokens.get(number);
    if (known === undefined) {
      spend?.();
      known = tokens.learn(number, authorization, passed);
    } else if (this.#passes.get(known) !== false && passed?.dpopNonce === undefined) {
      this.#hold(known, authorization);
    }
    return this.#accessOf(known, authorization, request, passed);
  }

  /** Has the verdict on a token hold for the next requests, if that is possible. */
  #hold(known, authorization) {
    const epoch = currentEpoch();
    const until = this.door.holdsUntil(authorization);
    this.#passes.set(known, until > 0);
    if (until > 0) {
      this.#verifier.tokens.hold(known, authorization, epoch, until);
    }
  }

  /** The access of a request whose token the addon has accepted, unless a function of the options refuses it. */
  #accessOf(known, authorization, request, passed) {
    const refused = this.#refusedByOwn(known.claims);
    if (refused !== undefined) {
      return refusalError(refused);
    }
    const client = this.#exchanges ? clientOf(request) : undefined;
    return this.#schema === undefined
      ? new Access(authorization, known, this, passed, client)
      : new ShapedAccess(this.#schema.outcomeFor(known.claims).output, authorization, known, this, passed, client);
  }

  /** The refusal of a token with these claims by a function of the options, if one refuses it. */
  #refusedByOwn(claims) {
    if (this.#tenants !== undefined && !this.#tenants.accept(claims)) {
      return this.door.refuseTenant();
    }
    for (const rule of this.#ownRules) {
      if (!isMet(rule, claims)) {
        return this.door.refuseClaim(rule.name ?? (rule.holds.name || 'a rule of yours'));
      }
    }
    const wrong = this.#schema?.outcomeFor(claims).wrong;
    return wrong === undefined ? undefined : this.door.refuseClaim(wrong);
  }
}

/** The parts of a request of which the token alone is judged. */
const NOTHING = { method: '', fields: [] };

/** Declares an exchange; the errors of its target begin with its place in the options. */
function declare(door, { place, name, by, target }) {
  try {
    door.addExchange(name, by, target);
  } catch (error) {
    error.message = `${place}: ${error.message}`;
    throw error;
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

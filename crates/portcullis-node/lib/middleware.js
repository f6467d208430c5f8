'use strict';

const { attach } = require('./attach.js');
const { takeOff, wereTakenOff, withTaken } = require('./credentials.js');
const { RefusalError } = require('./errors.js');
const { attempt, textOf, warn } = require('./log.js');
const { ADMIT } = require('./plugin/admit.js');
const { credentialsOf, isRepeated, nodeRequestOf, read } = require('./request.js');
const { nonceFor } = require('./sender/sender.js');
const { isPromise, nameOf } = require('./values.js');

/** The middleware that judges each request by a guard, with the methods for other frameworks. */
function middleware(guard, endpoint) {
  const { getToken } = endpoint;

  /** The verdict: an `Access`, null, an error, or a promise of one of them. */
  const judge = reporting((request) => {
    const { authorization, several } = withTaken(request, presented);
    return guard.judge(authorization, several, request);
  });

  /** The same for a request of Node, in as few steps as possible. */
  const judgeRequest = reporting((req) => {
    const { authorization } = read(req, 'headers');
    return authorization === undefined || getToken !== undefined
      ? judge(req)
      : guard.judge(authorization, isRepeated(read(req, 'rawHeaders')), req);
  });

  /** The same judge; where refusals are only reported, one that has a request pass without a token in place of a refusal. */
  function reporting(judge) {
    const report = (error, request) => tellReport(endpoint.onReport, error, request);
    return endpoint.reportOnly ? (request) => passing(() => judge(request), (error) => report(error, request)) : judge;
  }

  function presented(request) {
    return getToken === undefined ? credentialsOf(request) : ofToken(getToken(request));
  }

  function pass(req, res, next) {
    let verdict;
    try {
      verdict = judgeRequest(req);
    } catch (error) {
      return fail(error, req, next);
    }
    if (isPromise(verdict)) {
      // `next` is not called again with an error that it throws itself.
      verdict.then((verdict) => conclude(verdict, req, res, next), (error) => fail(error, req, next));
      return undefined;
    }
    return conclude(verdict, req, res, next);
  }

  function conclude(verdict, req, res, next) {
    const refusal = verdict instanceof RefusalError ? verdict : undefined;
    try {
      if (refusal !== undefined) {
        tell(endpoint.onError, refusal, req);
        if (!endpoint.next) {
          return respond(refusal, res);
        }
      }
      // Values of an outer guard or other code are replaced, also for an error handler that continues.
      attach(req, refusal === undefined ? (verdict ?? undefined) : undefined);
      if (refusal === undefined && endpoint.dpop !== undefined) {
        giveNonce(req, res);
      }
    } catch (error) {
      return fail(error, req, next);
    }
    return handOn(req, next, refusal);
  }

  /** Hands the failure of a judgement to the error handler. */
  function fail(thrown, req, next) {
    return handOn(req, next, errorOf(thrown));
  }

  /** Calls the next handler, or the error handler, which may continue: with the token only if handlers may have it. */
  function handOn(req, next, error) {
    try {
      hideToken(req);
    } catch (failure) {
      return next(error ?? errorOf(failure));
    }
    return error === undefined ? next() : next(error);
  }

  /** Takes the token off a request of Node unless handlers may have it. */
  function hideToken(req) {
    if (guard.takesToken || wereTakenOff(req)) {
      takeOff(req);
    }
  }

  /** Judges a request for a plugin, which answers or hands on. Rejects if judging fails, always with an object. */
  async function admit(request) {
    try {
      const verdict = await judge(request);
      if (verdict instanceof RefusalError) {
        tell(endpoint.onError, verdict, request);
        return { refusal: verdict, isThrown: endpoint.next };
      }
      return { access: verdict, nonce: endpoint.dpop === undefined ? undefined : nonceFor(request) };
    } catch (thrown) {
      throw errorOf(thrown);
    } finally {
      hideToken(nodeRequestOf(request));
    }
  }

  return Object.assign(pass, {
    [ADMIT]: admit,
    async verify(token) {
      const { authorization, several } = ofToken(token);
      return passed(await reporting(() => guard.judge(authorization, several))());
    },
    async verifyRequest(request) {
      return passed(await judge(request));
    },
    async explain(tokenOrRequest) {
      if (typeof tokenOrRequest === 'string') {
        return guard.explain(`Bearer ${tokenOrRequest}`, false);
      }
      const { authorization, several } = withTaken(tokenOrRequest, presented);
      return guard.explain(authorization, several, tokenOrRequest);
    },
    invalidate(token) {
      guard.invalidate(token);
    },
  });
}

/** The credentials that a token makes. */
function ofToken(token) {
  return { authorization: typeof token === 'string' ? `Bearer ${token}` : undefined, several: false };
}

/** A thrown value as an error: `next` of Express takes undefined, `''` or `'route'` for leave to go on. */
function errorOf(thrown) {
  return typeof thrown === 'object' && thrown !== null
    ? thrown
    : new TypeError(`expected an error to be thrown by a function of the guard's options, got ${nameOf(thrown)}`, { cause: thrown });
}

/** Sends the whole response to a refused request. */
function respond(error, res) {
  if (res.headersSent || res.writableEnded) {
    // Other code has answered while keys were fetched, for example after a time limit.
    return;
  }
  res.statusCode = error.status;
  for (const [name, value] of Object.entries(error.headers)) {
    res.setHeader(name, value);
  }
  res.end(error.body);
}

/** Gives a client that sends proofs the nonce for its next ones. */
function giveNonce(req, res) {
  const nonce = nonceFor(req);
  if (nonce !== undefined && !res.headersSent) {
    res.setHeader('DPoP-Nonce', nonce);
  }
}

/** Calls the hook. A failing hook changes nothing: the request is still refused. */
function tell(onError, error, req) {
  attempt(() => onError?.(error, req), (failure) => warn(`onError failed: ${textOf(failure)}`));
}

/** The verdict of a judgement whose refusals and failures are reported: null in their place. */
function passing(judge, report) {
  const reported = (verdict) => (verdict instanceof RefusalError ? failed(verdict) : verdict);
  const failed = (error) => {
    report(error);
    return null;
  };
  try {
    const verdict = judge();
    return isPromise(verdict) ? verdict.then(reported).catch(failed) : reported(verdict);
  } catch (error) {
    return failed(error);
  }
}

/** Reports a refusal, or a failure, that was kept from the client: to the hook, or else to the log. A failing report changes nothing. */
function tellReport(onReport = logReport, thrown, req) {
  attempt(() => onReport(errorOf(thrown), req), (failure) => warn(`onReport failed: ${textOf(failure)}`));
}

function logReport(error) {
  warn(`report only: would refuse a request: ${error.code ?? 'error'}: ${error.reason ?? textOf(error)}`);
}

function passed(verdict) {
  if (verdict instanceof RefusalError) {
    throw verdict;
  }
  return verdict;
}

module.exports = { middleware, respond };

'use strict';

const { attach } = require('./attach.js');
const { RefusalError } = require('./errors.js');
const { attempt, textOf, warn } = require('./log.js');
const { credentialsOf, isRepeated, read } = require('./request.js');

/** The middleware that judges each request by a guard, with the methods for other frameworks. */
function middleware(guard, endpoint) {
  const { getToken } = endpoint;

  /** The verdict: an `Access`, null, an error, or a promise of one of them. */
  function judge(request) {
    if (getToken !== undefined) {
      return judgeToken(getToken(request), request);
    }
    const { authorization, several } = credentialsOf(request);
    return guard.judge(authorization, several, request);
  }

  /** The same for a request of Node, in as few steps as possible. */
  function judgeRequest(req) {
    return guard.judge(read(req, 'headers').authorization, isRepeated(read(req, 'rawHeaders')), req);
  }

  function judgeToken(token, request) {
    return guard.judge(typeof token === 'string' ? `Bearer ${token}` : undefined, false, request);
  }

  function pass(req, res, next) {
    let verdict;
    try {
      verdict = getToken === undefined ? judgeRequest(req) : judge(req);
    } catch (error) {
      return next(error);
    }
    if (verdict instanceof Promise) {
      // `next` is not called again with an error that it throws itself.
      verdict.then((verdict) => conclude(verdict, req, res, next), next);
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
      if (refusal === undefined) {
        guard.letGo?.(req);
      }
    } catch (error) {
      return next(error);
    }
    return refusal === undefined ? next() : next(refusal);
  }

  return Object.assign(pass, {
    async verify(token) {
      return passed(await judgeToken(token));
    },
    async verifyRequest(request) {
      return passed(await judge(request));
    },
    invalidate(token) {
      guard.invalidate(token);
    },
  });
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

/** Calls the hook. A failing hook changes nothing: the request is still refused. */
function tell(onError, error, req) {
  attempt(() => onError?.(error, req), (failure) => warn(`onError failed: ${textOf(failure)}`));
}

function passed(verdict) {
  if (verdict instanceof RefusalError) {
    throw verdict;
  }
  return verdict;
}

module.exports = { middleware };

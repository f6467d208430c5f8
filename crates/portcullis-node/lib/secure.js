'use strict';

const { Issuers } = require('./any-of.js');
const { attach } = require('./attach.js');
const { AskingGuard } = require('./asking-guard.js');
const { RefusalError } = require('./errors.js');
const { Guard } = require('./guard.js');
const { JwksService } = require('./keys.js');
const { attempt, textOf, warn } = require('./log.js');
const { VERIFICATION, configured, readOptions } = require('./options.js');
const { credentialsOf, isRepeated, read } = require('./request.js');
const { expected } = require('./values.js');
const { sharedVerifier } = require('./verifier.js');

/**
 * Middleware that lets a request pass only with an access token that may pass.
 *
 * `keys` is a JWKS service, what `anyOf` gives, or a function `getKey(header, token)`.
 */
function secure(keys, options) {
  const { verification, endpoint } = readOptions(options ?? {});
  const guard = configured('secure', () => guardFor(keys, verification, endpoint));
  const { getToken } = endpoint;

  /** An `Access`, null, an error, or a promise of one of them. */
  function judge(request) {
    if (getToken !== undefined) {
      return judgeToken(getToken(request));
    }
    const { authorization, several } = credentialsOf(request);
    return guard.judge(authorization, several);
  }

  /** The same for a request of Node's, in as few steps as can be. */
  function judgeRequest(req) {
    return guard.judge(read(req, 'headers').authorization, isRepeated(read(req, 'rawHeaders')));
  }

  function judgeToken(token) {
    return guard.judge(typeof token === 'string' ? `Bearer ${token}` : undefined, false);
  }

  function middleware(req, res, next) {
    let verdict;
    try {
      verdict = getToken === undefined ? judgeRequest(req) : judge(req);
    } catch (error) {
      return next(error);
    }
    if (verdict instanceof Promise) {
      // What `next` itself throws is not given to it once more.
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
      // What an outer guard has left, or somebody else, is not this guard's word; an error handler may go on, too.
      attach(req, refusal === undefined ? (verdict ?? undefined) : undefined);
    } catch (error) {
      return next(error);
    }
    return refusal === undefined ? next() : next(refusal);
  }

  return Object.assign(middleware, {
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

function guardFor(keys, verification, endpoint) {
  if (typeof keys === 'function') {
    return new AskingGuard(keys, verification, endpoint);
  }
  if (keys instanceof Issuers) {
    const set = VERIFICATION.find((name) => verification[name] !== undefined);
    if (set !== undefined) {
      throw new TypeError(`secure: with several issuers, \`${set}\` is set for each in anyOf`);
    }
    return new Guard(keys.verifier, endpoint);
  }
  const service = JwksService.nativeOf(keys);
  if (service === undefined) {
    throw expected('secure', 'its first argument', 'a JWKS service, several issuers (anyOf), or a function getKey', keys);
  }
  return new Guard(sharedVerifier(keys, service, { ...verification, issuer: issuerFor(keys, verification) }), endpoint);
}

/** The issuers whose tokens are accepted: those of the options, or the one whose metadata name the keys. */
function issuerFor(keys, { issuer, trustDomain }) {
  return issuer ?? (keys.issuer === undefined || trustDomain !== undefined ? undefined : [keys.issuer]);
}

/** The whole response to a refused request. */
function respond(error, res) {
  if (res.headersSent || res.writableEnded) {
    // Somebody else has answered while keys were fetched: a time limit, perhaps.
    return;
  }
  res.statusCode = error.status;
  for (const [name, value] of Object.entries(error.headers)) {
    res.setHeader(name, value);
  }
  res.end(error.body);
}

/** A hook that fails changes nothing: the request is refused all the same. */
function tell(onError, error, req) {
  attempt(() => onError?.(error, req), (failure) => warn(`onError failed: ${textOf(failure)}`));
}

function passed(verdict) {
  if (verdict instanceof RefusalError) {
    throw verdict;
  }
  return verdict;
}

module.exports = { secure };

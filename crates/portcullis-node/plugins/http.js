'use strict';

const { attach } = require('../lib/attach.js');
const { RefusalError } = require('../lib/errors.js');
const { textOf, warn } = require('../lib/log.js');
const { respond } = require('../lib/middleware.js');
const { admit, readGuard } = require('../lib/plugin/admit.js');
const { expected, readFunction } = require('../lib/values.js');

const OWNER = 'portcullis/http: protect';

/**
 * A handler for `node:http`, `node:https` and `node:http2` that calls another one for requests that pass, and answers all others.
 *
 * `failed(error, req, res)` gets errors of rules, and refusals if the guard has `next`. By default they are answered, too.
 */
function protect(guard, handler, failed = answer) {
  readGuard(OWNER, guard);
  if (typeof handler !== 'function') {
    throw expected(OWNER, 'handler', 'a function of request and response', handler);
  }
  readFunction(OWNER, 'failed', failed);
  return (req, res) => admit(guard, req, {
    pass(access, fields) {
      attach(req, access ?? undefined);
      setFields(res, fields);
      return handler(req, res);
    },
    refuse: (refusal) => respond(refusal, res),
    fail: (error) => failed(error, req, res),
  });
}

function setFields(res, fields) {
  if (!res.headersSent) {
    Object.entries(fields).forEach(([name, value]) => res.setHeader(name, value));
  }
}

/** Answers an error: a refusal as it says, any other one by 500, and by a line in the log. */
function answer(error, req, res) {
  if (error instanceof RefusalError) {
    return respond(error, res);
  }
  warn(`a request could not be judged: ${textOf(error)}`);
  return respond({ status: 500, headers: {}, body: '' }, res);
}

module.exports = { protect };

'use strict';

const { admit, readGuard } = require('../lib/plugin/admit.js');
const { secureAsGiven } = require('../lib/secure.js');

const OWNER = 'portcullis/koa';

/** Middleware that lets a request pass only with a valid access token that the rules allow; otherwise the same as `secure` for Express. */
function secure(keys, options) {
  return protect(secureAsGiven(`${OWNER}: secure`, keys, options));
}

/** Middleware by a guard. */
function protect(guard) {
  readGuard(`${OWNER}: protect`, guard);
  return function portcullis(ctx, next) {
    return admit(guard, ctx, {
      pass(access, fields) {
        ctx.state.auth = access;
        ctx.state.claims = access?.claims ?? null;
        ctx.set(fields);
        return next();
      },
      refuse: (refusal) => respond(refusal, ctx),
    });
  };
}

/** Sets the whole response to a refused request. */
function respond({ status, headers, body }, ctx) {
  ctx.status = status;
  ctx.body = body;
  // Koa has given it a type, also if it is empty.
  ctx.remove('content-type');
  ctx.set(headers);
}

module.exports = { secure, protect };

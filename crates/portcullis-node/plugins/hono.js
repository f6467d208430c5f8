'use strict';

const { admit, readGuard } = require('../lib/plugin/admit.js');
const { split } = require('../lib/plugin/guards.js');
const { setOriginal } = require('../lib/request.js');
const { secureAsGiven } = require('../lib/secure.js');
const { certificateFinder } = require('../lib/sender/certificate.js');
const { isOptions, readFunction } = require('../lib/values.js');

const OWNER = 'portcullis/hono';

/** The contexts of requests, for the functions among the options. */
const contexts = new WeakMap();

/** The functions among the options that get a context here, each with a function that makes one of the request. */
const OF_REQUESTS = {
  getToken: (find) => find && ((request) => find(contexts.get(request))),
  onError: (tell) => tell && ((error, request) => tell(error, contexts.get(request))),
  clientCertificate: (find = certificateOf) => (request) => find(contexts.get(request)),
};

const ofConnection = certificateFinder(OWNER);

/**
 * Middleware that lets a request pass only with a valid access token that the rules allow; otherwise the same as `secure` for Express.
 * The functions among the options get Hono's context.
 */
function secure(keys, options) {
  const owner = `${OWNER}: secure`;
  return protect(secureAsGiven(owner, keys, withContexts(owner, options ?? {})));
}

/** Middleware by a guard, the functions among whose options get the `Request`. */
function protect(guard) {
  readGuard(`${OWNER}: protect`, guard);
  return async function portcullis(c, next) {
    const request = c.req.raw;
    contexts.set(request, c);
    setOriginal(request, c.env?.incoming);
    return admit(guard, request, {
      async pass(access, fields) {
        c.set('auth', access);
        c.set('claims', access?.claims ?? null);
        await next();
        Object.entries(fields).forEach(([name, value]) => c.header(name, value));
      },
      refuse: (refusal) => refusal.getResponse(),
    });
  };
}

/** The options, whose functions of a context become functions of the request. */
function withContexts(owner, options) {
  if (!isOptions(options)) {
    return options;
  }
  const [own, others] = split(owner, options, Object.keys(OF_REQUESTS));
  for (const [name, adapt] of Object.entries(OF_REQUESTS)) {
    others[name] = adapt(readFunction(owner, name, own[name]));
  }
  return others;
}

/** The client's certificate by the connection of Node, which `@hono/node-server` tells. */
function certificateOf(c) {
  return c.env?.incoming === undefined ? undefined : ofConnection(c.env.incoming);
}

module.exports = { secure, protect };

'use strict';

const { admit, readGuard } = require('../lib/plugin/admit.js');
const { expected } = require('../lib/values.js');

const OWNER = 'portcullis/fetch';

/** Judges a request: resolves to its `Access`, to null if an optional guard lets it pass without a token, or to the `Response` that refuses it. */
async function judge(guard, request) {
  return admit(readGuard(`${OWNER}: judge`, guard), readRequest(request), {
    pass: (access) => access,
    refuse: (refusal) => refusal.getResponse(),
  });
}

/** A handler that calls another one, with the `Access`, for requests that pass, and answers all others. */
function protect(guard, handler) {
  readGuard(`${OWNER}: protect`, guard);
  if (typeof handler !== 'function') {
    throw expected(`${OWNER}: protect`, 'handler', 'a function of request and access', handler);
  }
  return async (request, ...others) => admit(guard, readRequest(request), {
    pass: async (access, fields) => withFields(await handler(request, access, ...others), fields),
    refuse: (refusal) => refusal.getResponse(),
  });
}

function readRequest(request) {
  if (typeof request?.headers?.get !== 'function') {
    throw expected(OWNER, 'request', 'a Request of fetch', request);
  }
  return request;
}

/** The response with further fields: a copy, because those of redirects and of fetched responses cannot change. */
function withFields(response, fields) {
  const entries = Object.entries(fields);
  if (entries.length === 0) {
    return response;
  }
  const copy = new Response(response.body, response);
  entries.forEach(([name, value]) => copy.headers.set(name, value));
  return copy;
}

module.exports = { judge, protect };

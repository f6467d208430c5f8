'use strict';

const { fieldsOf } = require('../request.js');

/** The `Authorization` fields that guards have taken off requests, for guards of the same kind behind them. */
const taken = new WeakMap();

/** The method and the header fields of a request; the method is empty if only the fields are known. */
function messageOf(request) {
  return { method: typeof request.method === 'string' ? request.method : '', fields: fieldsOf(request) };
}

/** Takes the `Authorization` field off a request, so that no handler passes the token on. */
function takeCredentials(req) {
  const { authorization } = req.headers;
  if (authorization === undefined) {
    return;
  }
  taken.set(req, authorization);
  delete req.headers.authorization;
  const raw = req.rawHeaders;
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    if (raw[index].toLowerCase() === 'authorization') {
      raw.splice(index, 2);
    }
  }
}

/** The `Authorization` field that a guard in front has taken off. */
function credentialsBehind(request) {
  return taken.get(request);
}

module.exports = { credentialsBehind, messageOf, takeCredentials };

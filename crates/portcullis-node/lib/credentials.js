'use strict';

const { nodeRequestOf } = require('./request.js');

const NAME = 'authorization';

/** The `Authorization` fields that guards have taken off requests, for the guards behind them. */
const taken = new WeakMap();

/** Takes the `Authorization` fields off a request, so that no handler passes the token on. */
function takeOff(req) {
  const fields = isOfFetch(req) ? removeFromFetch(req.headers) : removeFromNode(req);
  if (fields.text !== undefined || fields.raw.length > 0) {
    taken.set(req, fields);
  }
}

/** Tells whether a guard in front has taken the fields off: then no guard behind it passes them on. */
function wereTakenOff(req) {
  return taken.has(req);
}

/** Calls `read`, which finds the fields that a guard in front has taken off, unless other code has put one in their place. */
function withTaken(request, read) {
  const req = nodeRequestOf(request);
  const fields = taken.get(req);
  if (fields === undefined || hasField(req)) {
    return read(request);
  }
  putBack(req, fields);
  try {
    return read(request);
  } finally {
    takeOff(req);
  }
}

function isOfFetch({ headers }) {
  return typeof headers.get === 'function';
}

function hasField(req) {
  return isOfFetch(req) ? req.headers.has(NAME) : req.headers[NAME] !== undefined;
}

function putBack(req, { text, raw }) {
  if (isOfFetch(req)) {
    req.headers.set(NAME, text);
    return;
  }
  req.headers[NAME] = text;
  req.rawHeaders?.push(...raw);
}

/** Removes the field of a request of fetch; throws if its fields cannot change. */
function removeFromFetch(headers) {
  const text = headers.get(NAME) ?? undefined;
  headers.delete(NAME);
  return { text, raw: [] };
}

function removeFromNode(req) {
  // Node makes this object from as many raw fields as the client has sent: it has to be made before one is removed.
  const { headersDistinct, rawHeaders = [] } = req;
  const fields = { text: req.headers[NAME], raw: removeFrom(rawHeaders) };
  if (fields.text !== undefined || fields.raw.length > 0) {
    delete req.headers[NAME];
    delete headersDistinct?.[NAME];
  }
  return fields;
}

/** Removes the fields of this name from raw fields, and returns them. */
function removeFrom(raw) {
  const removed = [];
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    if (raw[index].toLowerCase() === NAME) {
      removed.unshift(...raw.splice(index, 2));
    }
  }
  return removed;
}

module.exports = { takeOff, wereTakenOff, withTaken };

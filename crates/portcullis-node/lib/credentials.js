'use strict';

const { nodeRequestOf } = require('./request.js');

const NAME = 'authorization';

/** The `Authorization` fields that guards have taken off requests, for the guards behind them. */
const taken = new WeakMap();

/** Takes the `Authorization` fields off a request, so that no handler passes the token on. */
function takeOff(req) {
  // Node makes this object from as many raw fields as the client has sent: it has to be made before one is removed.
  const { headersDistinct, rawHeaders = [] } = req;
  const fields = { text: req.headers[NAME], raw: removeFrom(rawHeaders) };
  if (fields.text === undefined && fields.raw.length === 0) {
    return;
  }
  delete req.headers[NAME];
  delete headersDistinct?.[NAME];
  taken.set(req, fields);
}

/** Tells whether a guard in front has taken the fields off: then no guard behind it passes them on. */
function wereTakenOff(req) {
  return taken.has(req);
}

/** Calls `read`, which finds the fields that a guard in front has taken off, unless other code has put one in their place. */
function withTaken(request, read) {
  const req = nodeRequestOf(request);
  const fields = taken.get(req);
  if (fields === undefined || req.headers[NAME] !== undefined) {
    return read(request);
  }
  req.headers[NAME] = fields.text;
  req.rawHeaders?.push(...fields.raw);
  try {
    return read(request);
  } finally {
    takeOff(req);
  }
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

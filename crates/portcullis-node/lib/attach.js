'use strict';

/**
 * Puts what a request was admitted by where handlers look for it: `req.auth`, and its claims as `req.claims`.
 *
 * Express makes each request an object of a shape of its own, and a property that is new to it costs more than the rest of
 * a cached token's way. So an Express app's requests get both by their prototype, `app.request`, which is there for such
 * things; any other request gets properties of its own.
 */

const accesses = new WeakMap();

/** Prototypes that have the two properties, or inherit them. */
const ready = new WeakSet();

/** The one that was seen last: nearly always there is no other. */
let last;

function attach(req, access) {
  const prototype = Object.getPrototypeOf(req);
  if (prototype === last || isReady(prototype, req)) {
    accesses.set(req, access);
  } else {
    req.auth = access;
    req.claims = access?.claims;
  }
}

/** Whether requests with this prototype have the two properties, from now on if not before. */
function isReady(prototype, req) {
  if (!ready.has(prototype)) {
    if (!Object.hasOwn(prototype, 'app') || req.app?.request !== prototype || 'auth' in req || 'claims' in req) {
      return false;
    }
    const root = rootOf(prototype);
    define(root, 'auth', (access) => access);
    define(root, 'claims', (access) => access?.claims);
    ready.add(prototype);
  }
  last = prototype;
  return true;
}

/** The prototype of the outermost app that this one's is mounted in: a request may go back there. */
function rootOf(prototype) {
  const above = Object.getPrototypeOf(prototype);
  return above !== null && Object.hasOwn(above, 'app') ? rootOf(above) : prototype;
}

/** A property that reads what was attached; one that is assigned to a request itself hides it. */
function define(prototype, name, read) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      return read(accesses.get(this));
    },
    set(value) {
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}

module.exports = { attach };

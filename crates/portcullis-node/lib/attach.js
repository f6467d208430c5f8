'use strict';

/**
 * Puts what a request was admitted by where handlers look for it: `req.auth`, and its claims as `req.claims`.
 *
 * Express makes each request an object of a shape of its own, and a property that is new to it costs more than the rest of
 * a cached token's way. So an Express app's requests get both by their prototype, `app.request`, which is there for such
 * things; any other request gets properties of its own.
 */

/** What was attached to a request, or assigned to its two properties since. */
const kept = new WeakMap();

/** Prototypes that have the two properties, or inherit them. */
const ready = new WeakSet();

/** The one that was seen last: nearly always there is no other. */
let last;

function attach(req, access) {
  const prototype = Object.getPrototypeOf(req);
  if (prototype === last || isReady(prototype, req)) {
    kept.set(req, access);
  } else {
    req.auth = access;
    req.claims = access?.claims;
  }
}

/** Whether requests with this prototype have the two properties, from now on if not before. */
function isReady(prototype, req) {
  if (!ready.has(prototype) && !prepare(prototype, req)) {
    return false;
  }
  last = prototype;
  return true;
}

function prepare(prototype, req) {
  if (!Object.hasOwn(prototype, 'app') || req.app?.request !== prototype) {
    return false;
  }
  const root = rootOf(prototype);
  if (!ready.has(root)) {
    if ('auth' in root || 'claims' in root) {
      return false;
    }
    define(root, 'auth', (access) => access);
    define(root, 'claims', (access) => access?.claims);
    ready.add(root);
  }
  // Those of this one request that were there before would hide them.
  delete req.auth;
  delete req.claims;
  ready.add(prototype);
  return true;
}

/** The prototype of the outermost app that this one's is mounted in: a request may go back there. */
function rootOf(prototype) {
  const above = Object.getPrototypeOf(prototype);
  return above !== null && Object.hasOwn(above, 'app') ? rootOf(above) : prototype;
}

/** A property that reads what was attached, or what was assigned to it since. */
function define(prototype, name, read) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      const value = kept.get(this);
      return value instanceof Assigned ? value[name] : read(value);
    },
    set(value) {
      const { auth, claims } = this;
      kept.set(this, Object.assign(new Assigned(), { auth, claims, [name]: value }));
    },
  });
}

/** Somebody's own values for the two properties. */
class Assigned {}

module.exports = { attach };

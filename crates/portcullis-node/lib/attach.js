'use strict';

const { IncomingMessage } = require('node:http');

/**
 * Puts what a request was admitted by where handlers look for it: `req.auth`, and its claims as `req.claims`.
 *
 * Express makes each request an object of a shape of its own, and a property that is new to it costs more than the
 * rest of a cached token's way. So Express's requests get both by their prototype, `express.request`, which is there for such
 * things; any other request gets properties of its own.
 */

const NAMES = ['auth', 'claims'];

/** What was attached to a request, or assigned to its two properties since. */
const kept = new WeakMap();

/** Prototypes that have the two properties, or inherit them. */
const ready = new WeakSet();

/** The one that was seen last: nearly always there is no other. */
let last;

function attach(req, access) {
  const prototype = Object.getPrototypeOf(req);
  if (prototype !== last && !isReady(prototype)) {
    req.auth = access;
    req.claims = access?.claims;
    return;
  }
  last = prototype;
  kept.set(req, access);
  // Properties of the request's own, from before it came to Express, would hide the guard's word.
  NAMES.forEach((name) => Object.hasOwn(req, name) && delete req[name]);
}

/** Whether requests with this prototype have the two properties, from now on if not before. */
function isReady(prototype) {
  if (ready.has(prototype)) {
    return true;
  }
  const root = rootOf(prototype);
  // Somebody's own properties by these names stay as they are: requests then get theirs before them.
  if (root === undefined || NAMES.some((name) => isTaken(name, prototype, root))) {
    return false;
  }
  if (!ready.has(root)) {
    define(root, 'auth', (access) => access);
    define(root, 'claims', (access) => access?.claims);
    ready.add(root);
  }
  ready.add(prototype);
  return true;
}

function isTaken(name, prototype, root) {
  if (prototype === root) {
    return !ready.has(root) && name in root;
  }
  return Object.hasOwn(prototype, name) || isTaken(name, Object.getPrototypeOf(prototype), root);
}

/** The prototype that all requests of a framework share, just below Node's own; apps have theirs below it. */
function rootOf(prototype) {
  if (prototype === null || prototype === IncomingMessage.prototype) {
    return undefined;
  }
  const above = Object.getPrototypeOf(prototype);
  return above === IncomingMessage.prototype ? prototype : rootOf(above);
}

/** A property that reads what was attached, or what was assigned to it since. */
function define(prototype, name, read) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      const value = keptFor(this);
      return value instanceof Assigned ? value[name] : read(value);
    },
    set(value) {
      const { auth, claims } = this;
      kept.set(this, Object.assign(new Assigned(), { auth, claims, [name]: value }));
    },
  });
}

/** What is kept for a request, or for the one that an object was made of; a Proxy does not say whose it is. */
function keptFor(object) {
  if (object === null || ready.has(object)) {
    return undefined;
  }
  return kept.has(object) ? kept.get(object) : keptFor(Object.getPrototypeOf(object));
}

/** Somebody's own values for the two properties. */
class Assigned {}

module.exports = { attach };

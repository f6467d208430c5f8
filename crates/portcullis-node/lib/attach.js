'use strict';

const { IncomingMessage } = require('node:http');
const { isProxy } = require('node:util').types;

const { read } = require('./request.js');

/**
 * Sets `req.auth` to the `Access` of a request, and `req.claims` to its claims.
 *
 * They are properties of the request. But Express replaces the prototype of each request, and V8 up to Node 22 does not
 * reuse shapes of such objects: each new property makes a new shape, which costs more than judging a cached token. There
 * Express's requests inherit both properties from their prototype, `express.request`, which is meant for extensions.
 */

const NAMES = ['auth', 'claims'];

/** The first version of V8 that reuses those shapes. */
const SHARED_SHAPES = 13;

const hasDearProperties = Number.parseInt(process.versions.v8, 10) < SHARED_SHAPES;

/** Prototypes that have the two properties, or inherit them. */
const ready = new WeakSet();

/** The prototype of the last request, nearly always the only one. */
let last;

function attach(req, access) {
  const fields = hasDearProperties && isOfExpress(req) ? read(req, 'rawHeaders') : undefined;
  if (!isObject(fields) || !Kept.keep(fields, req, access)) {
    req.auth = access;
    req.claims = access?.claims;
    return;
  }
  // Own properties, set before the request reached Express, would hide the inherited ones.
  NAMES.forEach((name) => Object.hasOwn(req, name) && delete req[name]);
}

/** Returns true if the request's prototype has the two properties; defines them there if possible. */
function isOfExpress(req) {
  const prototype = Object.getPrototypeOf(req);
  if (prototype !== last && !isReady(prototype)) {
    return false;
  }
  last = prototype;
  return true;
}

function isReady(prototype) {
  if (ready.has(prototype)) {
    return true;
  }
  const root = rootOf(prototype);
  // An app's own properties of these names stay unchanged: requests then get own properties, which hide them.
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

/**
 * The prototype shared by all requests of a framework, just below Node's own; apps have theirs below it. Undefined for an
 * object created from another request: its prototype is that request, which must not change.
 */
function rootOf(prototype) {
  if (prototype === null || prototype === IncomingMessage.prototype || Object.hasOwn(prototype, 'rawHeaders')) {
    return undefined;
  }
  const above = Object.getPrototypeOf(prototype);
  return above === IncomingMessage.prototype ? prototype : rootOf(above);
}

/** Defines a property that reads the attached value until something is assigned to it. */
function define(prototype, name, partOf) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      return partOf(Kept.of(read(this, 'rawHeaders'), this));
    },
    set(value) {
      Object.defineProperty(this, name, { configurable: true, enumerable: true, writable: true, value });
    },
  });
}

/** A base class whose subclasses add their private fields to an existing object. */
class Upon {
  constructor(object) {
    return object;
  }
}

/**
 * The value attached to a request, as a private field of its `rawHeaders`, an array that Node makes for each request. A copy
 * of the request has the same array, but must not get the value.
 */
class Kept extends Upon {
  #owner;
  #access;

  constructor(fields, owner, access) {
    super(fields);
    this.#owner = owner;
    this.#access = access;
  }

  /** Attaches the access; returns false if another request has these fields. */
  static keep(fields, owner, access) {
    if (!(#access in fields)) {
      new Kept(fields, owner, access);
      return true;
    }
    if (fields.#owner !== owner) {
      return false;
    }
    fields.#access = access;
    return true;
  }

  /** The attached access; undefined for copies and for the prototypes themselves, which have no fields. */
  static of(fields, reader) {
    return isObject(fields) && #access in fields && isSame(fields.#owner, reader) ? fields.#access : undefined;
  }
}

/** Returns true for the request itself, an object created from it, or a Proxy of either. */
function isSame(owner, reader) {
  return reader === owner || isProxy(reader) || isProxy(owner) || isMadeOf(owner, reader);
}

function isMadeOf(owner, reader) {
  return Object.prototype.isPrototypeOf.call(owner, reader);
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

module.exports = { attach };

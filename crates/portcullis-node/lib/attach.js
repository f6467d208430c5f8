'use strict';

const { IncomingMessage } = require('node:http');
const { isProxy } = require('node:util').types;

const { read } = require('./request.js');

/**
 * Puts what a request was admitted by where handlers look for it: `req.auth`, and its claims as `req.claims`.
 *
 * They are properties of the request. But up to Node 22, whose V8 keeps no shapes of objects that have got another prototype,
 * as Express's requests do, each new property there means a new shape, and costs more than the rest of a cached token's
 * way. There Express's requests get both by their prototype, `express.request`, which is there for such things.
 */

const NAMES = ['auth', 'claims'];

/** From this version on, V8 keeps those shapes. */
const SHARED_SHAPES = 13;

const hasDearProperties = Number.parseInt(process.versions.v8, 10) < SHARED_SHAPES;

/** Prototypes that have the two properties, or inherit them. */
const ready = new WeakSet();

/** The one that was seen last: nearly always there is no other. */
let last;

function attach(req, access) {
  const fields = hasDearProperties && isOfExpress(req) ? read(req, 'rawHeaders') : undefined;
  if (!isObject(fields) || !Kept.keep(fields, req, access)) {
    req.auth = access;
    req.claims = access?.claims;
    return;
  }
  // Properties of the request's own, from before it came to Express, would hide the guard's word.
  NAMES.forEach((name) => Object.hasOwn(req, name) && delete req[name]);
}

/** Whether the request has the two properties by its prototype, from now on if not before. */
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

/**
 * The prototype that all requests of a framework share, just below Node's own; apps have theirs below it. None for a request
 * that is made of another: its prototype is that one, whose word must stay its own.
 */
function rootOf(prototype) {
  if (prototype === null || prototype === IncomingMessage.prototype || Object.hasOwn(prototype, 'rawHeaders')) {
    return undefined;
  }
  const above = Object.getPrototypeOf(prototype);
  return above === IncomingMessage.prototype ? prototype : rootOf(above);
}

/** A property that reads what was attached, until something is assigned to it. */
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

/** Lets a class put its private fields on an object that is there already. */
class Upon {
  constructor(object) {
    return object;
  }
}

/**
 * What was attached to a request, as a private field of its `rawHeaders`: an array of its own, whose shape is Node's. A copy of
 * the request has the same array, and shall not be taken for it.
 */
class Kept extends Upon {
  #owner;
  #access;

  constructor(fields, owner, access) {
    super(fields);
    this.#owner = owner;
    this.#access = access;
  }

  /** Whether it could be kept: not where another request has these fields. */
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

  /** None for the prototypes themselves, which have no fields, and for copies. */
  static of(fields, reader) {
    return isObject(fields) && #access in fields && isSame(fields.#owner, reader) ? fields.#access : undefined;
  }
}

/** Whether it is the request itself, an object made of it, or one of the two through a Proxy. */
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

'use strict';

// It defines Reflect's functions for metadata, which decorators of other packages copy when they wrap a method.
require('@nestjs/common');

const { checkRules } = require('../rules.js');

/** The key of metadata with rules, a list: each decorator adds one. */
const RULES = 'portcullis:rules';

/** The names of decorated methods, by prototype. */
const decorated = new WeakMap();

/** Adds the rules of a decorator to its class or method; `false` makes it public. */
function addRules(owner, rules, target, key, descriptor) {
  const place = key === undefined ? target.name : `${target.constructor.name}.${String(key)}`;
  if (key !== undefined && typeof descriptor?.value !== 'function') {
    throw new TypeError(`${owner}: expected a class or a method, got ${place}`);
  }
  if (rules !== false) {
    checkRules(`${owner} of ${place}`, rules);
  }
  const holder = descriptor?.value ?? target;
  const all = [...ownRules(holder), rules];
  if (all.includes(false) && all.length > 1) {
    throw new TypeError(`${owner}: expected ${place} to be public or to have rules, got both`);
  }
  Reflect.defineMetadata(RULES, all, holder);
  if (key !== undefined) {
    decorated.set(target, new Set(decorated.get(target)).add(key));
  }
}

/**
 * The rules for a handler of a class: those of the classes that it extends, its own and the method's; false if the handler is
 * public. The rules of a method count also if its class is public.
 */
function rulesOf(Class, handler) {
  const ofMethod = ownRules(handler);
  if (ofMethod.includes(false)) {
    return false;
  }
  const ofClass = chainOf(Class).flatMap(ownRules);
  if (ofMethod.length === 0 && ownRules(Class).includes(false)) {
    return false;
  }
  return [...ofClass, ...ofMethod].filter((rules) => rules !== false);
}

/** Returns the methods of a class, inherited ones too, and refuses a class some of whose rules another decorator has lost. */
function checkMethods(owner, Class) {
  const methods = new Map();
  for (const { prototype } of chainOf(Class)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function' && name !== 'constructor') {
        methods.set(name, value);
      }
    }
    for (const name of decorated.get(prototype) ?? []) {
      if (ownRules(prototype[name]).length === 0) {
        throw new TypeError(`${owner}: expected the rules of ${Class.name}.${String(name)}, which another decorator has lost: put @Secured above it`);
      }
    }
  }
  return [...methods.values()];
}

/** A class and the classes that it extends, the outermost first. */
function chainOf(Class) {
  return typeof Class !== 'function' || Class === Function.prototype ? [] : [...chainOf(Object.getPrototypeOf(Class)), Class];
}

function ownRules(holder) {
  return Reflect.getOwnMetadata(RULES, holder) ?? [];
}

module.exports = { addRules, checkMethods, rulesOf };

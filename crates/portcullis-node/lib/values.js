'use strict';

/** The longest time of a timer in Node, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The kinds of objects that may be options: plain ones, those of a class, and modules. */
const OF_OPTIONS = ['[object Object]', '[object Module]'];

/** Readers of single values. They throw a TypeError with function and option for unexpected values. */

/** Returns true for a URL of the web, as a string or a `URL`. */
function isUrl(value) {
  const url = value instanceof URL ? value.href : value;
  return typeof url === 'string' && /^https?:/i.test(url) && URL.canParse(url);
}

/** Reads one string, or a non-empty array of strings. */
function readStrings(owner, name, value) {
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0) {
    // An empty list would count as "any", the opposite of its meaning.
    throw expected(owner, name, 'at least one string', value);
  }
  const odd = values.findIndex((value) => typeof value !== 'string');
  if (odd !== -1) {
    throw expected(owner, name, 'a string or an array of strings', values[odd]);
  }
  return values;
}

/** Reads a positive number of seconds. */
function readTimeout(owner, name, value) {
  if (!(readSeconds(owner, name, value) > 0)) {
    throw expected(owner, name, 'more than 0 seconds', value);
  }
  return value;
}

/** Reads a number of seconds. */
function readSeconds(owner, name, value) {
  if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
    throw expected(owner, name, 'a number of seconds', value);
  }
  return value;
}

/**
 * Returns true for an object whose members are options. A promise, a `Map` or a `URLSearchParams` has none that count, and would ask for
 * nothing.
 */
function isOptions(value) {
  return value !== null && typeof value === 'object' && OF_OPTIONS.includes(Object.prototype.toString.call(value));
}

function readBoolean(owner, name, value = false) {
  if (typeof value !== 'boolean') {
    throw expected(owner, name, 'true or false', value);
  }
  return value;
}

function readFunction(owner, name, value) {
  if (value !== undefined && typeof value !== 'function') {
    throw expected(owner, name, 'a function', value);
  }
  return value;
}

function optional(value, read) {
  return value === undefined ? undefined : read(value);
}

/** Reads a limit, a whole number from 1 on. */
function readLimit(owner, name, value) {
  return optional(value, (value) => readCount(owner, name, value, 1));
}

/** Reads a whole number. */
function readCount(owner, name, value, least = 0) {
  if (!Number.isSafeInteger(value) || value < least) {
    throw expected(owner, name, least === 0 ? 'a whole number' : `a whole number from ${least} on`, value);
  }
  return value;
}

/** Returns true for a JSON value; `undefined` and a gap in an array are none. */
function isJson(value) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (Array.isArray(value) ? Array.from(value).every(isJson) : isPlainJson(value));
    default:
      return false;
  }
}

/** Returns true if JavaScript has not rounded any number of a JSON value, as it does beyond 2^53. */
function isExact(value) {
  if (typeof value === 'number') {
    return !Number.isInteger(value) || Number.isSafeInteger(value);
  }
  return value === null || typeof value !== 'object' || Object.values(value).every(isExact);
}

function isPlainJson(object) {
  const prototype = Object.getPrototypeOf(object);
  // `Object.prototype` of any realm: Jest runs tests in a realm of their own.
  return (prototype === null || Object.getPrototypeOf(prototype) === null) && Object.values(object).every(isJson);
}

/** Returns true for a promise of any realm: those of the addon are not of the realm in which Jest runs tests. */
function isPromise(value) {
  return typeof value?.then === 'function';
}

/** Returns the error of an unexpected value. It has only the kind of the value, which may be a secret. */
function expected(owner, name, what, value) {
  return new TypeError(`${owner}: expected ${name} to be ${what}, got ${nameOf(value)}`);
}

/** Returns the kind of a value, for an error. */
function nameOf(value) {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty array' : 'an array';
  }
  if (Number.isNaN(value)) {
    return 'NaN';
  }
  if (typeof value === 'object') {
    return `an object of class ${value.constructor?.name ?? 'none'}`;
  }
  return `a ${typeof value}`;
}

module.exports = {
  LONGEST_TIMER,
  expected,
  isExact,
  isJson,
  isOptions,
  isPromise,
  isUrl,
  nameOf,
  optional,
  readBoolean,
  readCount,
  readFunction,
  readLimit,
  readSeconds,
  readStrings,
  readTimeout,
};

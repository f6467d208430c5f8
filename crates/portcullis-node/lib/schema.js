'use strict';

const { isAsyncFunction } = require('node:util').types;

const { expected, isPromise, nameOf } = require('./values.js');

/** The property of a schema with its functions (Standard Schema, version 1). */
const STANDARD = '~standard';

/** A member in a path that a refusal names. Others are shown as `*`, since a token may have any text there. */
const PLAIN = /^[\w.:/-]{1,100}$/;

/** The greatest number of paths in a refusal. */
const MOST_PATHS = 3;

/** The schemas in use, by the objects that users pass: guards with the same schema share its outcomes. */
const known = new WeakMap();

/**
 * A schema for the claims of accepted tokens, as zod, valibot and arktype make them.
 *
 * It sees a copy of the claims, once for each token: its outcome is kept as long as the claims are.
 */
class Schema {
  #validate;
  #outcomes = new WeakMap();

  constructor(validate) {
    this.#validate = validate;
  }

  /** Reads the option `schema`. */
  static read(owner, schema) {
    if (schema === undefined) {
      return undefined;
    }
    const standard = schema?.[STANDARD];
    if (standard?.version !== 1 || typeof standard.validate !== 'function') {
      throw expected(owner, 'schema', 'a Standard Schema of version 1, such as one of zod, valibot or arktype', schema);
    }
    if (isAsyncFunction(standard.validate)) {
      throw new TypeError(`${owner}: expected schema to validate at once, got one that is async`);
    }
    const made = known.get(schema) ?? new Schema((claims) => standard.validate(claims));
    known.set(schema, made);
    return made;
  }

  /** The schema's output for the claims of a token (`output`), or the paths of what is wrong with them (`wrong`). */
  outcomeFor(claims) {
    let outcome = this.#outcomes.get(claims);
    if (outcome === undefined) {
      // A copy, because a schema may change its input, and the rules of other guards see the claims.
      outcome = readResult(this.#validate(JSON.parse(JSON.stringify(claims))));
      this.#outcomes.set(claims, outcome);
    }
    return outcome;
  }
}

/** Reads a result of validation. Any doubt is an error, so that nothing passes by mistake. */
function readResult(result) {
  const { issues, value } = settled(result, 'return a result') ?? {};
  if (issues !== undefined) {
    return { wrong: pathsOf(issues) };
  }
  if (!isObject(settled(value, 'give an object'))) {
    throw new TypeError(`expected the schema to give an object as the claims, got ${nameOf(value)}`);
  }
  return { output: freeze(value) };
}

function settled(value, what) {
  if (isPromise(value)) {
    // Nobody waits for it, and its rejection must not end the process.
    value.then(undefined, () => {});
    throw new TypeError(`expected the schema to ${what} at once, got a promise: a guard waits for no schema`);
  }
  return value;
}

/** The places of the issues, as JSON Pointers; never a message, which may have the value. */
function pathsOf(issues) {
  const paths = new Set(Array.from(issues, (issue) => pointerOf(issue?.path)));
  return `${[...paths].slice(0, MOST_PATHS).join(', ') || 'the claims'} (schema)`;
}

function pointerOf(path) {
  if (!Array.isArray(path) || path.length === 0) {
    return 'the claims';
  }
  return path.map((step) => `/${nameOfStep(String(isObject(step) ? step.key : step))}`).join('');
}

function nameOfStep(step) {
  return PLAIN.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : '*';
}

/** Freezes plain objects and arrays, which requests with the same token share. Objects of classes, such as dates, stay as they are. */
function freeze(value, seen = new Set()) {
  if (isObject(value) && isPlain(value) && !seen.has(value)) {
    seen.add(Object.freeze(value));
    Object.values(value).forEach((member) => freeze(member, seen));
  }
  return value;
}

function isPlain(object) {
  const prototype = Object.getPrototypeOf(object);
  return Array.isArray(object) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

module.exports = { Schema };

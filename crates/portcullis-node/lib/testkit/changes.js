'use strict';

const { expected, isJson } = require('../values.js');

/**
 * The changes of a good token or proof in the kit's form, as JSON.
 *
 * `claims` and `header` are objects, whose members replace those of the good one, or leave them out where they are undefined; or
 * they are the whole text, valid or not.
 */
function changesOf(owner, claims, header, expiresIn) {
  if (expiresIn !== undefined && !Number.isFinite(expiresIn)) {
    throw expected(owner, 'expiresIn', 'a number of seconds', expiresIn);
  }
  return JSON.stringify({ claims: readPart(owner, 'claims', claims), header: readPart(owner, 'header', header), expiresIn });
}

function readPart(owner, name, part = {}) {
  if (typeof part === 'string') {
    return part;
  }
  if (part === null || typeof part !== 'object' || Array.isArray(part)) {
    throw expected(owner, name, 'an object, or a text', part);
  }
  const members = Object.entries(part);
  const odd = members.find(([, value]) => value !== undefined && !isJson(value));
  if (odd !== undefined) {
    throw expected(owner, `${name}.${odd[0]}`, 'a JSON value, or undefined to leave it out', odd[1]);
  }
  return {
    set: Object.fromEntries(members.filter(([, value]) => value !== undefined)),
    without: members.filter(([, value]) => value === undefined).map(([member]) => member),
  };
}

module.exports = { changesOf };

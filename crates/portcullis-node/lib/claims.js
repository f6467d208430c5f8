'use strict';

/** The token of an accepted field: scheme, spaces, token. */
function tokenOf(authorization) {
  return authorization.slice(authorization.lastIndexOf(' ') + 1);
}

/** A part of a token as an object. */
function partOf(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

/** The value of a claim by its name, or by its JSON Pointer (RFC 6901) if it starts with a slash. */
function find(claims, name) {
  const steps = name.startsWith('/') ? name.slice(1).split('/').map(unescaped) : [name];
  return steps.reduce((value, step) => (hasOwn(value, step) ? value[step] : undefined), claims);
}

/** Refuses conditions of a rule that hardly any claim meets, as `portcullis.toml` does: they were meant in another way. */
function refuseUnmet(owner, place, { value, oneOf, matches }) {
  if ([value, ...(Array.isArray(oneOf) ? oneOf : [])].some(Array.isArray)) {
    throw new TypeError(`${owner}: ${place}: expected one value, got an array, which only the very same array would equal: a claim that is \
an array passes if it has the value among its elements (for one of several values use oneOf, for all of them a rule for each)`);
  }
  if (typeof matches === 'string' && !matches.includes('*')) {
    throw new TypeError(`${owner}: ${place}: expected a pattern with \`*\` in \`matches\`, got one without: for that text alone use value`);
  }
}

function unescaped(step) {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function hasOwn(value, step) {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, step);
}

module.exports = { tokenOf, partOf, find, refuseUnmet };

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

function unescaped(step) {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function hasOwn(value, step) {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, step);
}

module.exports = { tokenOf, partOf, find };

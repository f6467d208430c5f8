'use strict';

const { ENDPOINT, VERIFICATION, refuseUnknown } = require('../library.js');
const { expected, isOptions, readBoolean } = require('../values.js');

/** The rules that a route may add to those of its plugin, each with a function that makes one rule of two, which means both. */
const ADDED = {
  scope: (one, other) => [...new Set([...wordsOf(one), ...wordsOf(other)])],
  anyScope: (one, other) => [...groupsOf(one), ...groupsOf(other)],
  claims: (one, other) => [...one, ...other],
  acr: (one, other) => [one].flat().filter((value) => [other].flat().includes(value)),
  maxAge: Math.min,
  senderConstrained: (one, other) => one || other,
};

const NAMES = Object.keys(ADDED);

/** Reasons for options that a route does not have. */
const NOT_OF_ROUTES = Object.fromEntries(
  [...ENDPOINT, ...VERIFICATION].map((name) => [name, `it is an option of the plugin; a route adds ${NAMES.join(', ')}`]),
);

/** Refuses what is not an object with rules for a route. */
function checkRules(owner, rules) {
  if (!isOptions(rules)) {
    throw expected(owner, 'the rules of a route', 'an object, or false for a public one', rules);
  }
  refuseUnknown(rules, [...NAMES, 'optional'], owner, NOT_OF_ROUTES);
}

/** Returns the options of a plugin with the rules of a route in place of its own, to see if these are valid on their own. */
function insteadOf(options, rules) {
  const own = Object.fromEntries(NAMES.map((name) => [name, rules[name]]));
  return { ...options, ...own };
}

/**
 * Returns the options of a plugin together with the rules of a route, so that a token has to meet both.
 *
 * A route with rules needs a token, also if the plugin's `optional` lets other requests pass without one, unless the route is
 * `optional`, too.
 */
function withRules(owner, options, rules) {
  const together = { ...options, optional: readOptional(owner, options, rules) };
  for (const name of NAMES) {
    const [one, other] = [options[name], rules[name]];
    if (other !== undefined) {
      together[name] = one === undefined ? other : ADDED[name](one, other);
    }
  }
  if (together.acr?.length === 0) {
    throw new TypeError(`${owner}: expected an \`acr\` that the rules around accept, too, got none in common`);
  }
  return together;
}

function readOptional(owner, options, rules) {
  const optional = readBoolean(owner, 'optional', rules.optional);
  if (optional && options.optional !== true) {
    throw new TypeError(`${owner}: expected \`optional\` in the plugin's options, too, got it in a route alone, whose rules only add`);
  }
  return optional;
}

function wordsOf(scope) {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : scope;
}

/** The groups of `anyScope`, which may be one. */
function groupsOf(anyScope) {
  const values = wordsOf(anyScope);
  return values.every(Array.isArray) ? values : [values];
}

module.exports = { checkRules, insteadOf, withRules };

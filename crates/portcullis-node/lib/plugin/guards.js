'use strict';

const { secureFor } = require('../secure.js');
const { readObject } = require('../library.js');
const { expected } = require('../values.js');
const { checkRules, insteadOf, withRules } = require('./rules.js');

/** The guards of a plugin: one for its own options, and those for routes, which add rules. */
class Guards {
  #make;
  #options;

  /** Reads the options of a plugin: `keys` or `resource`, and the options of their guards. */
  constructor(owner, { keys, resource, ...options }) {
    if (resource !== undefined && keys !== undefined) {
      throw new TypeError(`${owner}: expected \`keys\` or \`resource\`, got both`);
    }
    this.#make = resource === undefined ? makerOfKeys(keys) : makerOfResource(owner, resource);
    this.#options = options;
    /** The guard for the plugin's own options. */
    this.own = this.#make(owner, options);
  }

  /** Makes the guard for a route with these rules, each of which adds to those before it and to the plugin's. */
  with(owner, ...rules) {
    const options = rules.reduce((options, rules) => this.#add(owner, options, rules), this.#options);
    return this.#make(owner, options);
  }

  #add(owner, options, rules) {
    checkRules(owner, rules);
    this.#make(owner, insteadOf(this.#options, rules));
    return withRules(owner, options, rules);
  }
}

function makerOfKeys(keys) {
  return (owner, options) => secureFor(owner, '`keys`', keys, options);
}

function makerOfResource(owner, resource) {
  if (typeof resource?.guard !== 'function') {
    throw expected(owner, '`resource`', 'the result of `protectedResource` or `mcp`', resource);
  }
  return (owner, options) => resource.guard(options);
}

/** Splits the options of a plugin from those of these names, which are the framework's. */
function split(owner, options, names) {
  const given = readObject(owner, '{ keys }', options);
  const [own, others] = [true, false].map((isOwn) => Object.entries(given).filter(([name]) => names.includes(name) === isOwn));
  return [Object.fromEntries(own), Object.fromEntries(others)];
}

module.exports = { Guards, split };

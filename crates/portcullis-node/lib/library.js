'use strict';

const native = require('../native.js');
const { expected, isJson, isOptions, nameOf, optional } = require('./values.js');

/**
 * The options of the library for an issuer (`IssuerRules`), for an endpoint (`Rules`), for a resource (`ResourceRules`), for
 * an MCP server (`McpRules`) and for DPoP proofs (`DpopRules`): the defaults by name, and the reasons for options that are not offered;
 * and the members of a rule for a claim.
 */
const {
  issuer: ISSUER_RULES,
  endpoint: RULES,
  resource: RESOURCE_RULES,
  mcp: MCP_RULES,
  dpop: DPOP_RULES,
  claim: CLAIM,
} = JSON.parse(native.knownOptions());

/** The names of the rules for valid tokens. */
const VERIFICATION = Object.keys(ISSUER_RULES.defaults);

/** The names of an endpoint's options that JavaScript itself reads. */
const OWN = [
  'schema',
  'next',
  'onError',
  'getToken',
  'getKeyTimeout',
  'clientCertificate',
  'introspection',
  'exchange',
  'reportOnly',
  'onReport',
];

/** The names of all options of an endpoint. */
const ENDPOINT = [...Object.keys(RULES.defaults), ...OWN];

/** The names of the options for fetching and caching keys. */
const SERVICE = [
  'cache',
  'client',
  'clock',
  'timeout',
  'maxAge',
  'maxStale',
  'maxDocumentBytes',
  'maxKeys',
  'maxTenants',
  'keyUses',
  'dangerouslyAllowHttp',
];

/** The names of the members of a resource's description. */
const DESCRIPTION = Object.keys(RESOURCE_RULES.defaults);

/** The names of the rules of an MCP server. */
const MCP = Object.keys(MCP_RULES.defaults);

/** The names of the options for DPoP proofs. */
const DPOP = [...Object.keys(DPOP_RULES.defaults), 'use', 'publicUrl', 'nonces', 'replayStore', 'whenStoreIsAway'];

/** The options whose names are also names of claims. */
const AGES = ['maxAge', 'maxStale'];

/** The names of all options. */
const ALL = [...VERIFICATION, ...ENDPOINT, ...DESCRIPTION, ...MCP, ...DPOP, ...SERVICE, ...CLAIM];

/** The options in texts of the library. */
const NAMED = new Set(ALL.filter((name) => !AGES.includes(name)));

/**
 * Returns the options for the library as JSON values; absent options stay absent. `remarks` are readers of particular options: each
 * returns the value in the library's form, or undefined for the default, or throws its own error. Other options go to the library
 * unchanged.
 */
function readForLibrary(options, { defaults }, owner, remarks) {
  const read = {};
  for (const name of Object.keys(defaults)) {
    const remark = remarks[name] ?? asItIs;
    const value = optional(options[name], (given) => remark(owner, name, given, options));
    if (value !== undefined) {
      read[name] = readJson(owner, name, value);
    }
  }
  return read;
}

function asItIs(owner, name, value) {
  return value;
}

/** Reads a JSON value other than null, which would only mean an absent option. */
function readJson(owner, name, value) {
  if (value === null || !isJson(value)) {
    throw expected(owner, name, 'a JSON value other than null', value);
  }
  return value;
}

/** Refuses unknown options, and what is no object of options. `notOffered` has reasons for options of the library that are not offered here. */
function refuseUnknown(options, known, owner, notOffered = {}) {
  if (!isOptions(options)) {
    throw expected(owner, 'options', 'an object', options);
  }
  const unknown = membersOf(options, known).find((name) => !known.includes(name));
  if (unknown === undefined) {
    return;
  }
  const reason = Object.hasOwn(notOffered, unknown) ? notOffered[unknown] : undefined;
  const likely = native.likelyOption(unknown, known);
  const help = reason ?? (likely ? `did you mean \`${likely}\`?` : `the options are ${known.join(', ')}`);
  throw new TypeError(`${owner}: expected known options, got \`${unknown}\`: ${help}`);
}

/**
 * Reads the object of options that a function takes alone, as a plain object of which no member is lost where some are taken out;
 * `example` shows one. A URL is none: it was meant as one of the options.
 */
function readObject(owner, example, value = {}) {
  if (!isOptions(value)) {
    throw new TypeError(`${owner}: expected an object such as ${example}, got ${nameOf(value)}`);
  }
  return pick(value, membersOf(value, ALL));
}

/**
 * Returns the names of all members, also of inherited and hidden ones, since options are taken from these, too. A hidden function that is
 * not even like a known option is none: it is a method of a class, or of the library that made the object. Neither is the mark that compilers
 * leave in modules.
 */
function membersOf(options, known) {
  const shown = Object.keys(options);
  const isMethod = (name) => typeof options[name] === 'function' && !known.includes(name) && !native.likelyOption(name, known);
  return namesIn(options).filter((name) => shown.includes(name) || !(name === '__esModule' || isMethod(name)));
}

function namesIn(object) {
  const names = Object.getOwnPropertyNames(object);
  const parent = Object.getPrototypeOf(object);
  // The last prototype is that of all objects.
  const isOfAll = parent === null || Object.getPrototypeOf(parent) === null;
  return isOfAll ? names : [...new Set([...names, ...namesIn(parent)])];
}

/** Takes options by name, so that inherited options are not lost. */
function pick(options, names) {
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

/** Makes an object of the addon. Throws the addon's errors about options as TypeErrors. */
function configured(owner, make) {
  try {
    return make();
  } catch (error) {
    throw error?.code === 'InvalidArg' ? new TypeError(`${owner}: ${ofOption(error.message)}`) : error;
  }
}

/** The text of an error that may begin with the name of an option. */
function ofOption(text) {
  return inOurNames(text).replace(/^`max_age`/, '`maxAge`');
}

/**
 * Replaces names of options in the library's text by JavaScript's: `max_token_bytes` by `maxTokenBytes`. A name behind a bracket is that
 * of an option, and of no claim.
 */
function inOurNames(text) {
  return text.replace(/(\(?)\b([a-z]+(?:_[a-z0-9]+)+)\b/g, (whole, bracket, name) => {
    const ours = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    return NAMED.has(ours) || (bracket === '(' && AGES.includes(ours)) ? `${bracket}${ours}` : whole;
  });
}

module.exports = {
  CLAIM,
  DESCRIPTION,
  DPOP,
  DPOP_RULES,
  ENDPOINT,
  ISSUER_RULES,
  MCP,
  MCP_RULES,
  RESOURCE_RULES,
  RULES,
  SERVICE,
  VERIFICATION,
  configured,
  inOurNames,
  pick,
  readForLibrary,
  readObject,
  refuseUnknown,
};

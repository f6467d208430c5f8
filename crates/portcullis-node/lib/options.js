'use strict';

const native = require('../native.js');
const { expected, isJson, optional, readBoolean, readCount, readFunction } = require('./values.js');
const { readLimit, readSeconds, readStrings, readTimeout } = require('./values.js');

/** The longest time of a timer in Node, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The options of the library for an issuer (`IssuerRules`), for an endpoint (`Rules`), for a resource (`ResourceRules`) and for
 * an MCP server (`McpRules`): the defaults by name, and the reasons for options that are not offered; and the members of a rule for a
 * claim.
 */
const {
  issuer: ISSUER_RULES,
  endpoint: RULES,
  resource: RESOURCE_RULES,
  mcp: MCP_RULES,
  claim: CLAIM,
} = JSON.parse(native.knownOptions());

/** The names of the rules for valid tokens. */
const VERIFICATION = Object.keys(ISSUER_RULES.defaults);

/** The names of an endpoint's options that JavaScript itself reads. */
const OWN = ['next', 'onError', 'getToken', 'getKeyTimeout'];

/** The names of all options of an endpoint. */
const ENDPOINT = [...Object.keys(RULES.defaults), ...OWN];

/** The names of the options for fetching and caching keys. */
const SERVICE = [
  'cache',
  'client',
  'timeout',
  'maxAge',
  'maxStale',
  'maxDocumentBytes',
  'maxKeys',
  'keyUses',
  'dangerouslyAllowHttp',
];

/** The names of the members of a resource's description. */
const DESCRIPTION = Object.keys(RESOURCE_RULES.defaults);

/** The names of the rules of an MCP server. */
const MCP = Object.keys(MCP_RULES.defaults);

/** The options in texts of the library; without the ages, whose names are also names of claims. */
const NAMED = new Set(
  [...VERIFICATION, ...ENDPOINT, ...DESCRIPTION, ...MCP, ...SERVICE, ...CLAIM].filter((name) => name !== 'maxAge' && name !== 'maxStale'),
);

/** A trust domain (SPIFFE-ID section 2.1). */
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;

/**
 * Readers of particular options of the library: each returns the value in the library's form, or undefined for the default,
 * or throws its own error. Other options go to the library unchanged.
 */
const REMARKS = {
  issuer: readStrings,
  audience: readStrings,
  algorithms: readStrings,
  types: readStrings,
  scopeClaims: readStrings,
  trustDomain: readTrustDomain,
  leeway: readSeconds,
  maxTokenLifetime: readSeconds,
  maxKeyAttempts: readLimit,
  maxTokenBytes: readLimit,
  tokenCache: readTokenCache,
  realm: (owner, name, value) => (value === '' ? undefined : value),
  scope: readScope,
  anyScope: readScope,
  acr: readStrings,
  maxAge: readSeconds,
  authorizationServers: readStrings,
  scopesSupported: readScope,
  allowedOrigins: readStrings,
  tools: readOperations,
  methods: readOperations,
  maxBodyBytes: readLimit,
};

/**
 * Reads the options of `secure`. Every unexpected option is an error, because a misspelt rule would let forbidden requests
 * pass.
 */
function readOptions(options, name = 'secure') {
  if (options === null || typeof options !== 'object') {
    throw expected(name, 'options', 'an object', options);
  }
  refuseUnknown(options, [...VERIFICATION, ...ENDPOINT], name, RULES.notOffered);
  return { verification: readVerification(options, name), endpoint: readEndpoint(pick(options, ENDPOINT), name) };
}

/** Reads the rules for valid tokens. */
function readVerification(options, name) {
  return readForLibrary(pick(options, VERIFICATION), ISSUER_RULES, name);
}

/** Reads the description of a resource; `mcp` has the rules of an MCP server, or is false. */
function readDescription({ mcp = false, ...options }, name) {
  const description = readForLibrary(pick(options, DESCRIPTION), RESOURCE_RULES, name);
  if (mcp === false) {
    return { ...description, mcp };
  }
  if (mcp !== true && (mcp === null || typeof mcp !== 'object')) {
    throw expected(name, 'mcp', 'true, or an object with the rules of an MCP server', mcp);
  }
  const rules = mcp === true ? {} : mcp;
  refuseUnknown(rules, MCP, `${name}: mcp`);
  return { ...description, mcp: readForLibrary(rules, MCP_RULES, name) };
}

function readEndpoint(options, name) {
  const { getKeyTimeout = 5 } = options;
  const claims = readClaims(name, options.claims);
  const asked = claims.flatMap(({ asked }) => asked ?? []);
  return {
    rules: readForLibrary({ ...options, claims: asked }, RULES, name),
    ownRules: claims.filter(({ holds }) => holds !== undefined),
    next: readBoolean(name, 'next', options.next),
    onError: readFunction(name, 'onError', options.onError),
    getToken: readFunction(name, 'getToken', options.getToken),
    getKeyTimeout: readTimeout(name, 'getKeyTimeout', getKeyTimeout),
  };
}

/** Returns the options for the library as JSON values; absent options stay absent. */
function readForLibrary(options, { defaults }, owner) {
  const read = {};
  for (const name of Object.keys(defaults)) {
    const remark = REMARKS[name] ?? asItIs;
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

function readClaims(owner, claims = []) {
  if (!Array.isArray(claims)) {
    throw expected(owner, 'claims', 'an array of rules', claims);
  }
  // A gap in an array is a rule that is missing, which `map` would pass over.
  return Array.from(claims, (rule) => readRule(owner, rule));
}

/**
 * Reads a rule: the part for the library (`asked`), and a function that has to return true for the claim of this name or for
 * all claims (`holds`).
 */
function readRule(owner, rule) {
  if (typeof rule === 'function') {
    return { holds: rule };
  }
  if (typeof rule?.name !== 'string') {
    throw expected(owner, 'each rule in claims', 'an object with the string `name`, or a function', rule);
  }
  const { name, value } = rule;
  const isOwn = typeof value === 'function';
  refuseUnknown(rule, isOwn ? ['name', 'value'] : CLAIM, `${owner}: the rule for ${name}`);
  if (isOwn) {
    return { name, holds: value, asked: { name } };
  }
  // By name, so that inherited members are not lost. One that is undefined is a mistake: left out, it would turn into a rule
  // for presence, which more tokens meet.
  const members = CLAIM.filter((member) => member in rule).map((member) => [member, rule[member]]);
  for (const [member, value] of members) {
    if (!isJson(value) || (value === null && member !== 'value')) {
      throw expected(owner, `the ${member} for ${name} in claims`, 'a JSON value or a function', value);
    }
  }
  return { asked: Object.fromEntries(members) };
}

/** Reads scope values in the library's form, or one string separated by spaces. */
function readScope(owner, name, value) {
  const values = typeof value === 'string' ? value.split(' ').filter(Boolean) : value;
  if (typeof value === 'string' && values.length === 0) {
    throw expected(owner, name, 'at least one scope value', value);
  }
  return values;
}

/** Reads rules for tools or methods, each with its scope in the library's form. */
function readOperations(owner, name, rules) {
  if (!Array.isArray(rules)) {
    throw expected(owner, name, 'an array of rules', rules);
  }
  return Array.from(rules, (rule, index) => {
    if (rule?.scope === undefined) {
      throw expected(owner, `${name}[${index}]`, 'an object with `scope`', rule);
    }
    return { ...rule, scope: readScope(owner, `${name}[${index}].scope`, rule.scope) };
  });
}

function readTokenCache(owner, name, value) {
  if (value === true) {
    return undefined;
  }
  if (value === false) {
    return { off: true };
  }
  if (value === null || typeof value !== 'object') {
    throw expected(owner, name, 'false, or an object with bytes and tokens', value);
  }
  for (const member of ['bytes', 'tokens']) {
    optional(value[member], (count) => readCount(owner, `${name}.${member}`, count));
  }
  return Object.fromEntries(Object.entries(value).filter(([, value]) => value !== undefined));
}

/** Reads the name of a SPIFFE trust domain, which replaces an issuer. */
function readTrustDomain(owner, name, value, { issuer, rfc9068 }) {
  if (typeof value !== 'string' || !TRUST_DOMAIN.test(value)) {
    throw expected(owner, name, 'the name of a SPIFFE trust domain, such as example.org', value);
  }
  if (issuer !== undefined || rfc9068) {
    throw new TypeError(`${owner}: trustDomain takes the place of an issuer: leave issuer and rfc9068 out`);
  }
  return value;
}

/** Refuses unknown options. `notOffered` has reasons for options of the library that are not offered here. */
function refuseUnknown(options, known, owner, notOffered = {}) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) {
    return;
  }
  const reason = Object.hasOwn(notOffered, unknown) ? notOffered[unknown] : undefined;
  const likely = native.likelyOption(unknown, known);
  const help = reason ?? (likely ? `did you mean \`${likely}\`?` : `the options are ${known.join(', ')}`);
  throw new TypeError(`${owner}: expected known options, got \`${unknown}\`: ${help}`);
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
    throw error?.code === 'InvalidArg' ? new TypeError(`${owner}: ${inOurNames(error.message)}`) : error;
  }
}

/** Replaces names of options in the library's text by JavaScript's: `max_token_bytes` by `maxTokenBytes`. */
function inOurNames(text) {
  return text.replace(/\b[a-z]+(?:_[a-z0-9]+)+\b/g, (name) => {
    const ours = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    return NAMED.has(ours) ? ours : name;
  });
}

module.exports = {
  DESCRIPTION,
  ENDPOINT,
  ISSUER_RULES,
  LONGEST_TIMER,
  MCP,
  SERVICE,
  VERIFICATION,
  configured,
  inOurNames,
  pick,
  readDescription,
  readOptions,
  readVerification,
  refuseUnknown,
};

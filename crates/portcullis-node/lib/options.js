'use strict';

const { CLAIM, DESCRIPTION, ENDPOINT, ISSUER_RULES, MCP, MCP_RULES, RESOURCE_RULES, RULES, VERIFICATION } = require('./library.js');
const { pick, readForLibrary, refuseUnknown } = require('./library.js');
const { readExchanges } = require('./endpoint/exchanges.js');
const { readIntrospection } = require('./endpoint/introspector.js');
const { acceptsOf, readTenants } = require('./tenants.js');
const { warn } = require('./log.js');
const { Schema } = require('./schema.js');
const { certificateFinder } = require('./sender/certificate.js');
const { readDpop, readUse } = require('./sender/options.js');
const { expected, isExact, isJson, isOptions, optional, readBoolean, readCount, readFunction } = require('./values.js');
const { readLimit, readSeconds, readStrings, readTimeout } = require('./values.js');

/** A trust domain (SPIFFE-ID section 2.1). */
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;

/** The readers of particular options. */
const REMARKS = {
  issuer: readStrings,
  tenants: readTenants,
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
  dpop: readUse,
};

/** The rules of which each lets more pass where it is left out. */
const ASKING = ['issuer', 'audience', 'subjects', 'scope', 'anyScope', 'claims', 'acr', 'maxAge', 'maxTokenAge', 'maxTokenLifetime'];

/**
 * Reads the options of `secure`. Every unexpected option is an error, because a misspelt rule would let forbidden requests
 * pass.
 */
function readOptions(options, name = 'secure') {
  refuseUnknown(options, [...VERIFICATION, ...ENDPOINT], name, RULES.notOffered);
  const endpoint = { ...readEndpoint(pick(options, ENDPOINT), name), accepts: acceptsOf(options) };
  return { verification: readVerification(options, name), endpoint };
}

/** Warns of rules that are undefined, as from a variable of the environment that is not set: they ask for nothing. */
function warnOfUndefined(options, name) {
  const isAbsent = (rule) => Object.hasOwn(options, rule) && options[rule] === undefined;
  // A trust domain stands in place of an issuer.
  const absent = ASKING.filter((rule) => isAbsent(rule) && !(rule === 'issuer' && options.trustDomain !== undefined));
  if (absent.length > 0) {
    warn(`${name}: ${absent.join(', ')}: expected a value, got undefined, which asks for nothing: is an environment variable unset? \
Leave it out if that is meant`);
  }
}

/** Reads the rules for valid tokens. */
function readVerification(options, name) {
  return readForLibrary(pick(options, VERIFICATION), ISSUER_RULES, name, REMARKS);
}

/** Reads the description of a resource; `mcp` has the rules of an MCP server, or is false. */
function readDescription({ mcp = false, ...options }, name) {
  const description = readForLibrary(pick(options, DESCRIPTION), RESOURCE_RULES, name, REMARKS);
  if (mcp === false) {
    return { ...description, mcp };
  }
  if (mcp !== true && !isOptions(mcp)) {
    throw expected(name, 'mcp', 'true, or an object with the rules of an MCP server', mcp);
  }
  const rules = mcp === true ? {} : mcp;
  refuseUnknown(rules, MCP, `${name}: mcp`);
  return { ...description, mcp: readForLibrary(rules, MCP_RULES, name, REMARKS) };
}

function readEndpoint(options, name) {
  const { getKeyTimeout = 5 } = options;
  const claims = readClaims(name, options.claims);
  const asked = claims.flatMap(({ asked }) => asked ?? []);
  return {
    rules: readForLibrary({ ...options, claims: asked }, RULES, name, REMARKS),
    ownRules: claims.filter(({ holds }) => holds !== undefined),
    schema: Schema.read(name, options.schema),
    next: readBoolean(name, 'next', options.next),
    onError: readFunction(name, 'onError', options.onError),
    getToken: readFunction(name, 'getToken', options.getToken),
    getKeyTimeout: readTimeout(name, 'getKeyTimeout', getKeyTimeout),
    introspection: readIntrospection(name, options.introspection),
    exchanges: optional(options.exchange, (value) => readExchanges(name, 'exchange', value)) ?? [],
    reportOnly: readBoolean(name, 'reportOnly', options.reportOnly),
    onReport: readFunction(name, 'onReport', options.onReport),
    dpop: readDpop(name, options.dpop),
    findCertificate: certificateFinder(name, readFunction(name, 'clientCertificate', options.clientCertificate)),
  };
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
    if (!isExact(value)) {
      throw expected(owner, `the ${member} for ${name} in claims`, 'without whole numbers of 2^53 and more, which JavaScript rounds (use a text)', value);
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
  if (!isOptions(value)) {
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

module.exports = { readDescription, readOptions, readVerification, warnOfUndefined };

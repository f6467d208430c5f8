'use strict';

/** The longest time that a timer of Node's can be set to, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The options that say which tokens are good. */
const VERIFICATION = [
  'issuer',
  'trustDomain',
  'audience',
  'algorithms',
  'types',
  'orNoType',
  'leeway',
  'maxKeyAttempts',
  'rfc9068',
  'dangerouslyAcceptTokensWithoutExpiry',
  'dangerouslyAcceptSenderConstrainedTokens',
  'tokenCache',
];

/** A trust domain (SPIFFE-ID section 2.1). */
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;

/** The options that say what an endpoint asks for, and how a refusal is told. */
const ENDPOINT = [
  'realm',
  'scope',
  'anyScope',
  'claims',
  'maxTokenBytes',
  'invalidTokenStatus',
  'problemJson',
  'optional',
  'next',
  'onError',
  'getToken',
  'getKeyTimeout',
];

/** The options that say how keys are fetched and kept. */
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

/** Those that the library may name in a text: never the ages, whose names are those of claims, too. */
const NAMED = new Set([...VERIFICATION, ...ENDPOINT, ...SERVICE].filter((name) => name !== 'maxAge' && name !== 'maxStale'));

/**
 * Reads the options of `secure`. Whatever is not as expected is told at once: a misspelt rule would let requests pass
 * that must not.
 */
function readOptions(options, name = 'secure') {
  if (options === null || typeof options !== 'object') {
    throw expected(name, 'options', 'an object', options);
  }
  refuseUnknown(options, [...VERIFICATION, ...ENDPOINT], name);
  return {
    verification: readVerification(pick(options, VERIFICATION), name),
    endpoint: readEndpoint(pick(options, ENDPOINT), name),
  };
}

/** Reads the options that say which tokens are good. */
function readVerification(options, name) {
  const { issuer, trustDomain, audience, algorithms, types, leeway, tokenCache } = options;
  // One that is off is left out: verifiers are told apart by the text of their options, which is kept with each.
  const readFlag = (flag) => readBoolean(name, flag, options[flag]) || undefined;
  return {
    issuer: optional(issuer, (value) => readStrings(name, 'issuer', value)),
    trustDomain: optional(trustDomain, (value) => readTrustDomain(name, value, options)),
    audience: optional(audience, (value) => readStrings(name, 'audience', value)),
    algorithms: optional(algorithms, (value) => readStrings(name, 'algorithms', value)),
    types: optional(types, (value) => readStrings(name, 'types', value)),
    orNoType: readFlag('orNoType'),
    leeway: readSeconds(name, 'leeway', leeway),
    maxKeyAttempts: readLimit(name, 'maxKeyAttempts', options.maxKeyAttempts),
    rfc9068: readFlag('rfc9068'),
    dangerouslyAcceptTokensWithoutExpiry: readFlag('dangerouslyAcceptTokensWithoutExpiry'),
    dangerouslyAcceptSenderConstrainedTokens: readFlag('dangerouslyAcceptSenderConstrainedTokens'),
    tokenCache: readTokenCache(name, tokenCache),
  };
}

function readEndpoint(options, name) {
  const { realm, scope, anyScope, claims = [], maxTokenBytes, invalidTokenStatus, getKeyTimeout = 5 } = options;
  if (realm !== undefined && typeof realm !== 'string') {
    throw expected(name, 'realm', 'a string', realm);
  }
  if (invalidTokenStatus !== undefined && invalidTokenStatus !== 401 && invalidTokenStatus !== 403) {
    throw expected(name, 'invalidTokenStatus', '401 or 403', invalidTokenStatus);
  }
  if (!Array.isArray(claims)) {
    throw expected(name, 'claims', 'an array of rules', claims);
  }
  return {
    realm: realm === '' ? undefined : realm,
    // Of no values, a token has all. It has one of none, so that `anyScope` needs one at least.
    scope: isEmpty(scope) ? undefined : optional(scope, (value) => readScope(name, 'scope', value)),
    anyScope: optional(anyScope, (value) => readScope(name, 'anyScope', value)),
    claims: claims.map((rule) => readRule(name, rule)),
    maxTokenBytes: readLimit(name, 'maxTokenBytes', maxTokenBytes),
    invalidTokenStatus,
    problemJson: readBoolean(name, 'problemJson', options.problemJson),
    optional: readBoolean(name, 'optional', options.optional),
    next: readBoolean(name, 'next', options.next),
    onError: readFunction(name, 'onError', options.onError),
    getToken: readFunction(name, 'getToken', options.getToken),
    getKeyTimeout: readTimeout(name, 'getKeyTimeout', getKeyTimeout),
  };
}

/** A rule: `{ name }`, `{ name, value }`, a value that is a function of the claim's, or a function of all claims. */
function readRule(owner, rule) {
  if (typeof rule === 'function') {
    return { holds: rule };
  }
  if (typeof rule?.name !== 'string') {
    throw expected(owner, 'each rule in claims', 'an object with the string `name`, or a function', rule);
  }
  refuseUnknown(rule, ['name', 'value'], `${owner}: the rule for ${rule.name}`);
  const { name, value } = rule;
  if (typeof value === 'function') {
    return { name, holds: value };
  }
  if (value === undefined) {
    return { name };
  }
  if (!isJson(value)) {
    throw expected(owner, `the value for ${name} in claims`, 'a JSON value or a function', value);
  }
  return { name, value };
}

function isJson(value) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (Array.isArray(value) ? value.every(isJson) : isPlainJson(value));
    default:
      return false;
  }
}

function isPlainJson(object) {
  const prototype = Object.getPrototypeOf(object);
  return (prototype === null || prototype === Object.prototype) && Object.values(object).every(isJson);
}

function isEmpty(value) {
  return Array.isArray(value) && value.length === 0;
}

/** Scope values: an array of them, or one string with spaces between. */
function readScope(owner, name, value) {
  const values = typeof value === 'string' ? value.split(' ').filter(Boolean) : readStrings(owner, name, value);
  if (values.length === 0) {
    throw expected(owner, name, 'at least one scope value', value);
  }
  const odd = values.find((scope) => scope === '' || scope.includes(' '));
  if (odd !== undefined) {
    throw expected(owner, name, 'scope values without spaces', odd);
  }
  return values;
}

function readTokenCache(owner, value) {
  if (value === undefined || value === true) {
    return undefined;
  }
  if (value === false) {
    return { off: true };
  }
  if (value === null || typeof value !== 'object') {
    throw expected(owner, 'tokenCache', 'false, or an object with bytes and tokens', value);
  }
  refuseUnknown(value, ['bytes', 'tokens'], `${owner}: tokenCache`);
  const { bytes, tokens } = value;
  const read = (name, count) => optional(count, (count) => readCount(owner, `tokenCache.${name}`, count));
  return { bytes: read('bytes', bytes), tokens: read('tokens', tokens) };
}

/** How many there may be of something: one at least. */
function readLimit(owner, name, value) {
  return optional(value, (value) => readCount(owner, name, value, 1));
}

/** A whole number. */
function readCount(owner, name, value, least = 0) {
  if (!Number.isSafeInteger(value) || value < least) {
    throw expected(owner, name, least === 0 ? 'a whole number' : `a whole number from ${least} on`, value);
  }
  return value;
}

/** The name of a SPIFFE trust domain, in the place of an issuer. */
function readTrustDomain(owner, value, { issuer, rfc9068 }) {
  if (typeof value !== 'string' || !TRUST_DOMAIN.test(value)) {
    throw expected(owner, 'trustDomain', 'the name of a SPIFFE trust domain, as in example.org', value);
  }
  if (issuer !== undefined || rfc9068) {
    throw new TypeError(`${owner}: trustDomain takes the place of an issuer: leave issuer and rfc9068 out`);
  }
  return value;
}

/** Strings: one, or an array of at least one. */
function readStrings(owner, name, value) {
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0) {
    // None of nothing would be met by nothing, and mean the opposite of what was meant.
    throw expected(owner, name, 'at least one string', value);
  }
  const odd = values.findIndex((value) => typeof value !== 'string');
  if (odd !== -1) {
    throw expected(owner, name, 'a string or an array of strings', values[odd]);
  }
  return values;
}

/** How long something may take, in seconds: no time at all would be none. */
function readTimeout(owner, name, value) {
  if (!(readSeconds(owner, name, value) > 0)) {
    throw expected(owner, name, 'more than 0 seconds', value);
  }
  return value;
}

/** A number of seconds. */
function readSeconds(owner, name, value) {
  if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
    throw expected(owner, name, 'a number of seconds', value);
  }
  return value;
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

function refuseUnknown(options, known, owner) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${owner}: there is no option \`${unknown}\`; there are ${known.join(', ')}`);
  }
}

function pick(options, names) {
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

/** Makes something of the addon's; what the addon says of options that it cannot use is thrown as a TypeError, too. */
function configured(owner, make) {
  try {
    return make();
  } catch (error) {
    throw error?.code === 'InvalidArg' ? new TypeError(`${owner}: ${inOurNames(error.message)}`) : error;
  }
}

/** A text of the library's, which names options in its own way: `max_token_bytes` is `maxTokenBytes` here. */
function inOurNames(text) {
  return text.replace(/\b[a-z]+(?:_[a-z0-9]+)+\b/g, (name) => {
    const ours = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    return NAMED.has(ours) ? ours : name;
  });
}

/** What was expected, and what came: its kind, since its value may be a secret. */
function expected(owner, name, what, value) {
  return new TypeError(`${owner}: expected ${name} to be ${what}, ${nameOf(value)} came`);
}

/** The kind of a value, for an error. */
function nameOf(value) {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (typeof value === 'object') {
    return `an object of class ${value.constructor?.name ?? 'none'}`;
  }
  return `a ${typeof value}`;
}

module.exports = {
  LONGEST_TIMER,
  SERVICE,
  VERIFICATION,
  configured,
  expected,
  inOurNames,
  nameOf,
  readBoolean,
  readLimit,
  readOptions,
  readSeconds,
  readStrings,
  readTimeout,
  readVerification,
  refuseUnknown,
};

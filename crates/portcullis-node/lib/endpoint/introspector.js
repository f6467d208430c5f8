'use strict';

const native = require('../../native.js');
const { CLAIM, configured, readObject, refuseUnknown } = require('../library.js');
const { expected, isJson, optional, readCount } = require('../values.js');
const { answering } = require('./answering.js');
const { Asking } = require('./asking.js');
const { readEndpoint } = require('./options.js');

/** The forms of answers. */
const FORMS = ['json', 'jwt', 'phantom'];

/** Asks an authorization server about opaque tokens (RFC 7662): made by `introspector`, used by `secure`. */
class Introspector extends Asking {}

/** Asks the introspection endpoint of an authorization server about opaque tokens, and keeps its answers for a while. */
function introspector(given) {
  const owner = 'introspector';
  const options = readObject(owner, "{ endpoint: 'https://login.example.com/introspect', clientId, clientSecret }", given);
  const { url, rules, storeSecret, clock, ...asked } = readEndpoint(owner, options, ['maxAnswerAge'], [
    'form',
    'introspect',
    'rememberRefusals',
  ]);
  const { form = 'json', rememberRefusals } = options;
  if (!FORMS.includes(form)) {
    throw expected(owner, 'form', '`json`, `jwt` or `phantom`', form);
  }
  const text = JSON.stringify({
    endpoint: rules,
    form,
    introspect: readIntrospected(owner, options.introspect),
    rememberRefusals: optional(rememberRefusals, (value) => readCount(owner, 'rememberRefusals', value)),
  });
  const ask = answering(asked);
  return new Introspector(configured(owner, () => new native.Introspector(url, text, ask, storeSecret, clock)));
}

/** Reads the choice of tokens: `opaque`, `all`, or rules for the claims of JWTs that are introspected, too. */
function readIntrospected(owner, value = 'opaque') {
  if (value === 'opaque' || value === 'all') {
    return { all: value === 'all', jwts: [] };
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw expected(owner, 'introspect', '`opaque`, `all`, or an array of rules for the claims of JWTs', value);
  }
  return { all: false, jwts: Array.from(value, (rule, index) => readRule(owner, `introspect[${index}]`, rule)) };
}

function readRule(owner, place, rule) {
  if (typeof rule?.name !== 'string' || !isJson(rule)) {
    throw expected(owner, place, 'an object with the string `name` and JSON values', rule);
  }
  refuseUnknown(rule, CLAIM, `${owner}: ${place}`);
  return rule;
}

/** The addon's introspector in an option, if there is one. */
function readIntrospection(owner, value) {
  const introspection = Introspector.nativeOf(value);
  if (value !== undefined && introspection === undefined) {
    throw expected(owner, 'introspection', 'an introspector', value);
  }
  return introspection;
}

module.exports = { Introspector, introspector, readIntrospection };

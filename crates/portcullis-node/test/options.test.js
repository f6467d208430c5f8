'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { createPublicKey, createSecretKey } = require('node:crypto');

const { anyOf, discovery, errors, exchanger, getSimpleJwksService, InMemoryCache, introspector } = require('portcullis');
const { jwksService, localKeys, mcp, protectedResource, secure, setLogger } = require('portcullis');
const { tokenVerifier } = require('portcullis/mcp');
const { EXPRESS, guardedApp } = require('./support/apps.js');
const { AuthorizationServer, FAILURES } = require('./support/authorization-server.js');
const { run } = require('./support/child.js');
const { serve } = require('./support/http.js');
const { cryptoKeyOf, mint, namedKey, newKey, newSecret } = require('./support/tokens.js');
const { collectLog, failure } = require('./support/watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const ISSUER = 'https://as.example.com';
const STRICT = { iss: ISSUER, aud: 'api', sub: 'alice', client_id: 'app', jti: '1' };

/** The code of the refusal, or 'passes'. */
async function outcome(guard, token) {
  try {
    await guard.verify(token);
    return 'passes';
  } catch (error) {
    assert.ok(error instanceof errors.RefusalError, error);
    return error.code;
  }
}

/** Checks a table of `[options, claims, outcome, header]` with tokens of the local key. */
async function holds(table) {
  for (const [options, claims, expected, header] of table) {
    const actual = await outcome(secure(KEYS, options), mint(KEY, claims, header));
    assert.equal(actual, expected, `${JSON.stringify(options)} ${JSON.stringify(claims)} ${JSON.stringify(header)}`);
  }
}

/** Checks that each wrong value of a table is a TypeError at once, with the name of the mistake. */
function refuses(make, table) {
  const problems = table.map(([value, name]) => [inspect(value), problemOf(() => make(value), name)]);
  assert.deepEqual(problems.filter(([, problem]) => problem !== undefined), []);
}

function problemOf(make, name) {
  try {
    make();
  } catch (error) {
    const isGood = error instanceof TypeError && error.message.includes(name);
    return isGood ? undefined : `${error.constructor.name}: ${error.message}`;
  }
  return 'accepted';
}

describe('a wrong option of secure is a TypeError that names it', () => {
  const NO_STRINGS = [null, 7, true, {}, [], [7], ['a', null], () => 'a', Symbol('a')];
  const isNotEmpty = (value) => !(Array.isArray(value) && value.length === 0);
  const NO_FUNCTIONS = [null, 7, 'a', true, {}, []];
  const NO_SECONDS = [null, '5', NaN, Infinity, -Infinity, -1, -0.001, true, {}, [5], 5n];
  const NO_BOOLEANS = [null, 0, 1, 'true', 'false', {}, []];
  const WRONG = {
    realm: [null, 7, true, {}, ['r']],
    scope: [...NO_STRINGS.filter(isNotEmpty), '', '  ', [''], ['a b'], ['a', '']],
    anyScope: [...NO_STRINGS, '', '  ', [''], ['a b']],
    claims: [null, 7, 'role', {}, { name: 'role' }, [, { name: 'role' }], new Array(1)],
    issuer: NO_STRINGS,
    audience: NO_STRINGS,
    trustDomain: [null, 7, {}, ['example.org'], '', 'spiffe://example.org', 'example.org/', 'EXAMPLE.ORG', 'a b', 'a?b'],
    algorithms: [...NO_STRINGS, 'none', ['none'], 'HS1', ['ES256', 'es256'], ''],
    types: NO_STRINGS,
    leeway: [...NO_SECONDS, 301, 1e300],
    getKeyTimeout: NO_SECONDS,
    rfc9068: NO_BOOLEANS,
    orNoType: NO_BOOLEANS,
    dangerouslyAcceptTokensWithoutExpiry: NO_BOOLEANS,
    dangerouslyAcceptSenderConstrainedTokens: NO_BOOLEANS,
    maxKeyAttempts: [null, 0, -1, 1.5, NaN, Infinity, '16', true, {}],
    maxTokenBytes: [null, 0, -1, 1.5, NaN, Infinity, '16384', true, {}, 2 ** 53],
    problemJson: NO_BOOLEANS,
    optional: NO_BOOLEANS,
    next: NO_BOOLEANS,
    impliedScopes: [null, 7, 'a', ['a'], { a: 'b' }, { a: [7] }, { a: ['b c'] }, { '': ['a'] }, new Map([['a', ['b']]])],
    scopeClaims: [...NO_STRINGS, ''],
    tenantClaim: [null, 7, true, {}, ['tid']],
    tenants: NO_STRINGS.filter((value) => typeof value !== 'function'),
    maxTokenLifetime: [...NO_SECONDS, 0],
    invalidTokenStatus: [null, '401', 400, 200, 500, NaN, {}, 403.5],
    onError: NO_FUNCTIONS,
    getToken: NO_FUNCTIONS,
    tokenCache: [null, 0, 7, 'off', { byte: 1 }, { bytes: -1 }, { tokens: 1.5 }, { tokens: NaN }, { bytes: '1' }],
  };

  for (const [name, values] of Object.entries(WRONG)) {
    test(name, () => {
      refuses((options) => secure(KEYS, options), values.map((value) => [{ [name]: value }, name]));
    });
  }

  test('one that there is not', () => {
    const names = ['scopes', 'Realm', 'audiences', 'claim', 'algorithm', 'iss', 'cache', 'credentialsRequired', '0'];
    refuses((options) => secure(KEYS, options), names.map((name) => [{ [name]: undefined }, name]));
    refuses((options) => secure(KEYS, options), [
      [{ scopes: 'a' }, 'did you mean `scope`?'],
      [{ audiance: 'a' }, 'did you mean `audience`?'],
      [{ max_token_bytes: 1 }, 'did you mean `maxTokenBytes`?'],
      [{ nothing: 'a' }, 'the options are '],
    ]);
    refuses((issuers) => anyOf(issuers), [
      [[{ jwks: KEYS, issuer: ISSUER, maxTokenBytes: 1 }], 'in `secure`'],
      [[{ jwks: KEYS, issuer: ISSUER, scopeClaim: 'a' }], 'did you mean `scopeClaims`?'],
    ]);
  });

  test('the library\'s errors have the names of JavaScript, and say what to do', () => {
    refuses((options) => secure(KEYS, options), [
      [{ invalidTokenStatus: 400 }, '`invalidTokenStatus`: expected 401 or 403, got 400'],
      [{ anyScope: [['a'], []] }, '`anyScope[1]`: expected at least one scope value'],
      [{ impliedScopes: { a: 'b' } }, '`impliedScopes.a`: expected an array, got a string'],
      [{ claims: [{ name: 'a' }, { name: 'b', oneOf: 'c' }] }, '`claims[1].oneOf`: expected an array, got a string'],
      [{ tokenCache: { tokenz: 1 } }, 'expected one of bytes, tokens, off'],
      [{ leeway: 301 }, '`leeway`: expected 5 min at the most, got 5 min 1 s: set the clocks instead'],
    ]);
  });

  test('an error names the kind of a value, and not the value', () => {
    refuses((options) => secure(KEYS, options), [
      [{ scopeClaims: [] }, 'got an empty array'],
      [{ leeway: [5] }, 'got an array'],
      [{ maxTokenLifetime: NaN }, 'got NaN'],
      [{ maxTokenLifetime: '1h' }, 'got a string'],
      [{ claims: { name: 'a' } }, 'got an object of class Object'],
    ]);
  });

  test('a rule for claims', () => {
    const rules = [null, 7, 'role', {}, { name: 7 }, { name: null }, { value: 'a' }, ['role']];
    refuses((rule) => secure(KEYS, { claims: [{ name: 'a' }, rule] }), rules.map((rule) => [rule, 'claims']));
    refuses((rule) => secure(KEYS, { claims: [rule] }), [
      [{ name: 'role', values: ['a'] }, 'values'],
      [{ name: 'role', Value: 'a' }, 'Value'],
      [{ name: 'role', one_of: ['a'] }, 'did you mean `oneOf`?'],
      [{ name: 'role', oneOf: 'a' }, 'oneOf'],
      [{ name: 'role', oneOf: [] }, 'oneOf'],
      [{ name: 'role', oneOf: [, 'a'] }, 'oneOf'],
      [{ name: 'role', oneOf: null }, 'oneOf'],
      [{ name: 'role', matches: '' }, 'pattern'],
      [{ name: 'role', matches: /a/ }, 'matches'],
      [{ name: 'role', matches: null }, 'matches'],
      [{ name: 'role', absent: 'yes' }, 'absent'],
      [{ name: 'role', absent: null }, 'absent'],
      // As from a variable of the environment that is not set: it must not turn into a rule for presence.
      [{ name: 'role', value: undefined }, 'the value for role in claims to be a JSON value or a function, got undefined'],
      // JavaScript makes another number of it.
      [{ name: 'role', value: 2 ** 53 }, 'the value for role in claims to be without whole numbers of 2^53 and more'],
      [{ name: 'role', oneOf: [1, [{ id: -1e300 }]] }, 'oneOf'],
      [{ name: 'role', oneOf: undefined }, 'oneOf'],
      [{ name: 'role', matches: undefined }, 'matches'],
      [{ name: 'role', absent: undefined }, 'absent'],
      [new (class { name = 'role'; get value() { return undefined; } })(), 'value'],
      [{ name: 'role', value: 'a', oneOf: ['b'] }, 'at most one of `value`, `oneOf`, `matches` and `absent`'],
      [{ name: 'role', matches: 'a*', absent: true }, 'at most one of'],
      [{ name: 'role', value: () => true, absent: true }, 'absent'],
      [{ name: '', absent: true }, 'claims'],
      [{ name: '/a~2', absent: true }, 'claims'],
    ]);
  });

  test('a value in a rule that JSON cannot have', () => {
    const values = [NaN, Infinity, 5n, Symbol('a'), new Date(0), /a/, new Map(), [undefined], { a: () => 1 }];
    refuses((value) => secure(KEYS, { claims: [{ name: 'role', value }] }), values.map((value) => [value, 'role']));
  });

  test('options that are no object', () => {
    const wrong = [7, 'realm', true, () => ({})];
    refuses((options) => secure(KEYS, options), wrong.map((value) => [value, 'options']));
    refuses((options) => secure(KEYS, options), [[[], 'expected options to be an object, got an empty array']]);
  });

  test('options in an object that has none, which would ask for nothing', () => {
    const rules = { scope: 'admin' };
    const others = [
      [Promise.resolve(rules), 'Promise'],
      [new Map(Object.entries(rules)), 'Map'],
      [new Set(['admin']), 'Set'],
      [new WeakMap(), 'WeakMap'],
      [new URLSearchParams(rules), 'URLSearchParams'],
      [new Headers(rules), 'Headers'],
      [new Date(), 'Date'],
      [/admin/, 'RegExp'],
      [new Error('scope'), 'Error'],
      [Buffer.from('scope'), 'Buffer'],
      [Object('admin'), 'String'],
    ].map(([value, name]) => [value, `got an object of class ${name}`]);
    const resource = { resource: 'https://api.example.com', issuer: ISSUER, jwks: KEYS };
    const makers = [
      (options) => secure(KEYS, options),
      (options) => secure(anyOf([{ jwks: KEYS, issuer: ISSUER }]), options),
      (options) => secure(() => KEY.jwk, options),
      (options) => protectedResource(resource).guard(options),
      (options) => mcp(resource).guard(options),
      (options) => secure(KEYS, { dpop: options }),
      (options) => secure(KEYS, { tokenCache: options }),
      (options) => secure(KEYS, { exchange: options }),
      (options) => secure(KEYS, { claims: [options] }),
      (options) => protectedResource({ ...resource, mcp: options }),
      (options) => anyOf([options]),
      (options) => localKeys(KEY.jwk, options),
      (options) => getSimpleJwksService(`${ISSUER}/jwks`, options),
      discovery, introspector, exchanger, mcp, protectedResource, tokenVerifier,
    ];
    for (const make of makers) {
      refuses(make, others);
    }
  });

  test('a misspelt one that is inherited or hidden; methods are none', () => {
    const hidden = (name, value) => Object.defineProperty({}, name, { value });
    class Misspelt {
      get scopes() { return 'admin'; }
    }
    refuses((options) => secure(KEYS, options), [
      [Object.create({ scopes: 'admin' }), 'did you mean `scope`?'],
      [Object.create(Object.create({ scopes: 'admin' })), 'did you mean `scope`?'],
      [new Misspelt(), 'did you mean `scope`?'],
      [hidden('scopes', 'admin'), 'did you mean `scope`?'],
      [hidden('claim', () => true), 'did you mean `claims`?'],
    ]);
    class WithMethods {
      scope = 'admin';
      describe() { return 'the rules'; }
    }
    secure(KEYS, new WithMethods());
    secure(KEYS, hidden('get', () => 'a value'));
    secure(KEYS, hidden('__esModule', true));
    class Resource {
      resource = 'https://api.example.com';
      jwks = KEYS;
      get issuer() { return ISSUER; }
      describe() { return 'the orders'; }
    }
    for (const make of [protectedResource, mcp, tokenVerifier]) {
      make(new Resource());
    }
    assert.equal(discovery(new (class { get issuer() { return ISSUER; } describe() {} })()).issuer, ISSUER);
    secure(KEYS, Object.assign(Object.create(null), { scope: 'admin' }));
  });

  test('rfc9068 without issuer and audience', () => {
    refuses((options) => secure(KEYS, options), [
      [{ rfc9068: true }, 'issuer'],
      [{ rfc9068: true, issuer: ISSUER }, 'audience'],
      [{ rfc9068: true, audience: 'api' }, 'issuer'],
    ]);
  });

  test('a secret is not in the text', () => {
    const secret = 'hunter2';
    for (const options of [{ leeway: secret }, { tokenCache: secret }, { claims: secret }, { onError: { secret } }]) {
      assert.throws(() => secure(KEYS, options), ({ message }) => !message.includes(secret));
    }
  });
});

describe('what makes keys tells a wrong argument', () => {
  const URI = 'https://as.example.com/jwks';
  const CACHE = new InMemoryCache();

  test('secure, of its first', () => {
    const wrong = [undefined, null, 7, URI, {}, [], KEY.jwk, KEY.publicKey, new InMemoryCache(), Promise.resolve(KEYS)];
    refuses((keys) => secure(keys), wrong.map((keys) => [keys, 'first argument']));
  });

  test('getSimpleJwksService, of its URI', () => {
    const wrong = [undefined, null, 7, '', 'as.example.com/jwks', '/jwks', 'ftp://as.example.com', 'file:///etc/keys'];
    refuses((uri) => getSimpleJwksService(uri), wrong.map((uri) => [uri, 'URL']));
    refuses((uri) => getSimpleJwksService(uri), [['http://as.example.com/jwks', 'https']]);
  });

  test('getSimpleJwksService, of its options', () => {
    refuses((options) => getSimpleJwksService(URI, options), [
      [{ timeouts: 1 }, 'timeouts'],
      [{ timeout: -1 }, 'timeout'],
      [{ timeout: null }, 'timeout'],
      [{ maxAge: '5' }, 'maxAge'],
      [{ maxAge: NaN }, 'maxAge'],
      [{ maxStale: Infinity }, 'maxStale'],
      [{ client: 'https' }, 'client'],
      [{ client: 7 }, 'client'],
      [{ client: { headers: 'a: b' } }, 'client.headers'],
      [{ maxKeys: 0 }, 'maxKeys'],
      [{ maxKeys: '10' }, 'maxKeys'],
      [{ maxDocumentBytes: 1.5 }, 'maxDocumentBytes'],
      [{ keyUses: [] }, 'keyUses'],
      [{ keyUses: 7 }, 'keyUses'],
      [{ dangerouslyAllowHttp: 'yes' }, 'dangerouslyAllowHttp'],
      [{ cache: {} }, 'cache'],
      [{ cache: 7 }, 'got a number'],
      [null, 'expected options to be an object, got null'],
      [7, 'expected options to be an object, got a number'],
      ['5', 'expected options to be an object, got a string'],
    ]);
  });

  test('a URI may be a URL, and http where it is allowed or stays on this machine', () => {
    getSimpleJwksService(new URL(URI));
    getSimpleJwksService('http://as.example.com/jwks', { dangerouslyAllowHttp: true });
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      getSimpleJwksService(`http://${host}/jwks`);
    }
  });

  test('jwksService', () => {
    const set = { setKeyStore: async () => {} };
    refuses((cache) => jwksService(cache, URI), [
      [undefined, 'getKeyStore'],
      [null, 'getKeyStore'],
      [{}, 'getKeyStore'],
      [{ getKeyStore: 7, ...set }, 'getKeyStore'],
      [{ getKeyStore: async () => null }, 'setKeyStore'],
      [URI, 'expected a cache with the functions getKeyStore and setKeyStore, got a string'],
    ]);
    refuses((options) => jwksService(CACHE, URI, undefined, options), [[null, 'options'], ['5', 'options']]);
    refuses((client) => jwksService(CACHE, URI, client), [['https', 'client'], [7, 'client'], [() => {}, 'client']]);
    refuses((uri) => jwksService(CACHE, uri), [[undefined, 'URL'], ['a', 'URL']]);
  });

  test('discovery', () => {
    refuses((options) => discovery(options), [
      [undefined, 'issuer'],
      [{}, 'issuer'],
      [{ issuer: 7 }, 'issuer'],
      [{ issuer: 'as.example.com' }, 'URL'],
      [{ issuer: 'http://as.example.com' }, 'https'],
      [{ issuer: ISSUER, audience: 'a' }, 'audience'],
      [ISSUER, "discovery: expected an object such as { issuer: 'https://login.example.com' }, got a string"],
      [new URL(ISSUER), 'got an object of class URL'],
      [null, 'got null'],
      [[ISSUER], 'got an array'],
    ]);
  });

  test('localKeys', () => {
    const short = Buffer.alloc(31, 1);
    const wrong = [undefined, null, 7, true, [], {}, '', 'secret', '{', '{}', '{"keys":[]}', { keys: [] }, short];
    const secretOnes = [KEY.privateKey, KEY.privateKey.export({ type: 'pkcs8', format: 'pem' })];
    refuses((keys) => localKeys(keys), [...wrong, ...secretOnes].map((keys) => [keys, 'expected']));
    refuses((options) => localKeys(KEY.jwk, options), [[null, 'options'], ['jwt-svid', 'expected options to be an object, got a string']]);
  });

  test('what takes options alone, of an object that is none', () => {
    const wrong = [[ISSUER, 'got a string'], [null, 'got null'], [7, 'got a number'], [new URL(ISSUER), 'got an object of class URL']];
    for (const make of [discovery, introspector, exchanger, mcp, protectedResource, tokenVerifier]) {
      refuses(make, wrong.map(([value, got]) => [value, `${make.name}: expected an object such as { `]));
      refuses(make, wrong);
    }
  });

  test('anyOf', () => {
    refuses((issuers) => anyOf(issuers), [
      [undefined, 'array'],
      [[], 'array'],
      [{}, 'array'],
      [[undefined], 'jwks'],
      [[null], 'jwks'],
      [[ISSUER], "anyOf: expected each issuer to be an object such as { jwks: discovery({ issuer: 'https://login.example.com' }) }, got a string"],
      [[discovery({ issuer: ISSUER })], 'got an object of class JwksService'],
      [[{ issuer: ISSUER }], 'jwks'],
      [[{ jwks: KEYS, issuer: 7 }], 'issuer'],
      [[{ jwks: KEYS, issuers: ISSUER }], 'issuers'],
      [[{ jwks: KEYS, scope: 'a' }], 'scope'],
      [[{ jwks: KEYS }], 'issuer'],
      [[{ jwks: KEYS, issuer: ISSUER }, { jwks: KEYS, issuer: ISSUER }], ISSUER],
    ]);
    const issuers = anyOf([{ jwks: KEYS, issuer: ISSUER }]);
    refuses((options) => secure(issuers, options), [
      [{ issuer: ISSUER }, 'issuer'],
      [{ audience: 'a' }, 'audience'],
      [{ leeway: 0 }, 'leeway'],
      [{ tokenCache: false }, 'tokenCache'],
      [{ rfc9068: true }, 'rfc9068'],
    ]);
  });

  test('setLogger', () => {
    const wrong = [undefined, {}, () => {}, { warn: 7 }, 'console'];
    refuses((logger) => setLogger(logger), wrong.map((logger) => [logger, 'warn']));
  });
});

test('issuer: a string, or several, to the letter', async () => {
  const both = { issuer: [ISSUER, 'https://b.example'] };
  await holds([
    [{ issuer: ISSUER }, { iss: ISSUER }, 'passes'],
    [{ issuer: ISSUER }, { iss: `${ISSUER}/` }, 'wrong_issuer'],
    [{ issuer: ISSUER }, { iss: ISSUER.toUpperCase() }, 'wrong_issuer'],
    [{ issuer: ISSUER }, {}, 'missing_claim'],
    [both, { iss: ISSUER }, 'passes'],
    [both, { iss: 'https://b.example' }, 'passes'],
    [both, { iss: 'https://c.example' }, 'wrong_issuer'],
    [{}, { iss: 'anybody' }, 'passes'],
  ]);
});

test('audience: one of ours has to be named', async () => {
  await holds([
    [{ audience: 'api' }, { aud: 'api' }, 'passes'],
    [{ audience: 'api' }, { aud: ['x', 'api'] }, 'passes'],
    [{ audience: 'api' }, { aud: 'apis' }, 'wrong_audience'],
    [{ audience: 'api' }, { aud: [] }, 'wrong_audience'],
    [{ audience: 'api' }, { aud: ['api', 7] }, 'malformed_claim'],
    [{ audience: 'api' }, {}, 'missing_claim'],
    [{ audience: ['a', 'b'] }, { aud: 'b' }, 'passes'],
    [{ audience: ['a', 'b'] }, { aud: 'c' }, 'wrong_audience'],
    [{ audience: ['a', 'b'] }, { aud: 'a b' }, 'wrong_audience'],
  ]);
});

test('algorithms: only those that are named', async () => {
  const keys = ['ES256', 'EdDSA', 'RS256'].map((alg) => namedKey(alg));
  const guard = secure(localKeys({ keys: keys.map(({ jwk }) => jwk) }), { algorithms: ['ES256', 'EdDSA'] });
  const outcomes = await Promise.all(keys.map((key) => outcome(guard, mint(key))));
  assert.deepEqual(outcomes, ['passes', 'passes', 'algorithm_not_allowed']);
  await holds([[{ algorithms: 'ES256' }, {}, 'passes']]);
  refuses((options) => secure(localKeys(KEY.pem), options), [
    [{ algorithms: 'ES384' }, 'secure: `algorithms`: expected an algorithm of the keys (ES256), got ES384 alone'],
  ]);
});

test('types: only those that are named', async () => {
  await holds([
    [{}, {}, 'passes', { typ: undefined }],
    [{}, {}, 'passes', { typ: 'at+jwt' }],
    [{}, {}, 'passes', { typ: 'application/AT+JWT' }],
    [{}, {}, 'wrong_type', { typ: 'secevent+jwt' }],
    [{ types: 'at+jwt' }, {}, 'passes', { typ: 'application/at+jwt' }],
    [{ types: 'at+jwt' }, {}, 'wrong_type', { typ: 'JWT' }],
    [{ types: 'at+jwt' }, {}, 'wrong_type', { typ: undefined }],
    [{ types: ['JWT', 'x+jwt'] }, {}, 'passes', { typ: 'x+jwt' }],
  ]);
});

test('maxKeyAttempts: how many keys are tried for a token that names none; a refusal names it', async () => {
  const keys = Array.from({ length: 20 }, () => newKey());
  const service = localKeys({ keys: keys.map(({ jwk: { kid, ...jwk } }) => jwk) });
  const by = (index) => mint(keys[index], {}, { kid: undefined });
  assert.equal(await outcome(secure(service), by(9)), 'passes');
  assert.equal(await outcome(secure(service), by(15)), 'passes');
  assert.equal(await outcome(secure(service, { maxKeyAttempts: 20 }), by(19)), 'passes');
  assert.equal(await outcome(secure(service, { maxKeyAttempts: 3 }), by(2)), 'passes');
  for (const [options, index, limit] of [[{}, 16, 16], [{ maxKeyAttempts: 3 }, 3, 3]]) {
    const { code, reason } = await failure(secure(service, options).verify(by(index)));
    assert.equal(code, 'too_many_keys');
    assert.match(reason, new RegExp(`any of the ${limit} keys.*\`maxKeyAttempts\``));
  }
});

test('maxKeys and maxDocumentBytes: what an endpoint may give; an error names them', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY, newKey(), newKey()]);
  for (const options of [{ maxKeys: 2 }, { maxDocumentBytes: 100 }]) {
    const [name] = Object.keys(options);
    const service = getSimpleJwksService(server.jwksUri, options);
    const error = await failure(service.refresh());
    assert.match(error.message, new RegExp(name));
    assert.match(service.status().lastError, new RegExp(name));
    assert.equal(await outcome(secure(service), mint(KEY)), 'keys_unavailable');
  }
  const enough = getSimpleJwksService(server.jwksUri, { maxKeys: 3, maxDocumentBytes: 1e6 });
  assert.equal(await outcome(secure(enough), mint(KEY)), 'passes');
});

test('keyUses: keys for other uses than `sig`, as in a SPIFFE bundle, are used where they are named', async (t) => {
  const key = newKey();
  key.jwk.use = 'jwt-svid';
  const server = await AuthorizationServer.start(t, [key]);
  const set = { keys: [key.jwk] };
  const rules = { types: ['JWT', 'JOSE'], orNoType: true, audience: 'orders' };
  const token = mint(key, { sub: 'spiffe://example.org/a', aud: ['orders'] }, { typ: 'JOSE' });
  const named = { keyUses: 'jwt-svid' };
  const services = [getSimpleJwksService(server.jwksUri, named), localKeys(set, named), localKeys(key.jwk, named)];
  for (const service of [...services, localKeys(JSON.stringify(set), { keyUses: ['a', 'jwt-svid'] })]) {
    assert.equal(await outcome(secure(service, rules), token), 'passes');
  }
  assert.throws(() => localKeys(set), /keyUses/);
  const unnamed = getSimpleJwksService(server.jwksUri);
  await assert.rejects(unnamed.refresh(), /expected a key set with a usable key/);
  assert.match(unnamed.status().skipped[0].problem, /keyUses/);
});

test('trustDomain: `sub` is of the trust domain, in the place of `iss`', async (t) => {
  const svid = { trustDomain: 'example.org', types: ['JWT', 'JOSE'], orNoType: true, audience: 'orders' };
  const aud = ['orders'];
  await holds([
    [svid, { sub: 'spiffe://example.org/a', aud }, 'passes', { typ: 'JOSE' }],
    [svid, { sub: 'spiffe://example.org/a/b', aud, iss: 'https://spire' }, 'passes'],
    [svid, { sub: 'spiffe://example.org.evil/a', aud }, 'wrong_issuer'],
    [svid, { sub: 'spiffe://example.or/a', aud }, 'wrong_issuer'],
    [svid, { sub: 'spiffe://example.org@evil/a', aud }, 'wrong_issuer'],
    [svid, { sub: 'alice', aud, iss: 'spiffe://example.org' }, 'wrong_issuer'],
    [svid, { sub: undefined, aud }, 'wrong_issuer'],
    [svid, { sub: 'spiffe://example.org/a', aud: 'others' }, 'wrong_audience'],
  ]);
  for (const other of [{ issuer: ISSUER }, { rfc9068: true }]) {
    assert.throws(() => secure(KEYS, { ...svid, ...other }), /trustDomain takes the place/);
  }
  const server = await AuthorizationServer.start(t, [KEY]);
  const token = mint(KEY, { sub: 'spiffe://example.org/a', aud });
  assert.equal(await outcome(secure(discovery({ issuer: server.issuer }), svid), token), 'passes');
  const several = secure(anyOf([{ jwks: KEYS, ...svid }, { jwks: localKeys({ keys: [newKey().jwk] }), issuer: ISSUER }]));
  assert.equal(await outcome(several, token), 'passes');
  assert.equal(await outcome(several, mint(KEY, { iss: ISSUER })), 'unknown_key');
});

test('a key set as real servers write it is read, and its oddities are told', async (t) => {
  const rsa = namedKey('RS256');
  const padded = { ...rsa.jwk, n: `${rsa.jwk.n.replaceAll('-', '+').replaceAll('_', '/')}==`, key_ops: [], oth: [], x5c: [] };
  const server = await AuthorizationServer.start(t);
  server.fail((request, response) => response.end(`\ufeff${JSON.stringify({ keys: [padded] })}`));
  const log = collectLog(t);
  const service = getSimpleJwksService(server.jwksUri);
  assert.equal(await outcome(secure(service), mint(rsa)), 'passes');
  const { warnings, skipped } = service.status();
  assert.deepEqual([skipped, warnings.some(({ kid }) => kid === rsa.kid)], [[], true]);
  assert.ok(warnings.every(({ oddity }) => typeof oddity === 'string' && oddity !== ''));
  await log.line(/oddity|zeros|alphabet|padding|base64/);
});

test('localKeys takes keys in the forms in which people hold them, and names what is none', () => {
  const bare = KEY.pem.replace(/-----[A-Z ]+-----|\n/g, '');
  assert.ok(localKeys(bare).ready);
  refuses((keys) => localKeys(keys), [
    ['<!doctype html><html></html>', 'HTML'],
    ['ssh-rsa AAAAB3NzaC1yc2E= a@b', 'SSH'],
    ['', 'empty'],
  ]);
});

test('a public key in bytes is no secret: everyone could sign', async () => {
  const der = createPublicKey(KEY.pem).export({ type: 'spki', format: 'der' });
  const asSecret = createSecretKey(Buffer.from(KEY.pem));
  const algorithms = ['ES256', 'HS256'];
  for (const bytes of [Buffer.from(KEY.pem), new Uint8Array(Buffer.from(KEY.pem)), der, Buffer.from(JSON.stringify(KEY.jwk)), asSecret]) {
    assert.throws(() => localKeys(bytes), /^TypeError: localKeys: the key cannot be used: expected a secret, got .+: give keys as text/);
    const forged = mint({ ...KEY, alg: 'HS256', privateKey: createSecretKey(bytes.export?.() ?? bytes) });
    assert.equal(await outcome(secure(() => bytes, { algorithms }), forged), 'keys_unavailable');
  }
});

test('orNoType: a token without a type passes beside those that are named', async () => {
  const none = { typ: undefined };
  await holds([
    [{}, {}, 'passes', none],
    [{ types: 'at+jwt' }, {}, 'wrong_type', none],
    [{ types: 'at+jwt', orNoType: true }, {}, 'passes', none],
    [{ types: 'at+jwt', orNoType: true }, {}, 'passes', { typ: 'at+jwt' }],
    [{ types: 'at+jwt', orNoType: true }, {}, 'wrong_type', { typ: 'JWT' }],
    [{ types: 'at+jwt', orNoType: true }, {}, 'malformed_header', { typ: null }],
    [{ types: ['JWT', 'JOSE'], orNoType: true }, {}, 'passes', { typ: 'JOSE' }],
    [{ rfc9068: true, issuer: ISSUER, audience: 'api' }, STRICT, 'wrong_type', none],
    [{ rfc9068: true, issuer: ISSUER, audience: 'api', orNoType: true }, STRICT, 'passes', none],
    [{ rfc9068: true, issuer: ISSUER, audience: 'api', orNoType: true }, STRICT, 'wrong_type', { typ: 'JWT' }],
  ]);
});

test('a token that is bound to its sender\'s key passes only where that is called dangerous', async () => {
  const accepting = { dangerouslyAcceptSenderConstrainedTokens: true };
  const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
  const table = [
    [{ jkt: THUMBPRINT }, 'sender_constrained_token'],
    [{ 'x5t#S256': THUMBPRINT }, 'sender_constrained_token'],
    [{ jkt: THUMBPRINT, 'x5t#S256': THUMBPRINT, kid: 'a' }, 'sender_constrained_token'],
    [{ jwk: KEY.jwk }, 'unsupported_confirmation'],
    [{ kid: 'a' }, 'unsupported_confirmation'],
    [{ jkt: 7 }, 'malformed_claim'],
    [{ jkt: '' }, 'malformed_claim'],
    [{ jkt: 'thumbprint' }, 'malformed_claim'],
    [{}, 'malformed_claim'],
    [null, 'malformed_claim'],
    ['thumbprint', 'malformed_claim'],
    [[], 'malformed_claim'],
  ];
  for (const [cnf, code] of table) {
    const token = mint(KEY, { cnf });
    assert.equal(await outcome(secure(KEYS), token), code, JSON.stringify(cnf));
    assert.equal(await outcome(secure(async () => KEY.publicKey), token), code, JSON.stringify(cnf));
    // A verifier that accepts it has its own cache.
    assert.equal(await outcome(secure(KEYS, accepting), token), 'passes', JSON.stringify(cnf));
    assert.equal(await outcome(secure(KEYS), token), code, JSON.stringify(cnf));
  }
  const { status, headers } = await failure(secure(KEYS).verify(mint(KEY, { cnf: { jkt: THUMBPRINT } })));
  assert.equal(status, 401, 'the client has to ask in another way, so 403 would mislead it');
  assert.match(headers['www-authenticate'], /error="invalid_token"/);
});

test('maxTokenBytes: the longest token that is looked at, 16 KiB by default; a refusal names it', async () => {
  const token = mint(KEY);
  const long = mint(KEY, { groups: 'g'.repeat(20_000) });
  const table = [
    [{}, token, 'passes'],
    [{}, long, 'token_too_large'],
    [{ maxTokenBytes: 32 * 1024 }, long, 'passes'],
    [{ maxTokenBytes: token.length }, token, 'passes'],
    [{ maxTokenBytes: token.length - 1 }, token, 'token_too_large'],
    [{ maxTokenBytes: 1 }, 'x', 'malformed_token_parts'],
  ];
  for (const [options, token, expected] of table) {
    assert.equal(await outcome(secure(KEYS, options), token), expected, JSON.stringify(options));
    assert.equal(await outcome(secure(async () => KEY.publicKey, options), token), expected, JSON.stringify(options));
  }
  const { reason, message } = await failure(secure(KEYS).verify(long));
  assert.match(reason, /16384 bytes \(maxTokenBytes\)/);
  assert.equal(message, 'Token is too large');
});

test('leeway: how far the clocks may be apart, 5 s by default, 300 at most', async () => {
  const now = Date.now() / 1000;
  await holds([
    [{}, { exp: now - 3 }, 'passes'],
    [{}, { exp: now - 8 }, 'expired'],
    [{ leeway: 0 }, { exp: now - 1 }, 'expired'],
    [{ leeway: 0.5 }, { exp: now - 1 }, 'expired'],
    [{ leeway: 300 }, { exp: now - 290 }, 'passes'],
    [{ leeway: 300 }, { exp: now - 310 }, 'expired'],
    [{ leeway: 60 }, { nbf: now + 50 }, 'passes'],
    [{ leeway: 60 }, { nbf: now + 70 }, 'not_yet_valid'],
    [{ leeway: 60 }, { iat: now + 70 }, 'issued_in_future'],
  ]);
});

test('a token without exp passes only where that is asked for by name', async () => {
  await holds([
    [{}, { exp: undefined }, 'missing_claim'],
    [{ dangerouslyAcceptTokensWithoutExpiry: true }, { exp: undefined }, 'passes'],
    [{ dangerouslyAcceptTokensWithoutExpiry: true }, { exp: 1 }, 'expired'],
  ]);
});

test('rfc9068: the type and all claims of a JWT access token', async () => {
  const options = { rfc9068: true, issuer: ISSUER, audience: ['api', 'other'] };
  const typ = { typ: 'at+jwt' };
  await holds([
    [options, STRICT, 'passes', typ],
    [options, { ...STRICT, aud: ['other'] }, 'passes', typ],
    [options, { ...STRICT, aud: 'third' }, 'wrong_audience', typ],
    [options, STRICT, 'wrong_type'],
    [options, STRICT, 'wrong_type', { typ: undefined }],
    ...['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'].map((claim) => [
      options,
      { ...STRICT, [claim]: undefined },
      'missing_claim',
      typ,
    ]),
  ]);
});

test('scope: an array, or one string with spaces; all values have to be granted', async () => {
  await holds([
    [{ scope: 'a' }, { scope: 'a b' }, 'passes'],
    [{ scope: 'a b' }, { scope: 'b a' }, 'passes'],
    [{ scope: 'a b' }, { scope: 'a' }, 'insufficient_scope'],
    [{ scope: ['a', 'b'] }, { scp: ['b', 'a'] }, 'passes'],
    [{ scope: ['a', 'b'] }, { scp: 'b a' }, 'passes'],
    [{ scope: ['a'] }, { scope: 'b', scp: ['a'] }, 'insufficient_scope'],
    [{ scope: ['a', 'b'] }, { scope: ['b', 'c', 'a'] }, 'passes'],
    [{ scope: ['a', 'b'] }, { scope: ['a b'] }, 'insufficient_scope'],
    [{ scope: ['a'] }, { scope: [], scp: ['a'] }, 'insufficient_scope'],
    [{ scope: ['a'] }, { scope: [['a'], { a: true }, null] }, 'insufficient_scope'],
    [{ anyScope: ['a', 'b'] }, { scope: ['b'] }, 'passes'],
    [{ anyScope: ['a', 'b'] }, { scp: ['c'] }, 'insufficient_scope'],
    [{ scope: ['a'] }, { scope: null, scp: ['a'] }, 'insufficient_scope'],
    [{ scope: ['a'] }, { scope: { a: true } }, 'insufficient_scope'],
  ]);
});

test('scope and claims: empty arrays ask for nothing, as the defaults of express-oauth-jwt', async () => {
  await holds([[{ scope: [], claims: [], realm: '' }, {}, 'passes']]);
});

test('anyScope: one value is enough', async () => {
  await holds([
    [{ anyScope: ['a', 'b'] }, { scope: 'b' }, 'passes'],
    [{ anyScope: 'a b' }, { scope: 'a' }, 'passes'],
    [{ anyScope: ['a', 'b'] }, { scope: 'c' }, 'insufficient_scope'],
    [{ anyScope: ['a', 'b'], scope: 'c' }, { scope: 'c' }, 'insufficient_scope'],
    [{ anyScope: ['a', 'b'], scope: 'c' }, { scope: 'c a' }, 'passes'],
  ]);
  const { headers } = await failure(secure(KEYS, { scope: 'c', anyScope: ['a', 'b'] }).verify(mint(KEY)));
  assert.match(headers['www-authenticate'], /, scope="c a b"$/);
});

test('claims: a value is any JSON, and nothing is converted', async () => {
  const rule = (value) => ({ claims: [{ name: 'c', value }] });
  await holds([
    [rule(1), { c: 1 }, 'passes'],
    [rule(1), { c: 1.0 }, 'passes'],
    [rule(1), { c: '1' }, 'required_claims'],
    [rule('1'), { c: 1 }, 'required_claims'],
    [rule(1), { c: true }, 'required_claims'],
    [rule(0), { c: 1 }, 'required_claims'],
    [rule(0), { c: 0 }, 'passes'],
    [rule(false), { c: true }, 'required_claims'],
    [rule(false), { c: false }, 'passes'],
    [rule(''), { c: 'a' }, 'required_claims'],
    [rule(''), { c: '' }, 'passes'],
    [rule(null), { c: null }, 'passes'],
    [rule(null), { c: 0 }, 'required_claims'],
    [rule(null), {}, 'required_claims'],
    [rule(['a']), { c: ['a'] }, 'passes'],
    [rule(['a', 'b']), { c: ['b', 'a'] }, 'required_claims'],
    [rule({ a: 1 }), { c: { a: 1 } }, 'passes'],
    [rule({ a: 1 }), { c: { a: 1, b: 2 } }, 'required_claims'],
    [rule({ a: 1 }), { c: [{ a: 1 }] }, 'passes'],
  ]);
});

test('claims: one of several values, a pattern, absence', async () => {
  const one = { claims: [{ name: 'c', oneOf: ['a', 1, null] }] };
  const pattern = { claims: [{ name: 'sub', matches: 'repo:my-org/*' }] };
  const inner = { claims: [{ name: '/r/list', matches: '*:read:*' }] };
  const absent = { claims: [{ name: 'act', absent: true }] };
  await holds([
    [one, { c: 'a' }, 'passes'],
    [one, { c: 1.0 }, 'passes'],
    [one, { c: null }, 'passes'],
    [one, { c: ['b', 'a'] }, 'passes'],
    [one, { c: '1' }, 'required_claims'],
    [one, { c: 'ab' }, 'required_claims'],
    [one, { c: [] }, 'required_claims'],
    [one, {}, 'required_claims'],
    [pattern, { sub: 'repo:my-org/api' }, 'passes'],
    [pattern, { sub: 'repo:my-org/a/b' }, 'passes'],
    [pattern, { sub: 'repo:my-org/' }, 'passes'],
    [pattern, { sub: 'repo:my-org-evil/api' }, 'required_claims'],
    [pattern, { sub: 'x repo:my-org/api' }, 'required_claims'],
    [pattern, { sub: 'REPO:my-org/api' }, 'required_claims'],
    [inner, { r: { list: ['a', 'orders:read:eu'] } }, 'passes'],
    [inner, { r: { list: ['orders:write:eu', 7] } }, 'required_claims'],
    [absent, {}, 'passes'],
    [absent, { act: { sub: 'bob' } }, 'forbidden_claim'],
    [absent, { act: null }, 'forbidden_claim'],
    [{ claims: [{ name: 'act', absent: false }] }, {}, 'required_claims'],
    [{ claims: [{ name: 'c', value: { oneOf: 1, a_b: 2 } }] }, { c: { oneOf: 1, a_b: 2 } }, 'passes'],
  ]);
  const { status } = await failure(secure(KEYS, { ...absent, invalidTokenStatus: 401 }).verify(mint(KEY, { act: 1 })));
  assert.equal(status, 401);
});

test('claims: a rule of a class is held, also where its members are those of the class', async () => {
  class Rule {
    get name() {
      return 'role';
    }

    get oneOf() {
      return ['admin'];
    }
  }
  await holds([
    [{ claims: [new Rule()] }, { role: 'admin' }, 'passes'],
    [{ claims: [new Rule()] }, { role: 'user' }, 'required_claims'],
  ]);
});

test('options of a class are read, also where they are those of the class', async () => {
  class Strict {
    get scope() {
      return 'a';
    }

    get claims() {
      return [{ name: 'role' }, ({ role }) => role !== 'guest'];
    }

    get audience() {
      return 'api';
    }
  }
  await holds([
    [new Strict(), { aud: 'api', scope: 'a', role: 'admin' }, 'passes'],
    [new Strict(), { aud: 'api', scope: 'b', role: 'admin' }, 'insufficient_scope'],
    [new Strict(), { aud: 'api', scope: 'a' }, 'required_claims'],
    [new Strict(), { aud: 'api', scope: 'a', role: 'guest' }, 'required_claims'],
    [new Strict(), { aud: 'other', scope: 'a', role: 'admin' }, 'wrong_audience'],
  ]);
  const issuer = Object.create({ audience: 'api' }, { jwks: { value: KEYS }, issuer: { value: ISSUER } });
  assert.equal(await outcome(secure(anyOf([issuer])), mint(KEY, { iss: ISSUER, aud: 'other' })), 'wrong_audience');
});

test('impliedScopes: a value grants others, and what those grant; hasScope and the rules agree', async () => {
  const impliedScopes = { admin: ['orders:write'], 'orders:write': ['orders:read'], a_b: ['camelCase', 'a_b'] };
  const table = [
    ['orders:read', 'admin', true],
    ['orders:read', 'orders:write', true],
    ['orders:read', 'x orders:read', true],
    ['orders:write', 'orders:read', false],
    ['camelCase', 'a_b', true],
    ['camelCase', 'aB', false],
    ['orders:read', 'admins', false],
    ['orders:read', ['admin'], true],
    ['orders:read', ['admin x'], false],
    ['constructor', 'admin', false],
  ];
  const guard = secure(KEYS, { impliedScopes });
  for (const [asked, scope, isGranted] of table) {
    const token = mint(KEY, { scope });
    const access = await guard.verify(token);
    assert.deepEqual(access.scopes, [scope].flat().flatMap((value) => (scope === value ? value.split(' ') : [value])));
    assert.equal(access.hasScope(asked), isGranted, `${asked} ${scope}`);
    for (const rule of [{ scope: asked }, { anyScope: ['y', asked] }, { anyScope: [[asked], [asked, 'y']] }]) {
      const expected = isGranted ? 'passes' : 'insufficient_scope';
      assert.equal(await outcome(secure(KEYS, { ...rule, impliedScopes }), token), expected, `${asked} ${scope}`);
    }
  }
});

test('impliedScopes: whoever changes the object later changes nothing', async () => {
  const impliedScopes = { a: ['b'] };
  const guard = secure(KEYS, { impliedScopes });
  impliedScopes.a.push('admin');
  impliedScopes.b = ['admin'];
  const access = await guard.verify(mint(KEY, { scope: 'a' }));
  assert.deepEqual([access.hasScope('b'), access.hasScope('admin')], [true, false]);
});

test('scopeClaims: the first claim that is there is the scope, for the rules and for hasScope', async () => {
  const scopeClaims = ['permissions', '/realm/roles', 'scope'];
  const table = [
    [{ permissions: ['a'] }, true],
    [{ permissions: 'b a' }, true],
    [{ permissions: [], scope: 'a' }, false],
    [{ permissions: null, scope: 'a' }, false],
    [{ realm: { roles: ['a'] } }, true],
    [{ realm: { roles: ['b'] }, scope: 'a' }, false],
    [{ realm: {}, scope: 'a' }, true],
    [{ scp: 'a' }, false],
    [{}, false],
  ];
  for (const [claims, isGranted] of table) {
    const token = mint(KEY, claims);
    const access = await secure(KEYS, { scopeClaims }).verify(token);
    assert.equal(access.hasScope('a'), isGranted, JSON.stringify(claims));
    const expected = isGranted ? 'passes' : 'insufficient_scope';
    assert.equal(await outcome(secure(KEYS, { scopeClaims, scope: 'a' }), token), expected, JSON.stringify(claims));
  }
  await holds([[{ scopeClaims: 'permissions', scope: 'a' }, { permissions: ['a'] }, 'passes']]);
});

test('scopeClaims: of several issuers, each has its own', async () => {
  const partner = newKey();
  const workload = newKey();
  const guard = secure(anyOf([
    { jwks: KEYS, issuer: ISSUER, scopeClaims: 'permissions' },
    { jwks: localKeys({ keys: [partner.jwk] }), issuer: ['https://b.example', 'https://c.example'] },
    { jwks: localKeys({ keys: [workload.jwk] }), trustDomain: 'example.org', scopeClaims: 'rights' },
  ]));
  const claims = { permissions: 'one', scope: 'two', rights: 'three' };
  const table = [
    [KEY, { iss: ISSUER }, 'one'],
    [partner, { iss: 'https://b.example' }, 'two'],
    [partner, { iss: 'https://c.example' }, 'two'],
    [workload, { sub: 'spiffe://example.org/a' }, 'three'],
    [workload, { sub: 'spiffe://example.org/a', iss: 'https://spire' }, 'three'],
  ];
  for (const [key, about, scope] of table) {
    const access = await guard.verify(mint(key, { ...claims, ...about }));
    assert.deepEqual(access.scopes, [scope]);
  }
});

test('maxTokenLifetime: the longest time from iat to exp', async () => {
  const now = Math.floor(Date.now() / 1000);
  const hour = { maxTokenLifetime: 3600 };
  await holds([
    [hour, { iat: now, exp: now + 3600 }, 'passes'],
    [hour, { iat: now, exp: now + 3601 }, 'token_lifetime_too_long'],
    [hour, { iat: undefined, exp: now + 60 }, 'missing_claim'],
    [{}, { iat: now, exp: now + 1e9 }, 'passes'],
    [{ maxTokenLifetime: 0.5 }, { iat: now, exp: now + 60 }, 'token_lifetime_too_long'],
  ]);
});

test('maxTokenAge: the longest time since iat', async () => {
  const now = Math.floor(Date.now() / 1000);
  const hour = { maxTokenAge: 3600 };
  await holds([
    [hour, { iat: now - 3590, exp: now + 1e9 }, 'passes'],
    [hour, { iat: now - 3606, exp: now + 60 }, 'token_too_old'],
    [hour, { iat: undefined, exp: now + 60 }, 'missing_claim'],
    [{}, { iat: 0, exp: now + 60 }, 'passes'],
  ]);
});

test('a guard with the defaults written out shares the tokens of one without', async () => {
  const written = { leeway: 5, orNoType: false, maxKeyAttempts: 16, tokenCache: true, scopeClaims: ['scope', 'scp'] };
  const token = mint(KEY);
  // One after the other: several at once may go to other threads, where each is verified by itself.
  const first = await secure(KEYS).verify(token);
  const second = await secure(KEYS, written).verify(token);
  assert.equal(first.claims, second.claims);
});

test('claims: a JSON Pointer finds nested ones', async () => {
  const claims = {
    realm_access: { roles: ['user', 'admin'] },
    'a/b': { 'c~d': 1 },
    '~1': 2,
    'https://x.example/role': 'r',
    list: [{ id: 7 }, ['deep']],
    '': { '': 'empty' },
  };
  const table = [
    ['/realm_access/roles', 'admin', true],
    ['/realm_access/roles', 'root', false],
    ['/realm_access/roles/1', 'admin', true],
    ['/realm_access/roles/0', 'admin', false],
    ['/realm_access/roles/01', 'admin', false],
    ['/realm_access/roles/2', undefined, false],
    ['/realm_access/roles/-', undefined, false],
    ['/realm_access/roles/length', undefined, false],
    ['/a~1b/c~0d', 1, true],
    ['/a/b/c~0d', undefined, false],
    ['/~01', 2, true],
    ['~1', 2, true],
    ['a/b', undefined, true],
    ['https://x.example/role', 'r', true],
    ['/list/0/id', 7, true],
    ['/list/1/0', 'deep', true],
    ['/list/0/id/x', undefined, false],
    ['//', 'empty', true],
    ['realm_access.roles', undefined, false],
    ['/sub', 'alice', true],
  ];
  for (const [name, value, met] of table) {
    const byValue = { claims: [value === undefined ? { name } : { name, value }] };
    const holds = (actual) => value === undefined || [actual].flat().includes(value);
    const byFunction = { claims: [{ name, value: holds }] };
    for (const options of [byValue, byFunction]) {
      assert.equal(await outcome(secure(KEYS, options), mint(KEY, claims)), met ? 'passes' : 'required_claims', name);
    }
  }
});

test('claims: a function of a name gets the value and all claims, and judges them', async () => {
  const calls = [];
  const value = (...call) => calls.push(call) && call[0] > 17;
  const guard = secure(KEYS, { claims: [{ name: '/person/age', value }] });
  const claims = { person: { age: 18 }, n: 1 };
  assert.equal(await outcome(guard, mint(KEY, claims)), 'passes');
  assert.equal(await outcome(guard, mint(KEY, { person: { age: 17 } })), 'required_claims');
  assert.equal(await outcome(guard, mint(KEY)), 'required_claims');
  assert.deepEqual([calls.length, calls[0][0], calls[0][1].n, calls[0][1].sub], [2, 18, 1, 'alice']);
});

test('claims: a function for all claims is asked for each request, also with a token that is cached', async () => {
  let open = true;
  const guard = secure(KEYS, { claims: [(claims) => open && claims.sub === 'alice'] });
  const token = mint(KEY);
  assert.equal(await outcome(guard, token), 'passes');
  open = false;
  assert.equal(await outcome(guard, token), 'required_claims');
});

test('claims: all rules are held, of whatever kind', async () => {
  const claims = [{ name: 'a' }, { name: 'b', value: 1 }, { name: 'c', value: (c) => c === 2 }, ({ d }) => d === 3];
  const good = { a: 0, b: 1, c: 2, d: 3 };
  await holds([
    [{ claims }, good, 'passes'],
    ...Object.keys(good).map((name) => [{ claims }, { ...good, [name]: undefined }, 'required_claims']),
  ]);
});

test('claims: a function that is async, throws, or gives no boolean lets nothing pass', async (t) => {
  const table = [
    [async () => true, TypeError],
    [() => Promise.resolve(false), TypeError],
    [() => 1, TypeError],
    [() => 'yes', TypeError],
    [() => undefined, TypeError],
    [() => null, TypeError],
    [() => ({}), TypeError],
    [() => Object(true), TypeError],
    [() => { throw new RangeError('mine'); }, RangeError],
  ];
  for (const [holds, Class] of table) {
    for (const rule of [holds, { name: 'sub', value: holds }]) {
      const guard = secure(KEYS, { claims: [rule], next: false });
      assert.ok((await failure(guard.verify(mint(KEY)))) instanceof Class);
      const errors = [];
      const app = guardedApp(5, guard);
      app.use((error, req, res, next) => res.status(500).send(void errors.push(error)));
      const { status } = await (await serve(t, app)).get(mint(KEY));
      assert.deepEqual([status, errors.length, errors[0] instanceof Class], [500, 1, true], String(holds));
    }
  }
});

test('claims: such a function lets nothing pass where keys have to be fetched first, either', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  for (const rule of [async () => true, () => { throw new RangeError('mine'); }]) {
    const app = guardedApp(5, secure(getSimpleJwksService(server.jwksUri), { claims: [rule] }));
    let error;
    app.use((caught, req, res, next) => res.status(500).send(void (error = caught)));
    assert.equal((await (await serve(t, app)).get(mint(KEY))).status, 500);
    assert.ok(error instanceof Error);
  }
});

test('optional: without credentials a request passes, without claims', async (t) => {
  const client = await serve(t, guardedApp(5, secure(KEYS, { optional: true, scope: 'read' })));
  const good = mint(KEY, { scope: 'read' });
  const table = [
    [{}, 200, 'null'],
    [{ authorization: 'Basic YTpi' }, 200, 'null'],
    [{ authorization: 'Bearer' }, 401],
    [{ authorization: 'Bearer a.b.c' }, 403],
    [{ authorization: `Bearer ${mint(KEY, { exp: 1 })}` }, 403],
    [{ authorization: `Bearer ${mint(KEY)}` }, 403],
    [{ authorization: `Bearer ${good}` }, 200],
  ];
  for (const [headers, status, body] of table) {
    const answer = await client.request({ headers });
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(answer.body === 'null', body === 'null', JSON.stringify(headers));
  }
  const twice = await client.raw('GET / HTTP/1.1', `authorization: Bearer ${good}`, `authorization: Bearer ${good}`);
  assert.equal(twice.status, 400);
});

test('optional: bad credentials do not pass while the keys cannot be had, none do', async (t) => {
  const server = await AuthorizationServer.start(t);
  server.fail(FAILURES['status 500']);
  const client = await serve(t, guardedApp(5, secure(getSimpleJwksService(server.jwksUri), { optional: true })));
  assert.equal((await client.get(mint(KEY))).status, 503);
  assert.equal((await client.get()).status, 200);
});

test('optional: verify and verifyRequest give null without credentials', async () => {
  const guard = secure(KEYS, { optional: true });
  assert.equal(await guard.verifyRequest({ headers: {} }), null);
  assert.equal(await guard.verify(undefined), null);
});

for (const version of [4, 5]) {
  test(`optional: an outer guard's claims are not the word of an optional one (Express ${version})`, async (t) => {
    const app = EXPRESS[version]();
    const getToken = (req) => req.headers['x-token'];
    app.use(secure(KEYS), secure(KEYS, { optional: true, getToken }));
    app.get('/', (req, res) => res.json({ claims: req.claims ?? null, auth: req.auth ?? null }));
    const client = await serve(t, app);
    const headers = { authorization: `Bearer ${mint(KEY)}` };
    const without = await client.request({ headers });
    assert.deepEqual([without.status, JSON.parse(without.body)], [200, { claims: null, auth: null }]);
    const inner = await client.request({ headers: { ...headers, 'x-token': mint(KEY, { sub: 'bob' }) } });
    assert.equal(JSON.parse(inner.body).claims.sub, 'bob');
    const bad = await client.request({ headers: { ...headers, 'x-token': 'bad' } });
    assert.equal(bad.status, 403);
  });
}

test('tokenCache: switched off, of a size, or of none, verdicts are the same', async () => {
  const sizes = [{ bytes: 0 }, { bytes: undefined }, { tokens: 0 }, { bytes: 2000 }, { tokens: 1 }, { bytes: 1e9, tokens: 5 }];
  const tokenCaches = [true, false, ...sizes];
  for (const tokenCache of tokenCaches) {
    const guard = secure(KEYS, { tokenCache, scope: 'read' });
    const tokens = ['a', 'b', 'c'].map((sub) => mint(KEY, { sub, scope: 'read' }));
    for (const token of [...tokens, ...tokens, ...tokens]) {
      const { claims } = await guard.verify(token);
      assert.equal(claims.sub, 'abc'[tokens.indexOf(token)], JSON.stringify(tokenCache));
    }
    assert.equal(await outcome(guard, mint(KEY)), 'insufficient_scope');
    assert.equal(await outcome(guard, `${tokens[0].slice(0, -4)}AAAA`), 'bad_signature');
  }
});

test('tokenCache: requests with the same token share their claims, without a cache they do not', async () => {
  const token = mint(KEY);
  const shares = async (guard) => (await guard.verify(token)).claims === (await guard.verify(token)).claims;
  assert.equal(await shares(secure(KEYS)), true);
  assert.equal(await shares(secure(KEYS, { tokenCache: false })), false);
});

test('invalidate forgets a token, which stays good', async () => {
  const guard = secure(KEYS);
  const token = mint(KEY);
  const { claims } = await guard.verify(token);
  guard.invalidate(token);
  const again = await guard.verify(token);
  assert.notEqual(again.claims, claims);
  assert.deepEqual(again.claims, claims);
});

test('a cached token expires on time', async (t) => {
  const guard = secure(KEYS, { leeway: 0 });
  const token = mint(KEY, { exp: Date.now() / 1000 + 0.3 });
  assert.equal(await outcome(guard, token), 'passes');
  let last;
  do {
    last = await outcome(guard, token);
  } while (last === 'passes' && (await new Promise((resolve) => setImmediate(resolve, true))));
  assert.equal(last, 'expired');
});

test('getToken: says where the token is, and no other place counts', async (t) => {
  const getToken = (req) => /(?:^|; )at=([^;]*)/.exec(req.headers.cookie ?? '')?.[1];
  const codes = [];
  const onError = ({ code }) => codes.push(code);
  const client = await serve(t, guardedApp(5, secure(KEYS, { getToken, onError })));
  const table = [
    [{ cookie: `a=b; at=${mint(KEY)}` }, 200],
    [{ cookie: 'at=' }, 401, 'empty_token'],
    [{ cookie: 'at=x' }, 403, 'malformed_token_parts'],
    [{ cookie: `at=Bearer ${mint(KEY)}` }, 403, 'malformed_token'],
    [{}, 401, 'no_credentials'],
    [{ authorization: `Bearer ${mint(KEY)}` }, 401, 'no_credentials'],
  ];
  for (const [headers, status, code] of table) {
    assert.equal((await client.request({ headers })).status, status, JSON.stringify(headers));
    assert.equal(status === 200 ? undefined : codes.pop(), code);
  }
});

test('getToken: one that throws goes to the error handler, one that gives no string to 401', async (t) => {
  const app = EXPRESS[5]();
  let error;
  app.use('/throws', secure(KEYS, { getToken: () => { throw new RangeError('mine'); } }));
  const gifts = [undefined, null, 7, {}, [mint(KEY)], Promise.resolve(mint(KEY)), Buffer.from(mint(KEY))];
  gifts.forEach((gift, index) => app.use(`/${index}`, secure(KEYS, { getToken: () => gift })));
  app.use((caught, req, res, next) => res.status(500).send(void (error = caught)));
  const client = await serve(t, app);
  assert.equal((await client.get(mint(KEY), '/throws')).status, 500);
  assert.ok(error instanceof RangeError);
  for (const index of gifts.keys()) {
    assert.equal((await client.get(mint(KEY), `/${index}`)).status, 401, String(gifts[index]));
  }
});

test('discovery finds the keys by the metadata, and holds tokens to the issuer', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const service = discovery({ issuer: server.issuer });
  const guard = secure(service);
  assert.equal(service.issuer, server.issuer);
  assert.equal(await outcome(guard, mint(KEY, { iss: server.issuer })), 'passes');
  assert.equal(await outcome(guard, mint(KEY, { iss: `${server.issuer}/` })), 'wrong_issuer');
  assert.equal(await outcome(guard, mint(KEY)), 'missing_claim');
  assert.deepEqual(server.counts, { jwks: 1, metadata: 1 });
});

test('discovery falls back to the metadata of RFC 8414', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.fail((request, response) => {
    const documents = {
      '/.well-known/oauth-authorization-server': { issuer: server.issuer, jwks_uri: server.jwksUri },
      '/jwks': { keys: [KEY.jwk] },
    };
    const document = documents[request.url];
    response.writeHead(document ? 200 : 404).end(JSON.stringify(document));
  });
  const guard = secure(discovery({ issuer: server.issuer }));
  assert.equal(await outcome(guard, mint(KEY, { iss: server.issuer })), 'passes');
});

test('discovery trusts no metadata of another issuer, or that name an insecure address', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const lies = [
    { issuer: 'https://evil.example' },
    { issuer: undefined },
    { issuer: `${server.issuer}/` },
    { jwks_uri: 'http://evil.example/jwks' },
    { jwks_uri: 'file:///etc/passwd' },
    { jwks_uri: 7 },
    { jwks_uri: undefined },
  ];
  for (const metadata of lies) {
    server.metadata = metadata;
    const service = discovery({ issuer: server.issuer });
    assert.equal(await outcome(secure(service), mint(KEY, { iss: server.issuer })), 'keys_unavailable');
    assert.equal(await outcome(secure(service), mint(KEY, { iss: 'https://evil.example' })), 'wrong_issuer');
    await assert.rejects(service.prefetch(), /metadata/);
  }
  assert.equal(server.counts.jwks, 0);
});

test('prefetch tells a wrong issuer of discovery, of which tokens get 403 alone', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const log = collectLog(t);
  const service = discovery({ issuer: `${server.issuer}/` });
  const guard = secure(service, { audience: 'api' });
  const { code, status } = await failure(guard.verify(mint(KEY, { iss: server.issuer, aud: 'api' })));
  assert.deepEqual([code, status, log.lines, server.counts], ['wrong_issuer', 403, [], { jwks: 0, metadata: 0 }]);
  await assert.rejects(service.prefetch(), ({ message }) => {
    assert.ok(message.includes(`expected metadata of the issuer ${server.issuer}/, to the letter, got "${server.issuer}"`), message);
    return message.includes('configure it without the slash at its end');
  });
});

test('anyOf: the keys of one issuer never verify a token of another', async (t) => {
  const [mine, theirs] = [newKey('ES256', 'k'), newKey('ES256', 'k')];
  const partner = 'https://partner.example';
  const server = await AuthorizationServer.start(t, [mine]);
  const guard = secure(
    anyOf([
      { jwks: discovery({ issuer: server.issuer }), audience: 'api' },
      { jwks: localKeys({ keys: [theirs.jwk] }), issuer: [partner, `${partner}/2`], audience: 'partner-api' },
    ]),
  );
  const table = [
    [mine, { iss: server.issuer, aud: 'api' }, 'passes'],
    [theirs, { iss: partner, aud: 'partner-api' }, 'passes'],
    [theirs, { iss: `${partner}/2`, aud: 'partner-api' }, 'passes'],
    [theirs, { iss: server.issuer, aud: 'api' }, 'bad_signature'],
    [mine, { iss: partner, aud: 'partner-api' }, 'bad_signature'],
    [theirs, { iss: partner, aud: 'api' }, 'wrong_audience'],
    [mine, { iss: server.issuer, aud: 'partner-api' }, 'wrong_audience'],
    [mine, { iss: 'https://third.example', aud: 'api' }, 'wrong_issuer'],
    [mine, { aud: 'api' }, 'missing_claim'],
    [mine, { iss: [server.issuer], aud: 'api' }, 'malformed_claim'],
  ];
  for (const _ of [1, 2]) {
    for (const [key, claims, expected] of table) {
      assert.equal(await outcome(guard, mint(key, claims)), expected, JSON.stringify(claims));
    }
  }
});

test('localKeys takes a JWK Set, its text, a JWK, PEM, a KeyObject, a CryptoKey and a secret', async () => {
  for (const key of ['ES256', 'RS256', 'EdDSA'].map((alg) => namedKey(alg))) {
    const set = { keys: [key.jwk] };
    const forms = [set, JSON.stringify(set), key.jwk, key.pem, key.publicKey, await cryptoKeyOf(key)];
    for (const form of forms) {
      const guard = secure(localKeys(form));
      assert.equal(await outcome(guard, mint(key)), 'passes', key.alg);
      assert.equal(await outcome(guard, mint(namedKey(key.alg, 'forger'), {}, { kid: key.kid })), 'bad_signature');
    }
  }
});

test('a secret works for the HS algorithms that are named, and for no other', async () => {
  const secret = newSecret();
  const bytes = localKeys(secret.bytes);
  assert.equal(await outcome(secure(bytes, { algorithms: 'HS512' }), mint(secret)), 'algorithm_not_allowed');
  for (const form of [secret.bytes, new Uint8Array(secret.bytes), secret.privateKey, { keys: [secret.jwk] }]) {
    const service = localKeys(form);
    refuses((options) => secure(service, options), [
      [{}, 'got those with public keys alone: no token could pass, so name HS256 in `algorithms`'],
      [{ algorithms: ['ES256', 'RS256'] }, 'got ES256, RS256 alone: no token could pass, so name HS256'],
    ]);
    assert.equal(await outcome(secure(service, { algorithms: ['HS256', 'ES256'] }), mint(secret)), 'passes');
    assert.equal(await outcome(secure(service, { algorithms: 'HS256' }), mint(secret)), 'passes');
    assert.equal(await outcome(secure(service, { algorithms: 'HS256' }), mint(newSecret())), 'bad_signature');
  }
});

describe('algorithms: HS alone, where the keys are fetched, is a TypeError that says what to do', () => {
  const FETCHED = {
    discovery: discovery({ issuer: ISSUER }),
    'discovery of tenants': discovery({ issuer: `${ISSUER}/{tenant}` }),
    getSimpleJwksService: getSimpleJwksService(`${ISSUER}/jwks`),
    jwksService: jwksService(new InMemoryCache(), `${ISSUER}/jwks`),
  };
  const opaque = introspector({ endpoint: `${ISSUER}/introspect`, clientId: 'api', clientSecret: 'secret' });
  const toExchange = { endpoint: `${ISSUER}/token`, clientId: 'api', clientSecret: 'secret', issuer: ISSUER };

  for (const [name, jwks] of Object.entries(FETCHED)) {
    test(name, () => {
      for (const algorithms of ['HS256', ['HS256'], ['HS512', 'HS384']]) {
        const others = { algorithms, issuer: jwks.issuer ?? ISSUER, ...(jwks.status().tenants === 0 && { tenantClaim: 'tid' }) };
        const makers = {
          secure: () => secure(jwks, others),
          anyOf: () => anyOf([{ jwks, ...others }]),
          protectedResource: () => protectedResource({ resource: 'https://api.example.com', jwks, ...others }),
          mcp: () => mcp({ resource: 'https://api.example.com', issuers: [{ jwks, ...others }] }),
        };
        refuses((maker) => makers[maker](), Object.keys(makers).map((maker) => [maker, `${maker}: expected an algorithm with public keys in \`algorithms\`, since the keys are fetched, got ${[algorithms].flat().join(', ')} alone: for a shared secret use localKeys`]));
      }
    });
  }

  test('exchanger', () => {
    const make = (options) => exchanger({ ...toExchange, jwks: FETCHED.getSimpleJwksService, algorithms: 'HS256', ...options });
    refuses(make, [[{}, 'exchanger: expected an algorithm with public keys']]);
    make({ algorithms: ['HS256', 'ES256'] });
    make({ dangerouslyAcceptUnverifiedTokens: true });
  });

  test('not beside another algorithm, and not where opaque tokens pass', () => {
    for (const jwks of [FETCHED.discovery, FETCHED.getSimpleJwksService]) {
      secure(jwks, { issuer: ISSUER, algorithms: ['HS256', 'ES256'] });
      secure(jwks, { issuer: ISSUER, algorithms: 'HS256', introspection: opaque });
      anyOf([{ jwks, issuer: ISSUER, algorithms: 'HS256', introspection: opaque }]);
    }
    refuses((algorithms) => secure(FETCHED.discovery, { algorithms }), [[['HS256', 'HS1'], 'HS1']]);
  });
});

test('a secret in a JWKS document opens nothing', async (t) => {
  const secret = newSecret('HS256', 'secret');
  const server = await AuthorizationServer.start(t, [KEY, secret]);
  const guard = secure(getSimpleJwksService(server.jwksUri), { algorithms: ['HS256', 'ES256'] });
  assert.equal(await outcome(guard, mint(KEY)), 'passes');
  assert.equal(await outcome(guard, mint(secret)), 'unusable_key');
});

test('a guard that checks neither issuer nor audience says so in the log, once', async (t) => {
  const script = `
    const { secure, localKeys, setLogger } = require('portcullis');
    setLogger({ warn: (line) => { console.log(line); setImmediate(() => clearInterval(alive)); } });
    const alive = setInterval(() => {}, 1000);
    const keys = localKeys(JSON.parse(process.argv[1]));
    for (let count = 0; count < 5; count += 1) secure(keys, { leeway: count });
  `;
  const { stdout, code } = await run(t, script, { keys: [KEY.jwk] });
  assert.equal(code, 0);
  assert.equal(stdout.trim().split('\n').length, 1, stdout);
  assert.match(stdout, /^portcullis: .*issuer.*audience/);
});

test('a key of a set that cannot be used is told in the log, and spoils nothing', async (t) => {
  const log = collectLog(t);
  const broken = { jwk: { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' } };
  const server = await AuthorizationServer.start(t, [broken, KEY]);
  const service = getSimpleJwksService(server.jwksUri);
  assert.equal(await outcome(secure(service), mint(KEY)), 'passes');
  assert.match(await log.line(/skipped/), /broken/);
  assert.deepEqual([service.status().keys, service.status().skipped[0].kid], [[KEY.kid], 'broken']);
});

test('a rule that is undefined, as from a variable of the environment that is not set, is told, and asks for nothing', async (t) => {
  const lines = [];
  setLogger({ warn: (line) => lines.push(line) });
  t.after(() => setLogger(null));
  const table = [
    [{ scope: undefined }, 'secure: scope: expected a value, got undefined'],
    [{ issuer: ISSUER, audience: undefined, claims: undefined }, 'secure: audience, claims: expected a value, got undefined'],
    [{ issuer: undefined, trustDomain: 'example.org', realm: undefined, onError: undefined }, undefined],
    [{ scope: [], claims: [] }, undefined],
  ];
  for (const [options, expected] of table) {
    lines.length = 0;
    secure(KEYS, options);
    const told = lines.filter((line) => line.includes('got undefined'));
    assert.deepEqual([told.length, told.every((line) => line.includes(expected))], [expected === undefined ? 0 : 1, true]);
  }
  assert.equal(await outcome(secure(KEYS, { scope: undefined }), mint(KEY, {})), 'passes');
});

test('a URL or keys in place of a key service are told what makes one of them', () => {
  const ofUrls = 'for the URL of a key set write `getSimpleJwksService(url)`, for that of an issuer `discovery({ issuer: url })`';
  for (const url of [`${ISSUER}/jwks`, new URL(ISSUER)]) {
    refuses((keys) => secure(keys), [[url, ofUrls]]);
    refuses((jwks) => anyOf([{ jwks, issuer: ISSUER }]), [[url, ofUrls]]);
    refuses((jwks) => exchanger({ endpoint: ISSUER, clientId: 'a', clientSecret: 'b', jwks }), [[url, ofUrls]]);
  }
  const local = [KEY.jwk, { keys: [KEY.jwk] }, KEY.publicKey, Buffer.alloc(32)];
  refuses((keys) => secure(keys), local.map((keys) => [keys, 'for keys of your own write `localKeys(keys)`']));
  assert.throws(() => secure(7), ({ message }) => message.endsWith('got a number'));
  for (const text of ['a secret text', 'x'.repeat(40), '1'.repeat(32), '"a"']) {
    refuses((keys) => localKeys(keys), [[text, 'for a shared secret pass its bytes, `localKeys(Buffer.from(secret))`']]);
  }
  refuses((keys) => localKeys(keys), [[`${ISSUER}/jwks`, 'for the URL of a key set write `getSimpleJwksService(url)`']]);
});

test('issuer: beside discovery it takes the place of its issuer, for servers that name themselves otherwise in tokens', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const login = discovery({ issuer: server.issuer });
  assert.equal(await outcome(secure(login, { issuer: ISSUER }), mint(KEY, { iss: ISSUER })), 'passes');
  assert.equal(await outcome(secure(login, { issuer: ISSUER }), mint(KEY, { iss: server.issuer })), 'wrong_issuer');
  assert.equal(await outcome(secure(login), mint(KEY, { iss: ISSUER })), 'wrong_issuer');
});

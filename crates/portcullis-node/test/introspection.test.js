'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { describe, test } = require('node:test');

const { getRequestListener } = require('@hono/node-server');
const Fastify = require('fastify');
const { Hono } = require('hono');
const Koa = require('koa');
const { anyOf, errors, introspector, jwksService, localKeys, mcp, protectedResource, secure, setLogger } = require('portcullis');
const fastify = require('portcullis/fastify');
const hono = require('portcullis/hono');
const { protect: plainly } = require('portcullis/http');
const koa = require('portcullis/koa');
const { VERSIONS, guardedApp } = require('./support/apps.js');
const { AuthorizationServer, FAILURES, SILENCES } = require('./support/authorization-server.js');
const { run } = require('./support/child.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const SECRET = 'correct horse battery staple, and more';
const now = () => Math.floor(Date.now() / 1000);

setLogger(null);

/** A server that vouches for tokens that begin with `good`, and the introspector that asks it. */
async function start(t, options = {}, answer = activeIfGood) {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.forms['/introspect'] = answer;
  const asks = () => server.counts['/introspect'] ?? 0;
  const ask = introspector({
    endpoint: `${server.issuer}/introspect`,
    clientId: 'my api',
    clientSecret: SECRET,
    ...options,
  });
  return { server, asks, introspection: ask };
}

function activeIfGood({ token }) {
  return token.startsWith('good')
    ? { active: true, sub: 'alice', scope: 'read', exp: now() + 600, client_id: 'app', token_type: 'Bearer' }
    : { active: false };
}

async function outcome(guard, token) {
  return guard.verify(token).then(() => 'passes', ({ code, message }) => code ?? message);
}

for (const version of VERSIONS) {
  describe(`introspection, with Express ${version}`, () => {
    test('an opaque token passes with the claims of the answer, and is asked about once', async (t) => {
      const { server, asks, introspection } = await start(t);
      const client = await serve(t, guardedApp(version, secure(KEYS, { introspection, scope: ['read'] })));
      for (const _ of [1, 2, 3, 4]) {
        const { status, body } = await client.get('good-1');
        assert.deepEqual([status, JSON.parse(body).sub], [200, 'alice']);
      }
      assert.equal(asks(), 1);
      const [{ headers }] = server.requests;
      const basic = Buffer.from(headers.authorization.replace('Basic ', ''), 'base64').toString();
      assert.equal(basic, `my+api:${new URLSearchParams({ a: SECRET }).toString().slice(2)}`);
    });

    test('one that is not active is refused, and is not asked about again at once', async (t) => {
      const { asks, introspection } = await start(t);
      const client = await serve(t, guardedApp(version, secure(KEYS, { introspection, invalidTokenStatus: 401 })));
      for (const _ of [1, 2, 3]) {
        const { status, challenge, headers } = await client.get('revoked');
        assert.equal(status, 401);
        assert.match(String(challenge ?? headers?.['www-authenticate'] ?? ''), /invalid_token|^$/);
      }
      assert.equal(asks(), 1);
    });

    test('JWTs are verified as before, and the server is not asked', async (t) => {
      const { asks, introspection } = await start(t);
      const client = await serve(t, guardedApp(version, secure(KEYS, { introspection })));
      assert.equal((await client.get(mint(KEY))).status, 200);
      assert.equal((await client.get(mint(newKey('ES256', KEY.kid)))).status, 403);
      assert.equal(asks(), 0);
    });
  });
}

/** Servers of each framework that answer 200 to requests that their guard lets pass. */
const FRAMEWORKS = {
  'node:http': async (options) => http.createServer(plainly(secure(KEYS, options), (req, res) => res.end())),
  async Express(options) {
    return guardedApp(5, secure(KEYS, options));
  },
  async Koa(options) {
    return new Koa().use(koa.secure(KEYS, options)).use((ctx) => { ctx.body = ''; }).callback();
  },
  async Hono(options) {
    return getRequestListener(new Hono().use(hono.secure(KEYS, options)).get('/', (c) => c.text('')).fetch);
  },
  async Fastify(options) {
    const app = Fastify();
    await app.register(fastify, { keys: KEYS, ...options });
    app.get('/', async () => '');
    await app.ready();
    return app.routing;
  },
};

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  test(`with ${name}, tokens at which the server fails delay their own client alone`, async (t) => {
    const { introspection } = await start(t, {}, (form) => (form.token.startsWith('odd') ? ['text/plain', '', 500] : activeIfGood(form)));
    const { port } = await serve(t, await make({ introspection }));
    const get = async (token, localAddress) => {
      const headers = { authorization: `Bearer ${token}` };
      const [response] = await once(http.get({ host: '127.0.0.1', port, localAddress, agent: false, headers }), 'response');
      response.resume();
      return response.statusCode;
    };
    for (let index = 0; index < 8; index += 1) {
      assert.equal(await get(`odd-${index}`, '127.0.0.2'), 503);
    }
    assert.deepEqual([await get('good-1', '127.0.0.2'), await get('good-1', '127.0.0.3')], [503, 200]);
  });
}

test('two guards of one request ask once', async (t) => {
  const { asks, introspection } = await start(t);
  const [outer, inner] = [secure(KEYS, { introspection }), secure(KEYS, { introspection, scope: ['read'] })];
  const client = await serve(t, guardedApp(5, inner, (app) => app.use(outer)));
  assert.equal((await client.get('good-1')).status, 200);
  assert.equal(asks(), 1);
});

test('one alone accepts no JWT', async (t) => {
  const { introspection } = await start(t);
  const guard = secure(introspection, { scope: ['read'] });
  assert.equal(await outcome(guard, 'good-1'), 'passes');
  assert.notEqual(await outcome(guard, mint(KEY, { scope: 'read' })), 'passes');
});

test('the rules of the guard judge the claims of the answer', async (t) => {
  const { introspection } = await start(t);
  const table = [
    [{ scope: ['read'] }, 'passes'],
    [{ scope: ['write'] }, 'insufficient_scope'],
    [{ claims: [{ name: 'sub', value: 'alice' }] }, 'passes'],
    [{ claims: [{ name: 'sub', value: 'bob' }] }, 'required_claims'],
    [{ claims: [{ name: 'sub', value: (sub) => sub === 'bob' }] }, 'required_claims'],
    [{ audience: 'api' }, 'missing_claim'],
  ];
  for (const [options, expected] of table) {
    assert.equal(await outcome(secure(KEYS, { introspection, ...options }), 'good-1'), expected, JSON.stringify(options));
  }
});

test('the access of an opaque token tells of it, and its JSON does not', async (t) => {
  const { introspection } = await start(t);
  const access = await secure(KEYS, { introspection }).verify('good-1');
  assert.deepEqual(
    [access.token, access.header, access.phantomJwt, access.scopes, access.clientId],
    ['good-1', undefined, undefined, ['read'], 'app'],
  );
  assert.ok(Object.isFrozen(access.claims));
  assert.doesNotMatch(JSON.stringify(access), /good-1/);
});

test('a phantom token stands for a JWT, which is verified', async (t) => {
  const jwt = mint(KEY, { sub: 'alice', scope: 'read' });
  const answers = {
    good: ['application/jwt', jwt],
    forged: ['application/jwt', mint(newKey('ES256', KEY.kid))],
    expired: ['application/jwt', mint(KEY, { exp: 1 })],
    gone: ['application/jwt', '', 204],
  };
  const { introspection } = await start(t, { form: 'phantom' }, ({ token }) => answers[token]);
  const guard = secure(KEYS, { introspection });
  const access = await guard.verify('good');
  assert.deepEqual([access.phantomJwt, access.token, access.header.kid, access.claims.sub], [jwt, 'good', KEY.kid, 'alice']);
  assert.equal((await guard.verify('good')).phantomJwt, jwt);
  assert.notEqual(await outcome(guard, 'forged'), 'passes');
  assert.notEqual(await outcome(guard, 'expired'), 'passes');
  assert.equal(await outcome(guard, 'gone'), 'inactive_token');
});

test('a signed answer (RFC 9701) is verified', async (t) => {
  const answer = (key, claims = {}) => mint(key, {
    iss: 'https://as.example.com',
    aud: 'my api',
    exp: undefined,
    sub: undefined,
    token_introspection: { active: true, sub: 'alice', exp: now() + 600 },
    ...claims,
  }, { typ: 'token-introspection+jwt' });
  const type = 'application/token-introspection+jwt';
  const answers = {
    good: [type, answer(KEY)],
    forged: [type, answer(newKey('ES256', KEY.kid))],
    others: [type, answer(KEY, { aud: 'another api' })],
    plain: { active: true, sub: 'alice', exp: now() + 600 },
  };
  const { introspection } = await start(t, { form: 'jwt' }, ({ token }) => answers[token]);
  const guard = secure(KEYS, { introspection, issuer: 'https://as.example.com' });
  assert.equal((await guard.verify('good')).claims.sub, 'alice');
  for (const token of ['forged', 'others', 'plain']) {
    assert.equal(await outcome(guard, token), 'introspection_unavailable', token);
  }
});

test('JWTs are introspected where that is asked for', async (t) => {
  const table = [
    [undefined, 'passes', 0],
    ['opaque', 'passes', 0],
    ['all', 'inactive_token', 1],
    [[{ name: 'lightweight', value: true }], 'inactive_token', 1],
    [[{ name: 'lightweight', absent: true }], 'passes', 0],
  ];
  for (const [introspect, expected, count] of table) {
    const { asks, introspection } = await start(t, { introspect }, () => ({ active: false }));
    const guard = secure(KEYS, { introspection, issuer: 'https://as.example.com' });
    assert.equal(await outcome(guard, mint(KEY, { iss: 'https://as.example.com', lightweight: true })), expected, JSON.stringify(introspect));
    assert.equal(asks(), count, JSON.stringify(introspect));
  }
});

test('an answer holds no longer than it may, nor than its token', async (t) => {
  for (const [options, exp] of [[{ keepFor: 0.2 }, 600], [{ keepFor: 60 }, 0.3]]) {
    let active = true;
    const { introspection } = await start(t, options, () => ({ active, exp: Date.now() / 1000 + exp }));
    const guard = secure(KEYS, { introspection, leeway: 0 });
    for (const _ of [1, 2, 3]) {
      assert.equal(await outcome(guard, 'good-1'), 'passes');
    }
    active = false;
    const [revoked, longest] = [Date.now(), 4_000];
    let last;
    do {
      last = await outcome(guard, 'good-1');
    } while (last === 'passes' && (await new Promise((resolve) => setImmediate(resolve, true))));
    assert.ok(['inactive_token', 'expired'].includes(last), last);
    assert.ok(Date.now() - revoked < longest, 'a time of less than a second is over long ago');
  }
});

test('invalidate has a refused token introspected again, too', async (t) => {
  let active = false;
  const { introspection } = await start(t, {}, () => ({ active, exp: now() + 600 }));
  const guard = secure(KEYS, { introspection });
  assert.equal(await outcome(guard, 'late-1'), 'inactive_token');
  active = true;
  assert.equal(await outcome(guard, 'late-1'), 'inactive_token', 'the refusal is remembered');
  guard.invalidate('late-1');
  assert.equal(await outcome(guard, 'late-1'), 'passes');
});

test('invalidate has a token introspected again, at its very next request', async (t) => {
  let active = true;
  const { introspection } = await start(t, {}, () => ({ active, exp: now() + 600 }));
  const guard = secure(KEYS, { introspection });
  for (const _ of [1, 2, 3]) {
    assert.equal(await outcome(guard, 'good-1'), 'passes');
  }
  active = false;
  assert.equal(await outcome(guard, 'good-1'), 'passes');
  guard.invalidate('good-1');
  assert.equal(await outcome(guard, 'good-1'), 'inactive_token');
});

describe('a server that fails is the reason for 503, and no token passes', { concurrency: true }, () => {
  for (const [name, fail] of Object.entries({ ...FAILURES, ...SILENCES })) {
    test(name, async (t) => {
      const { server, introspection } = await start(t, { timeout: 0.5 });
      const guard = secure(KEYS, { introspection });
      assert.equal(await outcome(guard, 'good-kept'), 'passes');
      server.fail(fail);
      const error = await failure(guard.verify('good-new'));
      assert.ok(error instanceof errors.IntrospectionUnavailableError, `${error.code}: ${error.reason}`);
      assert.deepEqual([error.status, Number(error.headers['retry-after']) > 0], [503, true]);
      assert.equal(await outcome(guard, 'good-kept'), 'passes', 'the answer is kept');
      assert.equal(await outcome(guard, mint(KEY)), 'passes', 'JWTs need no answer');
      assert.equal(typeof introspection.status().lastError, 'string');
      assert.doesNotMatch(`${introspection.status().lastError} ${error.reason} ${error.message}`, /good-new|horse/);
    });
  }
});

test('of several issuers, one introspects', async (t) => {
  const { introspection } = await start(t);
  const other = { jwks: KEYS, issuer: 'https://b.example.com' };
  const guard = secure(anyOf([{ jwks: KEYS, issuer: 'https://a.example.com', introspection }, other]));
  assert.equal(await outcome(guard, 'good-1'), 'passes');
  assert.equal(await outcome(guard, mint(KEY, { iss: 'https://b.example.com' })), 'passes');
  assert.throws(() => anyOf([{ ...other, introspection }, { jwks: KEYS, issuer: 'https://c.example.com', introspection }]), TypeError);
});

test('a resource and an MCP server may introspect', async (t) => {
  const { introspection } = await start(t, {}, () => ({ active: true, aud: 'https://api.example.com', exp: now() + 600 }));
  const options = { resource: 'https://api.example.com', issuer: 'https://a.example.com', jwks: KEYS, introspection };
  assert.equal(await outcome(protectedResource(options).guard(), 'good-1'), 'passes');
  const guard = mcp(options).guard();
  const message = { method: 'POST', headers: { authorization: 'Bearer good-1', 'content-type': 'application/json' } };
  assert.equal((await guard.verifyRequest(message)).claims.aud, 'https://api.example.com');
  assert.throws(() => protectedResource(options).guard({ introspection }), /expected `introspection` in the description/);
});

test('processes share answers by a store, whose entries are sealed', async (t) => {
  const entries = new Map();
  const store = {
    get: async (key) => entries.get(key) ?? null,
    set: async (key, entry, seconds) => {
      assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 60);
      entries.set(key, entry);
    },
  };
  const { server, asks, introspection } = await start(t, { store, storeSecret: 'k'.repeat(32) });
  assert.equal(await outcome(secure(KEYS, { introspection }), 'good-1'), 'passes');
  while (entries.size === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.doesNotMatch([...entries].flat().join(), /good-1|alice/);
  const options = { endpoint: `${server.issuer}/introspect`, clientId: 'my api', clientSecret: SECRET, store };
  const other = introspector({ ...options, storeSecret: 'k'.repeat(32) });
  assert.equal(await outcome(secure(KEYS, { introspection: other }), 'good-1'), 'passes');
  assert.equal(asks(), 1);
  const stranger = introspector({ ...options, storeSecret: 'x'.repeat(32) });
  assert.equal(await outcome(secure(KEYS, { introspection: stranger }), 'good-1'), 'passes');
  assert.equal(asks(), 2);
});

test('a store that fails, answers nonsense or hangs delays nothing for long, and lets nothing pass', async (t) => {
  const stores = {
    fails: { get: () => Promise.reject(new Error('down')), set: () => Promise.reject(new Error('down')) },
    throws: { get() { throw new Error('down'); }, set() { throw new Error('down'); } },
    'is not right': { get: async () => 7, set: async () => {} },
    'has nonsense': { get: async () => 'no base64!', set: async () => {} },
    'has a forged entry': { get: async () => Buffer.from('{"active":true}').toString('base64'), set: async () => {} },
    hangs: { get: () => new Promise(() => {}), set: () => new Promise(() => {}) },
  };
  for (const [name, store] of Object.entries(stores)) {
    const { introspection } = await start(t, { store, storeSecret: 'k'.repeat(32) });
    const guard = secure(KEYS, { introspection });
    assert.deepEqual([await outcome(guard, 'good-1'), await outcome(guard, 'bad')], ['passes', 'inactive_token'], name);
  }
});

test('a wrong option is a TypeError that names it', () => {
  const good = { endpoint: 'https://as.example.com/introspect', clientId: 'a', clientSecret: 'b' };
  const table = [
    [[null], /an object such as/],
    [[], /endpoint/],
    [[{ ...good, endpoint: 7 }], /endpoint/],
    [[{ ...good, endpoint: 'no url' }], /URL/],
    [[{ ...good, endpoint: 'http://as.example.com/' }], /https/],
    [[{ ...good, clientId: undefined }], /clientId/],
    [[{ ...good, clientSecret: undefined }], /clientSecret/],
    [[{ ...good, clientSecret: 7 }], /clientSecret/],
    [[{ ...good, authentication: 'digest' }], /authentication/],
    [[{ ...good, authentication: 'none' }], /clientId/],
    [[{ ...good, authentication: 'tls' }], /clientSecret/],
    [[{ ...good, clientSecret: undefined, authentication: 'private_key_jwt' }], /privateKey/],
    [[{ ...good, clientSecret: undefined, authentication: 'private_key_jwt', privateKey: 'no pem' }], /key/],
    [[{ ...good, kid: 'a' }], /kid/],
    [[{ ...good, form: 'xml' }], /form/],
    [[{ ...good, introspect: 'some' }], /introspect/],
    [[{ ...good, introspect: [] }], /introspect/],
    [[{ ...good, introspect: [{ name: 'a', valeu: 1 }] }], /introspect\[0\].*valeu/],
    [[{ ...good, keepFor: -1 }], /keepFor/],
    [[{ ...good, timeout: 0 }], /timeout/],
    [[{ ...good, store: {}, storeSecret: 'k'.repeat(32) }], /store/],
    [[{ ...good, store: { get() {}, set() {} } }], /storeSecret/],
    [[{ ...good, store: { get() {}, set() {} }, storeSecret: 'short' }], /secret/],
    [[{ ...good, keepfor: 1 }], /keepFor/],
  ];
  for (const [given, expected] of table) {
    assert.throws(() => introspector(...given), (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, /^introspector: /);
      assert.match(error.message, expected);
      return true;
    }, JSON.stringify(given));
  }
  const introspection = introspector(good);
  assert.throws(() => secure(KEYS, { introspection: {} }), /secure: expected introspection to be an introspector/);
  assert.throws(() => secure(() => KEY.publicKey, { introspection }), /introspection/);
  assert.throws(() => secure(anyOf([{ jwks: KEYS, issuer: 'a' }]), { introspection }), /introspection/);
  assert.throws(() => secure(introspection, { issuer: 'a' }), /issuer/);
  assert.throws(() => secure(introspection, { introspection }), /introspection/);
});

test('the process exits by itself, also while a question is open', async (t) => {
  const script = `
    const { introspector, localKeys, secure } = require('portcullis');
    const http = require('node:http');
    const hanging = http.createServer(() => {}).listen(0, '127.0.0.1', () => {
      hanging.unref();
      const endpoint = 'http://127.0.0.1:' + hanging.address().port;
      const introspection = introspector({ endpoint, clientId: 'a', clientSecret: 'b', timeout: 1 });
      secure(introspection).verify('opaque').catch(({ code }) => console.log(code));
    });`;
  const { stdout, code } = await run(t, script);
  assert.deepEqual([stdout.trim(), code], ['introspection_unavailable', 0]);
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { type } = require('arktype');
const express = require('express');
const { anyOf, discovery, errors, localKeys, mcp, secure } = require('portcullis');
const { tokenVerifier } = require('portcullis/mcp');
const { AuthorizationServer, TestClock } = require('portcullis/testkit');
const v = require('valibot');
const { z } = require('zod');
const { atEnd } = require('./support/cleanup.js');
const { run } = require('./support/child.js');
const { serve } = require('./support/http.js');
const { failure, forbidCrashes } = require('./support/watch.js');

const AUDIENCE = 'https://api.example.com';

const started = AuthorizationServer.start({ algorithms: 'ES256' });
test.after(async () => (await started).stop());

/** A guard with this schema. */
async function guarded(schema, options = {}) {
  const server = await started;
  return secure(localKeys(server.signingKey.publicJwk), { audience: AUDIENCE, schema, ...options });
}

/** A schema of these functions, which counts its calls. */
function schemaOf(validate) {
  const schema = { calls: 0, '~standard': { version: 1, vendor: 'test', validate } };
  schema['~standard'].validate = (value) => {
    schema.calls += 1;
    return validate(value);
  };
  return schema;
}

/** The same schema in each library: a number in a text, a word of two, and a date that is made of the number. */
const LIBRARIES = {
  zod: z.object({ sub: z.string(), level: z.string().regex(/^\d+$/).transform(Number), plan: z.enum(['team', 'company']).default('team') }),
  valibot: v.object({
    sub: v.string(),
    level: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)),
    plan: v.optional(v.picklist(['team', 'company']), 'team'),
  }),
  arktype: type({ sub: 'string', level: 'string.integer.parse', plan: "'team' | 'company' = 'team'", '+': 'delete' }),
};

for (const [library, schema] of Object.entries(LIBRARIES)) {
  test(`${library}: the output takes the place of the claims, which stay in the payload`, async (t) => {
    const server = await started;
    const app = express();
    app.use(await guarded(schema));
    app.get('/', (req, res) => res.json({ claims: req.claims, same: req.claims === req.auth.claims, own: req.auth.payload.level, iss: req.auth.payload.iss }));
    const client = await serve(t, app);
    const { status, body } = await client.get(server.token({ level: '3' }));
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { claims: { sub: 'alice', level: 3, plan: 'team' }, same: true, own: '3', iss: server.issuer });
  });

  test(`${library}: a token that does not fit is refused, with the place and without the value`, async () => {
    const server = await started;
    const secret = 'a-secret-value';
    const guard = await guarded(schema, { problemJson: true });
    const rows = [
      [{ level: secret }, /\/level/],
      [{ level: undefined }, /\/level/],
      [{ level: '3', plan: secret }, /\/plan/],
      [{ level: '3', sub: undefined }, /\/sub/],
    ];
    for (const [claims, place] of rows) {
      const error = await failure(guard.verify(server.token(claims)));
      assert.ok(error instanceof errors.TokenClaimsError);
      assert.deepEqual([error.code, error.status], ['required_claims', 403]);
      assert.match(error.reason, place);
      assert.match(error.reason, /^a required claim is missing or has another value: .+ \(schema\)$/);
      assert.equal(JSON.stringify([error, error.body, error.message, error.stack]).includes(secret), false);
    }
  });
}

test('the status of a refusal, its challenge and its way are those of other rules for claims', async (t) => {
  const server = await started;
  const bad = server.token({ level: 'x' });
  assert.equal((await failure((await guarded(LIBRARIES.zod, { invalidTokenStatus: 401 })).verify(bad))).status, 401);
  const seen = [];
  const app = express();
  app.use('/next', await guarded(LIBRARIES.zod, { next: true }), (req, res) => res.end('passed'));
  app.use('/', await guarded(LIBRARIES.zod, { onError: ({ code }) => seen.push(code) }), (req, res) => res.end('passed'));
  app.use((error, req, res, next) => res.status(418).end(error.code));
  const client = await serve(t, app);
  const { status, challenge, body } = await client.get(bad);
  assert.deepEqual([status, body, seen], [403, '', ['required_claims']]);
  assert.match(challenge, /^Bearer error="invalid_token"/);
  const next = await client.get(bad, '/next');
  assert.deepEqual([next.status, next.body], [418, 'required_claims']);
});

test('a schema is asked once for each token, and by guards with the same schema together', async () => {
  const server = await started;
  const schema = schemaOf((value) => (value.level === 'bad' ? { issues: [{ path: ['level'] }] } : { value }));
  const keys = localKeys(server.signingKey.publicJwk);
  const guards = [secure(keys, { audience: AUDIENCE, schema }), secure(keys, { audience: AUDIENCE, schema, realm: 'other' })];
  const [good, bad] = [server.token({ level: 'good' }), server.token({ level: 'bad' })];
  const outputs = new Set();
  for (let count = 0; count < 5; count += 1) {
    for (const guard of guards) {
      outputs.add((await guard.verify(good)).claims);
      assert.equal((await failure(guard.verify(bad))).code, 'required_claims');
    }
  }
  assert.deepEqual([schema.calls, outputs.size], [2, 1]);
  // Verified again, a token is seen by the schema again.
  guards[0].invalidate(good);
  await guards[0].verify(good);
  assert.equal(schema.calls, 3);
  // Without a cache, at each request.
  const uncached = secure(keys, { audience: AUDIENCE, schema, tokenCache: false });
  await uncached.verify(good);
  await uncached.verify(good);
  assert.equal(schema.calls, 5);
});

test('two guards with different schemas on one verifier share no output', async () => {
  const server = await started;
  const keys = localKeys(server.signingKey.publicJwk);
  const [one, other, none] = [z.object({ sub: z.string() }), z.object({ jti: z.string() }), undefined]
    .map((schema) => secure(keys, { audience: AUDIENCE, ...(schema && { schema }) }));
  const strict = secure(keys, { audience: AUDIENCE, schema: z.object({ missing: z.string() }) });
  const token = server.token();
  for (let count = 0; count < 2; count += 1) {
    assert.deepEqual(Object.keys((await one.verify(token)).claims), ['sub']);
    assert.deepEqual(Object.keys((await other.verify(token)).claims), ['jti']);
    assert.equal((await none.verify(token)).claims.iss, server.issuer);
    assert.match((await failure(strict.verify(token))).reason, /\/missing/);
  }
});

test('rules, tenants and scopes judge the claims of the token, before the schema', async () => {
  const server = await started;
  const schema = schemaOf(() => ({ value: { scope: 'admin', role: 'admin', exp: 1, iss: 'x', client_id: 'made-up' } }));
  const ruled = await guarded(schema, { claims: [{ name: 'role', value: 'admin' }] });
  assert.equal((await failure(ruled.verify(server.token({ role: 'user' })))).code, 'required_claims');
  const scoped = await guarded(schema, { scope: 'admin' });
  assert.equal((await failure(scoped.verify(server.token({ scope: 'read' })))).code, 'insufficient_scope');
  const own = await guarded(schema, { claims: [(claims) => claims.role === 'user'] });
  assert.equal((await failure(own.verify(server.token({ role: 'admin' })))).code, 'required_claims');
  assert.equal(schema.calls, 0, 'the schema sees no token that a rule refuses');
  const access = await own.verify(server.token({ role: 'user', scope: 'read' }));
  assert.deepEqual([access.scopes, access.hasScope('admin'), access.clientId], [['read'], false, 'test-client']);
  assert.equal(access.expiresAt, access.payload.exp);
  assert.equal(access.claims.role, 'admin');
  assert.deepEqual(access.extra, { claims: access.claims });
});

test('a schema that changes its input changes nothing that others see', async () => {
  const server = await started;
  const mutating = schemaOf((value) => {
    value.role = 'admin';
    value.list.push('more');
    delete value.aud;
    return { value };
  });
  const [keys, seen] = [localKeys(server.signingKey.publicJwk), []];
  const rule = (claims) => seen.push([claims.role, claims.list.length, claims.aud]) > 0;
  const changed = secure(keys, { audience: AUDIENCE, schema: mutating, claims: [rule] });
  const plain = secure(keys, { audience: AUDIENCE, claims: [rule] });
  const token = server.token({ role: 'user', list: [] });
  const access = await changed.verify(token);
  assert.deepEqual([access.claims.role, access.claims.list, access.payload.role, access.payload.list], ['admin', ['more'], 'user', []]);
  await changed.verify(token);
  assert.equal((await plain.verify(token)).claims.role, 'user');
  assert.deepEqual(seen, Array(3).fill(['user', 0, AUDIENCE]));
});

test('an output is frozen as far as it is plain', async () => {
  const server = await started;
  const shared = Object.freeze({ inner: { open: true } });
  const cyclic = { list: [{}], since: new Date(0), bytes: new Uint8Array(2), roles: new Set(['a']), shared };
  cyclic.self = cyclic;
  const { claims } = await (await guarded(schemaOf(() => ({ value: cyclic })))).verify(server.token());
  for (const part of [claims, claims.list, claims.list[0], claims.shared, claims.shared.inner]) {
    assert.ok(Object.isFrozen(part));
  }
  assert.equal(Object.isFrozen(claims.since), false);
  assert.throws(() => { claims.list[0].a = 1; }, TypeError);
  class Account {
    name = 'open';
  }
  const account = (await (await guarded(schemaOf(() => ({ value: new Account() })))).verify(server.token())).claims;
  account.name = 'changed';
  assert.ok(account instanceof Account);
});

/** Results that are errors: the request fails, and never passes. */
const DOUBTS = {
  'a promise of success': (value) => Promise.resolve({ value }),
  'a promise that is rejected': () => Promise.reject(new Error('later')),
  'a promise of another realm': () => require('node:vm').runInNewContext('Promise.reject(1)'),
  'a promise as the value': () => ({ value: Promise.reject(new Error('later')) }),
  nothing: () => undefined,
  null: () => null,
  true: () => true,
  'the claims themselves': (value) => value,
  'no value': () => ({}),
  'a text as the value': () => ({ value: 'alice' }),
  'null as the value': () => ({ value: null }),
  'a function as the value': () => ({ value: () => true }),
  'issues that are null': (value) => ({ value, issues: null }),
};

for (const [name, validate] of Object.entries(DOUBTS)) {
  test(`a schema that gives ${name} fails the request`, async (t) => {
    forbidCrashes(t);
    const server = await started;
    const schema = schemaOf(validate);
    const guard = await guarded(schema);
    const app = express();
    const passed = [];
    app.use(guard, (req, res) => passed.push(req.url) && res.end('passed'));
    app.use((error, req, res, next) => res.status(500).end(error instanceof TypeError ? error.message : 'other'));
    const client = await serve(t, app);
    for (const token of [server.token(), server.token()]) {
      for (let count = 0; count < 2; count += 1) {
        const { status, body } = await client.get(token);
        assert.deepEqual([status, passed], [500, []]);
        assert.match(body, name.includes('promise') ? /^expected the schema to .+ at once, got a promise/ : /^expected the schema to give an object|null/);
        assert.ok((await failure(guard.verify(token))) instanceof TypeError);
      }
    }
  });
}

test('a schema with issues of any form refuses, and tells no text of them', async () => {
  const server = await started;
  const secret = 'alice@example.com';
  const rows = [
    [[], 'the claims'],
    [[{ message: secret }], 'the claims'],
    [[{ message: secret, path: [] }], 'the claims'],
    [[{ message: secret, path: ['a', 0, { key: 'b/c' }, 'd~e'] }], '/a/0/b~1c/*'],
    [[{ path: ['https://example.com/roles'] }], '/https:~1~1example.com~1roles'],
    [[{ path: ['people', secret] }], '/people/*'],
    [[{ path: ['a\nb'] }, { path: [''] }, { path: ['x'.repeat(101)] }], '/*'],
    [[{ path: [Symbol('s')] }], '/*'],
    [[{ path: [null] }, { path: [{ key: {} }] }], '/null, /*'],
    [['a', 'b', 'a', 'c', 'd'].map((name) => ({ path: [name] })), '/a, /b, /c'],
    [[null, undefined, 5], 'the claims'],
    [new Set([{ path: ['set'] }]), '/set'],
    [true, 'the claims'],
  ];
  for (const [issues, place] of rows) {
    const error = await failure((await guarded(schemaOf((value) => ({ value, issues })))).verify(server.token()));
    assert.equal(error.code, 'required_claims');
    assert.equal(error.reason, `a required claim is missing or has another value: ${place} (schema)`);
  }
});

test('a schema that throws fails each request, and is asked again', async (t) => {
  forbidCrashes(t);
  const server = await started;
  for (const thrown of [new RangeError('of the schema'), undefined, 'route', null]) {
    let broken = true;
    const schema = schemaOf((value) => {
      if (broken) {
        throw thrown;
      }
      return { value };
    });
    const app = express();
    app.get('/', await guarded(schema), (req, res) => res.end('passed'));
    app.get('/', (req, res) => res.end('past the guard'));
    app.use((error, req, res, next) => res.status(500).end(error.name));
    const client = await serve(t, app);
    const token = server.token();
    for (let count = 0; count < 2; count += 1) {
      const { status, body } = await client.get(token);
      assert.deepEqual([status, body], [500, thrown instanceof RangeError ? 'RangeError' : 'TypeError']);
    }
    assert.equal(schema.calls, 2);
    broken = false;
    assert.equal((await client.get(token)).body, 'passed');
  }
});

test('async schemas of the libraries fail at the request, and never pass', async (t) => {
  forbidCrashes(t);
  const server = await started;
  const asked = [
    z.object({ sub: z.string().refine(async () => true) }),
    z.object({ sub: z.string().transform(async (sub) => sub) }),
    z.object({}).transform(async (claims) => claims),
    v.pipe(v.object({}), v.transform(async (claims) => claims)),
    v.objectAsync({ sub: v.pipeAsync(v.string(), v.checkAsync(async () => true)) }),
  ];
  for (const schema of asked) {
    assert.match((await failure((await guarded(schema)).verify(server.token()))).message, /at once, got a promise/);
  }
});

test('a wrong schema is a TypeError at set-up', async () => {
  const validate = (value) => ({ value });
  const odd = [
    null, true, 1, 'zod', {}, [], () => {}, z, { parse: validate }, { '~standard': null }, { '~standard': true },
    { '~standard': { version: 2, vendor: 'a', validate } }, { '~standard': { version: '1', vendor: 'a', validate } },
    { '~standard': { version: 1, vendor: 'a' } }, { '~standard': { version: 1, vendor: 'a', validate: true } },
  ];
  for (const schema of odd) {
    await assert.rejects(guarded(schema), /^TypeError: secure: expected schema to be a Standard Schema of version 1/);
  }
  await assert.rejects(guarded({ '~standard': { version: 1, vendor: 'a', validate: async (value) => ({ value }) } }), /^TypeError: secure: .+ is async/);
  await assert.rejects(guarded(undefined, { shema: LIBRARIES.zod }), /got `shema`: did you mean `schema`/);
  const throwing = { get '~standard'() { throw new RangeError('of the getter'); } };
  await assert.rejects(guarded(throwing), RangeError);
  assert.equal((await (await guarded(undefined)).verify((await started).token())).claims.sub, 'alice');
});

test('each kind of guard takes a schema: several issuers, a getKey, a resource, an MCP server, and its verifier', async () => {
  const server = await started;
  const { issuer, signingKey } = server;
  const [schema, jwks, token] = [LIBRARIES.zod, localKeys(signingKey.publicJwk), server.token({ level: '3' })];
  const guards = [
    secure(anyOf([{ jwks, issuer, audience: AUDIENCE }]), { schema }),
    secure(() => signingKey.publicPem, { audience: AUDIENCE, schema }),
    secure(discovery({ issuer }), { audience: AUDIENCE, schema }),
    mcp({ resource: AUDIENCE, issuer, jwks }).guard({ schema }),
  ];
  for (const guard of guards) {
    assert.equal((await guard.verify(token)).claims.level, 3);
    assert.equal((await failure(guard.verify(server.token()))).code, 'required_claims');
  }
  class InvalidTokenError extends Error {}
  const verifier = tokenVerifier({ resource: AUDIENCE, issuer, jwks, schema, errors: { InvalidTokenError, ServerError: Error } });
  assert.deepEqual((await verifier.verifyAccessToken(token)).extra.claims, { sub: 'alice', level: 3, plan: 'team' });
  assert.ok((await failure(verifier.verifyAccessToken(server.token()))) instanceof InvalidTokenError);
});

test('with `optional`, a request without a token passes without the schema', async () => {
  const server = await started;
  const schema = schemaOf(() => ({ issues: [] }));
  const guard = await guarded(schema, { optional: true });
  assert.equal(await guard.verifyRequest({}), null);
  assert.equal(schema.calls, 0);
  assert.equal((await failure(guard.verify(server.token()))).code, 'required_claims');
});

test('a token that was seen expires, whatever its schema gave', async () => {
  const clock = new TestClock();
  const server = await AuthorizationServer.start({ clock, algorithms: 'ES256' });
  const guard = secure(localKeys(server.signingKey.publicJwk, { clock }), { audience: AUDIENCE, schema: schemaOf((value) => ({ value: { ...value, exp: 9e9 } })) });
  const token = server.token();
  await guard.verify(token);
  clock.advance(400);
  assert.equal((await failure(guard.verify(token))).code, 'expired');
  await server.stop();
});

test('outcomes are kept no longer than the claims', async (t) => {
  const server = await started;
  const script = `
    const { jwk, tokens } = JSON.parse(process.argv[1]);
    const { localKeys, secure } = require('portcullis');
    const validate = (value) => ({ value: { ...value, ballast: Array.from({ length: 20_000 }, (_, index) => index) } });
    const schema = { '~standard': { version: 1, vendor: 'test', validate } };
    const guard = secure(localKeys(jwk), { schema, audience: '${AUDIENCE}', tokenCache: { bytes: 4096 } });
    (async () => {
      let most = 0;
      for (let round = 0; round < 20; round += 1) {
        for (const token of tokens) {
          await guard.verify(token);
        }
        gc();
        most = Math.max(most, process.memoryUsage().heapUsed);
      }
      console.log(most < 60 * 2 ** 20);
    })();
  `;
  const tokens = Array.from({ length: 100 }, () => server.token());
  const { stdout, stderr } = await run(t, script, { jwk: server.signingKey.publicJwk, tokens }, ['--expose-gc']);
  assert.deepEqual([stdout, stderr.replace(/^portcullis: .*$/m, '').trim()], ['true\n', '']);
});

test('claims with odd names reach the schema and its output as they are', async () => {
  const server = await started;
  const token = server.token(`{"iss":"${server.issuer}","aud":"${AUDIENCE}","exp":9999999999,"__proto__":{"polluted":true},"constructor":1,"toJSON":2}`);
  let seen;
  const guard = await guarded(schemaOf((value) => {
    seen = value;
    return { value };
  }));
  const { claims } = await guard.verify(token);
  assert.deepEqual(Object.keys(seen), ['iss', 'aud', 'exp', '__proto__', 'constructor', 'toJSON']);
  assert.equal(Object.getPrototypeOf(seen), Object.prototype);
  assert.ok(Object.isFrozen(claims) && Object.hasOwn(claims, '__proto__'));
  assert.equal({}.polluted, undefined);
});

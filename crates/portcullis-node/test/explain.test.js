'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { introspector, localKeys, mcp, secure, setLogger } = require('portcullis');
const { Explanation } = require('../lib/explanation.js');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { badTokens, mint, newKey } = require('./support/tokens.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });

setLogger(null);

async function outcome(guard, request) {
  const judge = typeof request === 'string' ? guard.verify(request) : guard.verifyRequest(request);
  return judge.then(() => null, ({ code }) => code);
}

test('the verdict is that of the guard', async () => {
  const guards = {
    plain: secure(KEYS),
    scoped: secure(KEYS, { scope: ['read'], audience: 'api' }),
    own: secure(KEYS, { claims: [({ sub }) => sub === 'bob', { name: 'sub', value: (sub) => sub === 'bob' }] }),
    'the others': secure(KEYS, { reportOnly: false, optional: true, invalidTokenStatus: 401 }),
    getKey: secure(() => KEY.publicKey),
  };
  const requests = [
    mint(KEY),
    mint(KEY, { sub: 'bob' }),
    mint(KEY, { scope: 'read', aud: 'api' }),
    ...badTokens(KEY).map(([, token]) => token),
    { headers: {} },
    { headers: { authorization: 'Basic YQ==' } },
    { headers: new Headers({ authorization: `Bearer ${mint(KEY)}` }) },
  ];
  for (const [name, guard] of Object.entries(guards)) {
    for (const request of requests) {
      if (name === 'the others' && typeof request !== 'string' && (await guard.verifyRequest(request)) === null) {
        continue;
      }
      const explanation = await guard.explain(request);
      const expected = await outcome(guard, request);
      assert.equal(explanation.code, expected, `${name}: ${explanation}`);
      assert.equal(explanation.verdict, expected === null ? 'passed' : 'refused');
      assert.equal(explanation.failure?.code ?? null, expected);
    }
  }
});

test('it names the expected and the actual value, and a hint; as text, too, without the token', async () => {
  const token = mint(KEY, { aud: 'another', iss: 'https://as.example.com' });
  const explanation = await secure(KEYS, { audience: 'api' }).explain(token);
  const { failure } = explanation;
  assert.deepEqual([failure.check, failure.code], ['audience', 'wrong_audience']);
  assert.match(failure.expected, /api/);
  assert.deepEqual(failure.actual, { text: failure.actual.text, vouched: true });
  const text = String(explanation);
  assert.match(text, /^refused: wrong_audience/);
  assert.match(text, /x aud .*expected.*api.*got.*another/);
  for (const shown of [text, JSON.stringify(explanation)]) {
    assert.ok(!shown.includes(token.split('.')[2]));
  }
  assert.equal(String(await secure(KEYS).explain(token)).split('\n')[0], 'passed');
});

test('it names options as they are called here, and values as they are', async () => {
  const now = Math.floor(Date.now() / 1000);
  const keys = localKeys({ keys: Array.from({ length: 2 }, () => newKey()).map(({ jwk: { kid, ...jwk } }) => jwk) });
  const template = 'https://as.example.com/{tenant}';
  const unnamed = mint(KEY, {}, { kid: undefined });
  const table = [
    [secure(KEYS, { scope: 'max_key_attempts' }), mint(KEY, { roles: ['max_key_attempts'] }), 'hint', /in `roles`, .* name that claim in `scopeClaims`$/],
    [secure(KEYS, { scope: 'max_key_attempts' }), mint(KEY), 'expected', /max_key_attempts/],
    [secure(KEYS, { audience: 'max_token_bytes' }), mint(KEY), 'expected', /max_token_bytes/],
    [secure(keys, { maxKeyAttempts: 1 }), unnamed, 'hint', /raise `maxKeyAttempts`$/],
    [secure(KEYS, { maxTokenLifetime: 60 }), mint(KEY, { iat: now, exp: now + 600 }), 'hint', /raise `maxTokenLifetime`$/],
    [secure(KEYS, { issuer: template, tenantClaim: 'tid' }), mint(KEY, { iss: 'https://as.example.com/a' }), 'hint', /\(`tenantClaim`\)/],
    [secure(KEYS, { maxTokenBytes: 100 }), unnamed, 'expected', /^at most 100 bytes \(maxTokenBytes\)$/],
    [secure(KEYS, { maxAge: 60 }), mint(KEY, { auth_time: now - 600 }), 'hint', /the challenge's `max_age`/],
  ];
  for (const [guard, token, member, text] of table) {
    const { failure } = await guard.explain(token);
    assert.match(failure?.[member] ?? '', text);
  }
  const { reason } = await secure(KEYS, { maxTokenAge: 60, leeway: 0 }).explain(mint(KEY, { iat: now - 600 }));
  assert.match(reason, /\(maxTokenAge\)/);
  const { reason: old } = await secure(KEYS, { maxAge: 60 }).explain(mint(KEY, { auth_time: now - 600 }));
  assert.match(old, /\(maxAge, by `auth_time`\)/);
});

test('a hint names no option for the URL of a key set, since a function takes it', () => {
  const { hint } = Explanation.read(JSON.stringify({ checks: [{ hint: 'or share one key set (`jwks_uri`)' }] })).checks[0];
  assert.equal(hint, 'or share one key set (`getSimpleJwksService`)');
});

test('a token that cannot be judged is told apart', async (t) => {
  const server = await AuthorizationServer.start(t);
  server.forms['/introspect'] = () => ['text/plain', 'no', 500];
  const introspection = introspector({ endpoint: `${server.issuer}/introspect`, clientId: 'a', clientSecret: 'b' });
  const explanation = await secure(KEYS, { introspection }).explain('opaque');
  assert.deepEqual([explanation.verdict, explanation.code], ['not_judged', 'introspection_unavailable']);
});

test('an opaque token is explained by the answer about it', async (t) => {
  const server = await AuthorizationServer.start(t);
  server.forms['/introspect'] = ({ token }) => ({ active: token === 'good', sub: 'alice', exp: 4_000_000_000 });
  const introspection = introspector({ endpoint: `${server.issuer}/introspect`, clientId: 'a', clientSecret: 'b' });
  const guard = secure(KEYS, { introspection });
  assert.equal((await guard.explain('good')).verdict, 'passed');
  assert.equal((await guard.explain('bad')).code, 'inactive_token');
});

test('a guard of an MCP server explains tokens', async () => {
  const guard = mcp({ resource: 'https://mcp.example.com', issuer: 'https://as.example.com', jwks: KEYS }).guard();
  const token = mint(KEY, { iss: 'https://as.example.com', aud: 'https://mcp.example.com' });
  assert.equal((await guard.explain(token)).verdict, 'passed');
  assert.equal((await guard.explain(mint(KEY))).verdict, 'refused');
});

test('nonsense is refused, or a TypeError', async () => {
  const guard = secure(KEYS);
  for (const nonsense of ['', ' ', '\0', 'a'.repeat(1e6), '.'.repeat(1000)]) {
    assert.equal((await guard.explain(nonsense)).verdict, 'refused');
  }
  for (const nonsense of [undefined, null, 7]) {
    await assert.rejects(guard.explain(nonsense), TypeError);
  }
});

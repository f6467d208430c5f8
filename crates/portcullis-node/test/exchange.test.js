'use strict';

const assert = require('node:assert/strict');
const { X509Certificate, createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { describe, test } = require('node:test');

const express = require('express');
const { discovery, errors, exchanger, localKeys, mcp, secure, setLogger } = require('portcullis');
const { AuthorizationServer, FAILURES, SILENCES } = require('./support/authorization-server.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const ISSUER = 'https://as.example.com';
const TYPES = 'urn:ietf:params:oauth:token-type:';
const now = () => Math.floor(Date.now() / 1000);
const clients = (claims) => mint(KEY, { iss: ISSUER, aud: 'orders', ...claims });
const upstreams = (claims, key = KEY) => mint(key, { iss: ISSUER, aud: 'inventory', exp: now() + 60, ...claims });

setLogger(null);

function answer(access_token, others) {
  return { access_token, issued_token_type: `${TYPES}access_token`, token_type: 'Bearer', expires_in: 60, ...others };
}

/** A guard whose handlers may exchange tokens at a server that answers by this function. */
async function start(t, answers, options = {}) {
  const server = await AuthorizationServer.start(t, [KEY]);
  const asked = [];
  server.forms['/token'] = (form) => {
    asked.push(form);
    return answers(form);
  };
  const by = exchanger({
    endpoint: `${server.issuer}/token`,
    clientId: 'orders-api',
    clientSecret: 'correct horse',
    jwks: KEYS,
    issuer: ISSUER,
    ...options,
  });
  const exchange = { inventory: { by, audience: 'inventory', scope: 'stock:read' } };
  return { server, asked, by, exchange, guard: secure(KEYS, { issuer: ISSUER, audience: 'orders', exchange }) };
}

test('a handler gets a token for the upstream, which is asked for once', async (t) => {
  const { guard, asked } = await start(t, () => answer(upstreams()));
  const app = express();
  app.use(guard);
  app.get('/', async (req, res) => {
    const { authorization, claims, token, until } = await req.auth.exchange('inventory');
    res.json({ aud: claims.aud, same: authorization === `Bearer ${token}`, for: until - now() });
  });
  const client = await serve(t, app);
  const token = clients();
  for (const _ of [1, 2, 3, 4]) {
    const { status, body } = await client.get(token);
    assert.equal(status, 200, body);
    const told = JSON.parse(body);
    assert.deepEqual([told.aud, told.same, told.for > 30 && told.for <= 61], ['inventory', true, true]);
  }
  assert.equal(asked.length, 1);
  const [form] = asked;
  assert.deepEqual(
    [form.grant_type, form.subject_token, form.subject_token_type, form.audience, form.scope],
    ['urn:ietf:params:oauth:grant-type:token-exchange', token, `${TYPES}access_token`, 'inventory', 'stock:read'],
  );
});

test('the token endpoint is that of the metadata', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.forms['/token'] = () => answer(upstreams({ iss: server.issuer }));
  server.metadata = { token_endpoint: `${server.issuer}/token` };
  const jwks = discovery({ issuer: server.issuer });
  const by = exchanger({ clientId: 'orders-api', clientSecret: 'correct horse', jwks });
  const guard = secure(jwks, { audience: 'orders', exchange: { inventory: { by, audience: 'inventory' } } });
  const access = await guard.verify(clients({ iss: server.issuer }));
  assert.equal((await access.exchange('inventory')).claims.aud, 'inventory');
});

test('a token that is bound to a certificate is exchanged', async (t) => {
  const { exchange } = await start(t, () => answer(upstreams()));
  const certificate = new X509Certificate(readFileSync(join(__dirname, 'support/tls/client.pem')));
  const cnf = { 'x5t#S256': createHash('sha256').update(certificate.raw).digest('base64url') };
  const guard = secure(KEYS, { issuer: ISSUER, audience: 'orders', exchange, clientCertificate: () => certificate });
  for (const _ of [1, 2, 3]) {
    const access = await guard.verifyRequest({ headers: { authorization: `Bearer ${clients({ cnf })}` } });
    assert.equal((await access.exchange('inventory')).claims.aud, 'inventory');
  }
});

test('a tool of an MCP server exchanges the token of its request', async (t) => {
  const { exchange } = await start(t, () => answer(upstreams()));
  const resource = 'https://mcp.example.com/mcp';
  const server = mcp({ resource, issuer: ISSUER, jwks: KEYS, tools: [{ name: 'delete_*', scope: 'files:write' }] });
  const guard = server.guard({ exchange });
  const token = clients({ aud: resource, scope: 'files:write' });
  for (const _ of [1, 2, 3]) {
    const access = await guard.verifyRequest(new Request(resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'delete_file' } }),
    }));
    assert.equal((await access.exchange('inventory')).claims.aud, 'inventory');
  }
});

test('neither JSON nor an error of an exchange shows a token', async (t) => {
  const { guard } = await start(t, () => answer(upstreams()));
  const access = await guard.verify(clients());
  const exchanged = await access.exchange('inventory');
  assert.ok(!JSON.stringify(exchanged).includes(exchanged.token));
  assert.ok(!require('node:util').inspect(exchanged).includes(exchanged.token));
});

describe('a token that is not the asked one is never handed on', () => {
  const table = {
    'another audience': () => answer(upstreams({ aud: 'billing' })),
    'another issuer': () => answer(upstreams({ iss: 'https://evil.example.com' })),
    'another subject': () => answer(upstreams({ sub: 'mallory' })),
    'a forged signature': () => answer(upstreams({}, newKey('ES256', KEY.kid))),
    'an expired one': () => answer(upstreams({ exp: 1 })),
    'an unsigned one': () => answer('opaque'),
    'another type': () => answer(upstreams(), { issued_token_type: `${TYPES}refresh_token` }),
    'another token_type': () => answer(upstreams(), { token_type: 'N_A' }),
    'no type': () => answer(upstreams(), { issued_token_type: undefined }),
  };
  for (const [name, answers] of Object.entries(table)) {
    test(name, async (t) => {
      const { guard } = await start(t, answers);
      const error = await failure((await guard.verify(clients())).exchange('inventory'));
      assert.ok(error instanceof errors.ExchangeError, String(error.stack));
      assert.deepEqual([error.code, error.status], ['exchange_unusable', 503]);
    });
  }
});

test('a refusal of the server is a 403 for the client', async (t) => {
  const { guard } = await start(t, () => ['application/json', '{"error":"invalid_target"}', 400]);
  const app = express();
  app.get('/', guard, async (req, res) => res.json(await req.auth.exchange('inventory')));
  const { status, body } = await (await serve(t, app)).get(clients());
  assert.equal(status, 403);
  assert.doesNotMatch(body, /invalid_target|horse/);
});

describe('a server that fails is the reason for 503', { concurrency: true }, () => {
  for (const [name, fail] of Object.entries({ ...FAILURES, ...SILENCES })) {
    test(name, async (t) => {
      const { server, guard } = await start(t, () => answer(upstreams()), { timeout: 0.5 });
      const kept = await guard.verify(clients({ jti: 'kept' }));
      const { token } = await kept.exchange('inventory');
      server.fail(fail);
      const error = await failure((await guard.verify(clients({ jti: 'new' }))).exchange('inventory'));
      assert.deepEqual([error.status, /^exchange_(unavailable|unusable)$/.test(error.code)], [503, true], error.code);
      assert.equal((await kept.exchange('inventory')).token, token, 'a kept token is there still');
    });
  }
});

test('an exchange that is not declared is a mistake of ours', async (t) => {
  const { guard } = await start(t, () => answer(upstreams()));
  const access = await guard.verify(clients());
  assert.deepEqual(await failure(access.exchange('billing')).then(({ code, status }) => [code, status]), ['unknown_exchange', 500]);
  assert.equal((await failure((await secure(KEYS).verify(clients())).exchange('inventory'))).code, 'unknown_exchange');
  for (const name of [undefined, 7, null, {}]) {
    await assert.rejects(access.exchange(name), TypeError);
  }
});

test('an access that is kept until its token has expired exchanges nothing', async (t) => {
  const { guard, asked } = await start(t, () => answer(upstreams()));
  const access = await guard.verify(clients({ exp: Date.now() / 1000 - 4.7 }));
  let error;
  do {
    error = await failure(access.exchange('inventory')).catch(() => undefined);
  } while (error?.code !== 'expired' && (await new Promise((resolve) => setImmediate(resolve, true))));
  assert.equal(error.code, 'expired');
});

test('a wrong option is a TypeError that names it', () => {
  const good = { endpoint: 'https://as.example.com/token', clientId: 'a', clientSecret: 'b', jwks: KEYS, issuer: ISSUER };
  const table = [
    [{ jwks: undefined }, /jwks/],
    [{ jwks: {} }, /jwks/],
    [{ issuer: undefined }, /issuer/],
    [{ issuer: ['a', 'b'] }, /issuer/],
    [{ endpoint: undefined }, /endpoint/],
    [{ subjectIssuer: 7 }, /subjectIssuer/],
    [{ mayOutlive: 'a' }, /mayOutlive/],
    [{ dangerouslyAcceptOtherSubjects: 1 }, /dangerouslyAcceptOtherSubjects/],
    [{ form: 'json' }, /form/],
  ];
  for (const [options, expected] of table) {
    assert.throws(() => exchanger({ ...good, ...options }), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, expected);
      return true;
    });
  }
  const by = exchanger(good);
  const exchanges = [
    [7, /exchange/],
    [[], /exchange/],
    [{ a: {} }, /exchange\.a\.by/],
    [{ a: { by } }, /exchange\.a.*audience/],
    [{ a: { by, audience: '' } }, /exchange\.a/],
    [{ a: { by, resource: 'no uri' } }, /exchange\.a/],
    [{ a: { by, audience: 'a', scope: 7 } }, /exchange\.a/],
    [{ a: { by, audience: 'a', scopes: [] } }, /exchange\.a.*scope/],
  ];
  for (const [exchange, expected] of exchanges) {
    assert.throws(() => secure(KEYS, { exchange }), (error) => {
      assert.ok(error instanceof TypeError, String(error.stack));
      assert.match(error.message, expected);
      return true;
    }, JSON.stringify(exchange));
  }
});

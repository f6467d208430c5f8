'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createServer } = require('node:http');
const { describe, test } = require('node:test');

const { anyOf, discovery, getSimpleJwksService, introspector, localKeys, protectedResource, secure } = require('portcullis');
const { atEnd } = require('./support/cleanup.js');
const { mint, newKey } = require('./support/tokens.js');

const AUDIENCE = 'https://api.example.com';

/** A server of tenants, each with keys of its own; `/common/keys` has those of all, each with its `issuer`. */
async function organisation(t, names) {
  const keys = new Map(names.map((name) => [name, newKey('ES256', `key-of-${name}`)]));
  const common = newKey('ES256', 'key-of-all');
  const counts = {};
  const down = new Set();
  const server = createServer((request, response) => {
    const [, tenant, ...rest] = request.url.split('/');
    counts[tenant] = (counts[tenant] ?? 0) + 1;
    const found = answer(tenant, rest.join('/'));
    response.writeHead(down.has(tenant) ? 503 : found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  const origin = `http://127.0.0.1:${server.address().port}`;
  const issuer = (tenant) => `${origin}/${tenant}/v2.0`;

  function answer(tenant, rest) {
    if (tenant === 'common' && rest === 'keys') {
      const all = [...keys].map(([name, { jwk }]) => ({ ...jwk, issuer: issuer(name) }));
      return { keys: [...all, { ...common.jwk, issuer: issuer('{tenantid}') }] };
    }
    if (keys.has(tenant) && rest === 'v2.0/.well-known/openid-configuration') {
      return { issuer: issuer(tenant), jwks_uri: `${origin}/${tenant}/keys` };
    }
    return keys.has(tenant) && rest === 'keys' ? { keys: [keys.get(tenant).jwk] } : undefined;
  }

  const token = (tenant, claims = {}, key = keys.get(tenant)) =>
    mint(key ?? common, { iss: issuer(tenant), tid: tenant, aud: AUDIENCE, ...claims });
  const requests = (tenant) => counts[tenant] ?? 0;
  return { keys, common, counts, down, issuer, template: issuer('{tenantid}'), commonUri: `${origin}/common/keys`, token, requests };
}

async function outcome(guard, token) {
  return guard.verify(token).then(
    () => 'passes',
    ({ code }) => code,
  );
}

test('each tenant has keys of its own, and its server may be down alone', async (t) => {
  const server = await organisation(t, ['acme', 'globex']);
  const guard = secure(discovery({ issuer: server.template }), { tenantClaim: 'tid', audience: AUDIENCE });
  assert.equal(await outcome(guard, server.token('acme')), 'passes');
  server.down.add('globex');
  assert.equal(await outcome(guard, server.token('globex')), 'keys_unavailable');
  assert.equal(await outcome(guard, server.token('acme', { aud: AUDIENCE, sub: 'b' })), 'passes');
  const table = [
    [server.token('acme', { tid: 'globex' }), 'wrong_tenant'],
    [server.token('acme', { tid: undefined }), 'wrong_tenant'],
    [server.token('acme', {}, server.keys.get('globex')), 'unknown_key'],
    [server.token('acme', { iss: 'https://evil.example/acme/v2.0' }), 'wrong_issuer'],
    [server.token('acme', { iss: server.issuer('..') }), 'wrong_issuer'],
    [server.token('acme', { iss: server.issuer('acme%2f') }), 'wrong_issuer'],
    [server.token('acme', { iss: server.template }), 'wrong_issuer'],
  ];
  for (const [token, expected] of table) {
    assert.equal(await outcome(guard, token), expected);
  }
  assert.equal(server.requests('acme'), 3, 'metadata, keys, and one look for a key that acme does not have');
});

test('Entra for all organisations: one set of keys, each for its issuer', async (t) => {
  const server = await organisation(t, ['acme', 'globex']);
  const guard = secure(getSimpleJwksService(server.commonUri), {
    issuer: server.template,
    tenantClaim: 'tid',
    audience: AUDIENCE,
  });
  for (const tenant of ['acme', 'globex', 'unknown']) {
    assert.equal(await outcome(guard, server.token(tenant, {}, server.common)), 'passes');
  }
  assert.equal(await outcome(guard, server.token('acme', {}, server.keys.get('globex'))), 'unusable_key');
  assert.equal(await outcome(guard, server.token('acme', { tid: 'globex' }, server.common)), 'wrong_tenant');
  assert.deepEqual(server.counts, { common: 1 });
});

describe('tenants', () => {
  test('an array needs no fetch for others', async (t) => {
    const server = await organisation(t, ['acme', 'globex', 'initech']);
    const service = discovery({ issuer: server.template, maxTenants: 10 });
    const guard = secure(service, { tenantClaim: 'tid', tenants: ['acme', 'globex'] });
    assert.equal(await outcome(guard, server.token('globex')), 'passes');
    assert.equal(await outcome(guard, server.token('initech')), 'wrong_issuer');
    assert.equal(server.requests('initech'), 0);
    assert.equal(service.status().tenants, 1);
    assert.equal(service.status().source, server.template);
    assert.equal(getSimpleJwksService(server.commonUri).status().tenants, null);
  });

  test('a function is asked for each token, also for a cached one', async (t) => {
    const server = await organisation(t, ['acme', 'globex']);
    const customers = new Set(['acme']);
    const service = discovery({ issuer: server.template });
    const guard = secure(service, { tenantClaim: 'tid', tenants: (tenant) => customers.has(tenant) });
    const open = secure(service, { tenantClaim: 'tid' });
    const token = server.token('acme');
    assert.equal(await outcome(guard, token), 'passes');
    assert.equal(await outcome(guard, server.token('globex')), 'wrong_issuer');
    assert.equal(await outcome(open, server.token('globex')), 'passes', 'the function belongs to its guard');
    customers.clear();
    assert.equal(await outcome(guard, token), 'wrong_issuer');
    const broken = secure(service, { tenantClaim: 'tid', tenants: async () => true });
    await assert.rejects(broken.verify(server.token('acme')), /true or false, got/);
  });

  test('a function in anyOf and protectedResource is for its issuer', async (t) => {
    const server = await organisation(t, ['acme', 'globex']);
    const other = newKey();
    const own = { jwks: localKeys(other.jwk), issuer: 'https://other.example' };
    const branch = { jwks: discovery({ issuer: server.template }), tenantClaim: 'tid', tenants: (tenant) => tenant === 'acme' };
    const exact = { jwks: discovery({ issuer: server.issuer('globex') }), audience: 'exact' };
    const resource = protectedResource({ resource: AUDIENCE, issuers: [branch, own] }).guard();
    for (const guard of [secure(anyOf([branch, own, exact])), resource]) {
      assert.equal(await outcome(guard, server.token('acme')), 'passes');
      assert.equal(await outcome(guard, mint(other, { iss: 'https://other.example', aud: AUDIENCE })), 'passes');
    }
    assert.equal(await outcome(resource, server.token('globex')), 'wrong_issuer');
    const named = secure(anyOf([branch, exact]));
    assert.equal(await outcome(named, server.token('globex', { aud: 'exact' })), 'passes', 'a name beats a template');
  });

  test('beside tenants, tokens of others that name no issuer pass, and each has its scope', async (t) => {
    const server = await organisation(t, ['acme']);
    const authority = newKey();
    const asked = createServer((request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ active: true, sub: 'op', scp: 'read', exp: Date.now() / 1000 + 600 }));
    });
    asked.listen(0, '127.0.0.1');
    await once(asked, 'listening');
    atEnd(t, () => asked.close());
    const introspection = introspector({
      endpoint: `http://127.0.0.1:${asked.address().port}`, clientId: 'api', clientSecret: 'secret',
    });
    const others = [
      { jwks: localKeys(authority.jwk), issuer: 'https://other.example', introspection, scopeClaims: ['scp'] },
      { jwks: localKeys(authority.jwk), trustDomain: 'example.org', scopeClaims: ['roles'] },
    ];
    const tokens = {
      tenant: server.token('acme', { scope: 'read' }),
      opaque: 'opaque-1',
      named: mint(authority, { iss: 'https://other.example', scp: 'read' }),
      workload: mint(authority, { sub: 'spiffe://example.org/api', aud: AUDIENCE, roles: ['read'] }),
    };
    for (const tenants of [undefined, ['acme'], (tenant) => tenant === 'acme']) {
      const jwks = discovery({ issuer: server.template });
      const guard = secure(anyOf([{ jwks, tenantClaim: 'tid', ...(tenants && { tenants }) }, ...others]), { scope: 'read' });
      for (const [name, token] of Object.entries(tokens)) {
        const auth = await guard.verify(token);
        assert.deepEqual([auth.scopes, auth.hasScope('read')], [['read'], true], `${name}, ${tenants}`);
      }
    }
  });

  test('a list of issuers may have names beside templates', async (t) => {
    const server = await organisation(t, ['acme']);
    const issuer = [server.template, 'https://other.example'];
    const guard = secure(getSimpleJwksService(server.commonUri), { issuer, tenantClaim: 'tid', tenants: 'acme' });
    assert.equal(await outcome(guard, server.token('acme')), 'passes');
    assert.equal(await outcome(guard, server.token('acme', { iss: 'https://other.example' })), 'unusable_key');
  });

  test('mistakes', () => {
    const keys = localKeys(newKey().jwk);
    const issuer = 'https://login.example.com/{tenant}';
    const table = [
      [{ issuer }, /`issuer`: expected `tenantClaim`/],
      [{ issuer: 'https://a.example', tenantClaim: 'tid' }, /`tenantClaim`: expected a placeholder/],
      [{ issuer: 'https://a.example', tenants: ['a'] }, /`tenants`: expected a placeholder/],
      [{ issuer: 'https://a.example', tenants: () => true }, /expected a placeholder for the tenant/],
      [{ issuer, tenantClaim: 'tid', tenants: [] }, /tenants/],
      [{ issuer, tenantClaim: 'tid', tenants: [7] }, /a string, an array of strings, or a function/],
      [{ issuer, tenantClaim: 'tid', tenants: null }, /a string, an array of strings, or a function/],
      [{ issuer, tenantClaim: 'tid', tenants: 'a/b' }, /`tenants`: expected the part of `iss`/],
      [{ issuer, tenantClaim: 7 }, /tenantClaim/],
      [{ issuer: 'https://{tenant}.example', tenantClaim: 'tid' }, /never a server/],
    ];
    for (const [options, expected] of table) {
      assert.throws(() => secure(keys, options), (error) => error instanceof TypeError && expected.test(error.message));
    }
    assert.throws(() => secure(anyOf([{ jwks: keys, issuer: 'https://a.example' }]), { tenants: () => true }), /in anyOf/);
    assert.throws(() => discovery({ issuer: 'https://{tenant}.example' }), /never a server/);
    assert.throws(() => discovery({ issuer, maxTenants: 0 }), /maxTenants/);
    assert.throws(() => discovery({ issuer, cache: { getKeyStore() {}, setKeyStore() {} } }), /mix the keys of all tenants/);
  });
});

test('a flood of made-up tenants costs a few fetches', async (t) => {
  const server = await organisation(t, ['acme']);
  const guard = secure(discovery({ issuer: server.template }), { tenantClaim: 'tid' });
  const good = server.token('acme');
  assert.equal(await outcome(guard, good), 'passes');
  for (let number = 0; number < 500; number += 1) {
    assert.equal(await outcome(guard, server.token(`made-up-${number}`)), 'keys_unavailable');
  }
  assert.equal(await outcome(guard, good), 'passes');
  const fetched = Object.values(server.counts).reduce((sum, count) => sum + count);
  assert.ok(fetched <= 2 + 7 * 2, `${fetched} fetches`);
});

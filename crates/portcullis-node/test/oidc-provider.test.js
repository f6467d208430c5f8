'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { X509Certificate } = require('node:crypto');
const { once } = require('node:events');
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const { after, before, beforeEach, describe, test } = require('node:test');

const { discovery, getSimpleJwksService, secure } = require('portcullis');
const { guardedApp } = require('./support/apps.js');
const { serve } = require('./support/http.js');
require('./support/watch.js');

const SERVER = join(__dirname, '..', '..', 'portcullis', 'tests', 'oidc-provider');
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

/** An independent, real authorization server. */
class OidcProvider {
  static async start() {
    const child = spawn(process.execPath, ['server.mjs'], { cwd: SERVER, stdio: ['pipe', 'pipe', 'ignore'] });
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return Object.assign(new OidcProvider(), { child, ...JSON.parse(line) });
  }

  /** Ends the server by ending its standard input. */
  async stop() {
    this.child.stdin.end();
    await once(this.child, 'exit');
  }

  async token(algorithm, scope = 'read') {
    return (await this.answer(algorithm, {}, 'test-client', scope)).access_token;
  }

  /** The answer to a request for a token with these further fields. */
  async answer(algorithm, fields, client = 'test-client', scope = 'read') {
    const resource = `https://api.example.com/${algorithm}`;
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:test-secret`)}`, ...fields },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    });
    return response.json();
  }

  async counts() {
    return (await fetch(`${this.control}/counts`)).json();
  }

  async rotate(keep) {
    await fetch(`${this.control}/rotate?keep=${keep}`, { method: 'POST' });
  }

  async resetCounts() {
    await fetch(`${this.control}/counts/reset`, { method: 'POST' });
  }
}

const certificate = (name) => new X509Certificate(readFileSync(join(__dirname, 'support', 'tls', `${name}.pem`)));

const isInstalled = existsSync(join(SERVER, 'node_modules'));
const skip = !isInstalled && 'its packages are missing: cargo xtask test installs them';

describe('tokens of oidc-provider', { skip }, () => {
  let provider;

  before(async () => {
    provider = await OidcProvider.start();
  });
  beforeEach(() => provider.resetCounts());
  after(() => provider.stop());

  const outcome = (guard, token) => guard.verify(token).then(({ claims }) => claims.client_id, ({ code }) => code);

  for (const algorithm of ALGORITHMS) {
    const audience = `https://api.example.com/${algorithm}`;

    test(`one that is signed with ${algorithm} passes, by discovery and by the strict rules of RFC 9068`, async () => {
      const service = discovery({ issuer: provider.issuer });
      const token = await provider.token(algorithm, 'read write');
      const guard = secure(service, { rfc9068: true, issuer: provider.issuer, audience, scope: 'read write' });
      const { claims, header, scopes } = await guard.verify(token);
      assert.deepEqual([header.alg, header.typ, scopes], [algorithm, 'at+jwt', ['read', 'write']]);
      assert.deepEqual([claims.iss, claims.aud, claims.client_id], [provider.issuer, audience, 'test-client']);
      const { jwks, discovery: metadata } = await provider.counts();
      assert.deepEqual([jwks, metadata], [1, 1]);
    });

    test(`one that is signed with ${algorithm} passes no guard for something else`, async () => {
      const service = discovery({ issuer: provider.issuer });
      const token = await provider.token(algorithm);
      const others = ALGORITHMS.filter((other) => other !== algorithm);
      const table = [
        [{ audience: `${audience}/` }, 'wrong_audience'],
        [{ issuer: `${provider.issuer}/` }, 'wrong_issuer'],
        [{ scope: 'write' }, 'insufficient_scope'],
        [{ algorithms: others }, 'algorithm_not_allowed'],
        [{ types: 'JWT' }, 'wrong_type'],
        [{ claims: [{ name: 'client_id', value: 'another' }] }, 'required_claims'],
      ];
      for (const [options, code] of table) {
        assert.equal(await outcome(secure(service, options), token), code);
      }
    });
  }

  test('a service by its JWKS endpoint does as well', async (t) => {
    const guard = secure(getSimpleJwksService(`${provider.issuer}/jwks`), { scope: ['read'] });
    const client = await serve(t, guardedApp(5, guard));
    const answer = await client.get(await provider.token('RS256'));
    assert.deepEqual([answer.status, JSON.parse(answer.body).client_id], [200, 'test-client']);
    assert.equal((await client.get(await provider.token('RS256', 'write'))).status, 403);
  });

  test('createRemoteJWKSet of jose does as well', async () => {
    const { createRemoteJWKSet } = await import('jose');
    const guard = secure(createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)), { issuer: provider.issuer });
    for (const algorithm of ALGORITHMS) {
      assert.equal(await outcome(guard, await provider.token(algorithm)), 'test-client');
    }
  });

  test('a token of oidc-provider that is not a JWT is refused', async () => {
    const guard = secure(discovery({ issuer: provider.issuer }));
    const response = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('test-client:test-secret')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' }),
    });
    assert.equal(await outcome(guard, (await response.json()).access_token), 'malformed_token_parts');
  });

  test('one that is bound to a DPoP key passes with proofs of that key, and as no bearer token', async (t) => {
    const { generateKeyPair, generateProof } = await import('dpop');
    for (const alg of ['ES256', 'Ed25519']) {
      const keys = await generateKeyPair(alg);
      const dpop = await generateProof(keys, `${provider.issuer}/token`, 'POST');
      const { access_token: token, token_type: type } = await provider.answer('RS256', { dpop });
      assert.equal(type, 'DPoP');
      const codes = [];
      const options = { dpop: 'required', onError: ({ code }) => codes.push(code) };
      const client = await serve(t, guardedApp(5, secure(discovery({ issuer: provider.issuer }), options)));
      const url = `http://127.0.0.1:${client.port}/`;
      const proof = await generateProof(keys, url, 'GET', undefined, token);
      const send = (authorization, dpop) => client.request({ headers: { authorization, ...(dpop && { dpop }) } });
      assert.equal((await send(`DPoP ${token}`, proof)).status, 200);
      assert.equal((await send(`DPoP ${token}`, proof)).status, 401);
      assert.equal((await send(`Bearer ${token}`, await generateProof(keys, url, 'GET', undefined, token))).status, 401);
      assert.equal((await send(`DPoP ${token}`, await generateProof(await generateKeyPair(alg), url, 'GET', undefined, token))).status, 401);
      assert.deepEqual(codes, ['dpop_replayed', 'sender_constrained_token', 'dpop_wrong_key']);
    }
  });

  test('one that is bound to a certificate passes with it alone', async () => {
    const [own, other] = ['client', 'other-client'].map(certificate);
    const fields = { 'x-client-certificate': own.raw.toString('base64') };
    const { access_token: token } = await provider.answer('ES256', fields, 'mtls-client');
    const service = discovery({ issuer: provider.issuer });
    const outcomeWith = (found) => {
      const guard = secure(service, { clientCertificate: () => found });
      const request = { authorization: `Bearer ${token}` };
      return guard.verifyRequest(request).then(({ claims }) => claims.client_id, ({ code }) => code);
    };
    assert.equal(await outcomeWith(own), 'mtls-client');
    assert.equal(await outcomeWith(other), 'wrong_certificate');
    assert.equal(await outcomeWith(undefined), 'sender_constrained_token');
  });

  test('after a rotation, new tokens pass at once, and old ones as long as their key is published', async () => {
    const service = discovery({ issuer: provider.issuer });
    const guard = secure(service);
    const old = await provider.token('ES256');
    assert.equal(await outcome(guard, old), 'test-client');
    await provider.rotate(true);
    const next = await provider.token('ES256');
    assert.notEqual((await guard.verify(next)).header.kid, (await guard.verify(old)).header.kid);
    assert.equal((await provider.counts()).jwks, 2);
    await provider.rotate(false);
    await service.refresh();
    assert.deepEqual([await outcome(guard, old), await outcome(guard, next)], ['unknown_key', 'unknown_key']);
    assert.equal(await outcome(guard, await provider.token('ES256')), 'test-client');
  });
});

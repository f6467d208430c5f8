'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { promisify } = require('node:util');
const { test } = require('node:test');

const express = require('express');
const { discovery, getSimpleJwksService, jwksService, localKeys, mcp, secure, anyOf, protectedResource, InMemoryCache } = require('portcullis');
const { AuthorizationServer, CertificateAuthority, DpopClient, SigningKey, TestClock, providers } = require('portcullis/testkit');
const { run } = require('./support/child.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { failure } = require('./support/watch.js');

const AUDIENCE = 'https://api.example.com';
const PACKAGE = path.join(__dirname, '..');

/** The attacks and the proofs that are longer than Node's limit for header fields. */
const TOO_LONG = ['oversized', 'deep_json', 'jti_huge'];

async function started(t, options) {
  const server = await AuthorizationServer.start(options);
  atEnd(t, () => server.stop());
  return server;
}

/** A guard with the server's issuer and audience, by its keys. */
function guardOf({ issuer, clock }, options = {}, service = {}) {
  return secure(discovery({ issuer, clock, ...service }), { audience: AUDIENCE, ...options });
}

test('a good token of the server passes, with the claims and the scope of the test', async (t) => {
  const server = await started(t);
  const app = express();
  app.use(guardOf(server, { scope: 'read' }));
  app.get('/', (req, res) => res.json({ sub: req.claims.sub, roles: req.claims.roles, scopes: req.auth.scopes }));
  const client = await serve(t, app);
  const good = await client.get(server.token({ sub: 'bob', scope: 'read write', roles: ['admin'] }));
  assert.deepEqual([good.status, JSON.parse(good.body)], [200, { sub: 'bob', roles: ['admin'], scopes: ['read', 'write'] }]);
  assert.equal((await client.get(server.token())).status, 403);
  assert.equal((await client.get()).status, 401);
  assert.deepEqual([server.counts.jwks, server.counts.openidConfiguration], [1, 1]);
});

test('a token has the claims, the header, the time and the key that the test names', async (t) => {
  const server = await started(t, { algorithms: ['ES256', 'RS256', 'EdDSA'] });
  const guard = guardOf(server, { types: ['at+jwt', 'my+jwt'] });
  const other = SigningKey.generate('ES256', server.signingKey.kid);
  const table = [
    [server.token(), undefined],
    [server.token({}, { alg: 'EdDSA' }), undefined],
    [server.token({ jti: undefined }), undefined],
    [server.token({}, { header: { typ: 'my+jwt' } }), undefined],
    [server.token({}, { expiresIn: 3600 }), undefined],
    [server.token({}, { expiresIn: -3600 }), 'expired'],
    [server.token({ exp: 0 }, { expiresIn: 3600 }), 'expired'],
    [server.token({ exp: undefined }), 'missing_claim'],
    [server.token({ aud: undefined }), 'missing_claim'],
    [server.token({ aud: ['a', 'b'] }), 'wrong_audience'],
    [server.token({ iss: `${server.issuer}/` }), 'wrong_issuer'],
    [server.token({}, { header: { typ: 'logout+jwt' } }), 'wrong_type'],
    [server.token({}, { header: { kid: undefined } }), undefined],
    [server.token({}, { header: '{"alg":"none"}' }), 'algorithm_not_allowed'],
    [server.token('no json'), 'malformed_json'],
    [server.token({}, { key: other }), 'bad_signature'],
    [server.token({}, { key: SigningKey.generate('ES256', 'unpublished') }), 'unknown_key'],
  ];
  for (const [index, [token, code]] of table.entries()) {
    const actual = await guard.verify(token).then(() => undefined, (error) => error.code ?? error);
    assert.equal(actual, code, `row ${index}`);
  }
});

test('each hostile token is refused with its code, over http and without, whatever the algorithm', async (t) => {
  for (const algorithms of ['RS256', 'ES256', ['EdDSA', 'ES384'], 'ML-DSA-44']) {
    const server = await started(t, { algorithms });
    const guard = guardOf(server, { problemJson: true });
    const app = express();
    app.use(guard, (req, res) => res.end('passed'));
    const client = await serve(t, app);
    assert.equal((await client.get(server.token())).status, 200);
    const tokens = server.hostileTokens();
    assert.ok(tokens.length > 60);
    for (const { name, description, token, code } of tokens) {
      assert.equal((await failure(guard.verify(token))).code, code, `${name} with ${algorithms}`);
      assert.match(description, /^[A-Z].*\.$/s, name);
      if (!TOO_LONG.includes(name) && !/[^\x20-\x7e]/.test(token)) {
        const { status, body } = await client.get(token);
        assert.deepEqual([Math.floor(status / 100), JSON.parse(body).code], [4, code], name);
      }
    }
    assert.equal(server.counts.attacker, 0);
  }
});

test('hostile tokens resemble a good one with the claims of the test', async (t) => {
  const server = await started(t);
  const guard = guardOf(server, { scope: 'read', claims: [{ name: 'plan', value: 'team' }] });
  await guard.verify(server.token({ scope: 'read', plan: 'team' }));
  for (const { name, token, code } of server.hostileTokens({ scope: 'read', plan: 'team' })) {
    assert.equal((await failure(guard.verify(token))).code, code, name);
  }
});

test('a clock moves the server and the guards: tokens that were seen expire, and keys grow old', async (t) => {
  const clock = new TestClock();
  const server = await started(t, { clock });
  const guard = guardOf(server);
  const token = server.token();
  await guard.verify(token);
  clock.advance(304);
  await guard.verify(token);
  clock.advance(2);
  assert.equal((await failure(guard.verify(token))).code, 'expired');
  await guard.verify(server.token());
  // Keys are fetched behind the request that finds them old.
  const { jwks } = server.counts;
  clock.advance(3600);
  await guard.verify(server.token());
  await server.waitForRequests('jwks', jwks + 1);
  clock.advance(-3600);
  assert.equal((await failure(guard.verify(server.token({}, { expiresIn: -10 })))).code, 'expired');
  assert.equal(clock.now() / 1000, server.token().split('.').map((part) => Buffer.from(part, 'base64url').toString())
    .filter((part) => part.includes('"iat"')).map((part) => JSON.parse(part).iat)[0]);
});

test('a clock reaches each kind of key service, several issuers and resources, and no other guard', async (t) => {
  const clock = new TestClock();
  const server = await started(t, { clock });
  const { issuer, jwksUri, signingKey } = server;
  const services = {
    discovery: discovery({ issuer, clock }),
    getSimpleJwksService: getSimpleJwksService(jwksUri, { clock }),
    jwksService: jwksService(new InMemoryCache(), jwksUri, http, { clock }),
    localKeys: localKeys(signingKey.publicJwk, { clock }),
  };
  const guards = {
    ...Object.fromEntries(Object.entries(services).map(([name, service]) => [name, secure(service, { issuer, audience: AUDIENCE })])),
    anyOf: secure(anyOf([{ jwks: services.localKeys, issuer, audience: AUDIENCE }])),
    protectedResource: protectedResource({ resource: AUDIENCE, issuer, jwks: services.getSimpleJwksService }).guard(),
    mcp: mcp({ resource: AUDIENCE, issuer, jwks: services.discovery }).guard(),
  };
  const token = server.token();
  const byTheMachine = secure(localKeys(signingKey.publicJwk), { audience: AUDIENCE });
  for (const guard of [...Object.values(guards), byTheMachine]) {
    await guard.verify(token);
  }
  clock.advance(400);
  for (const [name, guard] of Object.entries(guards)) {
    assert.equal((await failure(guard.verify(token))).code, 'expired', name);
    const { code, now } = await guard.explain(token);
    assert.deepEqual([code, new Date(now).getTime()], ['expired', Math.floor(clock.now() / 1000) * 1000], name);
  }
  await byTheMachine.verify(token);
  assert.equal((await byTheMachine.explain(token)).verdict, 'passed');
});

test('a clock starts and is set at a time: a Date, or seconds', () => {
  const clock = new TestClock(1_800_000_000);
  assert.equal(clock.now().toISOString(), '2027-01-15T08:00:00.000Z');
  clock.set(new Date('2030-01-01T00:00:00Z'));
  clock.advance(0.5);
  assert.equal(clock.now().getTime(), Date.UTC(2030, 0, 1) + 500);
  assert.equal(new TestClock().now().getTime() % 1000, 0);
  for (const odd of [NaN, Infinity, -1, '1', null, new Date(NaN), 9e12]) {
    assert.throws(() => new TestClock(odd), /^TypeError: TestClock: expected a time/, String(odd));
    assert.throws(() => clock.set(odd), /^TypeError: set: expected a time/, String(odd));
  }
  for (const odd of [NaN, Infinity, '1', undefined, 1n]) {
    assert.throws(() => clock.advance(odd), /^TypeError: advance: expected a number of seconds/, String(odd));
  }
  assert.throws(() => clock.advance(-1e13), /^TypeError: advance: expected a time/);
  assert.equal(clock.now().getTime(), Date.UTC(2030, 0, 1) + 500, 'a refused change changes nothing');
});

test('nothing but a clock of the kit is taken for a clock', () => {
  const real = new TestClock();
  const odd = [
    null, 0, 1_800_000_000, 'now', true, {}, [], Date, Date.now, new Date(), () => new Date(),
    { now: () => new Date(), advance() {}, set() {} },
    Object.create(real), new Proxy(real, {}), Object.create(TestClock.prototype), JSON.parse(JSON.stringify(real)),
  ];
  for (const clock of odd) {
    assert.throws(() => discovery({ issuer: 'https://a.example', clock }), /^TypeError: discovery: expected clock to be a TestClock of portcullis\/testkit/);
    assert.throws(() => getSimpleJwksService('https://a.example/jwks', { clock }), /expected clock to be a TestClock/);
    assert.throws(() => localKeys(SigningKey.generate().publicJwk, { clock }), /expected clock to be a TestClock/);
    assert.throws(() => new DpopClient({ clock }), /^TypeError: DpopClient: expected clock to be a TestClock/);
  }
  // A guard takes the clock of its keys.
  assert.throws(() => secure(localKeys(SigningKey.generate().publicJwk), { clock: real }), /^TypeError: secure: expected known options, got `clock`/);
  for (const nothing of [{}, { clock: undefined }]) {
    discovery({ issuer: 'https://a.example', ...nothing });
  }
});

test('keys rotate, are withdrawn and are replaced', async (t) => {
  const clock = new TestClock();
  const server = await started(t, { clock, algorithms: 'ES256' });
  const guard = guardOf(server);
  const old = server.token();
  await guard.verify(old);
  const fresh = server.rotate();
  assert.equal(server.signingKey.kid, fresh.kid);
  await guard.verify(server.token());
  await guard.verify(old);
  const gone = server.rotate({ withdraw: true });
  server.withdraw(gone);
  assert.equal((await failure(guard.verify(server.token()))).code, 'unknown_key');
  server.publish(gone);
  clock.advance(60);
  await guard.verify(server.token());
  server.replaceJwks({ keys: [] });
  assert.deepEqual(await (await fetch(server.jwksUri)).json(), { keys: [] });
  server.replaceJwks();
  assert.ok((await (await fetch(server.jwksUri)).json()).keys.length > 1);
});

test('faults: an outage is 503, and ends with it', async (t) => {
  const server = await started(t);
  const faults = [
    'hang', 'cutOff', 'notJson', 'endlessBody', 'noKeys', 'refuse',
    { status: 500 }, { status: 503 }, { delay: 60 }, { hugeBody: 2 ** 20 }, { redirect: 'http://127.0.0.1:9/' }, { body: '{"keys":{}}' },
  ];
  for (const fault of faults) {
    server.fail(fault);
    const guard = guardOf(server, {}, { timeout: 0.2 });
    assert.equal((await failure(guard.verify(server.token()))).code, 'keys_unavailable', JSON.stringify(fault));
    server.recover();
    await guardOf(server).verify(server.token());
  }
});

test('faults: of one endpoint, of the next request, and of a server that is gone', async (t) => {
  const server = await started(t);
  server.resetCounts();
  server.fail({ status: 500 }, { at: 'jwks', once: true });
  assert.deepEqual(await statuses(server.jwksUri, server.url('/.well-known/openid-configuration'), server.jwksUri), [500, 200, 200]);
  server.fail({ status: 418 }, { at: ['jwks', 'openidConfiguration'] });
  assert.deepEqual(await statuses(server.jwksUri, server.url('/.well-known/openid-configuration'), server.introspectionUri), [418, 418, 405]);
  server.recover({ at: 'jwks' });
  assert.deepEqual(await statuses(server.jwksUri, server.url('/.well-known/openid-configuration')), [200, 418]);
  assert.equal(server.counts.jwks, 4);
  assert.equal(server.lastHeaders('jwks').get('host'), new URL(server.issuer).host);
  assert.equal(server.lastHeaders('attacker'), undefined);
  await server.stop();
  await server.stop();
  await assert.rejects(fetch(server.jwksUri));
  assert.equal(typeof server.token(), 'string');
  await server.restart();
  assert.deepEqual(await statuses(server.jwksUri), [200]);
});

async function statuses(...urls) {
  const all = [];
  for (const url of urls) {
    all.push((await fetch(url)).status);
  }
  return all;
}

test('waiting for requests ends when they have come, and fails after its time', async (t) => {
  const server = await started(t);
  server.fail('hang', { at: 'jwks' });
  const asked = fetch(server.jwksUri);
  await server.waitForRequests('jwks');
  server.recover();
  assert.equal((await asked).status, 200);
  await server.waitForRequests('jwks', 1);
  await assert.rejects(server.waitForRequests('jwks', 2, { timeout: 0.05 }), /^Error: expected 2 requests to jwks within 0.05 s, got 1$/);
});

test('two servers at once do not know each other', async (t) => {
  const [one, other] = [await started(t, { algorithms: 'ES256' }), await started(t, { algorithms: 'ES256', path: '/tenant1' })];
  assert.notEqual(one.issuer, other.issuer);
  assert.ok(other.issuer.endsWith('/tenant1'));
  const guards = [one, other].map((server) => guardOf(server));
  await guards[0].verify(one.token());
  await guards[1].verify(other.token());
  assert.equal((await failure(guards[0].verify(other.token()))).code, 'wrong_issuer');
  await one.stop();
  await guardOf(other).verify(other.token());
});

test('`await using` stops a server', async () => {
  const server = await AuthorizationServer.start();
  await server[Symbol.asyncDispose]();
  await assert.rejects(fetch(server.jwksUri));
});

test('opaque tokens are known to introspection until they are revoked or expire', async (t) => {
  const clock = new TestClock();
  const server = await started(t, { clock, client: { id: 'api', secret: 's3cret' } });
  const introspect = async (token) => {
    const authorization = `Basic ${Buffer.from(`${server.client.id}:${server.client.secret}`).toString('base64')}`;
    const body = new URLSearchParams({ token });
    return (await fetch(server.introspectionUri, { method: 'POST', headers: { authorization }, body })).json();
  };
  const token = server.opaqueToken({ scope: 'read', sub: 'bob' }, { expiresIn: 60 });
  const { active, scope, sub } = await introspect(token);
  assert.deepEqual({ active, scope, sub }, { active: true, scope: 'read', sub: 'bob' });
  server.revoke(token);
  assert.deepEqual(await introspect(token), { active: false });
  const other = server.opaqueToken({}, { expiresIn: 60 });
  clock.advance(61);
  assert.deepEqual(await introspect(other), { active: false });
});

test('each provider has its shape: its tokens pass by its metadata or its keys', async (t) => {
  for (const provider of providers) {
    const server = await started(t, { provider });
    const token = server.token();
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    const keys = getSimpleJwksService(server.jwksUri, { keyUses: ['jwt-svid'] });
    const guard = secure(keys, { ...(claims.iss && { issuer: claims.iss }), types: ['JWT', 'at+jwt', 'JOSE'], orNoType: true });
    assert.deepEqual((await guard.verify(token)).claims, claims, provider);
  }
});

test('a DPoP client sends good requests, and hostile ones of every kind', async (t) => {
  const clock = new TestClock();
  const server = await started(t, { clock, algorithms: 'ES256' });
  const app = express();
  app.use(guardOf(server, { dpop: { publicUrl: 'https://api.example.com' } }));
  app.get('/notes', (req, res) => res.json(req.claims.sub));
  const client = await serve(t, app);
  const url = 'https://api.example.com/notes';
  const dpop = server.dpopClient();
  const send = (fields) => client.exact('GET /notes HTTP/1.1', 'host: api.example.com', ...fields.map(([name, value]) => `${name}: ${value}`));
  const token = server.token(dpop.bound);
  assert.equal((await send(Object.entries(dpop.headers({ url, token })))).status, 200);
  const attempts = server.dpopAttempts(dpop, { url });
  assert.ok(attempts.length > 80);
  for (const { name, description, passes, fields, earlier } of attempts.filter(({ name }) => !TOO_LONG.includes(name))) {
    for (const good of earlier) {
      assert.equal((await send(good)).status, 200, `before ${name}`);
    }
    const { status } = await send(fields);
    assert.equal(status === 200, passes, `${name}: ${description} ${status}`);
  }
  // Proofs grow old by the same clock.
  const proof = dpop.proof({ url, token });
  clock.advance(250);
  const proofs = [
    [proof, 200],
    [proof, 401],
    [dpop.proof({ url, token }, { claims: { htm: 'POST' } }), 401],
    [dpop.proof({ url, token }, { claims: { jti: undefined } }), 401],
    [dpop.proof({ url, token }, { key: SigningKey.generate() }), 401],
    [dpop.proof({ url, token }, { header: { typ: 'JWT' } }), 401],
  ];
  for (const [index, [proof, expected]] of proofs.entries()) {
    assert.equal((await send([['authorization', `DPoP ${token}`], ['dpop', proof]])).status, expected, `proof ${index}`);
  }
});

test('https and client certificates: of the test, each with its own authority', async (t) => {
  const [tls, clientAuthority] = [new CertificateAuthority(), new CertificateAuthority()];
  const server = await started(t, { tls, clientAuthority });
  assert.match(server.issuer, /^https:\/\/127\.0\.0\.1:/);
  const identity = clientAuthority.client('orders');
  const guard = guardOf(server, {}, { client: { ca: tls.pem } });
  assert.equal((await failure(guardOf(server).verify(server.token()))).code, 'keys_unavailable');
  await guard.verify(server.token());
  const bound = server.token({ cnf: { 'x5t#S256': identity.thumbprint } });
  assert.equal((await failure(guard.verify(bound))).code, 'sender_constrained_token');
  const shown = guardOf(server, { clientCertificate: () => identity.der }, { client: { ca: tls.pem } });
  await shown.verifyRequest({ headers: { authorization: `Bearer ${bound}` } });
  const other = guardOf(server, { clientCertificate: () => CertificateAuthority.selfSigned().der }, { client: { ca: tls.pem } });
  assert.equal((await failure(other.verifyRequest({ headers: { authorization: `Bearer ${bound}` } }))).code, 'wrong_certificate');
  // The token endpoint binds a token to the certificate of the connection.
  const options = { method: 'POST', ca: tls.pem, cert: identity.cert, key: identity.key, agent: false };
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: server.client.id, client_secret: server.client.secret });
  const answer = await new Promise((resolve, reject) => {
    const request = https.request(server.tokenUri, { ...options, headers: { 'content-type': 'application/x-www-form-urlencoded' } }, (response) => {
      response.setEncoding('utf8').on('data', (text) => resolve(JSON.parse(text)));
    });
    request.on('error', reject).end(form.toString());
  });
  await shown.verifyRequest({ headers: { authorization: `Bearer ${answer.access_token}` } });
});

test('wrong options are told by name, and start nothing', async (t) => {
  const server = await started(t);
  const starts = [
    [{ algoritms: 'RS256' }, /unknown field `algoritms`/],
    [{ algorithms: 'none' }, /expected an algorithm, got `none`/],
    [{ provider: 'keyclock' }, /expected a provider, got `keyclock`/],
    [{ clock: {} }, /expected clock to be a TestClock/],
    [{ tls: true }, /expected tls to be a CertificateAuthority/],
    [{ clientAuthority: new CertificateAuthority() }, /expected `tls` with `clientAuthority`/],
    [{ jwksMaxAge: -1 }, /expected `jwksMaxAge` to be a number of seconds/],
    [{ port: 70_000 }, /invalid value/],
    [{ client: { id: 'a' } }, /missing field `secret`/],
    [null, /expected options to be an object/],
  ];
  for (const [options, told] of starts) {
    const error = await failure(AuthorizationServer.start(options));
    assert.ok(error instanceof TypeError, JSON.stringify(options));
    assert.match(error.message, told);
    assert.match(error.message, /^AuthorizationServer\.start: /);
  }
  const { port } = new URL(server.issuer);
  await assert.rejects(AuthorizationServer.start({ port: Number(port) }), /^Error: cannot listen on loopback/);
  const calls = [
    [() => server.token([]), /^TypeError: token: expected claims to be an object, or a text/],
    [() => server.token({ f: () => {} }), /^TypeError: token: expected claims\.f to be a JSON value/],
    [() => server.token({ big: 1n }), /^TypeError: token: expected claims\.big to be a JSON value/],
    [() => server.token({}, { header: 1 }), /^TypeError: token: expected header to be an object/],
    [() => server.token({}, { alg: 'ES256' }), /^TypeError: token: expected an algorithm of the server, got ES256: name it in the option `algorithms` of start, which has RS256/],
    [() => server.token({}, { key: {} }), /^TypeError: token: expected key to be a SigningKey/],
    [() => server.token({}, { expiresIn: '60' }), /^TypeError: token: expected expiresIn to be a number of seconds/],
    [() => server.token({}, { expiresIn: 1e300 }), /^TypeError: token: expected `expiresIn` to be a number of seconds/],
    [() => server.fail('hangg'), /^TypeError: fail: unknown variant `hangg`/],
    [() => server.fail({ status: 'a' }), /^TypeError: fail: /],
    [() => server.fail(undefined), /^TypeError: fail: expected the fault/],
    [() => server.fail('hang', { at: 'keys' }), /^TypeError: fail: expected an endpoint, got `keys`/],
    [() => server.recover({ at: 'keys' }), /^TypeError: recover: expected an endpoint/],
    [() => server.lastHeaders('keys'), /^TypeError: lastHeaders: expected an endpoint/],
    [() => SigningKey.generate('none'), /^TypeError: SigningKey\.generate: expected an algorithm/],
    [() => SigningKey.generate('HS256').publicPem, /^TypeError: publicPem: expected a key with a public half/],
    [() => new DpopClient({ alg: 'HS256' }), /^TypeError: DpopClient: expected an asymmetric algorithm/],
    [() => new DpopClient().proof({}), /^TypeError: proof: expected url to be a URL/],
    [() => new DpopClient().proof({ url: 'https://a' }, { claims: 'text' }), /^TypeError: proof: expected claims to be an object/],
  ];
  for (const [call, told] of calls) {
    assert.throws(call, told);
  }
  assert.equal((await failure(server.waitForRequests('keys'))).message, 'waitForRequests: expected an endpoint, got `keys`: jwks, \
openidConfiguration, oauthMetadata, token, introspection, rotate, attacker');
});

test('keys of each algorithm sign, and are local keys for a guard', async () => {
  for (const alg of ['RS512', 'PS256', 'ES384', 'ES512', 'EdDSA', 'ML-DSA-65', 'HS256']) {
    const server = await AuthorizationServer.start({ algorithms: alg });
    const key = server.signingKey;
    assert.equal(key.alg, alg);
    await secure(localKeys(key.publicJwk), { algorithms: alg, audience: AUDIENCE }).verify(server.token());
    await server.stop();
  }
});

test('a script that leaves a server running, or stops it, ends', async (t) => {
  for (const end of ['', 'await server.stop(); await server.stop();', 'server.fail("hang"); fetch(server.jwksUri).catch(() => {}); process.exit(0);']) {
    const script = `
      (async () => {
        const { AuthorizationServer } = require('portcullis/testkit');
        const server = await AuthorizationServer.start({ algorithms: 'ES256' });
        console.log(server.token().split('.').length);
        ${end}
      })();
    `;
    assert.deepEqual(await run(t, script), { stdout: '3\n', stderr: '', code: 0, signal: null }, end);
  }
});

test('a worker has servers and clocks of its own, with and without the main thread', async (t) => {
  const script = `
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { parentPort } = require('node:worker_threads');
      const { AuthorizationServer, TestClock } = require('portcullis/testkit');
      const { discovery, secure } = require('portcullis');
      (async () => {
        const clock = new TestClock();
        const server = await AuthorizationServer.start({ clock, algorithms: 'ES256' });
        const guard = secure(discovery({ issuer: server.issuer, clock, maxAge: 3600 }), { audience: 'https://api.example.com' });
        const token = server.token();
        const { claims } = await guard.verify(token);
        clock.advance(400);
        const { code } = await guard.verify(token).catch((error) => error);
        parentPort.postMessage([claims.sub, code].join());
      })();
    \`;
    for (let count = 0; count < 3; count += 1) {
      new Worker(source, { eval: true }).on('message', (line) => console.log(line)).on('error', (error) => console.log(error));
    }
  `;
  assert.deepEqual(await run(t, script), { stdout: 'alice,expired\n'.repeat(3), stderr: '', code: 0, signal: null });
});

test('a worker that is terminated takes its servers with it', async (t) => {
  const script = `
    const { once } = require('node:events');
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { AuthorizationServer } = require('portcullis/testkit');
      AuthorizationServer.start({ algorithms: 'ES256' }).then((server) => {
        require('node:worker_threads').parentPort.postMessage(server.jwksUri);
        AuthorizationServer.start();
      });
      setInterval(() => {}, 1000);
    \`;
    (async () => {
      for (let count = 0; count < 3; count += 1) {
        const worker = new Worker(source, { eval: true });
        const [uri] = await once(worker, 'message');
        await worker.terminate();
        console.log(await fetch(uri).then(() => 'there', () => 'gone'));
      }
    })();
  `;
  assert.deepEqual(await run(t, script), { stdout: 'gone\n'.repeat(3), stderr: '', code: 0, signal: null });
});

test('ES modules get the same kit', async () => {
  const kit = await import('portcullis/testkit');
  assert.deepEqual(Object.keys(kit).sort(), Object.keys(require('portcullis/testkit')).sort());
  assert.equal(kit.TestClock, TestClock);
});

test('without its binary, the kit says what to install; the package itself needs neither', async (t) => {
  const script = `
    const Module = require('node:module');
    const { _resolveFilename } = Module;
    Module._resolveFilename = function resolve(request, ...rest) {
      if (request.startsWith('portcullis-testkit')) {
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
      }
      return _resolveFilename.call(this, request, ...rest);
    };
    console.log(typeof require('portcullis').secure);
    try { require('portcullis/testkit'); } catch ({ message }) { console.log(message); }
    try { require('portcullis').discovery({ issuer: 'https://a.example', clock: {} }); } catch ({ message }) { console.log(message); }
  `;
  const { version } = require('../package.json');
  const { stdout } = await run(t, script);
  assert.deepEqual(stdout.trim().split('\n'), [
    'function',
    `portcullis/testkit: expected the package portcullis-testkit, which has its binary, to be installed, found none: npm install --save-dev portcullis-testkit@${version}`,
    'discovery: expected clock to be a TestClock of portcullis/testkit (in production, leave it out), got an object of class Object',
  ]);
});

test('the two packages have one version, and the addon for production has no code of the kit', () => {
  assert.equal(require('portcullis-testkit/package.json').version, require('../package.json').version);
  const addon = readdirSync(PACKAGE).find((file) => /^portcullis\..+\.node$/.test(file));
  const binary = readFileSync(path.join(PACKAGE, addon));
  for (const text of ['test-secret', 'portcullis-testkit/src']) {
    assert.equal(binary.includes(text), false, text);
  }
});

/** The test runners, installed by `npm ci` in `test/runners/tools`: each with its program and arguments. */
const RUNNERS = {
  jest: ['jest/bin/jest.js', '--rootDir', 'test/runners', '--config', '{"testMatch":["**/*.jest.js"]}'],
  'vitest in threads': ['vitest/vitest.mjs', 'run', '--globals', '--root', 'test/runners', '--pool', 'threads'],
  'vitest in processes': ['vitest/vitest.mjs', 'run', '--globals', '--root', 'test/runners', '--pool', 'forks'],
};

for (const [runner, [script, ...options]] of Object.entries(RUNNERS)) {
  const program = path.join(PACKAGE, 'test/runners/tools/node_modules', script);
  const skip = !existsSync(program) && 'needs `npm ci` in test/runners/tools';
  test(`the kit works under ${runner}`, { skip }, async () => {
    const env = { ...process.env, CI: 'true', NODE_TEST_CONTEXT: undefined };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...options], { cwd: PACKAGE, timeout: 60_000, env })
      .catch((error) => assert.fail(`${error.stdout}\n${error.stderr}`));
    assert.match(`${stdout}${stderr}`, /[23] passed/);
  });
}

'use strict';

const assert = require('node:assert/strict');
const { createHash, X509Certificate } = require('node:crypto');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const http2 = require('node:http2');
const https = require('node:https');
const { join } = require('node:path');
const { text } = require('node:stream/consumers');
const { describe, test } = require('node:test');

const { anyOf, errors, localKeys, mcp, protectedResource, secure } = require('portcullis');
const { EXPRESS, VERSIONS, guardedApp } = require('./support/apps.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');

const pem = (name) => readFileSync(join(__dirname, 'support', 'tls', `${name}.pem`));

/** A client with a certificate of its own. */
function newClient(name) {
  const certificate = new X509Certificate(pem(name));
  const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
  return { certificate, thumbprint, identity: { cert: pem(name), key: pem(`${name}-key`) } };
}

const SERVER = { cert: pem('certificate'), key: pem('key'), requestCert: true, rejectUnauthorized: false };
const [CLIENT, OTHER] = ['client', 'other-client'].map(newClient);
const NOBODY = { identity: {} };
const ISSUER = 'https://as.example.com';
const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });

/** A token that is bound to a certificate. */
function boundTo({ thumbprint }, claims = {}) {
  return mint(KEY, { iss: ISSUER, cnf: { 'x5t#S256': thumbprint }, ...claims });
}

const TOKEN = boundTo(CLIENT);

/** Starts a server with TLS, or an app on one; the function that it returns sends a request of a client, and returns status and body. */
async function start(t, app, options = SERVER) {
  const server = app instanceof https.Server ? app : https.createServer(options, app);
  await serve(t, server);
  return async ({ identity }, token, { body = '', ...more } = {}) => {
    const headers = { authorization: `Bearer ${token}` };
    const common = { port: server.address().port, host: '127.0.0.1', ca: pem('authority'), agent: false };
    const request = https.request({ ...common, ...identity, headers, ...more }).end(body);
    const [response] = await once(request, 'response');
    return { status: response.statusCode, body: await text(response), challenge: response.headers['www-authenticate'] };
  };
}

/** The codes of a guard's refusals beside its app. */
function watched(version, makeGuard, prepare) {
  const codes = [];
  const guard = makeGuard({ onError: (error) => codes.push(error.code) });
  return { app: guardedApp(version, guard, prepare), codes };
}

for (const version of VERSIONS) {
  describe(`a token that is bound to a certificate, with Express ${version}`, () => {
    test('passes with that certificate, and with no other', async (t) => {
      const { app, codes } = watched(version, (options) => secure(KEYS, options));
      const send = await start(t, app);
      const table = [
        [CLIENT, TOKEN, 'passes'],
        [OTHER, TOKEN, 'wrong_certificate'],
        [NOBODY, TOKEN, 'sender_constrained_token'],
        [OTHER, boundTo(OTHER), 'passes'],
        [CLIENT, boundTo(OTHER), 'wrong_certificate'],
        [CLIENT, mint(KEY), 'passes'],
        [CLIENT, 'opaque', 'malformed_token_parts'],
        [CLIENT, boundTo(CLIENT, { exp: 1 }), 'expired'],
      ];
      for (const [client, token, expected] of table) {
        const { status, challenge } = await send(client, token);
        const outcome = status === 200 ? 'passes' : codes.at(-1);
        assert.equal(outcome, expected);
        if (/certificate|sender/.test(expected)) {
          assert.equal(status, 401);
          assert.match(challenge, /^Bearer error="invalid_token"/);
        }
      }
    });

    test('passes no server without TLS, nor one that asks for no certificate', async (t) => {
      const { app, codes } = watched(version, (options) => secure(KEYS, options));
      const plain = await serve(t, app);
      assert.equal((await plain.get(TOKEN)).status, 401);
      const send = await start(t, app, { ...SERVER, requestCert: false });
      assert.equal((await send(CLIENT, TOKEN)).status, 401);
      assert.deepEqual(codes, ['sender_constrained_token', 'sender_constrained_token']);
    });

    test('passes on each connection, also on one that is kept or resumed', async (t) => {
      const { app } = watched(version, (options) => secure(KEYS, options));
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
        const send = await start(t, app);
        const agent = new https.Agent({ keepAlive: true, maxCachedSessions: 10, ...CLIENT.identity, maxVersion });
        atEnd(t, () => agent.destroy());
        const statuses = [];
        for (let round = 0; round < 6; round += 1) {
          statuses.push((await send(CLIENT, TOKEN, { agent })).status);
          if (round % 2 === 1) {
            // The next one resumes the session.
            Object.values(agent.freeSockets).flat().forEach((socket) => socket.destroy());
          }
        }
        assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200], maxVersion);
      }
    });
  });
}

test('each kind of guard judges by the certificate', async (t) => {
  const resource = { resource: 'https://api.example.com', issuer: ISSUER, jwks: KEYS, audience: 'api' };
  const tools = [{ name: 'delete_*', scope: 'files:write' }];
  const guards = {
    secure: secure(KEYS),
    anyOf: secure(anyOf([{ jwks: KEYS, issuer: ISSUER }, { jwks: KEYS, issuer: 'b' }])),
    getKey: secure(async () => KEY.publicKey),
    protectedResource: protectedResource(resource).guard(),
    mcp: mcp(resource).guard(),
    'mcp by tool': mcp({ ...resource, tools }).guard(),
    optional: secure(KEYS, { optional: true }),
  };
  const token = boundTo(CLIENT, { aud: 'api' });
  for (const [name, guard] of Object.entries(guards)) {
    const app = EXPRESS[5]();
    app.post('/', guard, (req, res) => res.end());
    const send = await start(t, app);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const outcomes = [];
    for (const client of [CLIENT, OTHER, NOBODY]) {
      outcomes.push((await send(client, token, { method: 'POST', headers, body })).status);
    }
    assert.deepEqual(outcomes, [200, 401, 401], name);
  }
});

test('a request of another framework has the certificate of its connection', async (t) => {
  const guard = secure(KEYS);
  const answer = (req, res) => guard.verifyRequest(req).then(() => res.end('passes'), ({ code }) => res.end(code));
  const inside = (req, res) => answer({ headers: req.headers, raw: req }, res);
  for (const handler of [answer, inside]) {
    const send = await start(t, handler);
    assert.equal((await send(CLIENT, TOKEN)).body, 'passes');
    assert.equal((await send(OTHER, TOKEN)).body, 'wrong_certificate');
  }
});

test('a request of HTTP/2 has it, too', async (t) => {
  const guard = secure(KEYS);
  const server = http2.createSecureServer(SERVER, (req, res) =>
    guard.verifyRequest(req).then(() => res.end('passes'), ({ code }) => res.end(code)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  for (const [client, expected] of [[CLIENT, 'passes'], [OTHER, 'wrong_certificate'], [NOBODY, 'sender_constrained_token']]) {
    const session = http2.connect(`https://127.0.0.1:${server.address().port}`, { ca: pem('authority'), ...client.identity });
    const stream = session.request({ ':path': '/', authorization: `Bearer ${TOKEN}` });
    assert.equal(await text(stream), expected);
    session.close();
  }
});

describe('behind plugins the connection tells the certificate, too:', () => {
  const plugins = {
    async fastify(t) {
      const app = require('fastify')({ https: SERVER });
      await app.register(require('portcullis/fastify'), { keys: KEYS });
      app.get('/', async () => 'passes');
      await app.ready();
      return app.server;
    },
    koa() {
      const app = new (require('koa'))();
      app.use(require('portcullis/koa').secure(KEYS)).use((ctx) => (ctx.body = 'passes'));
      return https.createServer(SERVER, app.callback());
    },
    hono() {
      const app = new (require('hono').Hono)();
      app.use(require('portcullis/hono').secure(KEYS)).get('/', (c) => c.text('passes'));
      return https.createServer(SERVER, require('@hono/node-server').getRequestListener(app.fetch));
    },
    http() {
      const handler = require('portcullis/http').protect(secure(KEYS), (req, res) => res.end('passes'));
      return https.createServer(SERVER, handler);
    },
  };

  for (const [name, makeServer] of Object.entries(plugins)) {
    test(name, async (t) => {
      const send = await start(t, await makeServer(t));
      const answers = await Promise.all([CLIENT, OTHER, NOBODY].map((client) => send(client, TOKEN)));
      assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, 'passes'], [401, ''], [401, '']]);
    });
  }
});

test('verify, which gets no request, refuses bound tokens', async () => {
  await assert.rejects(secure(KEYS).verify(TOKEN), { code: 'sender_constrained_token' });
  await assert.rejects(secure(KEYS).verifyRequest({ authorization: `Bearer ${TOKEN}` }), { code: 'sender_constrained_token' });
});

test('senderConstrained: every token has to be bound', async (t) => {
  const { app, codes } = watched(5, (options) => secure(KEYS, { ...options, senderConstrained: true }));
  const send = await start(t, app);
  assert.equal((await send(CLIENT, TOKEN)).status, 200);
  const { status, challenge } = await send(CLIENT, mint(KEY));
  assert.deepEqual([status, codes], [401, ['sender_constraint_required']]);
  assert.match(challenge, /error="invalid_token"/);
});

describe('clientCertificate', () => {
  const ofProxy = (req) => req.headers['x-certificate'] && Buffer.from(req.headers['x-certificate'], 'base64');

  test('finds the certificate that a proxy tells, in place of that of the connection', async (t) => {
    const { app, codes } = watched(5, (options) => secure(KEYS, { ...options, clientCertificate: ofProxy }));
    const client = await serve(t, app);
    const headers = (certificate) => ({ authorization: `Bearer ${TOKEN}`, 'x-certificate': certificate.raw.toString('base64') });
    assert.equal((await client.request({ headers: headers(CLIENT.certificate) })).status, 200);
    assert.equal((await client.request({ headers: headers(OTHER.certificate) })).status, 401);
    assert.equal((await client.get(TOKEN)).status, 401);
    const send = await start(t, app);
    assert.equal((await send(CLIENT, TOKEN)).status, 401, 'that of the connection is the proxy\'s');
    assert.deepEqual(codes, ['wrong_certificate', 'sender_constrained_token', 'sender_constrained_token']);
  });

  test('returns DER, or an X509Certificate', async () => {
    const request = { headers: { authorization: `Bearer ${TOKEN}` } };
    const outcome = (found) => secure(KEYS, { clientCertificate: () => found }).verifyRequest(request).then(() => 'passes', (error) => error.code ?? error.name);
    const der = CLIENT.certificate.raw;
    const table = [
      [der, 'passes'],
      [new Uint8Array(der), 'passes'],
      [CLIENT.certificate, 'passes'],
      [OTHER.certificate, 'wrong_certificate'],
      [der.subarray(0, -1), 'wrong_certificate'],
      [Buffer.alloc(0), 'wrong_certificate'],
      [undefined, 'sender_constrained_token'],
      [null, 'sender_constrained_token'],
      ['PEM', 'TypeError'],
      [true, 'TypeError'],
      [Promise.resolve(der), 'TypeError'],
      [{ raw: der }, 'TypeError'],
    ];
    for (const [found, expected] of table) {
      assert.equal(await outcome(found), expected);
    }
  });

  test('that throws lets no request pass', async (t) => {
    const app = EXPRESS[5]();
    app.use(secure(KEYS, { clientCertificate() { throw new Error('no certificate'); } }));
    app.get('/', (req, res) => res.end('passed'));
    app.use((error, req, res, next) => res.status(500).end(error.message));
    const { status, body } = await (await serve(t, app)).get(mint(KEY));
    assert.deepEqual([status, body], [500, 'no certificate']);
  });
});

test('the errors are of the class of invalid tokens', async () => {
  const guard = secure(KEYS, { clientCertificate: () => OTHER.certificate });
  await assert.rejects(guard.verifyRequest({ authorization: `Bearer ${TOKEN}` }), (error) => error instanceof errors.InvalidTokenError);
});

'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const https = require('node:https');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { text } = require('node:stream/consumers');
const { describe, test } = require('node:test');

const { anyOf, errors, localKeys, mcp, protectedResource, secure } = require('portcullis');
const { tokenVerifier } = require('portcullis/mcp');
const { EXPRESS, VERSIONS, guardedApp } = require('./support/apps.js');
const { atEnd } = require('./support/cleanup.js');
const { DpopClient } = require('./support/dpop.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { collectLog } = require('./support/watch.js');

const ISSUER = 'https://as.example.com';
const ORIGIN = 'https://api.example.com';
const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const CLIENT = new DpopClient();
const TOKEN = mint(KEY, { iss: ISSUER, aud: 'api', scope: 'read', ...CLIENT.bound });
const PLAIN = mint(KEY, { iss: ISSUER, aud: 'api' });
const SECRET = 'a secret of at least thirty-two bytes';

/** Starts an app behind a guard; `codes` are the codes of its refusals. */
async function start(t, options, version = 5, prepare = undefined) {
  const codes = [];
  const guard = secure(KEYS, { onError: ({ code }) => codes.push(code), ...options });
  const client = await serve(t, guardedApp(version, guard, prepare));
  return { client, codes, guard, url: `http://127.0.0.1:${client.port}/` };
}

/** The outcome of a request: `passes`, or the code of the refusal. */
async function outcome({ client, codes }, headers, more = {}) {
  const before = codes.length;
  const { status } = await client.request({ headers, ...more });
  return status === 200 ? 'passes' : (codes[before] ?? `status ${status}`);
}

/** The fields of a request with a good proof. */
function good(url, more = {}) {
  return CLIENT.fields(TOKEN, CLIENT.proof({ url, token: TOKEN, ...more }));
}

/** The challenges of an answer by scheme. */
function challengesOf({ challenges }) {
  return Object.fromEntries(challenges.map((challenge) => [challenge.split(' ', 1)[0], challenge]));
}

for (const version of VERSIONS) {
  describe(`DPoP, with Express ${version}`, () => {
    test('required: a bound token passes with a proof, once, and nothing else passes', async (t) => {
      const app = await start(t, { dpop: 'required' }, version);
      const used = good(app.url);
      const table = [
        [used, 'passes'],
        [used, 'dpop_replayed'],
        [good(app.url), 'passes'],
        [{ authorization: `DPoP ${TOKEN}` }, 'missing_dpop_proof'],
        [{ authorization: `Bearer ${TOKEN}`, dpop: good(app.url).dpop }, 'sender_constrained_token'],
        [{ authorization: `Bearer ${TOKEN}` }, 'sender_constrained_token'],
        [{ authorization: `Bearer ${PLAIN}` }, 'dpop_required'],
        [good(`${app.url}other`), 'dpop_url'],
        [good(app.url, { method: 'POST' }), 'dpop_method'],
        [{}, 'no_credentials'],
      ];
      for (const [headers, expected] of table) {
        assert.equal(await outcome(app, headers), expected);
      }
    });

    test('allowed: a bearer token passes, too', async (t) => {
      const app = await start(t, { dpop: 'allowed' }, version);
      assert.equal(await outcome(app, good(app.url)), 'passes');
      assert.equal(await outcome(app, { authorization: `Bearer ${PLAIN}` }), 'passes');
      assert.equal(await outcome(app, { authorization: `Bearer ${PLAIN}`, dpop: good(app.url).dpop }), 'unbound_token');
      assert.equal(await outcome(app, { authorization: `DPoP ${PLAIN}`, dpop: good(app.url).dpop }), 'unbound_token');
      assert.equal(await outcome(app, { authorization: `Bearer ${TOKEN}` }), 'sender_constrained_token');
    });

    test('without nonces, no response has one', async (t) => {
      const app = await start(t, { dpop: 'allowed' }, version);
      for (const headers of [good(app.url), good(app.url, { method: 'POST' }), { authorization: `Bearer ${PLAIN}` }, {}]) {
        assert.deepEqual((await app.client.request({ headers })).all('dpop-nonce'), []);
      }
    });

    test('off: the scheme is unknown, and a proof has no effect', async (t) => {
      for (const dpop of [undefined, 'off', { use: 'off' }]) {
        const app = await start(t, { dpop }, version);
        assert.equal(await outcome(app, good(app.url)), 'other_scheme');
        assert.equal(await outcome(app, { authorization: `Bearer ${TOKEN}`, dpop: good(app.url).dpop }), 'sender_constrained_token');
        assert.equal(await outcome(app, { authorization: `Bearer ${PLAIN}`, dpop: 'x' }), 'passes');
      }
    });

    test('a refusal has a challenge for each accepted scheme, each in a field of its own', async (t) => {
      const allowed = await start(t, { dpop: { use: 'allowed', algorithms: ['ES256', 'EdDSA'] }, realm: 'r' }, version);
      const none = challengesOf(await allowed.client.get());
      assert.deepEqual(none, { Bearer: 'Bearer realm="r"', DPoP: 'DPoP realm="r", algs="ES256 EdDSA"' });
      const bad = await allowed.client.request({ headers: good('http://other/') });
      assert.equal(bad.status, 401);
      assert.match(challengesOf(bad).DPoP, /error="invalid_dpop_proof".*algs="ES256 EdDSA"/);
      const required = await start(t, { dpop: 'required' }, version);
      assert.deepEqual(Object.keys(challengesOf(await required.client.get())), ['DPoP']);
    });
  });
}

describe('the client\'s URL', () => {
  const behind = (trust) => (app) => app.set('trust proxy', trust);

  /** A request with these raw lines besides token and proof, for a proof of this URL. */
  async function rawOutcome({ client, codes }, url, target, ...lines) {
    const before = codes.length;
    const { authorization, dpop } = good(url);
    const answer = await client.exact(`GET ${target} HTTP/1.1`, `authorization: ${authorization}`, `dpop: ${dpop}`, ...lines);
    return answer.status === 200 ? 'passes' : (codes[before] ?? `status ${answer.status}`);
  }

  for (const version of VERSIONS) {
    describe(`with Express ${version}`, () => {
      test('is made of Host and the original URL', async (t) => {
        const app = await start(t, { dpop: 'required' }, version);
        const table = [
          ['https://api.example.com/', '/', ['host: api.example.com'], 'passes'],
          ['https://api.example.com/', '/?a=1', ['host: API.example.com:443'], 'passes'],
          ['https://api.example.com:8443/', '/', ['host: api.example.com:8443'], 'passes'],
          ['http://api.example.com/', '/', ['host: api.example.com'], 'dpop_url'],
          ['http://localhost:3000/', '/', ['host: localhost:3000'], 'passes'],
          ['http://[::1]:3000/', '/', ['host: [::1]:3000'], 'passes'],
          ['https://api.example.com/', '/', ['host: other.example.com'], 'dpop_url'],
          ['https://api.example.com/', '/', ['host: other.example.com', 'x-forwarded-host: api.example.com'], 'dpop_url'],
          ['https://api.example.com/', 'http://api.example.com/', ['host: other.example.com'], 'passes'],
          ['https://other.example.com/', 'http://api.example.com/', ['host: other.example.com'], 'dpop_url'],
          ['https://api.example.com/', '/', ['host: api.example.com/'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com/a'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: user@api.example.com'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com:a'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com, other'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com\\a'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com#'], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: '], 'dpop_url_unknown'],
          ['https://api.example.com/', '/', ['host: api.example.com', 'host: api.example.com'], 'dpop_url_unknown'],
        ];
        for (const [url, target, lines, expected] of table) {
          assert.equal(await rawOutcome(app, url, target, ...lines), expected, `${target} ${lines}`);
        }
      });

      test('is made of forwarded fields of a trusted proxy alone', async (t) => {
        const [proto, host] = ['x-forwarded-proto: https', 'x-forwarded-host: api.example.com'];
        const own = 'host: 10.0.0.7:3000';
        const url = 'https://api.example.com/';
        const table = [
          [true, url, [own, proto, host], 'passes'],
          ['loopback', url, [own, proto, host], 'passes'],
          [1, url, [own, proto, host], 'passes'],
          [(address) => address.endsWith('127.0.0.1'), url, [own, proto, host], 'passes'],
          [false, url, [own, proto, host], 'dpop_url'],
          ['10.0.0.0/8', url, [own, proto, host], 'dpop_url'],
          [() => false, url, [own, proto, host], 'dpop_url'],
          [true, url, ['host: api.example.com', proto], 'passes'],
          [true, url, ['host: api.example.com'], 'passes'],
          [true, 'http://api.example.com/', [own, 'x-forwarded-proto: http', host], 'passes'],
          [true, url, [own, 'x-forwarded-proto: http', host], 'dpop_url'],
          [true, url, [own, 'x-forwarded-proto: HTTPS', host], 'passes'],
          [true, 'https://api.example.com:8443/', [own, proto, 'x-forwarded-host: api.example.com:8443'], 'passes'],
          [true, url, [own, 'x-forwarded-proto: https, http', host], 'dpop_url_unknown'],
          [true, url, [own, proto, proto, host], 'dpop_url_unknown'],
          [true, url, [own, proto, host, host], 'dpop_url_unknown'],
          [true, url, [own, proto, 'x-forwarded-host: api.example.com, 10.0.0.7'], 'dpop_url_unknown'],
          [true, url, [own, proto, 'x-forwarded-host: api.example.com,evil'], 'dpop_url_unknown'],
          [true, url, [own, proto, 'x-forwarded-host: a@api.example.com'], 'dpop_url_unknown'],
          [true, url, [own, proto, 'x-forwarded-host: api.example.com/a'], 'dpop_url_unknown'],
          [true, url, ['host: api.example.com', proto, 'x-forwarded-host: '], 'dpop_url_unknown'],
          [true, url, [own, 'x-forwarded-proto: javascript', host], 'dpop_url_unknown'],
          [true, url, [own, 'x-forwarded-proto: https://', host], 'dpop_url_unknown'],
        ];
        for (const [trust, htu, lines, expected] of table) {
          const app = await start(t, { dpop: 'required' }, version, behind(trust));
          assert.equal(await rawOutcome(app, htu, '/', ...lines), expected, `${trust} ${lines}`);
        }
      });

      test('has the path before any mount', async (t) => {
        const express = EXPRESS[version];
        const [outer, inner, router] = [express(), express(), express.Router()];
        const codes = [];
        router.use('/orders', secure(KEYS, { dpop: 'required', onError: ({ code }) => codes.push(code) }), (req, res) => res.end());
        inner.use('/v1', router);
        outer.set('trust proxy', true).use('/api', inner);
        const client = await serve(t, outer);
        const app = { client, codes };
        const forwarded = ['host: a', 'x-forwarded-host: api.example.com'];
        assert.equal(await rawOutcome(app, `${ORIGIN}/api/v1/orders/7`, '/api/v1/orders/7?a=1', ...forwarded), 'passes', 'inherits trust');
        assert.equal(await rawOutcome(app, `${ORIGIN}/orders/7`, '/api/v1/orders/7', ...forwarded), 'dpop_url');
        assert.equal(await rawOutcome(app, `${ORIGIN}/7`, '/api/v1/orders/7', ...forwarded), 'dpop_url');
      });
    });
  }

  test('publicUrl comes before all fields', async (t) => {
    const dpop = { publicUrl: ORIGIN };
    const app = await start(t, { dpop }, 5, behind(true));
    const forwarded = ['x-forwarded-proto: http', 'x-forwarded-host: a, b'];
    assert.equal(await rawOutcome(app, `${ORIGIN}/`, '/', 'host: a@b', ...forwarded), 'passes');
    assert.equal(await rawOutcome(app, 'https://a/', '/', 'host: a'), 'dpop_url');
    const prefixed = await start(t, { dpop: { publicUrl: new URL(`${ORIGIN}/v1/`) } });
    assert.equal(await rawOutcome(prefixed, `${ORIGIN}/v1/?a=1`, '/', 'host: a'), 'passes');
    assert.equal(await rawOutcome(prefixed, `${ORIGIN}/`, '/', 'host: a'), 'dpop_url');
    assert.equal(await rawOutcome(prefixed, `${ORIGIN}/v1/`, 'http://evil.example/', 'host: a'), 'passes', 'the path alone counts');
  });

  test('is https on a connection with TLS, also on this machine', async (t) => {
    const pem = (name) => readFileSync(join(__dirname, 'support', 'tls', `${name}.pem`));
    const guard = secure(KEYS, { dpop: 'required' });
    const server = https.createServer({ cert: pem('certificate'), key: pem('key') }, guardedApp(5, guard));
    const { port } = await serve(t, server);
    const ask = async (url) => {
      const headers = good(url);
      const [response] = await once(https.get({ port, host: 'localhost', ca: pem('authority'), headers, agent: false }), 'response');
      return response.resume().statusCode;
    };
    assert.equal(await ask(`https://localhost:${port}/`), 200);
    assert.equal(await ask(`http://localhost:${port}/`), 401);
  });

  test('of a request of HTTP/2 has its authority', async (t) => {
    const guard = secure(KEYS, { dpop: 'required' });
    const server = http2.createServer((req, res) => guard.verifyRequest(req).then(() => res.end('passes'), ({ code }) => res.end(code)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const session = http2.connect(`http://127.0.0.1:${port}`);
    atEnd(t, () => {
      session.close();
      server.close();
    });
    const ask = (url, more) => text(session.request({ ':path': '/a', ...good(url), ...more }));
    assert.equal(await ask(`http://127.0.0.1:${port}/a`), 'passes');
    assert.equal(await ask('https://api.example.com/a', { ':authority': 'api.example.com' }), 'passes');
    assert.equal(await ask('https://api.example.com/a'), 'dpop_url');
  });

  test('of a request of fetch is its own', async () => {
    const guard = secure(KEYS, { dpop: 'required' });
    const ask = (url, htu, more) =>
      guard.verifyRequest(new Request(url, { headers: good(htu), ...more })).then(() => 'passes', ({ code }) => code);
    assert.equal(await ask('https://api.example.com/a?b=1', 'https://api.example.com/a'), 'passes');
    assert.equal(await ask('http://api.example.com/a', 'http://api.example.com/a'), 'passes');
    assert.equal(await ask('https://api.example.com/a', 'https://api.example.com/b'), 'dpop_url');
    assert.equal(await ask('https://api.example.com/a', 'https://api.example.com/a', { method: 'POST' }), 'dpop_method');
  });

  test('of headers alone is unknown', async () => {
    const guard = secure(KEYS, { dpop: 'required' });
    for (const headers of [good(ORIGIN), new Headers(good(ORIGIN)), { headers: good(ORIGIN) }]) {
      await assert.rejects(guard.verifyRequest(headers), (error) => /^dpop_(method|url_unknown)$/.test(error.code), headers);
    }
  });
});

describe('replays', () => {
  test('a proof passes exactly one of many concurrent requests', async (t) => {
    const app = await start(t, { dpop: 'required' });
    const headers = good(app.url);
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await app.client.request({ headers })).status));
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.deepEqual(new Set(app.codes), new Set(['dpop_replayed']));
  });

  test('guards with the same options share their memory', async (t) => {
    const options = { dpop: { publicUrl: ORIGIN } };
    const [first, second] = [await start(t, options), await start(t, { ...options, realm: 'other' })];
    const headers = good(`${ORIGIN}/`);
    assert.equal(await outcome(first, headers), 'passes');
    assert.equal(await outcome(second, headers), 'dpop_replayed');
  });

  test('of a request that passes several guards, the proof is used once', async (t) => {
    const store = storeOf(new Map());
    const tables = [
      [{ dpop: 'required' }, { dpop: 'required', scope: 'read' }],
      [{ dpop: { replayStore: store } }, { dpop: { replayStore: store } }],
      [{ dpop: { replayStore: store } }, { dpop: { use: 'allowed', replayStore: store } }],
      [{ dpop: { nonces: { secret: SECRET } } }, { dpop: { nonces: { secret: SECRET } } }],
    ];
    for (const [outer, inner] of tables) {
      const app = EXPRESS[5]();
      const codes = [];
      const onError = ({ code }) => codes.push(code);
      app.use(secure(KEYS, { ...outer, onError }), secure(KEYS, { ...inner, onError }));
      app.get('/', (req, res) => res.end());
      const client = await serve(t, app);
      const url = `http://127.0.0.1:${client.port}/`;
      const nonce = (await client.get()).all('dpop-nonce')[0];
      const headers = good(url, { nonce });
      assert.equal(await outcome({ client, codes }, headers), 'passes');
      assert.equal(await outcome({ client, codes }, headers), 'dpop_replayed');
    }
  });

  test('a store shares them between processes', async () => {
    const kept = new Map();
    const ask = (guard, fields) =>
      guard.verifyRequest({ method: 'GET', url: '/', headers: fields }).then(() => 'passes', ({ code }) => code);
    const replicas = [1, 2].map(() => secure(KEYS, { dpop: { publicUrl: ORIGIN, replayStore: storeOf(kept) } }));
    const fields = good(`${ORIGIN}/`);
    assert.equal(await ask(replicas[0], { ...fields }), 'passes');
    assert.equal(await ask(replicas[1], { ...fields }), 'dpop_replayed');
    const [[id, seconds]] = kept;
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.ok(Number.isInteger(seconds) && seconds >= 300 && seconds < 700, String(seconds));
  });

  test('a store that fails leaves the judgement to the memory, or refuses with 503', async (t) => {
    const logged = collectLog(t);
    const failing = {
      'rejects': () => Promise.reject(new Error('gone')),
      'throws': () => { throw new Error('gone'); },
      'answers with OK': async () => 'OK',
      'answers with null': async () => null,
      'answers with nothing': async () => undefined,
      'never answers': () => new Promise(() => {}),
    };
    for (const [name, keepNew] of Object.entries(failing)) {
      for (const [whenStoreIsAway, status] of [['judge_locally', 200], ['refuse', 503], [undefined, 200]]) {
        const app = await start(t, { dpop: { replayStore: { keepNew }, whenStoreIsAway } });
        const answer = await app.client.request({ headers: good(app.url) });
        assert.equal(answer.status, status, `${name}, ${whenStoreIsAway}`);
        if (status === 503) {
          assert.deepEqual([app.codes, answer.challenges, answer.all('retry-after').length], [['replay_store_unavailable'], [], 1]);
        }
      }
    }
    assert.ok(logged.lines.some((line) => /store/.test(line)), logged.lines.join('\n'));
  });

  test('the error of a store that is away is of its own class', async () => {
    const replayStore = { keepNew: async () => Promise.reject(new Error('gone')) };
    const guard = secure(KEYS, { dpop: { publicUrl: ORIGIN, replayStore, whenStoreIsAway: 'refuse' } });
    const request = { method: 'GET', url: '/', headers: good(`${ORIGIN}/`) };
    await assert.rejects(guard.verifyRequest(request), (error) => error instanceof errors.ReplayStoreUnavailableError);
  });
});

/** A store like Redis with these entries. */
function storeOf(kept) {
  return {
    async keepNew(id, seconds) {
      const isNew = !kept.has(id);
      kept.set(id, seconds);
      return isNew;
    },
  };
}

describe('nonces', () => {
  test('a client gets one with its 401, and the next ones with each response', async (t) => {
    for (const nonces of [true, { secret: SECRET }, { secret: Buffer.from(SECRET), lifetime: 60 }]) {
      const app = await start(t, { dpop: { nonces } });
      const first = await app.client.request({ headers: good(app.url) });
      const [nonce] = first.all('dpop-nonce');
      assert.equal(first.status, 401);
      assert.match(challengesOf(first).DPoP, /error="use_dpop_nonce"/);
      assert.equal(app.codes.at(-1), 'dpop_nonce_missing');
      const second = await app.client.request({ headers: good(app.url, { nonce }) });
      assert.deepEqual([second.status, second.all('dpop-nonce').length], [200, 1]);
      const third = await app.client.request({ headers: good(app.url, { nonce: second.all('dpop-nonce')[0] }) });
      assert.equal(third.status, 200);
      assert.equal(await outcome(app, good(app.url, { nonce: 'forged' })), 'dpop_nonce_stale');
    }
  });

  test('one makes a wrong clock harmless', async (t) => {
    const app = await start(t, { dpop: { nonces: true } });
    const nonce = (await app.client.get()).all('dpop-nonce')[0];
    for (const iat of [1, 4102444800]) {
      const proof = CLIENT.proof({ url: app.url, token: TOKEN, nonce }, { iat });
      assert.equal(await outcome(app, CLIENT.fields(TOKEN, proof)), 'passes', String(iat));
    }
  });

  test('replicas with one secret accept each other\'s, others do not', async (t) => {
    const secret = { nonces: { secret: SECRET } };
    const [a, b] = [await start(t, { dpop: secret }), await start(t, { dpop: { ...secret, maxAge: 60 } })];
    const other = await start(t, { dpop: { nonces: { secret: `${SECRET}!` } } });
    const nonce = (await a.client.get()).all('dpop-nonce')[0];
    assert.equal(await outcome(b, good(b.url, { nonce })), 'passes');
    assert.equal(await outcome(other, good(other.url, { nonce })), 'dpop_nonce_stale');
  });

  test('other frameworks find one in the access and in the refusal', async () => {
    const guard = secure(KEYS, { dpop: { publicUrl: ORIGIN, nonces: true } });
    const ask = (nonce) => guard.verifyRequest({ method: 'GET', url: '/', headers: good(`${ORIGIN}/`, { nonce }) });
    const refusal = await ask().catch((error) => error);
    assert.ok(refusal instanceof errors.DpopProofError);
    const access = await ask(refusal.headers['dpop-nonce']);
    assert.equal(typeof access.dpopNonce, 'string');
    assert.equal((await ask(access.dpopNonce)).claims.iss, ISSUER);
    assert.equal(JSON.stringify(access).includes(access.dpopNonce), false);
  });
});

test('each kind of guard judges by the proof', async (t) => {
  const dpop = 'required';
  const resource = { resource: ORIGIN, issuer: ISSUER, jwks: KEYS, audience: 'api' };
  const tools = [{ name: 'delete_*', scope: 'files:write' }];
  const guards = {
    secure: secure(KEYS, { dpop }),
    anyOf: secure(anyOf([{ jwks: KEYS, issuer: ISSUER }, { jwks: KEYS, issuer: 'b' }]), { dpop }),
    getKey: secure(async () => KEY.publicKey, { dpop }),
    protectedResource: protectedResource(resource).guard({ dpop }),
    mcp: mcp(resource).guard({ dpop }),
    'mcp by tool': mcp({ ...resource, tools }).guard({ dpop }),
    optional: secure(KEYS, { dpop, optional: true }),
  };
  for (const [name, guard] of Object.entries(guards)) {
    const app = EXPRESS[5]();
    app.post('/', guard, (req, res) => res.end());
    const client = await serve(t, app);
    const url = `http://127.0.0.1:${client.port}/`;
    const send = (headers) => fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    const fields = good(url, { method: 'POST' });
    const statuses = [];
    for (const headers of [fields, fields, { authorization: fields.authorization }, good(url)]) {
      statuses.push((await send(headers)).status);
    }
    assert.deepEqual(statuses, [200, 401, 401, 401], name);
  }
});

test('guards of an MCP server within one another use one proof', async (t) => {
  const resource = { resource: ORIGIN, issuer: ISSUER, jwks: KEYS, audience: 'api' };
  const { guard } = mcp(resource);
  const app = EXPRESS[5]();
  app.post('/', guard({ dpop: 'required' }), guard({ dpop: 'required' }), secure(KEYS, { dpop: 'required' }), (req, res) => res.end());
  const client = await serve(t, app);
  const url = `http://127.0.0.1:${client.port}/`;
  const headers = { ...good(url, { method: 'POST' }), 'content-type': 'application/json' };
  assert.equal((await client.request({ method: 'POST', headers })).status, 200);
  assert.equal((await client.request({ method: 'POST', headers })).status, 401);
});

test('a token alone has no proof: verify and tokenVerifier refuse bound ones', async () => {
  await assert.rejects(secure(KEYS, { dpop: 'allowed' }).verify(TOKEN), { code: 'sender_constrained_token' });
  await assert.rejects(secure(KEYS, { dpop: 'required' }).verify(PLAIN), { code: 'dpop_required' });
  assert.equal((await secure(KEYS, { dpop: 'allowed' }).verify(PLAIN)).claims.iss, ISSUER);
  const options = { resource: ORIGIN, issuer: ISSUER, jwks: KEYS, audience: 'api' };
  await assert.rejects(tokenVerifier(options).verifyAccessToken(TOKEN), /bound to a key/);
  assert.throws(() => tokenVerifier({ ...options, dpop: 'required' }), /the token alone/);
});

test('a token of another place is a bearer token', async (t) => {
  const app = await start(t, { dpop: 'allowed', getToken: (req) => req.headers['x-token'] });
  assert.equal(await outcome(app, { 'x-token': TOKEN, dpop: good(app.url).dpop }), 'sender_constrained_token');
  assert.equal(await outcome(app, { 'x-token': PLAIN }), 'passes');
});

test('proofs beyond a few in a turn are verified on other threads', async (t) => {
  const app = await start(t, { dpop: 'required' });
  assert.equal(await outcome(app, good(app.url)), 'passes');
  const requests = Array.from({ length: 50 }, () => ({ method: 'GET', url: '/', headers: { host: 'api.example.com', ...good(`${ORIGIN}/`) } }));
  const accesses = await Promise.all(requests.map((request) => app.guard.verifyRequest(request)));
  assert.equal(accesses.length, 50);
  const bad = requests.map((request) => ({ ...request, headers: { ...request.headers, dpop: `${request.headers.dpop.slice(0, -8)}AAAAAAAA` } }));
  const outcomes = await Promise.all(bad.map((request) => app.guard.verifyRequest(request).catch(({ code }) => code)));
  assert.deepEqual(new Set(outcomes), new Set(['dpop_signature']));
});

test('the npm package dpop makes proofs that pass', async (t) => {
  const { generateKeyPair, generateProof, calculateThumbprint } = await import('dpop');
  const app = await start(t, { dpop: { nonces: true } });
  for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
    const keys = await generateKeyPair(alg);
    const token = mint(KEY, { cnf: { jkt: await calculateThumbprint(keys.publicKey) } });
    const send = async (nonce) => {
      const dpop = await generateProof(keys, app.url, 'GET', nonce, token);
      return app.client.request({ headers: { authorization: `DPoP ${token}`, dpop } });
    };
    const asked = await send();
    assert.equal(asked.status, 401);
    assert.equal((await send(asked.all('dpop-nonce')[0])).status, 200, alg);
  }
});

test('a client of oauth4webapi gets through, with the nonce that it is asked for', async (t) => {
  const oauth = await import('oauth4webapi');
  const app = await start(t, { dpop: { nonces: true } });
  const keys = await oauth.generateKeyPair('ES256', { extractable: true });
  const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey);
  const { calculateJwkThumbprint } = await import('jose');
  const token = mint(KEY, { cnf: { jkt: await calculateJwkThumbprint(jwk) } });
  const DPoP = oauth.DPoP({ client_id: 'app' }, keys);
  const send = () => oauth.protectedResourceRequest(token, 'GET', new URL(app.url), undefined, undefined, { DPoP, [oauth.allowInsecureRequests]: true });
  const error = await send().catch((error) => error);
  assert.ok(oauth.isDPoPNonceError(error), error);
  assert.equal((await send()).status, 200);
  assert.equal((await send()).status, 200, 'the nonce of a success');
});

describe('a wrong option for proofs is a TypeError that names it', () => {
  const WRONG = {
    use: ['on', 'Required', 7, null, {}],
    algorithms: [[], 'none', 'HS256', ['ES256', 'HS512'], null, 7],
    maxAge: [0, -1, 3601, '5m', null, NaN],
    leeway: [-1, 301, '5s', null],
    maxProofBytes: [0, -1, 1.5, '8KiB', null],
    publicUrl: ['api.example.com', 'ftp://api.example.com', 'https://', 'https://a@b', 'https://a/?b', 'https://a/#b', 7, null, {}],
    nonces: ['secret', 7, null, {}, { secret: 'short' }, { secret: 7 }, { secret: SECRET, lifetime: '5m' }, { secrets: SECRET }],
    replayStore: [null, 7, {}, { keepNew: true }, new Map()],
    whenStoreIsAway: ['judgeLocally', 'allow', null, 7],
  };
  for (const [name, values] of Object.entries(WRONG)) {
    test(name, () => {
      for (const value of values) {
        const options = { dpop: { [name]: value } };
        assert.throws(() => secure(KEYS, options), (error) => error instanceof TypeError && error.message.includes(name === 'use' ? 'dpop' : name), JSON.stringify(value) ?? name);
      }
    });
  }

  test('dpop itself', () => {
    for (const dpop of [null, true, false, 7, [], 'on', 'REQUIRED']) {
      assert.throws(() => secure(KEYS, { dpop }), TypeError, String(dpop));
    }
    assert.throws(() => secure(KEYS, { dpop: { required: true } }), /the options are/);
    assert.throws(() => secure(KEYS, { dpop: { publicURL: ORIGIN } }), /did you mean `publicUrl`/);
  });
});

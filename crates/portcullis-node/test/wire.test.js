'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs/promises');
const http = require('node:http');
const http2 = require('node:http2');
const { connect } = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const { errors, localKeys, secure } = require('portcullis');
const { EXPRESS, VERSIONS, guardedApp } = require('./support/apps.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const TOKEN = mint(KEY);
const BOB = mint(KEY, { sub: 'bob' });

/** The statuses of these requests, sent as raw bytes. */
async function statuses(client, requests) {
  const answers = [];
  for (const lines of requests) {
    answers.push((await client.raw(...lines)).status);
  }
  return answers;
}

describe('several Authorization fields are one refusal', () => {
  const FIELDS = [
    [`authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${BOB}`],
    [`authorization: Bearer ${TOKEN}`, `authorization: Bearer ${TOKEN}`],
    ['Authorization: ', `AUTHORIZATION: Bearer ${TOKEN}`],
    [`authorization: Bearer ${TOKEN}`, 'x-a: b', 'authorization: Basic YTpi'],
  ];

  test('where Node joins them with a comma', async (t) => {
    for (const joinDuplicateHeaders of [false, true]) {
      for (const optional of [false, true]) {
        const app = guardedApp(5, secure(KEYS, { optional }));
        const client = await serve(t, http.createServer({ joinDuplicateHeaders }, app));
        const requests = FIELDS.map((fields) => ['GET / HTTP/1.1', ...fields]);
        assert.deepEqual(await statuses(client, requests), [400, 400, 400, 400]);
      }
    }
  });

  test('where somebody else has joined them, in one field', async (t) => {
    const client = await serve(t, guardedApp(5, secure(KEYS)));
    const joined = [`Bearer ${TOKEN}, Bearer ${TOKEN}`, `Bearer ${TOKEN},Basic YTpi`, `Bearer ${TOKEN},`, `,Bearer ${TOKEN}`];
    const requests = joined.map((value) => ['GET / HTTP/1.1', `authorization: ${value}`]);
    assert.deepEqual(await statuses(client, requests), [403, 403, 403, 401]);
  });

  test('where they come by HTTP/2', async (t) => {
    const codes = [];
    const guard = secure(KEYS, { onError: ({ code }) => codes.push(code) });
    const server = http2.createServer((req, res) => {
      const { session } = req.stream;
      res.on('close', () => session.destroy());
      guard(req, res, () => res.end(void codes.push(req.claims.sub)));
    });
    const { port } = await serve(t, Object.assign(server, { closeAllConnections() {} }));
    for (const fields of [[`Bearer ${TOKEN}`], [], [`Bearer ${TOKEN}`, `Bearer ${BOB}`], ['', `Bearer ${BOB}`]]) {
      await askHttp2(port, fields.map((value) => ['authorization', value]));
    }
    assert.deepEqual(codes, ['alice', 'no_credentials', 'several_tokens', 'several_tokens']);
  });

  test('where a framework keeps the request of Node deeper down, as hapi does', async () => {
    const rawHeaders = ['authorization', `Bearer ${TOKEN}`, 'authorization', `Bearer ${BOB}`];
    const request = { headers: { authorization: `Bearer ${TOKEN}` }, raw: { req: { rawHeaders } } };
    assert.equal((await failure(secure(KEYS).verifyRequest(request))).code, 'several_tokens');
    const single = { ...request, raw: { req: { rawHeaders: rawHeaders.slice(0, 2) } } };
    assert.equal((await secure(KEYS).verifyRequest(single)).claims.sub, 'alice');
  });
});

/** Sends frames of HTTP/2 (RFC 9113), because Node's own client writes no field twice, and waits for the connection's end. */
async function askHttp2(port, fields) {
  const block = [[':method', 'GET'], [':path', '/'], [':scheme', 'http'], [':authority', 'a'], ...fields];
  const socket = connect(port, '127.0.0.1');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([frame(4, 0, 0), frame(1, 5, 1, Buffer.concat(block.map(literal)))]));
  socket.resume();
  await once(socket, 'close');
}

function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A field without an index (RFC 7541 section 6.2.2). */
function literal([name, value]) {
  return Buffer.concat([Buffer.from([0]), ...[name, value].flatMap((text) => [lengthOf(text), Buffer.from(text)])]);
}

/** A length as an integer with a prefix of seven bits (RFC 7541 section 5.1). */
function lengthOf({ length }) {
  const octets = [Math.min(length, 127)];
  for (let rest = length - 127; rest >= 0; rest = rest >= 128 ? rest >> 7 : -1) {
    octets.push(rest >= 128 ? (rest % 128) + 128 : rest);
  }
  return Buffer.from(octets);
}

describe('a field that is no text of ASCII', () => {
  test('is no token, wherever the octets stand', async (t) => {
    const client = await serve(t, guardedApp(5, secure(KEYS)));
    for (const odd of ['é', '\x80', '\xa0', '\xad', '\xff', '\u00c3\u00a9']) {
      const values = [`Bearer ${TOKEN}${odd}`, `Bearer ${odd}${TOKEN}`, `Bearer${odd}${TOKEN}`, `${odd}Bearer ${TOKEN}`];
      const requests = values.map((value) => ['GET / HTTP/1.1', `authorization: ${value}`]);
      assert.deepEqual(await statuses(client, requests), [403, 403, 401, 401], JSON.stringify(odd));
    }
  });

  test('with a control character does not reach a guard', async (t) => {
    const client = await serve(t, guardedApp(5, secure(KEYS, { optional: true })));
    for (const odd of ['\0', '\x01', '\x1b', '\x7f']) {
      const answer = await client.raw('GET / HTTP/1.1', `authorization: Bearer ${TOKEN}${odd}`);
      assert.equal(answer.status, 400, JSON.stringify(odd));
    }
  });
});

test('a method in another case does not reach Express, and HEAD meets the guard of GET', async (t) => {
  const app = EXPRESS[5]();
  app.delete('/orders/1', secure(KEYS, { scope: 'write' }), (req, res) => res.end('deleted'));
  app.get('/orders/1', secure(KEYS, { scope: 'read' }), (req, res) => res.end('read'));
  const client = await serve(t, app);
  const token = `authorization: Bearer ${mint(KEY, { scope: 'read' })}`;
  const methods = ['delete', 'Delete', 'get', 'DELETE', 'GET', 'HEAD'];
  const requests = methods.map((method) => [`${method} /orders/1 HTTP/1.1`, token]);
  assert.deepEqual(await statuses(client, requests), [400, 400, 400, 403, 200, 200]);
  assert.equal((await client.raw('HEAD /orders/1 HTTP/1.1')).status, 401);
});

test('verifyRequest judges a request to upgrade, which does not come to Express', async (t) => {
  const guard = secure(KEYS);
  const server = http.createServer(guardedApp(5, guard));
  server.on('upgrade', async (request, socket) => {
    const answer = await guard.verifyRequest(request).then(
      ({ claims }) => `101 Switching Protocols\r\nx-subject: ${claims.sub}`,
      (error) => `${error.status} ${error instanceof errors.RefusalError && 'refused'}`,
    );
    socket.end(`HTTP/1.1 ${answer}\r\n\r\n`);
  });
  const client = await serve(t, server);
  const upgrade = ['GET / HTTP/1.1', 'connection: upgrade', 'upgrade: websocket'];
  const requests = [[], ['authorization: Bearer x'], [`authorization: Bearer ${TOKEN}`]];
  assert.deepEqual(await statuses(client, requests.map((fields) => [...upgrade, ...fields])), [401, 403, 101]);
});

describe('files behind a guard are not had without a token, however their path is spelt', () => {
  const PATHS = [
    '/admin/secret', '/%61dmin/secret', '//admin/secret', '/x/../admin/secret', '/./admin/secret', '/%2e/admin/secret',
    '/ADMIN/secret', '/admin%2fsecret', '/admin//secret', '/admin/./secret', '/admin/%73ecret', '/%2561dmin/secret',
    '/\\admin/secret', '/admin\\secret', '/admin;x/secret', 'http://a/admin/secret', '/x/%2e%2e/admin/secret', '/admin/../secret',
    '/..%2fprivate/secret', '/../private/secret', '/public/../../private/secret', '/admin/..%2f..%2fprivate/secret',
  ];

  const WAYS = {
    'a guard and the files in one `use`, from a folder that is not in the public one': (app, { express, guard, folder }) => {
      app.use('/admin', guard, express.static(path.join(folder, 'private')));
      app.use(express.static(path.join(folder, 'public')));
    },
    'a guard before all files': (app, { express, guard, folder }) => {
      app.use(guard, express.static(folder));
    },
  };

  for (const version of VERSIONS) {
    for (const [name, build] of Object.entries(WAYS)) {
      test(`${name} (Express ${version})`, async (t) => {
        const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'portcullis-'));
        atEnd(t, () => fs.rm(folder, { recursive: true }));
        for (const file of ['private/secret', 'admin/secret', 'public/open']) {
          await fs.mkdir(path.join(folder, path.dirname(file)), { recursive: true });
          await fs.writeFile(path.join(folder, file), `the text of ${file}`);
        }
        const app = EXPRESS[version]();
        build(app, { express: EXPRESS[version], guard: secure(KEYS), folder });
        const client = await serve(t, app);
        for (const spelling of PATHS) {
          const { status, body } = await client.raw(`GET ${spelling} HTTP/1.1`);
          assert.ok([400, 401, 403, 404].includes(status) && !body.includes('the text of'), `${spelling} ${status}`);
        }
        assert.equal((await client.get(TOKEN, '/admin/secret')).status, 200);
      });
    }
  }
});

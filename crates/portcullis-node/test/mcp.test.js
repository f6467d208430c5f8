'use strict';

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const http = require('node:http');
const http2 = require('node:http2');
const { connect } = require('node:net');
const { describe, test } = require('node:test');
const { gzipSync } = require('node:zlib');

const Fastify = require('fastify');
const Koa = require('koa');

const { errors, localKeys, mcp, setLogger } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { parameters, serve } = require('./support/http.js');
const { CLIENTS, SERVERS } = require('./support/mcp.js');
const { badTokens, mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

setLogger(null);

const KEY = newKey();
const ISSUER = 'https://login.example.com';
const RESOURCE = 'https://mcp.example.com/mcp';
const TOOLS = [
  { name: 'delete_*', scope: 'files:write' },
  { name: '*_all', scope: ['files:all'] },
];

const describing = (options = {}) =>
  mcp({ resource: RESOURCE, issuer: ISSUER, jwks: localKeys({ keys: [KEY.jwk] }), tools: TOOLS, ...options });
const token = (scope, claims = {}) => mint(KEY, { iss: ISSUER, aud: RESOURCE, client_id: 'agent', scope, ...claims });
const call = (name, id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } });

const READER = token('files:read');
const WRITER = token('files:read files:write');

/** The places of a parser of bodies: none, after the guard, before it. */
const PARSERS = {
  'without a parser': () => [[], []],
  'with a parser after the guard': (express) => [[], [express.json({ limit: '4mb' })]],
  'with a parser before the guard': (express) => [[express.json({ limit: '4mb' })], []],
};

/** Sends a message; the client's answer has the code of the refusal, and the text that the handler has got. */
async function send(app, { body, headers = {}, method = 'POST', bearer = READER }) {
  const options = { host: '127.0.0.1', port: app.client.port, path: '/mcp', method, agent: false };
  const fields = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }), ...headers };
  const request = http.request({ ...options, headers: fields });
  request.end(body);
  const [response] = await once(request, 'response');
  const text = (await response.toArray()).join('');
  const challenge = response.headers['www-authenticate'];
  return { status: response.statusCode, text, challenge, code: app.codes.shift() };
}

/** An app whose handler answers with the body that it gets. */
async function echo(t, { version = 5, parser = 'without a parser', options = {}, rules = {} } = {}) {
  const express = EXPRESS[version];
  const codes = [];
  const { router, guard } = describing(options);
  const [before, after] = PARSERS[parser](express);
  const app = express();
  app.use(router, ...before);
  app.use('/mcp', guard({ onError: ({ code }) => codes.push(code), ...rules }), ...after, (req, res) => {
    res.setHeader('x-authorization', req.headers.authorization ?? 'none');
    return req.body === undefined || !req.readableEnded ? req.pipe(res) : res.end(JSON.stringify(req.body));
  });
  return { client: await serve(t, app), codes };
}

for (const [parser] of Object.entries(PARSERS)) {
  for (const version of VERSIONS) {
    describe(`${parser}, with Express ${version}`, () => {
      for (const server of Object.keys(SERVERS)) {
        for (const agent of Object.keys(CLIENTS)) {
          test(`a client of ${agent} calls tools of a server of ${server}, as its scope allows`, async (t) => {
            const express = EXPRESS[version];
            const { router, guard } = describing();
            const [before, after] = PARSERS[parser](express);
            const [app, codes] = [express(), []];
            const guarded = guard({ scope: 'files:read', onError: ({ code }) => codes.push(code) });
            app.use(router, ...before);
            app.use('/mcp', guarded, ...after, withoutEmptyBody, SERVERS[server]());
            const { port } = await serve(t, app);
            const connected = (bearer) => CLIENTS[agent](`http://127.0.0.1:${port}/mcp`, bearer);

            const [reader, writer] = [await connected(READER), await connected(WRITER)];
            t.after(() => Promise.all([reader.close(), writer.close()]));
            const text = async (client, name) => (await client.callTool({ name, arguments: {} })).content[0].text;
            assert.equal(await text(reader, 'list_files'), 'agent files:read');
            assert.equal(await text(writer, 'delete_file'), 'agent files:read,files:write');
            await failure(reader.callTool({ name: 'delete_file', arguments: {} }));
            assert.deepEqual(codes, ['insufficient_scope']);
            await failure(connected(undefined));
            assert.equal(codes.at(-1), 'no_credentials');
          });
        }
      }

      test('the handler gets the body as the client has sent it', async (t) => {
        const app = await echo(t, { version, parser });
        const bodies = [call('list_files'), call('x'.repeat(300_000)), `[${call('a', 1)},${call('b', 2)}]`];
        for (const body of bodies) {
          for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
            const { status, text } = await send(app, { body, headers });
            assert.deepEqual([status, text === body], [200, true]);
          }
        }
      });

      test('a batch needs what each of its members needs', async (t) => {
        const app = await echo(t, { version, parser });
        const batch = `[${['list_files', 'delete_file', 'delete_all'].map(call)}]`;
        const refused = await send(app, { body: batch });
        assert.deepEqual([refused.status, refused.code], [403, 'insufficient_scope']);
        assert.deepEqual(parameters(refused.challenge).scope.split(' ').sort(), ['files:all', 'files:write']);
        assert.equal((await send(app, { body: batch, bearer: token('files:write files:all') })).status, 200);
      });

      test('a message that servers might read in another way is refused', async (t) => {
        const app = await echo(t, { version, parser });
        for (const [body, headers, status, code] of HOSTILE) {
          const answer = await send(app, { body, headers, bearer: WRITER });
          assert.deepEqual([answer.status, answer.code], [status, code], `${body.slice(0, 80)} ${JSON.stringify(headers)}`);
          assert.ok(!answer.text.includes('delete'), answer.text);
        }
      });

      test('a bad token gets 401, whatever the message', async (t) => {
        const app = await echo(t, { version, parser });
        for (const [, bad] of badTokens(KEY).filter(([, bad]) => bad.length < 8000)) {
          const { status, challenge } = await send(app, { body: call('list_files'), bearer: bad });
          const { error, resource_metadata: metadata } = parameters(challenge);
          assert.deepEqual([status, error], [401, 'invalid_token']);
          assert.equal(metadata, 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp');
        }
      });

      test('the first 401 names the scope that the tool needs', async (t) => {
        const app = await echo(t, { version, parser, rules: { scope: 'files:read' } });
        const { status, challenge } = await send(app, { body: call('delete_file'), bearer: null });
        assert.deepEqual([status, parameters(challenge).scope.split(' ').sort()], [401, ['files:read', 'files:write']]);
      });
    });
  }
}

const DEEP = `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;

test('a parser before the guard may decode the body: its result is judged', async (t) => {
  const app = await echo(t, { parser: 'with a parser before the guard' });
  const compressed = (name) => ({ body: gzipSync(call(name)), headers: { 'content-encoding': 'gzip' } });
  assert.equal((await send(app, compressed('list_files'))).text, call('list_files'));
  assert.equal((await send(app, compressed('delete_file'))).code, 'insufficient_scope');
  const twice = '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"delete_file"}}';
  assert.equal((await send(app, { body: twice })).code, 'insufficient_scope');
});

/** Messages that are refused at any place of the parser: body, fields, status, code. */
const HOSTILE = [
  [DEEP, {}, 400, 'mcp_body'],
  ['{}', { 'mcp-method': 'tools/call' }, 400, 'mcp_fields_disagree'],
  ['[]', {}, 400, 'mcp_body'],
  [`[${call('list_files')}]`, { 'mcp-method': 'tools/call' }, 400, 'mcp_fields_disagree'],
  [call(''), {}, 400, 'mcp_body'],
  [call('a\u0000'), {}, 400, 'mcp_body'],
  [call('delete_file'), { 'mcp-method': 'tools/list' }, 400, 'mcp_fields_disagree'],
  [call('delete_file'), { 'mcp-method': 'tools/call', 'mcp-name': 'list_files' }, 400, 'mcp_fields_disagree'],
  [call('delete_file'), { 'mcp-name': '=?base64?bGlzdA==?=' }, 400, 'mcp_fields_disagree'],
  [call('delete_file'), { 'mcp-name': '=?base64?!?=' }, 400, 'mcp_fields_malformed'],
  [call('list_files'), { 'mcp-name': ['list_files', 'list_files'] }, 400, 'mcp_fields_malformed'],
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"ping","params":{"name":"list_files"}}', {}, 400, 'mcp_body'],
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["list_files"]}', {}, 400, 'mcp_body'],
  ['{"jsonrpc":"2.0","id":1,"method":7}', {}, 400, 'mcp_body'],
];

/** Express 4 puts an empty object in place of a body that no parser has read. */
function withoutEmptyBody(req, res, next) {
  if (!req.readableEnded) {
    delete req.body;
  }
  next();
}

/** The beginning of a request's head. */
const HEAD = `POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${READER}\r\ncontent-type: application/json\r\n`;

describe('without a parser before the guard', () => {
  test('the bytes are judged: members twice, other types, codings, broken text', async (t) => {
    const app = await echo(t);
    const inner = '"params":{"name":"list_files"}';
    const table = [
      [`{"method":"tools/call","method":"ping",${inner}}`, {}, 400, 'mcp_body'],
      [`{"method":"ping","method":"tools/call",${inner}}`, {}, 400, 'mcp_body'],
      [`{"method":"tools/call","params":{"name":"list_files","name":"delete_file"}}`, {}, 400, 'mcp_body'],
      [`{"method":"tools/call",${inner},"params":{"name":"delete_file"}}`, {}, 400, 'mcp_body'],
      [call('list_files').slice(0, -1), {}, 400, 'mcp_body'],
      [`${call('list_files')}${call('delete_file')}`, {}, 400, 'mcp_body'],
      ['', {}, 400, 'mcp_body'],
      [call('list_files'), { 'content-type': 'text/plain' }, 415, 'mcp_content_type'],
      [call('list_files'), { 'content-type': 'application/json; charset=utf-16' }, 415, 'mcp_content_type'],
      [call('list_files'), { 'content-encoding': 'gzip' }, 415, 'mcp_content_type'],
      [Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), {}, 400, 'mcp_body'],
    ];
    for (const [body, headers, status, code] of table) {
      const answer = await send(app, { body, headers, bearer: WRITER });
      assert.deepEqual([answer.status, answer.code], [status, code], body);
    }
  });

  test('a body above the limit gets 413, by its length or when it gets there, and the connection goes on', async (t) => {
    const app = await echo(t, { options: { maxBodyBytes: 1000 } });
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const { status, code } = await send(app, { body: call('x'.repeat(200_000)), headers });
      assert.deepEqual([status, code], [413, 'mcp_body_too_large']);
    }
    assert.equal((await send(app, { body: call('x'.repeat(500)) })).status, 200);
  });

  test('a body above the limit is not waited for', async (t) => {
    const app = await echo(t, { options: { maxBodyBytes: 1000 } });
    const table = [
      ['content-length: 1001', ''],
      ['transfer-encoding: chunked', `7d0\r\n${' '.repeat(2000)}\r\n`],
    ];
    for (const [length, body] of table) {
      const socket = connect(app.client.port, '127.0.0.1');
      socket.write(`${HEAD}${length}\r\n\r\n${body}`);
      const [response] = await once(socket, 'data');
      socket.destroy();
      assert.match(String(response), /^HTTP\/1.1 413 /, length);
    }
  });

  test('a client that breaks off reaches no handler', async (t) => {
    const refusals = new EventEmitter();
    const refused = once(refusals, 'code');
    const app = await echo(t, { rules: { onError: ({ code }) => refusals.emit('code', code) } });
    const socket = connect(app.client.port, '127.0.0.1');
    socket.write(`${HEAD}content-length: 999\r\n\r\n{"method"`, () => socket.destroy());
    assert.deepEqual(await refused, ['mcp_body']);
    assert.equal((await send(app, { body: call('list_files') })).status, 200);
  });

  test('a refused request leaves the connection good for the next', async (t) => {
    const app = await echo(t, { options: { maxBodyBytes: 1000 }, rules: { scope: 'files:read' } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const [statuses, large] = [[], 'x'.repeat(500_000)];
    const requests = [
      ['delete_file', READER],
      ['list_files', READER],
      ['list_files', 'bad'],
      ['list_files', READER],
      [large, READER],
      ['list_files', READER],
      [large, READER, { 'transfer-encoding': 'chunked' }],
      ['list_files', READER],
    ];
    for (const [name, bearer, more] of requests) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}`, ...more };
      const request = http.request({ host: '127.0.0.1', port: app.client.port, path: '/mcp', method: 'POST', agent, headers });
      request.end(call(name));
      const [response] = await once(request, 'response');
      await response.toArray();
      statuses.push(response.statusCode);
    }
    assert.deepEqual(statuses, [403, 200, 401, 200, 413, 200, 413, 200]);
  });
});

describe('an MCP server', () => {
  test('answers fields that disagree with the body with an error of JSON-RPC', async (t) => {
    const app = await echo(t);
    const disagreeing = { 'mcp-method': 'tools/call', 'mcp-name': 'list_files' };
    for (const id of [7, 'seven']) {
      const { status, text, challenge } = await send(app, { body: call('delete_file', id), headers: disagreeing, bearer: WRITER });
      const { jsonrpc, id: told, error } = JSON.parse(text);
      assert.deepEqual([status, challenge, jsonrpc, told, error.code], [400, undefined, '2.0', id, -32020]);
    }
  });

  test('lets pages of its own origin and of listed ones in, and no others', async (t) => {
    const app = await echo(t, { options: { allowedOrigins: 'https://chat.example.com' } });
    const table = [
      ['https://mcp.example.com', 200],
      ['https://chat.example.com', 200],
      ['HTTPS://CHAT.example.com', 200],
      ['https://chat.example.com:443', 200],
      ['http://chat.example.com', 403],
      ['https://chat.example.com.evil.example', 403],
      ['https://chat.example.com:8443', 403],
      ['https://evil.example', 403],
      ['null', 403],
      ['', 403],
      [['https://chat.example.com', 'https://evil.example'], 403],
    ];
    for (const [origin, status] of table) {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const answer = await send(app, { method, body: method === 'POST' ? call('list_files') : undefined, headers: { origin } });
        const code = status === 403 ? 'mcp_origin' : undefined;
        assert.deepEqual([answer.status, answer.code], [status, code], `${method} ${origin}`);
      }
    }
  });

  test('takes the token off a request that passes, unless it may be passed on', async (t) => {
    for (const [forwardAuthorization, expected] of [[undefined, 'none'], [true, `Bearer ${READER}`]]) {
      const { guard } = describing({ forwardAuthorization, tools: [] });
      const app = EXPRESS[5]();
      app.use(guard(), (req, res) => {
        const raw = req.rawHeaders.some((text) => text.toLowerCase() === 'authorization');
        res.json([req.headers.authorization ?? 'none', raw, req.auth.token === READER]);
      });
      const client = await serve(t, app);
      const { body } = await client.get(READER);
      assert.deepEqual(JSON.parse(body), [expected, forwardAuthorization === true, true]);
    }
  });

  test('has nested guards, the inner one for a part of it', async (t) => {
    const { guard } = describing();
    const app = EXPRESS[5]();
    app.use(guard(), guard({ scope: 'files:read' }), (req, res) => req.pipe(res));
    const client = await serve(t, app);
    const nested = { client, codes: [] };
    assert.equal((await send(nested, { body: call('list_files') })).text, call('list_files'));
    assert.equal((await send(nested, { body: call('list_files'), bearer: token('other') })).status, 403);
    assert.equal((await send(nested, { body: call('delete_file') })).status, 403);
  });

  test('is an error of the app if the body is gone before the guard', async (t) => {
    const eaters = [
      (req, res, next) => req.resume().on('end', next),
      (req, res, next) => req.once('readable', () => next(void req.read(1))),
      (req, res, next) => next(void req.setEncoding('utf8')),
    ];
    for (const eat of eaters) {
      const { guard } = describing();
      const app = EXPRESS[5]();
      app.use(eat, guard(), (req, res) => res.end('passed'));
      app.use((error, req, res, next) => res.status(500).end(error.message));
      const gone = { client: await serve(t, app), codes: [] };
      const { status, text } = await send(gone, { body: call('list_files') });
      assert.equal(status, 500);
      assert.match(text, /expected the content of the request to be unread, or parsed into `body`/);
    }
  });

  test('takes no message whose members are inherited, as from a copy of `__proto__`', async (t) => {
    const { guard } = describing();
    const app = EXPRESS[5]();
    const copied = (value) => {
      const copy = {};
      for (const [name, member] of Object.entries(value)) {
        copy[name] = member;
      }
      return copy;
    };
    const copy = (req, res, next) => next(void (req.body = [req.body].flat().map(copied)));
    app.use(EXPRESS[5].json(), copy, guard(), (req, res) => res.end(req.body[0].method));
    app.use((error, req, res, next) => res.status(500).end(error.message));
    const poisoned = { client: await serve(t, app), codes: [] };
    for (const body of [`{"__proto__":${call('delete_file')}}`, `[{"__proto__":${call('delete_file')}}]`]) {
      const { status, text } = await send(poisoned, { body });
      assert.equal(status, 500);
      assert.match(text, /members of its own/);
    }
    assert.equal((await send(poisoned, { body: call('list_files') })).text, 'tools/call');
  });

  test('judges a body that is there without a content, whatever the method', async (t) => {
    const { guard } = describing();
    const app = EXPRESS[5]();
    const codes = [];
    const put = (req, res, next) => {
      req.body = JSON.parse(req.headers['x-body']);
      next();
    };
    app.use('/mcp', put, guard({ onError: ({ code }) => codes.push(code) }), (req, res) => res.json(req.body));
    const sent = { client: await serve(t, app), codes };
    for (const method of ['GET', 'DELETE']) {
      for (const [body, code] of [
        [call('delete_file'), 'insufficient_scope'],
        [`[${call('delete_file')}]`, 'insufficient_scope'],
        [call('list_files'), undefined],
        ['{}', undefined],
        ['null', undefined],
        ['[]', 'mcp_body'],
        ['"x"', 'mcp_body'],
      ]) {
        const answer = await send(sent, { method, headers: { 'x-body': body } });
        assert.equal(answer.code, code, `${method} ${body}`);
      }
    }
  });

  test('judges content over HTTP/2 whatever the method, where no field announces it', async (t) => {
    const { guard } = describing();
    const judge = guard();
    const server = http2.createServer((req, res) => judge.verifyRequest(req).then(() => req.pipe(res), ({ code }) => res.end(code)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
    t.after(() => [client, server].forEach((side) => side.close()));
    const verdict = async (method, content) => {
      const fields = { ':path': '/mcp', ':method': method, authorization: `Bearer ${READER}`, 'content-type': 'application/json' };
      const stream = client.request(fields, { endStream: content === undefined });
      if (content !== undefined) {
        stream.end(content);
      }
      return (await stream.toArray()).join('');
    };
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      assert.equal(await verdict(method, call('delete_file')), 'insufficient_scope', method);
      assert.equal(await verdict(method, call('list_files')), call('list_files'), method);
      assert.equal(await verdict(method), '', method);
    }
    assert.equal(await verdict('POST', call('x'.repeat(300_000))), call('x'.repeat(300_000)), 'the handler gets all of it');
    assert.equal(await verdict('POST'), 'mcp_body');
  });

  test('judges requests of other frameworks with verifyRequest', async () => {
    const { guard } = describing();
    const judge = guard();
    const request = (name, bearer, fields = {}) =>
      new Request(RESOURCE, {
        method: 'POST',
        body: call(name),
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...fields },
      });
    const good = request('delete_file', WRITER);
    assert.equal((await judge.verifyRequest(good)).clientId, 'agent');
    assert.equal(await good.text(), call('delete_file'));
    const table = [
      [request('delete_file', READER), 'insufficient_scope'],
      [request('delete_file', WRITER, { 'mcp-name': 'list_files' }), 'mcp_fields_disagree'],
      [request('delete_file', WRITER, { origin: 'https://evil.example' }), 'mcp_origin'],
      // Header fields alone tell the operation from the revision on in which servers hold them against the content.
      [{ authorization: `Bearer ${WRITER}` }, 'mcp_fields_missing'],
      [{ authorization: `Bearer ${WRITER}`, 'mcp-method': 'tools/call', 'mcp-name': 'list_files' }, 'mcp_fields_missing'],
      [fieldsFor('delete_file', READER), 'insufficient_scope'],
    ];
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
    const headers = { authorization: `Bearer ${READER}`, 'content-type': 'application/json' };
    table.push([new Request(RESOURCE, { method: 'POST', body: endless, duplex: 'half', headers }), 'mcp_body_too_large']);
    for (const [request, code] of table) {
      assert.equal((await failure(judge.verifyRequest(request))).code, code);
    }
    await good.text().catch(() => {});
    assert.match((await failure(judge.verifyRequest(good))).message, /expected a request of fetch whose content is unread/);
    assert.equal((await judge.verifyRequest(fieldsFor('delete_file', WRITER))).clientId, 'agent');
    const error = await failure(judge.verify(WRITER));
    assert.ok(error instanceof TypeError && !(error instanceof errors.RefusalError), error);
    assert.equal((await describing({ tools: [] }).guard().verify(READER)).token, READER);
  });

  test('judges requests of Fastify, before and after it parses the body', async (t) => {
    for (const hook of ['onRequest', 'preHandler']) {
      const judge = describing().guard();
      const app = Fastify();
      app.addHook(hook, async (request) => {
        request.auth = await judge.verifyRequest(request);
      });
      app.setErrorHandler((error, request, reply) => reply.code(error.status).headers(error.headers).send(error.body));
      app.post('/mcp', (request) => ({ client: request.auth.clientId, name: request.body.params.name }));
      await app.listen({ host: '127.0.0.1', port: 0 });
      t.after(() => app.close());
      const fastify = { client: { port: app.server.address().port }, codes: [] };
      const { status, text } = await send(fastify, { body: call('list_files') });
      assert.deepEqual([status, JSON.parse(text)], [200, { client: 'agent', name: 'list_files' }], hook);
      assert.equal((await send(fastify, { body: call('delete_file') })).status, 403, hook);
    }
  });

  test('judges requests of Koa', async (t) => {
    const judge = describing().guard();
    const app = new Koa();
    app.use(async (context) => {
      const access = await judge.verifyRequest(context).catch((refusal) => refusal);
      const { status = 200, clientId } = access;
      Object.assign(context, { status, body: clientId ? context.req : '' });
    });
    const koa = { client: await serve(t, app.callback()), codes: [] };
    assert.equal((await send(koa, { body: call('list_files') })).text, call('list_files'));
    assert.equal((await send(koa, { body: call('delete_file') })).status, 403);
  });

  test('throws for unexpected rules', () => {
    const table = [
      [{ tools: [{ name: 'a' }] }, /expected tools\[0\] to be an object with `scope`/],
      [{ tools: [{ name: 'a', scope: [] }] }, /tools\[0\].*scope/],
      [{ tools: [{ name: '', scope: 'a' }] }, /tools\[0\]/],
      [{ tools: [{ nam: 'a', scope: 'a' }] }, /tools\[0\]/],
      [{ tools: { 'delete_*': 'files:write' } }, /expected tools to be an array of rules/],
      [{ tools: [null] }, /expected tools\[0\] to be an object with `scope`, got null/],
      [{ methods: [{ method: 'ping', name: 'a', scope: 'b' }] }, /methods\[0\]/],
      [{ allowedOrigins: ['https://a.example/b'] }, /allowedOrigins\[0\]/],
      [{ allowedOrigins: [] }, /at least one string/],
      [{ maxBodyBytes: 0 }, /maxBodyBytes/],
      [{ forwardAuthorization: 'no' }, /forwardAuthorization/],
      [{ tool: TOOLS }, /did you mean `tools`/],
      [{ mcp: true }, /got `mcp`/],
    ];
    for (const [options, message] of table) {
      assert.throws(() => describing(options), (error) => error instanceof TypeError && message.test(error.message), message);
    }
  });
});

function fieldsFor(name, bearer) {
  return {
    authorization: `Bearer ${bearer}`,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': name,
  };
}

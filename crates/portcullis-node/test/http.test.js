'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const { test } = require('node:test');

const { secure } = require('portcullis');
const { protect } = require('portcullis/http');
const { ADMIT, admit } = require('../lib/plugin/admit.js');
const { run } = require('./support/child.js');
const { atEnd } = require('./support/cleanup.js');
const { KEY, KEYS, holdsTheContract, takesTheToken } = require('./support/contract.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');
const { collectLog, failure } = require('./support/watch.js');

const ALICE = mint(KEY);
const OF_ONE = { claims: [() => { throw new Error('mine'); }] };

const hello = (req, res) => res.end(req.claims.sub);

holdsTheContract((t, guards, handler) => {
  const last = (req, res) => res.end(JSON.stringify(handler(req)));
  return serve(t, guards.reduceRight((next, [keys, options]) => protect(secure(keys, options), next), last));
});

takesTheToken((t, guards) => {
  const last = (req, res) => res.end(req.headers.authorization ?? 'none');
  return serve(t, guards.reduceRight((next, guard) => protect(guard, next), last));
});

test('over HTTP/2 a request passes and is refused', async (t) => {
  const server = http2.createServer(protect(secure(KEYS), hello)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
  atEnd(t, () => session.close());
  const ask = async (headers) => {
    const stream = session.request({ ':path': '/', ...headers });
    const [response] = await once(stream, 'response');
    stream.resume();
    return [response[':status'], response['www-authenticate']];
  };
  assert.deepEqual(await ask({ authorization: `Bearer ${ALICE}` }), [200, undefined]);
  assert.deepEqual(await ask({}), [401, 'Bearer']);
  assert.equal((await ask({ authorization: 'Bearer a.b.c' }))[0], 403);
});

test('failed gets errors of rules and refusals with next: true, and no handler runs', async (t) => {
  const seen = [];
  const failed = (error, req, res) => {
    seen.push(error.code ?? error.message);
    res.writeHead(418).end();
  };
  const refuse = await serve(t, protect(secure(KEYS, { next: true }), () => assert.fail(), failed));
  const fail = await serve(t, protect(secure(KEYS, OF_ONE), () => assert.fail(), failed));
  assert.deepEqual([(await refuse.get()).status, (await fail.get(ALICE)).status], [418, 418]);
  assert.deepEqual(seen, ['no_credentials', 'mine']);
});

test('without failed, an error of a rule gets 500 and a line in the log, a refusal its own answer', async (t) => {
  const log = collectLog(t);
  const client = await serve(t, protect(secure(KEYS, { ...OF_ONE, next: true }), () => assert.fail()));
  assert.deepEqual([(await client.get(ALICE)).status, (await client.get()).status], [500, 401]);
  assert.match(await log.line(/could not be judged/), /mine/);
});

test('an error of the handler is its own: it is neither answered nor judged again', async () => {
  const error = new Error('mine');
  const handler = protect(secure(KEYS), async () => {
    throw error;
  });
  const req = { headers: { authorization: `Bearer ${ALICE}` }, rawHeaders: [] };
  await assert.rejects(handler(req, { headersSent: false }), (thrown) => thrown === error);
});

test('a response that other code has begun stays as it is', async (t) => {
  const handler = protect(secure(async () => new Promise(() => {}), { getKeyTimeout: 0.05 }), () => assert.fail());
  const client = await serve(t, (req, res) => {
    const judged = handler(req, res);
    res.writeHead(204).end();
    return judged;
  });
  assert.equal((await client.get(ALICE)).status, 204);
});

test('a guard that admits without a verdict is an error, not a pass', async () => {
  for (const outcome of [{}, { access: undefined }, { access: {} }, { access: true }]) {
    const guard = { [ADMIT]: async () => outcome };
    assert.match((await failure(admit(guard, {}, { pass: () => assert.fail(), refuse: () => assert.fail() }))).message, /^admit: expected the verdict/);
  }
});

test('unexpected arguments are errors at set-up', () => {
  const table = [
    [() => protect(), /^portcullis\/http: protect: expected guard to be the result of `secure`, .* got undefined/],
    [() => protect(KEYS, hello), /got an object of class JwksService/],
    [() => protect(secure(KEYS)), /^portcullis\/http: protect: expected handler to be a function of request and response, got undefined/],
    [() => protect(secure(KEYS), hello, 'log'), /^portcullis\/http: protect: expected failed to be a function, got a string/],
  ];
  for (const [make, message] of table) {
    assert.throws(make, { name: 'TypeError', message });
  }
});

test('a process with the handler exits by itself, in ES modules, too', async (t) => {
  const script = `
    import http from 'node:http';
    import { getSimpleJwksService, secure, setLogger } from 'portcullis';
    import { protect } from 'portcullis/http';
    setLogger(null);
    const guard = secure(getSimpleJwksService('http://127.0.0.1:9/jwks'));
    const server = http.createServer(protect(guard, () => {})).listen(0, '127.0.0.1', async () => {
      const { status } = await fetch('http://127.0.0.1:' + server.address().port);
      console.log(status);
      server.close();
    });
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['401\n', '', 0]);
});

'use strict';

const assert = require('node:assert/strict');
const { connect } = require('node:net');
const { test } = require('node:test');

const { discovery, getSimpleJwksService, localKeys, secure } = require('portcullis');
const { guardedApp } = require('./support/apps.js');
const { AuthorizationServer, FAILURES } = require('./support/authorization-server.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();

async function start(t, keys = [KEY], options = {}) {
  const server = await AuthorizationServer.start(t, keys);
  const service = getSimpleJwksService(server.jwksUri, options);
  const guard = secure(service);
  const outcome = (token) => guard.verify(token).then(() => 'passes', ({ code }) => code);
  return { server, service, guard, outcome };
}

/** The number of occurrences of each value in a list. */
function tally(values) {
  const counts = {};
  for (const value of values) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** Makes the server hold its answers back until the returned function is called. */
function holdBack(server) {
  const held = [];
  server.fail((request, response) => held.push(response));
  return () => {
    server.recover();
    held.forEach((response) => response.end(JSON.stringify({ keys: server.keys })));
  };
}

test('200 concurrent first requests make one fetch, and wait for it', async (t) => {
  const { server, guard } = await start(t);
  const client = await serve(t, guardedApp(5, guard));
  const release = holdBack(server);
  const asked = server.asked();
  const answers = Array.from({ length: 200 }, (_, index) => client.get(mint(KEY, { sub: `user-${index}` })));
  await asked;
  release();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.deepEqual([tally(statuses), server.counts.jwks], [{ 200: 200 }, 1]);
});

test('200 concurrent first requests by several guards and by discovery make one fetch of each document', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const service = discovery({ issuer: server.issuer });
  const guards = [secure(service), secure(service, { scope: 'read' }), secure(service, { leeway: 1 })];
  const token = mint(KEY, { iss: server.issuer, scope: 'read' });
  await Promise.all(Array.from({ length: 200 }, (_, index) => guards[index % 3].verify(token)));
  assert.deepEqual(server.counts, { jwks: 1, metadata: 1 });
});

test('200 concurrent first requests to a server that is down make one fetch, and get 503', async (t) => {
  const { server, outcome } = await start(t);
  server.fail(FAILURES['status 500']);
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => outcome(mint(KEY))));
  assert.deepEqual([tally(outcomes), server.counts.jwks], [{ keys_unavailable: 200 }, 1]);
});

test('a thousand forged key ids make six fetches at most, and good tokens pass meanwhile', async (t) => {
  const { server, outcome } = await start(t);
  const forger = newKey();
  const outcomes = [];
  for (let index = 0; index < 1000; index += 1) {
    outcomes.push(await outcome(mint(forger, {}, { kid: `forged-${index}` })));
    if (index % 100 === 0) {
      assert.equal(await outcome(mint(KEY, { jti: String(index) })), 'passes');
    }
  }
  // Requests after the last allowed fetch were not judged.
  assert.deepEqual(Object.keys(tally(outcomes)).sort(), ['keys_unavailable', 'unknown_key']);
  assert.ok(server.counts.jwks >= 2 && server.counts.jwks <= 6, String(server.counts.jwks));
});

test('a thousand forged key ids at once make six fetches at most', async (t) => {
  const { server, outcome } = await start(t);
  const forged = Array.from({ length: 1000 }, (_, index) => outcome(mint(KEY, {}, { kid: `forged-${index}` })));
  for (const refused of await Promise.all(forged)) {
    assert.ok(['keys_unavailable', 'unknown_key'].includes(refused), refused);
  }
  assert.ok(server.counts.jwks <= 6, String(server.counts.jwks));
});

test('a key that is new is picked up at once, by one fetch', async (t) => {
  const { server, outcome } = await start(t);
  await outcome(mint(KEY));
  const next = newKey();
  server.publish(KEY, next);
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(mint(next))));
  assert.deepEqual([tally(outcomes), server.counts.jwks], [{ passes: 50 }, 2]);
  assert.equal(await outcome(mint(KEY)), 'passes');
});

test('a key that is new is picked up, also by a request that came while an older fetch was under way', async (t) => {
  const { server, outcome } = await start(t);
  await outcome(mint(KEY));
  const next = newKey();
  const older = [];
  server.fail((request, response) => older.push(() => response.end(JSON.stringify({ keys: [KEY.jwk] }))));
  let asked = server.asked();
  const first = outcome(mint(newKey()));
  await asked;
  server.recover();
  server.publish(KEY, next);
  const second = outcome(mint(next));
  asked = server.asked();
  older.forEach((answer) => answer());
  await asked;
  assert.deepEqual([await first, await second, server.counts.jwks], ['unknown_key', 'passes', 3]);
});

test('a key that was withdrawn stops verifying, also for tokens that are cached', async (t) => {
  const { server, service, guard, outcome } = await start(t);
  const client = await serve(t, guardedApp(4, guard));
  const token = mint(KEY);
  for (const _ of [1, 2]) {
    assert.equal((await client.get(token)).status, 200);
  }
  server.publish(newKey());
  await service.refresh();
  assert.equal(await outcome(token), 'unknown_key');
  assert.equal((await client.get(token)).status, 403);
});

test('a key that was replaced under its own id stops verifying, also for tokens that are cached', async (t) => {
  const { server, service, outcome } = await start(t);
  const token = mint(KEY);
  assert.equal(await outcome(token), 'passes');
  const next = newKey('ES256', KEY.kid);
  server.publish(next);
  await service.refresh();
  assert.deepEqual([await outcome(token), await outcome(mint(next))], ['bad_signature', 'passes']);
});

test('when all keys are withdrawn, nothing passes', async (t) => {
  const { server, service, outcome } = await start(t);
  const token = mint(KEY);
  assert.equal(await outcome(token), 'passes');
  server.publish();
  await assert.rejects(service.refresh(), /expected a key set with a usable key/);
  assert.equal(service.ready, false);
  assert.equal(await outcome(token), 'keys_unavailable');
});

test('while the server is down, known keys go on, unknown ones get 503, and it is not hammered', async (t) => {
  const { server, service, outcome } = await start(t);
  await service.prefetch();
  await server.stop();
  await assert.rejects(service.refresh(), /the keys could not be fetched/);
  for (let index = 0; index < 50; index += 1) {
    assert.equal(await outcome(mint(KEY, { jti: String(index) })), 'passes');
    assert.equal(await outcome(mint(newKey())), 'keys_unavailable');
  }
  assert.equal(service.ready, true);
  assert.ok(service.status().failures >= 1 && service.status().failures <= 3);
});

test('keys that are older than maxStale get 503 when the server is down', async (t) => {
  const { server, service, outcome } = await start(t, [KEY], { maxStale: 0.05 });
  const token = mint(KEY);
  assert.equal(await outcome(token), 'passes');
  server.fail(FAILURES['status 500']);
  while (service.ready) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await outcome(token), 'keys_unavailable');
  server.recover();
  await service.refresh();
  assert.equal(await outcome(token), 'passes');
});

test('keys that are older than maxAge are fetched anew, while requests go on with those at hand', async (t) => {
  const { server, outcome } = await start(t, [KEY], { maxAge: 0 });
  await outcome(mint(KEY));
  const release = holdBack(server);
  const asked = server.asked();
  assert.equal(await outcome(mint(KEY)), 'passes');
  await asked;
  assert.equal(await outcome(mint(KEY)), 'passes');
  release();
});

test('an ETag is sent back, and 304 keeps the keys', async (t) => {
  const { server, service, outcome } = await start(t);
  server.headers = { etag: '"v1"', 'cache-control': 'max-age=600' };
  await service.prefetch();
  server.fail((request, response) => response.writeHead(request.headers['if-none-match'] === '"v1"' ? 304 : 500).end());
  await service.refresh();
  assert.equal(server.requests[1].headers['if-none-match'], '"v1"');
  assert.equal(await outcome(mint(KEY)), 'passes');
  const { nextRefresh, failures } = service.status();
  assert.equal(failures, 0);
  assert.ok(nextRefresh > 200 && nextRefresh <= 300, String(nextRefresh));
});

test('Cache-Control says when the keys are fetched again', async (t) => {
  const { server, service } = await start(t);
  server.headers = { 'cache-control': 'public, max-age=1000' };
  await service.prefetch();
  const { nextRefresh } = service.status();
  assert.ok(nextRefresh > 790 && nextRefresh <= 900, String(nextRefresh));
});

test('status and ready tell how a service is doing', async (t) => {
  const { server, service } = await start(t);
  const before = service.status();
  assert.deepEqual([service.ready, before.ready, before.source], [false, false, server.jwksUri]);
  assert.deepEqual([before.keys, before.age, before.lastError], [[], null, null]);
  await service.prefetch();
  const ready = service.status();
  assert.deepEqual([service.ready, ready.ready, ready.keys, ready.failures], [true, true, [KEY.kid], 0]);
  assert.ok(ready.age >= 0 && ready.age < 5 && ready.nextRefresh > 0);
  server.fail(FAILURES['status 500']);
  await assert.rejects(service.refresh());
  const failed = service.status();
  assert.deepEqual([failed.ready, failed.failures, failed.keys], [true, 1, [KEY.kid]]);
  assert.match(failed.lastError, /500/);
});

test('prefetch fetches once, and the first request need not wait', async (t) => {
  const { server, service, guard } = await start(t);
  await Promise.all([service.prefetch(), service.prefetch(), service.prefetch()]);
  await service.prefetch();
  assert.equal(server.counts.jwks, 1);
  let passed = false;
  const req = { headers: { authorization: `Bearer ${mint(KEY)}` }, rawHeaders: [] };
  guard(req, {}, () => (passed = true));
  assert.ok(passed);
});

test('prefetch and refresh reject with the cause, which is no refusal', async (t) => {
  const { server, service } = await start(t);
  server.fail(FAILURES['status 500']);
  for (const fetch of [() => service.prefetch(), () => service.refresh()]) {
    const error = await failure(fetch());
    assert.ok(error instanceof Error);
    assert.match(error.message, /^the keys could not be fetched: .*500/);
  }
});

test('local keys are always ready, and never fetched', async () => {
  const service = localKeys({ keys: [KEY.jwk] });
  await service.prefetch();
  await service.refresh();
  const { keys, ready, source, lastError } = service.status();
  assert.deepEqual([service.ready, keys, ready, source, lastError], [true, [KEY.kid], true, null, null]);
});

test('a client that goes away while keys are fetched cancels nothing for others', async (t) => {
  const { server, guard } = await start(t);
  const client = await serve(t, guardedApp(5, guard));
  const release = holdBack(server);
  const asked = server.asked();
  const socket = connect(client.port, '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${mint(KEY)}\r\n\r\n`);
  await asked;
  socket.destroy();
  const answer = client.get(mint(KEY));
  release();
  assert.equal((await answer).status, 200);
  assert.equal(server.counts.jwks, 1);
});

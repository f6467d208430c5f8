'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { Worker } = require('node:worker_threads');

const { anyOf, discovery, getSimpleJwksService, localKeys, secure, setLogger } = require('portcullis');
const { currentEpoch } = require('../lib/epoch.js');
const { KnownTokens } = require('../lib/known-tokens.js');
const native = require('../native.js');
const { VERSIONS, guardedApp } = require('./support/apps.js');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { run } = require('./support/child.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });

setLogger(null);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** The number of verdicts that guards made from now on have asked the addon for. */
let asked = 0;
const { get } = Object.getOwnPropertyDescriptor(native.Door.prototype, 'judge');
Object.defineProperty(native.Door.prototype, 'judge', {
  get() {
    const judge = get.call(this);
    return (...request) => {
      asked += 1;
      return judge(...request);
    };
  },
});

/** The number of verdicts asked for while `act` runs. */
async function asking(act) {
  const before = asked;
  await act();
  return asked - before;
}

async function outcome(guard, token) {
  return guard.verify(token).then(() => 'passes', ({ code }) => code);
}

/** Shows a token until the guard lets it pass without a question. */
async function known(guard, token) {
  for (const _ of [1, 2, 3]) {
    assert.equal(await outcome(guard, token), 'passes');
  }
}

for (const version of VERSIONS) {
  test(`with Express ${version}, the addon is asked about a token twice`, async (t) => {
    const client = await serve(t, guardedApp(version, secure(KEYS)));
    const token = mint(KEY);
    const count = await asking(async () => {
      for (let index = 0; index < 10; index += 1) {
        assert.equal((await client.get(token)).status, 200);
      }
    });
    assert.equal(count, 2);
  });
}

test('it is asked at each request where more than the token counts', async () => {
  const table = {
    maxAge: [{ maxAge: 60 }, { auth_time: Date.now() / 1000 }],
    'no cache': [{ tokenCache: false }, {}],
    'a small cache': [{ tokenCache: { bytes: 10 } }, {}],
  };
  for (const [name, [options, claims]] of Object.entries(table)) {
    const guard = secure(KEYS, options);
    const token = mint(KEY, claims);
    const count = await asking(async () => {
      for (let index = 0; index < 5; index += 1) {
        assert.equal(await outcome(guard, token), 'passes', name);
      }
    });
    assert.equal(count, 5, name);
  }
});

test('and of tenants whose keys are their own', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const issuer = server.issuer.replace('127.0.0.1', 'localhost');
  const guard = secure(discovery({ issuer: `${server.issuer}/{tenant}` }), { tenantClaim: 'tid', audience: 'api' });
  server.metadata = { issuer: `${server.issuer}/acme`, jwks_uri: server.jwksUri };
  server.fail((request, response) => response.setHeader('content-type', 'application/json').end(
    JSON.stringify(request.url === '/jwks' ? { keys: server.keys } : { issuer: `${server.issuer}/acme`, jwks_uri: server.jwksUri }),
  ));
  const token = mint(KEY, { iss: `${server.issuer}/acme`, tid: 'acme', aud: 'api' });
  await known(guard, token);
  assert.equal(await asking(() => known(guard, token)), 3, issuer);
});

describe('a token that is known', () => {
  test('expires on time', async () => {
    const guard = secure(KEYS, { leeway: 0 });
    const exp = Date.now() / 1000 + 0.5;
    const token = mint(KEY, { exp });
    await known(guard, token);
    let last;
    do {
      last = await outcome(guard, token);
      assert.ok(last !== 'passes' || Date.now() / 1000 < exp + 0.05, 'it passes after its time');
    } while (last === 'passes' && (await new Promise((resolve) => setImmediate(resolve, true))));
    assert.equal(last, 'expired');
  });

  test('does not pass by another time than that of its guard', async () => {
    const token = mint(KEY, { exp: Date.now() / 1000 - 3 });
    const [lenient, strict] = [secure(KEYS, { leeway: 60 }), secure(KEYS, { leeway: 0 })];
    await known(lenient, token);
    assert.equal(await outcome(strict, token), 'expired');
  });

  test('is refused at the very next request after its key was withdrawn', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const service = getSimpleJwksService(server.jwksUri);
    const guard = secure(service);
    const token = mint(KEY);
    await known(guard, token);
    server.publish(newKey());
    await service.refresh();
    assert.equal(await outcome(guard, token), 'unknown_key');
    server.publish(KEY);
    await service.refresh();
    await known(guard, token);
  });

  test('is refused at the very next request after all keys were withdrawn', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const service = getSimpleJwksService(server.jwksUri);
    const guard = secure(service);
    const token = mint(KEY);
    await known(guard, token);
    server.publish();
    await service.refresh().catch(() => {});
    assert.equal(await outcome(guard, token), 'keys_unavailable');
  });

  test('still starts refreshes of its keys', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const guard = secure(getSimpleJwksService(server.jwksUri, { maxAge: 0.2 }));
    const token = mint(KEY);
    await known(guard, token);
    while (server.counts.jwks < 3) {
      assert.equal(await outcome(guard, token), 'passes');
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('is refused once its keys are older than maxStale', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const guard = secure(getSimpleJwksService(server.jwksUri, { maxAge: 0.1, maxStale: 0.3 }));
    const token = mint(KEY);
    await known(guard, token);
    await server.stop();
    let last;
    do {
      last = await outcome(guard, token);
    } while (last === 'passes' && (await new Promise((resolve) => setImmediate(resolve, true))));
    assert.equal(last, 'keys_unavailable');
  });

  test('is verified anew after invalidate, with claims of its own', async () => {
    const guard = secure(KEYS);
    const token = mint(KEY);
    await known(guard, token);
    const { claims } = await guard.verify(token);
    guard.invalidate(token);
    assert.notEqual((await guard.verify(token)).claims, claims);
    await known(guard, token);
  });

  test('passes at each guard by the rules of that guard', async () => {
    const token = mint(KEY, { scope: 'read' });
    const [open, read, write] = [secure(KEYS), secure(KEYS, { scope: ['read'] }), secure(KEYS, { scope: ['write'] })];
    for (const _ of [1, 2, 3, 4]) {
      assert.deepEqual(
        await Promise.all([open, read, write].map((guard) => outcome(guard, token))),
        ['passes', 'passes', 'insufficient_scope'],
      );
    }
  });

  test('does not pass with rules of its own that say no at a later request', async () => {
    let open = true;
    const guard = secure(KEYS, { claims: [() => open] });
    const token = mint(KEY);
    await known(guard, token);
    open = false;
    assert.equal(await outcome(guard, token), 'required_claims');
  });

  test('lends its end to no other token', async () => {
    const guard = secure(KEYS);
    const token = mint(KEY);
    await known(guard, token);
    const [header, payload, signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'mallory' })).toString('base64url');
    for (const bad of [`${header}.${forged}.${signature}`, `${header}.${payload}.A${signature}`, signature, `x${token}`, `${token}x`]) {
      assert.notEqual(await outcome(guard, bad), 'passes');
      assert.equal(await outcome(guard, token), 'passes');
    }
  });

  test('passes once in a request alone', async (t) => {
    const client = await serve(t, guardedApp(5, secure(KEYS)));
    const token = mint(KEY);
    for (const _ of [1, 2, 3]) {
      assert.equal((await client.get(token)).status, 200);
    }
    const field = `authorization: Bearer ${token}`;
    const answers = {
      [400]: [[field, field], [field, 'AUTHORIZATION: Bearer other'], [field, 'authorization: Basic YQ==']],
      [200]: [[field], [`AuthoriZation: bearer ${token}`], [`authorization: BEARER   ${token}`]],
      [401]: [[`authorization: Basic ${token}`], ['authorization: Bearer']],
    };
    for (const [status, requests] of Object.entries(answers)) {
      for (const fields of requests) {
        assert.equal((await client.raw('GET / HTTP/1.1', ...fields)).status, Number(status), fields.join());
      }
    }
  });

  test('of one issuer is none of another', async () => {
    const other = newKey();
    const branches = [
      { jwks: KEYS, issuer: 'https://a.example.com' },
      { jwks: localKeys({ keys: [other.jwk] }), issuer: 'https://b.example.com' },
    ];
    const guard = secure(anyOf(branches));
    const [a, b] = [mint(KEY, { iss: branches[0].issuer }), mint(other, { iss: branches[1].issuer })];
    await known(guard, a);
    await known(guard, b);
    assert.notEqual(await outcome(guard, mint(KEY, { iss: branches[1].issuer })), 'passes');
  });
});

test('tokens that are known to one thread are seen to lose their key by each', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const token = mint(KEY);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { getSimpleJwksService, secure } = require(workerData.package);
    const service = getSimpleJwksService(workerData.uri);
    const guard = secure(service);
    const outcome = () => guard.verify(workerData.token).then(() => 'passes', ({ code }) => code);
    parentPort.on('message', async (what) => {
      if (what === 'refresh') await service.refresh();
      parentPort.postMessage(what === 'refresh' ? 'refreshed' : await outcome());
    });`;
  const workerData = { package: require.resolve('portcullis'), uri: server.jwksUri, token };
  const workers = [1, 2].map(() => new Worker(script, { eval: true, workerData }));
  t.after(() => Promise.all(workers.map((worker) => worker.terminate())));
  const ask = async (worker, what) => {
    worker.postMessage(what);
    return (await once(worker, 'message'))[0];
  };
  for (const worker of workers) {
    for (const _ of [1, 2, 3]) {
      assert.equal(await ask(worker, 'verify'), 'passes');
    }
  }
  server.publish(newKey());
  for (const worker of workers) {
    await ask(worker, 'refresh');
    assert.equal(await ask(worker, 'verify'), 'unknown_key');
  }
});

test('threads that come and go leave the others alone', async (t) => {
  const script = `
    const { Worker, isMainThread } = require('node:worker_threads');
    const { once } = require('node:events');
    const { secure, localKeys } = require('portcullis');
    const [, , ...rest] = process.argv;
    const [key, token] = JSON.parse(isMainThread ? process.argv[1] : require('node:worker_threads').workerData);
    const guard = secure(localKeys({ keys: [key] }));
    (async () => {
      for (let index = 0; index < 3; index += 1) await guard.verify(token);
      if (!isMainThread) return;
      for (let index = 0; index < 20; index += 1) {
        const worker = new Worker(process.env.SCRIPT, { eval: true, workerData: process.argv[1] });
        await once(worker, 'exit');
        guard.invalidate(token);
        await guard.verify(token);
      }
      console.log('done');
    })();`;
  const { stdout, stderr, code } = await run(t, script, [KEY.jwk, mint(KEY)], [], { SCRIPT: script });
  assert.deepEqual([stdout.trim(), code], ['done', 0], stderr);
});

describe('the memory of known tokens', () => {
  const claims = JSON.stringify({ sub: 'alice', exp: Date.now() });
  const later = Date.now() + 60_000;
  /** A token of the memory that was shown in each of these fields. */
  const shown = (tokens, number, ...fields) => {
    const known = tokens.learn(number, fields[0], { claims });
    fields.forEach((field) => tokens.hold(known, field, currentEpoch(), later));
    return known;
  };

  test('keeps nothing of a token that has made room for others, in whatever spellings its field was shown', async () => {
    const tokens = new KnownTokens({ bytes: 2_000 });
    const spellings = ['Bearer short', 'bearer short', 'BEARER  short', 'Bearer   short', 'bEARER    short'];
    const first = new WeakRef(shown(tokens, 2, ...spellings));
    for (let number = 3; number < 100; number += 1) {
      shown(tokens, number, `Bearer other-${number}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    gc();
    assert.deepEqual([tokens.get(2), first.deref()], [undefined, undefined]);
    assert.deepEqual(spellings.map((field) => tokens.held(field)), spellings.map(() => undefined));
  });

  test('counts the field that it keeps, however long another spelling is', () => {
    const tokens = new KnownTokens({ bytes: 2_000 });
    const long = `Bearer ${' '.repeat(3_000)}${'t'.repeat(40)}`;
    const known = shown(tokens, 2, `Bearer ${'t'.repeat(40)}`, long);
    assert.deepEqual([tokens.get(2), tokens.held(long)], [undefined, undefined]);
    assert.ok(known.holds(long), 'the verdict itself is not changed');
  });

  test('counts a field once, however often two spellings take turns', () => {
    const tokens = new KnownTokens({ bytes: 2_000 });
    const spellings = Array.from({ length: 200 }, (_, index) => `${index % 2 === 0 ? 'Bearer' : 'bearer'} ${'t'.repeat(40)}`);
    const known = shown(tokens, 2, ...spellings, 'Bearer x', 'bearer x', ...spellings);
    assert.equal(tokens.get(2), known);
    assert.equal(tokens.held(spellings.at(-1)), known);
  });
});

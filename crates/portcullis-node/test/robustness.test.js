'use strict';

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { describe, test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');

const { discovery, getSimpleJwksService, InMemoryCache, jwksService } = require('portcullis');
const { localKeys, secure, setLogger } = require('portcullis');
const { EXPRESS, VERSIONS, guardedApp } = require('./support/apps.js');
const { AuthorizationServer, FAILURES, SILENCES } = require('./support/authorization-server.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { mint, newKey, newSecret } = require('./support/tokens.js');
const { collectLog, failure, forbidCrashes, within } = require('./support/watch.js');

const KEY = newKey();
const URI = 'https://as.example.com/jwks';
const JWKS = JSON.stringify({ keys: [KEY.jwk] });
const SHORT = { timeout: 0.05 };

/** A promise that never settles. */
const never = () => new Promise(() => {});

/** The code of the refusal, or 'passes'. */
async function outcome(guard, ...tokens) {
  return guard.verify(...(tokens.length === 0 ? [mint(KEY)] : tokens)).then(
    () => 'passes',
    (error) => error.code ?? error,
  );
}

/** A response of Node's client: an emitter with `members`. */
function answerOf(body, members = {}) {
  const response = Object.assign(new EventEmitter(), { statusCode: 200, headers: {}, destroy() {} }, members);
  setImmediate(() => {
    body.forEach((chunk) => response.emit('data', chunk));
    response.emit('end');
    response.emit('close');
  });
  return response;
}

function thrower(error) {
  return () => {
    throw error;
  };
}

const OUTLANDISH = Object.assign(Object.create(null), { a: 1 });

/** Clients that fail: `[name, get]`. */
const BAD_CLIENTS = {
  'throws': thrower(new Error('mine')),
  'throws a string': thrower('mine'),
  'throws nothing': thrower(undefined),
  'throws what has no text': thrower(OUTLANDISH),
  'throws what throws when it is read': thrower({ get message() { throw new Error('again'); } }),
  'rejects': async () => { throw new Error('mine'); },
  'gives nothing and never answers': () => undefined,
  'never answers': () => new EventEmitter(),
  'emits an error': (url, options, answered) => {
    const request = new EventEmitter();
    setImmediate(() => request.emit('error', new Error('mine')));
    return request;
  },
  'answers with nothing': (url, options, answered) => void setImmediate(answered),
  'answers with null': (url, options, answered) => void setImmediate(answered, null),
  'answers with a text': (url, options, answered) => void setImmediate(answered, JWKS),
  'answers with an empty object': (url, options, answered) => void setImmediate(answered, {}),
  'answers at once with nothing': (url, options, answered) => answered(),
  'answers without a status': (url, options, answered) => answered(answerOf([JWKS], { statusCode: undefined })),
  'answers with the status as a text': (url, options, answered) => answered(answerOf([JWKS], { statusCode: '200' })),
  'answers with half a status': (url, options, answered) => answered(answerOf([JWKS], { statusCode: 200.5 })),
  'answers with status 0': (url, options, answered) => answered(answerOf([JWKS], { statusCode: 0 })),
  'answers with status -1': (url, options, answered) => answered(answerOf([JWKS], { statusCode: -1 })),
  'answers with status 200 + 65536': (url, options, answered) => answered(answerOf([JWKS], { statusCode: 65736 })),
  'answers with status 1e10': (url, options, answered) => answered(answerOf([JWKS], { statusCode: 1e10 })),
  'answers with a body that is no JSON': (url, options, answered) => answered(answerOf(['<html>'])),
  'answers with a huge body': (url, options, answered) => {
    answered(answerOf(Array(20).fill(Buffer.alloc(64 * 1024, ' '))));
  },
  'answers with numbers as its body': (url, options, answered) => answered(answerOf([7, 8])),
  'answers with objects as its body': (url, options, answered) => answered(answerOf([{ keys: [] }])),
  'answers with null in its body': (url, options, answered) => answered(answerOf([null])),
  'answers with null headers and no JSON': (url, options, answered) => answered(answerOf(['{'], { headers: null })),
  'answers with headers that have no text': (url, options, answered) => {
    answered(answerOf(['{'], { headers: { a: OUTLANDISH, b: Symbol('b') } }));
  },
  'answers with an odd list of fields': (url, options, answered) => answered(answerOf(['{'], { rawHeaders: ['a'] })),
  'answers with what cannot be destroyed': (url, options, answered) => {
    answered(answerOf(['{'], { destroy: thrower(new Error('mine')) }));
  },
  'answers with what breaks off': (url, options, answered) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200, headers: {} });
    answered(response);
    setImmediate(() => response.emit('close'));
  },
  'answers with an error': (url, options, answered) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200, headers: {} });
    answered(response);
    setImmediate(() => response.emit('error', new Error('mine')));
  },
  'answers with a wrong status, and an error later': (url, options, answered) => {
    const response = Object.assign(new EventEmitter(), { statusCode: '200', headers: {} });
    answered(response);
    setImmediate(() => response.emit('error', new Error('mine')));
  },
  'answers with an error twice': (url, options, answered) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200, headers: {} });
    answered(response);
    setImmediate(() => response.emit('error', new Error('mine')) && response.emit('error', new Error('mine')));
  },
  'has a request that cannot be destroyed': () => ({ on() {}, destroy: thrower(new Error('mine')) }),
  'has a request that cannot be listened to': () => ({ on: thrower(new Error('mine')) }),
};

/** Odd clients that still fetch the keys. */
const ODD_CLIENTS = {
  'answers at once': (url, options, answered) => answered(answerOf([JWKS])),
  'answers in texts and byte arrays': (url, options, answered) => {
    answered(answerOf([JWKS.slice(0, 9), new Uint8Array(Buffer.from(JWKS.slice(9)))]));
  },
  'answers twice': (url, options, answered) => {
    answered(answerOf([JWKS]));
    answered(answerOf(['{']));
  },
  'answers without headers': (url, options, answered) => answered(answerOf([JWKS], { headers: undefined })),
  'answers without destroy': (url, options, answered) => answered(answerOf([JWKS], { destroy: undefined })),
  'emits an error after the answer': (url, options, answered) => {
    const request = new EventEmitter();
    const response = answerOf([JWKS]);
    response.on('close', () => setImmediate(() => request.emit('error', new Error('late'))));
    response.on('close', () => setImmediate(() => response.emit('error', new Error('late'))));
    answered(response);
    return request;
  },
  'gives a promise': async (url, options, answered) => answered(answerOf([JWKS])),
};

describe('a client that', () => {
  for (const [name, get] of Object.entries(BAD_CLIENTS)) {
    test(`${name}: 503 and a line in the log, and good tokens pass once it is well`, async (t) => {
      forbidCrashes(t);
      const log = collectLog(t);
      const client = { get: (url, options, answered) => get(url, options, answered) };
      const service = jwksService(new InMemoryCache(), URI, client, SHORT);
      const app = await serve(t, guardedApp(5, secure(service)));
      const { status, challenges, all } = await app.get(mint(KEY));
      assert.deepEqual([status, challenges, all('retry-after').length], [503, [], 1]);
      assert.match(await log.line(/could not be fetched/), /as\.example\.com/);
      assert.ok(typeof service.status().lastError === 'string');
      client.get = ODD_CLIENTS['answers at once'];
      await service.refresh();
      assert.equal((await app.get(mint(KEY))).status, 200);
    });
  }

  for (const [name, get] of Object.entries(ODD_CLIENTS)) {
    test(`${name}: the keys are had`, async (t) => {
      forbidCrashes(t);
      const client = { get: (url, options, answered) => get(url, options, answered) };
      const guard = secure(jwksService(new InMemoryCache(), URI, client, SHORT));
      assert.equal(await outcome(guard), 'passes');
    });
  }

  test('never answers, with a timeout longer than timers go: the keys are had from one that does', async (t) => {
    const warnings = [];
    const warned = (warning) => warnings.push(warning.name);
    process.on('warning', warned);
    atEnd(t, () => process.off('warning', warned));
    const server = await AuthorizationServer.start(t, [KEY]);
    assert.equal(await outcome(secure(getSimpleJwksService(server.jwksUri, { timeout: 1e8 }))), 'passes');
    assert.equal(await outcome(secure(async () => delay(20, KEY.publicKey), { getKeyTimeout: 1e8 })), 'passes');
    assert.deepEqual(warnings, []);
  });
});

/** Answers that are key sets, without a key that can be used. */
const WITHDRAWING = new Set(['a key set without keys', 'a key set of rubbish', 'a secret as the key']);

describe('an authorization server that answers with', () => {
  for (const [name, fail] of Object.entries(FAILURES)) {
    test(`${name}: 503 and a line in the log, and good tokens pass once it is well`, async (t) => {
      forbidCrashes(t);
      const log = collectLog(t);
      const server = await AuthorizationServer.start(t, [KEY]);
      server.fail(fail);
      for (const service of [getSimpleJwksService(server.jwksUri), discovery({ issuer: server.issuer })]) {
        server.fail(fail);
        const guard = secure(service);
        const token = mint(KEY, { iss: server.issuer });
        assert.equal(await outcome(guard, token), 'keys_unavailable');
        await log.line(/could not be fetched/);
        log.lines.length = 0;
        server.recover();
        await service.refresh();
        assert.equal(await outcome(guard, token), 'passes');
      }
    });

    test(`${name}, when the keys are known: ${WITHDRAWING.has(name) ? 'they go' : 'they stay in use'}`, async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const service = getSimpleJwksService(server.jwksUri);
      await service.prefetch();
      server.fail(fail);
      await assert.rejects(service.refresh(), /the keys could not be fetched/);
      assert.equal(await outcome(secure(service)), WITHDRAWING.has(name) ? 'keys_unavailable' : 'passes');
    });
  }

  test('more than a key set may be long: it is not read to its end', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    for (const name of ['a huge body', 'a body without end']) {
      server.fail(FAILURES[name]);
      await assert.rejects(getSimpleJwksService(server.jwksUri).refresh(), /at most 524288 bytes/, name);
    }
  });

  for (const [name, fail] of Object.entries(SILENCES)) {
    test(`${name}: 503 after the timeout, and good tokens pass once it is well`, async (t) => {
      forbidCrashes(t);
      const log = collectLog(t);
      const server = await AuthorizationServer.start(t, [KEY]);
      const service = getSimpleJwksService(server.jwksUri, SHORT);
      const guard = secure(service);
      server.fail(fail);
      assert.equal(await outcome(guard), 'keys_unavailable');
      assert.match(await log.line(/could not be fetched/), /no whole answer within 0\.05 s/);
      server.recover();
      await service.refresh();
      assert.equal(await outcome(guard), 'passes');
    });
  }
});

/** Caches that fail: their behaviour when read and when written. */
const BAD_CACHES = {
  'throws': [thrower(new Error('mine')), thrower(new Error('mine'))],
  'throws what has no text': [thrower(OUTLANDISH), thrower(OUTLANDISH)],
  'rejects': [async () => { throw new Error('mine'); }, async () => { throw new Error('mine'); }],
  'rejects with nothing': [() => Promise.reject(), () => Promise.reject()],
  'keeps a text that is no JSON': [async () => 'rubbish', async () => {}],
  'keeps a number': [async () => 7, async () => {}],
  'keeps a function': [async () => () => {}, async () => {}],
  'keeps a ring': [async () => { const ring = {}; return Object.assign(ring, { ring }); }, async () => {}],
  'keeps an array': [async () => [], async () => {}],
  'keeps an empty object': [async () => ({}), async () => {}],
  'keeps rubbish for keys': [async () => ({ keys: [7, null, {}] }), async () => {}],
  'keeps no array for keys': [async () => ({ keys: 'a' }), async () => {}],
  'keeps what cannot be read': [async () => ({ toJWKS: thrower(new Error('mine')) }), async () => {}],
  'is not async': [() => null, () => {}],
};

describe('a cache that', () => {
  for (const [name, [getKeyStore, setKeyStore]] of Object.entries(BAD_CACHES)) {
    test(`${name}: the keys are had from the endpoint`, async (t) => {
      forbidCrashes(t);
      const log = collectLog(t);
      const server = await AuthorizationServer.start(t, [KEY]);
      const written = new Promise((resolve) => server.once('written', resolve));
      const cache = { getKeyStore, setKeyStore: (...set) => { server.emit('written'); return setKeyStore(...set); } };
      const app = await serve(t, guardedApp(5, secure(jwksService(cache, server.jwksUri))));
      assert.equal((await app.get(mint(KEY))).status, 200);
      await written;
      if (!['is not async', 'keeps rubbish for keys'].includes(name)) {
        assert.match(await log.line(/cache failed/), /get/);
      }
      if (setKeyStore.toString().includes('throw') || name.startsWith('rejects')) {
        await log.line(/cache failed.*set/);
      }
    });
  }

  test('never answers: the keys are had all the same', async (t) => {
    forbidCrashes(t);
    const log = collectLog(t);
    const server = await AuthorizationServer.start(t, [KEY]);
    const cache = { getKeyStore: never, setKeyStore: never };
    assert.equal(await outcome(secure(jwksService(cache, server.jwksUri))), 'passes');
    assert.match(await log.line(/cache failed/), /no answer/);
  });

  test('keeps a secret: it opens nothing', async (t) => {
    const secret = newSecret('HS256', 'secret');
    const server = await AuthorizationServer.start(t, [KEY]);
    // A set of unknown age is due at once, and the endpoint's set has no secret.
    const kept = { keys: [KEY.jwk, secret.jwk], fetchedAt: Date.now() };
    const cache = { getKeyStore: async () => kept, setKeyStore: async () => {} };
    const guard = secure(jwksService(cache, server.jwksUri), { algorithms: ['HS256', 'ES256'] });
    assert.equal(await outcome(guard), 'passes');
    assert.equal(await outcome(guard, mint(secret)), 'unusable_key');
  });

  test('changes what it was given: the keys at hand stay as they are', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const forger = { ...newKey(), kid: KEY.kid };
    let written;
    const wrote = new Promise((resolve) => (written = resolve));
    const setKeyStore = async (keyStore) => written(Object.assign(keyStore.keys[0], forger.jwk, { kid: KEY.kid }));
    const guard = secure(jwksService({ getKeyStore: async () => null, setKeyStore }, server.jwksUri));
    assert.equal(await outcome(guard), 'passes');
    await wrote;
    assert.equal(await outcome(guard, mint(forger)), 'bad_signature');
    assert.equal(await outcome(guard, mint(KEY)), 'passes');
  });
});

/** Functions `getKey` that fail. */
const BAD_GET_KEYS = {
  'throws': thrower(new Error('mine')),
  'throws nothing': thrower(undefined),
  'throws what has no text': thrower(OUTLANDISH),
  'rejects': async () => { throw new Error('mine'); },
  'rejects with nothing': () => Promise.reject(),
  'never answers': never,
  'gives what never settles': () => ({ then() {} }),
  'gives what throws when awaited': () => ({ get then() { throw new Error('mine'); } }),
  'gives nothing': () => undefined,
  'gives null': async () => null,
  'gives a number': () => 7,
  'gives a big number': () => 7n,
  'gives a symbol': () => Symbol('key'),
  'gives a function': () => () => KEY.publicKey,
  'gives a ring': () => { const ring = {}; return Object.assign(ring, { ring }); },
  'gives an empty object': () => ({}),
  'gives an array': () => [KEY.publicKey],
  'gives a text that is no key': () => 'rubbish',
  'gives an empty text': () => '',
  'gives a short secret': () => Buffer.alloc(8),
  'gives an empty set': () => ({ keys: [] }),
  'gives a broken JWK': () => ({ ...KEY.jwk, x: 'AA' }),
  'gives a JWK of an unknown type': () => ({ kty: 'AKP' }),
  'gives a private key': () => KEY.privateKey,
  'gives a private key as PEM': () => KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  'says that several keys fit, and names none': () => {
    throw Object.assign(new Error('mine'), { code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' });
  },
  'says that several keys fit, and fails at the second': () => {
    throw Object.assign(new Error('mine'), {
      code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
      async *[Symbol.asyncIterator]() {
        yield newKey().publicKey;
        throw new Error('mine');
      },
    });
  },
};

describe('a getKey that', () => {
  for (const [name, bad] of Object.entries(BAD_GET_KEYS)) {
    test(`${name}: 503 and a line in the log, and good tokens pass once it is well`, async (t) => {
      forbidCrashes(t);
      const log = collectLog(t);
      let getKey = bad;
      const app = await serve(t, guardedApp(5, secure((...call) => getKey(...call), { getKeyTimeout: 0.02 })));
      const { status, challenges, all } = await app.get(mint(KEY));
      assert.deepEqual([status, challenges, all('retry-after')], [503, [], ['5']]);
      await log.line(/getKey failed: /);
      getKey = () => KEY.publicKey;
      assert.equal((await app.get(mint(KEY))).status, 200);
    });
  }

  test('says that no key fits: 403', async (t) => {
    const getKey = thrower(Object.assign(new Error('mine'), { code: 'ERR_JWKS_NO_MATCHING_KEY' }));
    assert.equal(await outcome(secure(getKey)), 'unknown_key');
    assert.equal(await outcome(secure(getKey, { optional: true })), 'unknown_key');
  });

  /** A getKey with endless keys, of which the one at this place has signed the token. */
  function endless(place) {
    const named = { count: 0 };
    const getKey = thrower(Object.assign(new Error('mine'), {
      code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
      async *[Symbol.asyncIterator]() {
        for (;;) {
          named.count += 1;
          yield named.count === place ? KEY.publicKey : newKey().publicKey;
        }
      },
    }));
    return { getKey, named };
  }

  test('names keys without end: sixteen are tried, or as many as you say, and a refusal names the limit', async () => {
    for (const [options, limit] of [[{}, 16], [{ maxKeyAttempts: 3 }, 3], [{ maxKeyAttempts: 1 }, 1]]) {
      const { getKey, named } = endless(limit);
      assert.equal(await outcome(secure(getKey, options)), 'passes');
      assert.ok(named.count <= limit + 1, String(named.count));
      const { code, reason } = await failure(secure(endless(limit + 1).getKey, options).verify(mint(KEY)));
      assert.equal(code, 'too_many_keys');
      assert.match(reason, new RegExp(`first ${limit} keys.*maxKeyAttempts`));
    }
  });

  test('names keys and never ends: 503 after the timeout', async (t) => {
    collectLog(t);
    const getKey = thrower(Object.assign(new Error('mine'), {
      code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
      [Symbol.asyncIterator]: () => ({ next: never }),
    }));
    const verdict = outcome(secure(getKey, { getKeyTimeout: 0.02 }));
    assert.equal(await within(500, verdict, 'no verdict'), 'keys_unavailable');
  });

  test('answers after its time: nothing happens', async (t) => {
    forbidCrashes(t);
    const log = collectLog(t);
    for (const late of [async () => KEY.publicKey, async () => { throw new Error('late'); }]) {
      let answer;
      const getKey = () => new Promise((resolve) => (answer = () => resolve(late())));
      assert.equal(await outcome(secure(getKey, { getKeyTimeout: 0.01 })), 'keys_unavailable');
      assert.match(await log.line(/getKey failed/), /no answer within 0\.01 s/);
      answer();
    }
  });

  test('changes the secret that it gave, byte by byte: the one that is there counts', async () => {
    const [first, second] = [newSecret(), newSecret()];
    const bytes = Buffer.from(first.bytes);
    const guard = secure(() => bytes, { algorithms: ['HS256'] });
    assert.equal(await outcome(guard, mint(first)), 'passes');
    second.bytes.copy(bytes);
    assert.equal(await outcome(guard, mint(first)), 'bad_signature');
    assert.equal(await outcome(guard, mint(second)), 'passes');
  });

  test('gives a fresh key each time: they are not all kept, and each is good for its own tokens', async () => {
    let key;
    const guard = secure(() => key.jwk);
    for (let count = 0; count < 200; count += 1) {
      const before = key;
      key = newKey();
      assert.equal(await outcome(guard, mint(key)), 'passes');
      assert.ok(before === undefined || (await outcome(guard, mint(before))) === 'bad_signature');
    }
  });
});

describe('a hook of the user that fails', () => {
  test('onError that throws, or rejects, changes nothing, and is told in the log', async (t) => {
    forbidCrashes(t);
    const log = collectLog(t);
    const keys = localKeys({ keys: [KEY.jwk] });
    for (const onError of [thrower(new Error('mine')), thrower(undefined), thrower(OUTLANDISH)]) {
      for (const next of [false, true]) {
        const app = EXPRESS[5]().use(secure(keys, { onError, next }));
        app.use((error, req, res, next) => res.status(error.status).end());
        const client = await serve(t, app);
        assert.deepEqual([(await client.get()).status, (await client.get('a.b.c')).status], [401, 403]);
        await log.line(/onError failed/);
        log.lines.length = 0;
      }
    }
  });

  test('onError that is async and rejects changes nothing, and is told in the log', async (t) => {
    forbidCrashes(t);
    const log = collectLog(t);
    const onError = async () => { throw new Error('mine'); };
    const client = await serve(t, guardedApp(5, secure(localKeys({ keys: [KEY.jwk] }), { onError })));
    assert.equal((await client.get()).status, 401);
    assert.match(await within(500, log.line(/onError failed/), 'no line'), /mine/);
  });

  test('a rule or getToken that throws lets nothing pass, whatever it throws', async (t) => {
    const keys = localKeys({ keys: [KEY.jwk] });
    for (const thrown of [new Error('mine'), undefined, null, 0, '', false, NaN, 7, 'route', 'router', OUTLANDISH]) {
      for (const version of VERSIONS) {
        for (const options of [{ claims: [thrower(thrown)] }, { getToken: thrower(thrown) }]) {
          for (const guard of [secure(keys, options), secure(async () => KEY.publicKey, options)]) {
            const app = EXPRESS[version]();
            app.get('/', guard, (req, res) => res.end('passed'));
            app.get('/', (req, res) => res.end('passed by'));
            app.use((error, req, res, next) => res.status(500).end(String(error instanceof Error)));
            const { status, body } = await (await serve(t, app)).get(mint(KEY));
            assert.equal(status, 500, `${body}: ${Object.keys(options)} ${thrown === OUTLANDISH ? 'an object' : thrown}`);
            assert.ok(thrown === OUTLANDISH || body === 'true', body);
          }
        }
      }
    }
  });

  test('a logger that throws changes nothing', async (t) => {
    forbidCrashes(t);
    let told;
    const line = new Promise((resolve) => (told = resolve));
    setLogger({ warn: () => { told(); throw new Error('mine'); } });
    atEnd(t, () => setLogger(null));
    const server = await AuthorizationServer.start(t, [KEY]);
    server.fail(FAILURES['status 500']);
    const onError = thrower(new Error('mine'));
    const service = getSimpleJwksService(server.jwksUri);
    const client = await serve(t, guardedApp(5, secure(service, { onError })));
    assert.equal((await client.get(mint(KEY))).status, 503);
    assert.equal((await client.get()).status, 401);
    await line;
    server.recover();
    await service.refresh();
    assert.equal((await client.get(mint(KEY))).status, 200);
  });

  test('a logger that is async and rejects changes nothing', async (t) => {
    forbidCrashes(t);
    setLogger({ warn: async () => { throw new Error('mine'); } });
    atEnd(t, () => setLogger(null));
    const client = await serve(t, guardedApp(5, secure(thrower(new Error('mine')))));
    assert.equal((await client.get(mint(KEY))).status, 503);
  });

  test('no logger is as good as any', async (t) => {
    forbidCrashes(t);
    setLogger(null);
    const client = await serve(t, guardedApp(5, secure(thrower(new Error('mine')))));
    assert.equal((await client.get(mint(KEY))).status, 503);
  });

  test('a log line tells no token', async (t) => {
    const log = collectLog(t);
    const token = mint(KEY);
    const getKey = (header, { payload }) => thrower(new Error(`no key for ${header.kid}`))();
    await outcome(secure(getKey), token);
    await log.line(/getKey failed/);
    assert.ok(!log.lines.some((line) => token.split('.').some((part) => line.includes(part))));
  });
});

describe('a token that is no token', () => {
  const GUARD = secure(localKeys({ keys: [KEY.jwk] }));
  const OPTIONAL = secure(localKeys({ keys: [KEY.jwk] }), { optional: true });

  test('characters whose low bytes are those of a cached token do not make one', async () => {
    const token = mint(KEY);
    assert.equal(await outcome(GUARD, token), 'passes');
    const shifted = (by) => [...token].map((character) => String.fromCharCode(character.charCodeAt(0) + by)).join('');
    for (const by of [0x100, 0x200, 0x1000, 0xd800, 0xdc00, 0xff00]) {
      assert.equal(await outcome(GUARD, shifted(by)), 'malformed_token', String(by));
      const last = token.charCodeAt(token.length - 1) + by;
      assert.equal(await outcome(GUARD, token.slice(0, -1) + String.fromCharCode(last)), 'malformed_token', String(by));
    }
    for (const [index] of [...token].entries()) {
      const odd = String.fromCharCode(token.charCodeAt(index) + 0x100);
      assert.equal(await outcome(GUARD, token.slice(0, index) + odd + token.slice(index + 1)), 'malformed_token');
    }
  });

  test('odd characters anywhere in a cached token do not pass', async () => {
    const token = mint(KEY);
    assert.equal(await outcome(GUARD, token), 'passes');
    const invisible = ['\0', '\n', '\r\n', '\t', '\ufeff', '\u00a0', '\u200b'];
    const odd = [...invisible, '\ud800', '\udc00', '\ud83d\ude00', 'é', ',', '%00'];
    for (const character of odd) {
      for (const index of [0, 1, token.indexOf('.'), token.length - 1, token.length]) {
        const code = await outcome(GUARD, token.slice(0, index) + character + token.slice(index));
        assert.equal(code, 'malformed_token', `${JSON.stringify(character)} at ${index}`);
      }
    }
  });

  test('one of a million characters is refused by its length', async () => {
    for (const text of ['a', '.', 'é', '\ud800', ' ']) {
      const code = await outcome(GUARD, text.repeat(1_000_000));
      assert.equal(code, text === ' ' ? 'empty_token' : 'token_too_large', text);
    }
    assert.equal(await outcome(GUARD, mint(KEY) + '='.repeat(1_000_000)), 'token_too_large');
  });

  test('one that is no string is no token', async () => {
    const token = mint(KEY);
    const values = [undefined, null, 7, 7n, true, {}, [], Symbol('a')];
    const disguised = [[token], Buffer.from(token), Object(token), () => token, { toString: () => token }];
    for (const value of [...values, ...disguised, { [Symbol.toPrimitive]: () => token }]) {
      assert.equal(await outcome(GUARD, value), 'no_credentials');
    }
    assert.equal(await outcome(GUARD, ''), 'empty_token');
  });

  test('one that is no string does not pass as an empty request where it is a request header', async () => {
    const token = `Bearer ${mint(KEY)}`;
    const disguised = [Object(token), [token, token], [[token]], { toString: () => token }, [Object(token), token]];
    for (const authorization of disguised) {
      const error = await failure(GUARD.verifyRequest({ headers: { authorization } }));
      assert.ok(['no_credentials', 'several_tokens', 'other_scheme'].includes(error.code), error.code);
    }
  });

  test('several header values, of which the first is no string, are several all the same', async () => {
    for (const authorization of [[7, `Bearer ${mint(KEY)}`], [{}, 'Bearer a'], [null, 'Bearer a', 'Bearer b']]) {
      assert.equal((await failure(OPTIONAL.verifyRequest({ headers: { authorization } }))).code, 'several_tokens');
    }
  });

  test('bytes beyond ASCII in a header do not make a token', async (t) => {
    const client = await serve(t, guardedApp(5, GUARD));
    const token = mint(KEY);
    assert.equal((await client.get(token)).status, 200);
    for (const character of ['\x80', '\xe9', '\xff', '\xc3\xa9']) {
      assert.equal((await client.raw('GET / HTTP/1.1', `authorization: Bearer ${token}${character}`)).status, 403);
      assert.equal((await client.raw('GET / HTTP/1.1', `authorization: Bearer ${character}${token}`)).status, 403);
    }
  });

  test('a request without headers goes to the error handler, and does not pass', async () => {
    for (const request of [{}, { headers: null }, { headers: undefined }]) {
      const [error] = await new Promise((resolve) => GUARD(request, {}, (...call) => resolve(call)));
      assert.ok(error instanceof TypeError);
    }
  });
});

'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const { describe, test } = require('node:test');

const Fastify = require('fastify');

const { errors, mcp, protectedResource } = require('portcullis');
const portcullis = require('portcullis/fastify');
const { run } = require('./support/child.js');
const { atEnd } = require('./support/cleanup.js');
const { KEY, KEYS, holdsTheContract } = require('./support/contract.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const ALICE = mint(KEY);
const READER = mint(KEY, { scope: 'read' });
const WRITER = mint(KEY, { scope: 'read write', acr: 'gold' });

const hello = async ({ claims, auth }) => ({ sub: claims?.sub ?? null, same: auth?.claims === claims || auth === null });

/** An app with the plugin, and routes that note each call of a handler in `ran`. */
async function start(t, options, routes = (app) => app.get('/', hello), settings = {}) {
  const app = Fastify(settings);
  atEnd(t, () => app.close());
  await app.register(portcullis, { keys: KEYS, ...options });
  routes(app);
  await app.ready();
  return serve(t, app.server);
}

/** The error of an app that does not start. */
function failureOf(make) {
  const app = Fastify();
  return failure((async () => {
    await make(app);
    await app.ready();
  })().finally(() => app.close()));
}

holdsTheContract(async (t, guards, handler) => {
  const app = Fastify();
  atEnd(t, () => app.close());
  await nest(app, guards, (inner) => inner.get('/', async (request) => handler(request)));
  await app.ready();
  return serve(t, app.server);
});

/** Registers the plugin once for each guard, each in a context within the one before. */
async function nest(app, [[keys, options], ...others], routes) {
  await app.register(portcullis, { keys, ...options });
  await (others.length === 0 ? routes(app) : app.register(async (inner) => nest(inner, others, routes)));
}

describe('a request of Fastify', () => {
  test('to an unknown path is refused, too', async (t) => {
    const client = await start(t);
    assert.deepEqual([(await client.get(undefined, '/nowhere')).status, (await client.get(ALICE, '/nowhere')).status], [401, 404]);
  });

  test('by inject passes and is refused', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    app.register(portcullis, { keys: KEYS });
    app.get('/', hello);
    const refused = await app.inject('/');
    assert.deepEqual([refused.statusCode, refused.headers['www-authenticate']], [401, 'Bearer']);
    const passed = await app.inject({ url: '/', headers: { authorization: `Bearer ${ALICE}` } });
    assert.deepEqual(passed.json(), { sub: 'alice', same: true });
  });

  test('over HTTP/2 passes and is refused', async (t) => {
    const app = Fastify({ http2: true });
    atEnd(t, () => app.close());
    await app.register(portcullis, { keys: KEYS, dpop: 'allowed' });
    app.get('/', hello);
    const session = http2.connect(await app.listen({ port: 0, host: '127.0.0.1' }));
    atEnd(t, () => session.close());
    const ask = async (headers) => {
      const stream = session.request({ ':path': '/', ...headers });
      const [response] = await once(stream, 'response');
      stream.resume();
      return [response[':status'], response['www-authenticate']];
    };
    assert.deepEqual(await ask({ authorization: `Bearer ${ALICE}` }), [200, undefined]);
    const [status, challenges] = await ask({});
    assert.equal(status, 401);
    assert.match(challenges, /^Bearer, DPoP algs=/);
  });
});

test('no handler runs for a request that is refused while another hook delays the answer', async (t) => {
  for (const next of [false, true]) {
    let ran = 0;
    const client = await start(t, { next }, (app) => {
      app.addHook('onSend', async (request, reply, payload) => {
        await new Promise(setImmediate);
        return payload;
      });
      app.addHook('preHandler', async () => void (ran += 1));
      app.get('/', async () => ++ran);
    });
    assert.deepEqual([(await client.get()).status, ran], [401, 0]);
  }
});

test('a reply that another hook has sent while keys are fetched stays as it is, and no handler runs', async (t) => {
  for (const answer of [KEY.publicKey, undefined]) {
    let settle;
    const keys = () => new Promise((resolve, reject) => (settle = answer === undefined ? reject : () => resolve(answer)));
    const lines = [];
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line) => lines.push(line) } } });
    atEnd(t, () => app.close());
    app.addHook('onRequest', (request, reply, done) => {
      done();
      reply.code(504).send('late');
    });
    app.addHook('onResponse', async () => settle(new Error('mine')));
    await app.register(portcullis, { keys });
    app.get('/', () => assert.fail('the handler ran'));
    const { statusCode, body } = await app.inject({ url: '/', headers: { authorization: `Bearer ${ALICE}` } });
    assert.deepEqual([statusCode, body], [504, 'late']);
    await new Promise(setImmediate);
    assert.deepEqual(lines, []);
  }
});

describe('a refusal', () => {
  test('goes to the error handler with next: true, and keeps its type', async (t) => {
    const client = await start(t, { next: true }, (app) => {
      app.setErrorHandler((error, request, reply) => {
        assert.ok(error instanceof errors.InvalidTokenError);
        return reply.code(418).send(error.code);
      });
      app.get('/', hello);
    });
    const { status, body } = await client.get('opaque');
    assert.deepEqual([status, body], [418, 'malformed_token_parts']);
  });

  test('keeps status and fields with next: true and no error handler', async (t) => {
    const client = await start(t, { next: true, realm: 'a' });
    const { status, challenges } = await client.get();
    assert.deepEqual([status, challenges], [401, ['Bearer realm="a"']]);
  });

  test('is told to onError, with the request of Fastify', async (t) => {
    const told = [];
    const client = await start(t, { onError: (error, request) => told.push([error.code, request.routeOptions.url]) });
    await client.get();
    await client.get(ALICE);
    assert.deepEqual(told, [['no_credentials', '/']]);
  });

  test('keeps fields that hooks in front have set', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    app.addHook('onRequest', async (request, reply) => void reply.header('access-control-allow-origin', '*'));
    await app.register(portcullis, { keys: KEYS });
    assert.equal((await app.inject('/')).headers['access-control-allow-origin'], '*');
  });
});

describe('a route', () => {
  const routes = (app) => {
    const rules = { scope: ['write'] };
    app.get('/', hello);
    app.get('/write', { config: { portcullis: rules } }, hello);
    app.get('/gold', { config: { portcullis: { acr: ['gold', 'silver'], claims: [{ name: 'sub', value: 'alice' }] } } }, hello);
    app.get('/public', { config: { portcullis: false } }, hello);
    app.get('/hook', { onRequest: app.secure(rules) }, hello);
    app.get('/own', { config: { portcullis: { anyScope: 'write admin', maxAge: 60 } } }, hello);
    app.register(async (inner) => inner.get('/write', { config: { portcullis: rules } }, hello), { prefix: '/inner' });
  };

  test('adds its rules to those of the plugin', async (t) => {
    const client = await start(t, { scope: 'read' }, routes);
    const only = mint(KEY, { scope: 'write' });
    const table = [
      ['/', ALICE, 403], ['/', READER, 200], ['/', only, 403],
      ['/write', READER, 403], ['/write', only, 403], ['/write', WRITER, 200], ['/write', undefined, 401],
      ['/gold', READER, 401], ['/gold', WRITER, 200],
      ['/hook', READER, 403], ['/hook', WRITER, 200], ['/hook', only, 403],
      ['/own', WRITER, 401],
      ['/inner/write', READER, 403], ['/inner/write', WRITER, 200],
      ['/public', undefined, 200], ['/public', 'a.b.c', 200],
    ];
    for (const [path, token, status] of table) {
      assert.equal((await client.get(token, path)).status, status, path);
      assert.equal((await client.request({ path, method: 'HEAD', headers: token && { authorization: `Bearer ${token}` } })).status, status, `HEAD ${path}`);
    }
  });

  test('names all scope that it needs in its challenge', async (t) => {
    const client = await start(t, { scope: 'read' }, routes);
    assert.match((await client.get(ALICE, '/write')).challenge, /scope="read write"/);
  });

  test('with rules needs a token, also where the plugin is optional, unless it is optional, too', async (t) => {
    const client = await start(t, { optional: true }, (app) => {
      app.get('/', hello);
      app.get('/write', { config: { portcullis: { scope: 'write' } } }, hello);
      app.get('/either', { config: { portcullis: { scope: 'write', optional: true } } }, hello);
    });
    const statuses = async (path) => [(await client.get(undefined, path)).status, (await client.get(READER, path)).status, (await client.get(WRITER, path)).status];
    assert.deepEqual([await statuses('/'), await statuses('/write'), await statuses('/either')], [[200, 200, 200], [401, 403, 200], [200, 403, 200]]);
  });

  test('that is declared before the plugin is guarded, in contexts within, too', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    app.get('/first', hello);
    app.get('/write', { config: { portcullis: { scope: 'write' } } }, hello);
    await app.register(async (inner) => inner.get('/inner', hello));
    await app.register(portcullis, { keys: KEYS });
    for (const path of ['/first', '/inner', '/write']) {
      assert.equal((await app.inject(path)).statusCode, 401, path);
    }
    assert.equal((await app.inject({ url: '/write', headers: { authorization: `Bearer ${READER}` } })).statusCode, 403);
  });

  test('alone is guarded, by its config or by a hook, with global: false', async (t) => {
    const client = await start(t, { global: false, scope: 'read' }, routes);
    const statuses = ['/', '/public', '/write', '/hook', '/nowhere'].map(async (path) => (await client.get(undefined, path)).status);
    assert.deepEqual(await Promise.all(statuses), [200, 200, 401, 401, 404]);
    assert.equal((await client.get(mint(KEY, { scope: 'write' }), '/hook')).status, 403);
  });

  test('outside of the context of the plugin is not guarded', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    app.get('/', async () => 'open');
    app.register(async (inner) => {
      await inner.register(portcullis, { keys: KEYS });
      inner.get('/here', hello);
    }, { prefix: '/inner' });
    assert.deepEqual([(await app.inject('/')).statusCode, (await app.inject('/inner/here')).statusCode], [200, 401]);
  });
});

describe('several guards', () => {
  test('in contexts one within the other all have to let a request pass', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    await app.register(portcullis, { keys: KEYS, scope: 'read' });
    await app.register(async (inner) => {
      await inner.register(portcullis, { keys: KEYS, scope: 'write' });
      inner.get('/', { config: { portcullis: { claims: [{ name: 'acr', value: 'gold' }] } } }, hello);
    }, { prefix: '/inner' });
    const client = await serve(t, await app.ready().then(() => app.server));
    const statuses = [];
    for (const token of [undefined, ALICE, READER, mint(KEY, { scope: 'write' }), mint(KEY, { scope: 'read write' }), WRITER]) {
      statuses.push((await client.get(token, '/inner')).status);
    }
    assert.deepEqual(statuses, [401, 403, 403, 403, 403, 200]);
  });

  test('in one context are an error', async () => {
    const twice = async (app) => {
      await app.register(portcullis, { keys: KEYS });
      await app.register(portcullis, { keys: KEYS, scope: 'write' });
    };
    assert.match((await failureOf(twice)).message, /^portcullis\/fastify: expected to be registered once in a context, got it twice/);
  });

  test('behind another guard of this package find their token', async (t) => {
    const issuer = 'https://login.example.com';
    const resource = mcp({ resource: 'https://mcp.example.com/mcp', issuer, jwks: KEYS });
    const seen = [];
    const client = await start(t, { keys: undefined, resource }, (app) => app.get('/', { onRequest: app.secure() }, async ({ headers, claims }) => {
      seen.push(headers.authorization);
      return claims.sub;
    }));
    const token = mint(KEY, { iss: issuer, aud: 'https://mcp.example.com/mcp' });
    assert.deepEqual([(await client.get(token)).body, seen], ['alice', [undefined]]);
    assert.match((await client.get()).challenge, /resource_metadata="https:\/\/mcp\.example\.com/);
  });
});

describe('an option', () => {
  const route = (rules) => async (app) => {
    await app.register(portcullis, { keys: KEYS, scope: 'read', acr: 'gold' });
    app.get('/orders', { config: { portcullis: rules } }, hello);
  };
  const plugin = (options) => (app) => app.register(portcullis, options);
  const table = [
    [plugin({}), /^portcullis\/fastify: expected `keys` to be a JWKS service, .* got undefined/],
    [plugin({ keys: 'https://login.example.com' }), /^portcullis\/fastify: expected `keys` to be .* got a string/],
    [plugin({ keys: KEYS, scopes: 'read' }), /^portcullis\/fastify: expected known options, got `scopes`: did you mean `scope`\?/],
    [plugin({ keys: KEYS, scope: 7 }), /^portcullis\/fastify: .*scope/],
    [plugin({ keys: KEYS, global: 'yes' }), /^portcullis\/fastify: expected global to be true or false, got a string/],
    [plugin({ keys: KEYS, prefix: '/admin' }), /^portcullis\/fastify: expected no `prefix`/],
    [plugin({ keys: KEYS, resource: {} }), /^portcullis\/fastify: expected `keys` or `resource`, got both/],
    [plugin({ resource: {} }), /^portcullis\/fastify: expected `resource` to be the result of `protectedResource` or `mcp`/],
    [route({ scopes: ['write'] }), /^portcullis\/fastify: GET \/orders: config\.portcullis: expected known options, got `scopes`: did you mean `scope`\?/],
    [route({ audience: 'a' }), /config\.portcullis: expected known options, got `audience`: it is an option of the plugin; a route adds scope, /],
    [route({ scope: 7 }), /^portcullis\/fastify: GET \/orders: config\.portcullis: .*scope/],
    [route({ anyScope: [] }), /^portcullis\/fastify: GET \/orders: config\.portcullis: .*anyScope/],
    [route({ acr: 'silver' }), /GET \/orders: config\.portcullis: expected an `acr` that the rules around accept, too, got none in common/],
    [route({ optional: true }), /GET \/orders: config\.portcullis: expected `optional` in the plugin's options, too/],
    [route({ optional: 'no' }), /GET \/orders: config\.portcullis: expected optional to be true or false, got a string/],
    [route(true), /GET \/orders: config\.portcullis: expected the rules of a route to be an object, or false for a public one, got a boolean/],
    [route(null), /got null/],
    [route('write'), /got a string/],
    [route(0), /got a number/],
    [route(['write']), /got an array/],
    [async (app) => void (await app.register(portcullis, { keys: KEYS }), app.secure({ scop: 'write' })), /^portcullis\/fastify: secure: expected known options, got `scop`/],
  ];

  for (const [make, pattern] of table) {
    test(`that is unexpected stops the app: ${pattern.source}`, async () => {
      const error = await failureOf(make);
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, pattern);
    });
  }

  test('of a route that was declared before the plugin, and is mistaken, lets nothing pass', async (t) => {
    const app = Fastify();
    atEnd(t, () => app.close());
    app.get('/', { config: { portcullis: { scopes: 'write' } } }, hello);
    await app.register(portcullis, { keys: KEYS });
    assert.equal((await app.inject({ url: '/', headers: { authorization: `Bearer ${WRITER}` } })).statusCode, 500);
  });

  test('that is inherited counts', async (t) => {
    const client = await start(t, undefined, async (app) => app.get('/', hello));
    assert.equal((await client.get(ALICE)).status, 200);
    const app = Fastify();
    atEnd(t, () => app.close());
    await app.register(portcullis, Object.create({ keys: KEYS, scope: 'write' }));
    assert.equal((await app.inject({ url: '/', headers: { authorization: `Bearer ${READER}` } })).statusCode, 403);
  });
});

test('another plugin that decorates requests with auth is an error, not a mix of both', async () => {
  const error = await failureOf(async (app) => {
    app.decorateRequest('auth', null);
    await app.register(portcullis, { keys: KEYS });
  });
  assert.equal(error.code, 'FST_ERR_DEC_ALREADY_PRESENT');
});

test('a registration after listen is an error', async (t) => {
  const app = Fastify();
  atEnd(t, () => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  assert.throws(() => app.register(portcullis, { keys: KEYS }), /already|booted|listening/i);
});

test('a resource serves its document beside the plugin', async (t) => {
  const resource = protectedResource({ resource: 'https://api.example.com', issuer: 'https://login.example.com', jwks: KEYS });
  const app = Fastify();
  atEnd(t, () => app.close());
  app.addHook('onRequest', (request, reply, done) => resource.router(request.raw, reply.raw, done));
  await app.register(portcullis, { resource, scope: 'read' });
  await app.ready();
  const client = await serve(t, app.server);
  const { status, body } = await client.get(undefined, '/.well-known/oauth-protected-resource');
  assert.deepEqual([status, JSON.parse(body).scopes_supported], [200, ['read']]);
  assert.equal((await client.get()).status, 401);
});

test('a process with the plugin exits by itself, in ES modules, too', async (t) => {
  const script = `
    import Fastify from 'fastify';
    import { getSimpleJwksService, setLogger } from 'portcullis';
    import portcullis from 'portcullis/fastify';
    setLogger(null);
    const app = Fastify();
    await app.register(portcullis, { keys: getSimpleJwksService('http://127.0.0.1:9/jwks') });
    console.log((await app.inject('/')).statusCode);
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['401\n', '', 0]);
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { getRequestListener } = require('@hono/node-server');
const { Hono } = require('hono');
const { getCookie } = require('hono/cookie');

const { errors, protectedResource, secure: guardOf } = require('portcullis');
const { protect, secure } = require('portcullis/hono');
const { run } = require('./support/child.js');
const { KEY, KEYS, holdsTheContract, joined, takesTheToken } = require('./support/contract.js');
const { DpopClient } = require('./support/dpop.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');

const ALICE = mint(KEY);

/** Serves an app on Node. */
function start(t, app) {
  return serve(t, getRequestListener(app.fetch));
}

/** An app whose errors are answered without a line in the log. */
function newApp() {
  const app = new Hono();
  app.onError((error, c) => error.getResponse?.() ?? c.body(null, 500));
  return app;
}

const hello = (c) => c.text(c.var.claims.sub);

holdsTheContract((t, guards, handler) => {
  const app = newApp();
  guards.forEach(([keys, options]) => app.use(secure(keys, options)));
  app.get('/', (c) => c.json(handler({ auth: c.get('auth'), claims: c.get('claims') })));
  // Hono throws on a value that is no Error, and the adapter answers it.
  return serve(t, getRequestListener(app.fetch, { errorHandler: () => new Response(null, { status: 500 }) }));
}, { form: joined, several: 403 });

takesTheToken((t, guards) => {
  const app = newApp();
  guards.forEach((guard) => app.use(protect(guard)));
  return start(t, app.get('/', (c) => c.text(c.req.header('authorization') ?? 'none')));
});

test('a refusal is thrown with next: true, for onError, and for the handler of Hono', async (t) => {
  const caught = [];
  const app = new Hono().use(secure(KEYS, { next: true })).get('/', hello);
  const { status, challenges } = await (await start(t, app)).get();
  assert.deepEqual([status, challenges], [401, ['Bearer']]);
  app.onError((error, c) => {
    caught.push(error);
    return c.text(error.code, error.status);
  });
  assert.equal((await (await start(t, app)).get('opaque')).body, 'malformed_token_parts');
  assert.ok(caught[0] instanceof errors.InvalidTokenError);
});

test('a refusal keeps fields that a middleware in front has set', async (t) => {
  const app = new Hono();
  app.use(async (c, next) => {
    c.res.headers.set('access-control-allow-origin', '*');
    await next();
  });
  app.use(secure(KEYS)).get('/', hello);
  const { status, all } = await (await start(t, app)).get();
  assert.deepEqual([status, all('access-control-allow-origin')], [401, ['*']]);
});

test('the functions among the options get the context', async (t) => {
  const told = [];
  const options = { getToken: (c) => getCookie(c, 'at'), onError: (error, c) => told.push(c.req.path) };
  const app = newApp().use(secure(KEYS, options)).get('/', hello);
  const client = await start(t, app);
  assert.equal((await client.request({ headers: { cookie: `at=${ALICE}` } })).body, 'alice');
  assert.equal((await client.get(ALICE, '/here')).status, 401);
  assert.deepEqual(told, ['/here']);
  const certificates = [];
  const certified = newApp().use(secure(KEYS, { clientCertificate: (c) => void certificates.push(c.req.path) })).get('/', hello);
  assert.equal((await (await start(t, certified)).get(ALICE)).status, 200);
  assert.deepEqual(certificates, ['/']);
});

test('the nonce is in the response, whatever the handler makes it of', async (t) => {
  const dpop = new DpopClient();
  const token = mint(KEY, dpop.bound);
  const handlers = [(c) => c.text('a'), () => new Response('a'), (c) => c.redirect('/there'), () => Response.redirect('http://a.example'), () => {
    throw new Error('mine');
  }];
  for (const handler of handlers) {
    const client = await start(t, newApp().use(secure(KEYS, { dpop: { nonces: true } })).get('/', handler));
    const url = `http://127.0.0.1:${client.port}/`;
    const ask = (nonce) => client.request({ headers: dpop.fields(token, dpop.proof({ url, token, nonce })) });
    const { all } = await ask((await ask()).all('dpop-nonce')[0]);
    assert.equal(all('dpop-nonce').length, 1);
  }
});

test('a request within another is judged by its own token', async (t) => {
  const app = newApp();
  app.get('/outer', async (c) => app.fetch(new Request(new URL('/', c.req.url)), c.env));
  app.use('/', secure(KEYS)).get('/', hello);
  assert.equal((await (await start(t, app)).get(ALICE, '/outer')).status, 401);
});

test('protect takes a guard, such as one of a resource', async (t) => {
  const resource = protectedResource({ resource: 'https://api.example.com', issuer: 'https://login.example.com', jwks: KEYS });
  const client = await start(t, newApp().use(protect(resource.guard({ scope: 'read' }))).get('/', hello));
  assert.match((await client.get()).challenge, /resource_metadata=/);
  const token = mint(KEY, { iss: 'https://login.example.com', aud: 'https://api.example.com', scope: 'read' });
  assert.equal((await client.get(token)).body, 'alice');
  assert.equal((await (await start(t, newApp().use(protect(guardOf(KEYS))).get('/', hello))).get(ALICE)).status, 200);
});

test('middleware that is added after the first request is an error of Hono', async (t) => {
  const app = newApp().get('/', (c) => c.text('open'));
  await (await start(t, app)).get();
  assert.throws(() => app.use(secure(KEYS)), /already built/);
});

test('unexpected options are errors at set-up', () => {
  const table = [
    [() => secure(), /^portcullis\/hono: secure: expected its first argument to be a JWKS service, .* got undefined/],
    [() => secure(KEYS, { scopes: 'read' }), /^portcullis\/hono: secure: expected known options, got `scopes`: did you mean `scope`\?/],
    [() => secure(KEYS, 'read'), /^portcullis\/hono: secure: expected options to be an object, got a string/],
    [() => secure(KEYS, { getToken: 'at' }), /^portcullis\/hono: secure: expected getToken to be a function, got a string/],
    [() => secure(KEYS, { clientCertificate: 'PEM' }), /^portcullis\/hono: secure: expected clientCertificate to be a function/],
    [() => protect(KEYS), /^portcullis\/hono: protect: expected guard to be the result of `secure`/],
  ];
  for (const [make, message] of table) {
    assert.throws(make, { name: 'TypeError', message });
  }
});

test('an option that is inherited counts', async (t) => {
  const app = newApp().use(secure(KEYS, Object.create({ scope: 'write' }))).get('/', hello);
  assert.equal((await (await start(t, app)).get(ALICE)).status, 403);
});

test('a process with the middleware exits by itself, in ES modules, too', async (t) => {
  const script = `
    import { Hono } from 'hono';
    import { getSimpleJwksService, setLogger } from 'portcullis';
    import { secure } from 'portcullis/hono';
    setLogger(null);
    const app = new Hono().use(secure(getSimpleJwksService('http://127.0.0.1:9/jwks')));
    console.log((await app.request('/')).status);
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['401\n', '', 0]);
});

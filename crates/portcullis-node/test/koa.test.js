'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const Koa = require('koa');

const { errors, protectedResource, secure: guardOf } = require('portcullis');
const { protect, secure } = require('portcullis/koa');
const { run } = require('./support/child.js');
const { KEY, KEYS, holdsTheContract, takesTheToken } = require('./support/contract.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');

const ALICE = mint(KEY);

/** An app with these middlewares. */
function start(t, ...middlewares) {
  const app = new Koa();
  app.silent = true;
  middlewares.forEach((middleware) => app.use(middleware));
  return serve(t, app.callback());
}

const hello = (ctx) => {
  ctx.body = ctx.state.claims.sub;
};

holdsTheContract((t, guards, handler) => start(t, ...guards.map(([keys, options]) => secure(keys, options)), (ctx) => {
  ctx.body = handler(ctx.state);
}));

takesTheToken((t, guards) => start(t, ...guards.map((guard) => protect(guard)), (ctx) => {
  ctx.body = ctx.get('authorization') || 'none';
}));

test('a refusal is thrown with next: true, for a handler in front, and for the one of Koa', async (t) => {
  const caught = [];
  const inFront = async (ctx, next) => next().catch((error) => {
    caught.push(error);
    throw error;
  });
  const client = await start(t, inFront, secure(KEYS, { next: true, realm: 'a' }), hello);
  const { status, challenges } = await client.get();
  assert.deepEqual([status, challenges], [401, ['Bearer realm="a"']]);
  assert.ok(caught[0] instanceof errors.UnauthorizedError);
  assert.deepEqual([caught[0].status, caught[0].expose], [401, true]);
});

test('a refusal keeps fields that a middleware in front has set', async (t) => {
  const cors = (ctx, next) => {
    ctx.set('access-control-allow-origin', '*');
    return next();
  };
  const { status, all } = await (await start(t, cors, secure(KEYS), hello)).get();
  assert.deepEqual([status, all('access-control-allow-origin')], [401, ['*']]);
});

test('the functions among the options get the context', async (t) => {
  const told = [];
  const options = { getToken: (ctx) => ctx.cookies.get('at'), onError: (error, ctx) => told.push(ctx.path) };
  const client = await start(t, secure(KEYS, options), hello);
  assert.equal((await client.request({ headers: { cookie: `at=${ALICE}` } })).body, 'alice');
  assert.equal((await client.get(ALICE, '/here')).status, 401);
  assert.deepEqual(told, ['/here']);
});

test('an error of a handler behind is its own', async (t) => {
  const client = await start(t, secure(KEYS), () => {
    throw Object.assign(new Error('mine'), { status: 418 });
  });
  assert.equal((await client.get(ALICE)).status, 418);
});

test('protect takes a guard, such as one of a resource', async (t) => {
  const resource = protectedResource({ resource: 'https://api.example.com', issuer: 'https://login.example.com', jwks: KEYS });
  const client = await start(t, protect(resource.guard({ scope: 'read' })), hello);
  assert.match((await client.get()).challenge, /resource_metadata=/);
  const token = mint(KEY, { iss: 'https://login.example.com', aud: 'https://api.example.com', scope: 'read' });
  assert.equal((await client.get(token)).body, 'alice');
  assert.equal((await (await start(t, protect(guardOf(KEYS)), hello)).get(ALICE)).status, 200);
});

test('middleware that is added after listen guards nothing, since Koa uses it no more', async (t) => {
  const app = new Koa().use((ctx, next) => {
    ctx.body = 'open';
    return next();
  });
  const client = await serve(t, app.callback());
  app.use(secure(KEYS));
  assert.equal((await client.get()).status, 200);
});

test('unexpected options are errors at set-up', () => {
  const table = [
    [() => secure(), /^portcullis\/koa: secure: expected its first argument to be a JWKS service, .* got undefined/],
    [() => secure(KEYS, { scopes: 'read' }), /^portcullis\/koa: secure: expected known options, got `scopes`: did you mean `scope`\?/],
    [() => secure(KEYS, { getToken: 'at' }), /^portcullis\/koa: secure: expected getToken to be a function/],
    [() => protect(KEYS), /^portcullis\/koa: protect: expected guard to be the result of `secure`, or of `guard` of a resource, got an object/],
    [() => protect(), /got undefined/],
  ];
  for (const [make, message] of table) {
    assert.throws(make, { name: 'TypeError', message });
  }
});

test('a process with the middleware exits by itself, in ES modules, too', async (t) => {
  const script = `
    import Koa from 'koa';
    import { getSimpleJwksService, setLogger } from 'portcullis';
    import { secure } from 'portcullis/koa';
    setLogger(null);
    const server = new Koa().use(secure(getSimpleJwksService('http://127.0.0.1:9/jwks'))).listen(0, '127.0.0.1', async () => {
      const { status } = await fetch('http://127.0.0.1:' + server.address().port);
      console.log(status);
      server.close();
    });
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['401\n', '', 0]);
});

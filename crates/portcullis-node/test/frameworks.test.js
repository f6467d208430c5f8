'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { describe, test } = require('node:test');

const Fastify = require('fastify');
const Koa = require('koa');

const { errors, getSimpleJwksService, localKeys, secure } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { run, runFile } = require('./support/child.js');
const { serve } = require('./support/http.js');
const { mint, mintText, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const ALICE = mint(KEY);
const BOB = mint(KEY, { sub: 'bob', scope: 'read write' });

/** Answers with a handler's view of a request. */
function show(req, res) {
  const { claims, auth } = req;
  const told = { claims: claims?.sub ?? null, auth: auth?.claims?.sub ?? null, same: claims === auth?.claims };
  res.end(JSON.stringify(told));
}

const SEES_ALICE = { claims: 'alice', auth: 'alice', same: true };
const SEES_NOTHING = { claims: null, auth: null, same: true };

async function seen(client, path, token = ALICE) {
  const { status, body } = await client.get(token, path);
  return status === 200 ? JSON.parse(body) : status;
}

test('verify gives the access, or rejects with the refusal', async () => {
  const guard = secure(KEYS);
  const access = await guard.verify(BOB);
  assert.deepEqual([access.claims.sub, access.payload, access.token], ['bob', access.claims, BOB]);
  assert.deepEqual(access.header, { alg: 'ES256', kid: KEY.kid, typ: 'JWT' });
  assert.deepEqual([access.scopes, access.hasScope('read'), access.hasScope('rea')], [['read', 'write'], true, false]);
  const error = await failure(guard.verify('opaque'));
  assert.ok(error instanceof errors.InvalidTokenError);
  assert.equal(error.code, 'malformed_token_parts');
});

test('the scopes of an access are those that a guard judges by', async () => {
  const table = [
    [{}, []],
    [{ scope: '' }, []],
    [{ scope: ' a  b ' }, ['a', 'b']],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b c'] }, ['a', 'b c']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{ scope: '', scp: ['b'] }, []],
    [{ scp: ['a', 7, null] }, ['a']],
    [{ scope: ['a'] }, ['a']],
    [{ scope: ['b', 'a'] }, ['b', 'a']],
    [{ scope: ['a b'] }, ['a b']],
    [{ scope: [['a'], 7, null] }, []],
    [{ scope: [], scp: ['a'] }, []],
    [{ scope: null, scp: ['a'] }, []],
    [{ scope: 7 }, []],
    [{ scope: true }, []],
    [{ scope: { a: 1 } }, []],
    [{ scp: { a: 1 } }, []],
    [{ scp: null }, []],
  ];
  const guard = secure(KEYS);
  const problems = [];
  for (const [claims, expected] of table) {
    const token = mint(KEY, claims);
    const access = await guard.verify(token);
    const scopes = scopesOf(access);
    if (JSON.stringify(scopes) !== JSON.stringify(expected)) {
      problems.push([claims, scopes]);
    }
    assert.equal(access.hasScope('a'), expected.includes('a'));
    assert.equal(access.hasScope('a b'), false);
    const isLet = await secure(KEYS, { scope: ['a'] }).verify(token).then(() => true, () => false);
    assert.equal(isLet, expected.includes('a'), JSON.stringify(claims));
  }
  assert.deepEqual(problems, []);
});

function scopesOf(access) {
  try {
    return access.scopes;
  } catch (error) {
    return String(error);
  }
}

test('scopes is a copy: whoever changes it changes nothing', async () => {
  const access = await secure(KEYS).verify(mint(KEY, { scp: ['a'] }));
  access.scopes.push('admin');
  assert.equal(access.hasScope('admin'), false);
});

test('claims are frozen at every depth', async () => {
  const { claims } = await secure(KEYS).verify(mint(KEY, { roles: ['a'], o: { p: { q: 1 } } }));
  for (const object of [claims, claims.roles, claims.o, claims.o.p]) {
    assert.ok(Object.isFrozen(object));
  }
  assert.throws(() => (claims.sub = 'admin'), TypeError);
  assert.throws(() => claims.roles.push('admin'), TypeError);
});

test('a claim named __proto__ is a claim, and changes no prototype', async () => {
  const token = mintText(KEY, '{"exp":9999999999,"__proto__":{"admin":true}}');
  const { claims } = await secure(KEYS).verify(token);
  assert.equal(claims.admin, undefined);
  assert.ok(Object.hasOwn(claims, '__proto__'));
});

test('verifyRequest takes a request of node, of fetch, headers, and plain objects in any case', async () => {
  const guard = secure(KEYS);
  const authorization = `Bearer ${ALICE}`;
  const good = [
    { headers: { authorization } },
    { headers: { Authorization: authorization } },
    { headers: { AUTHORIZATION: [authorization] } },
    { authorization },
    { Authorization: [authorization] },
    new Headers({ authorization }),
    new Request('http://a.example/', { headers: { authorization } }),
    { headers: new Headers({ authorization }) },
    { headers: new Map([['authorization', authorization]]) },
    { headers: { authorization }, rawHeaders: ['Host', 'a', 'Authorization', authorization] },
    Object.assign(Object.create(null), { authorization }),
  ];
  for (const request of good) {
    assert.equal((await guard.verifyRequest(request)).claims.sub, 'alice');
  }
});

test('verifyRequest refuses several fields, in whatever form they come', async () => {
  const guard = secure(KEYS, { optional: true });
  const authorization = `Bearer ${ALICE}`;
  const table = [
    [{ headers: { authorization, Authorization: authorization } }, 'several_tokens'],
    [{ headers: { authorization: [authorization, authorization] } }, 'several_tokens'],
    [{ headers: { authorization }, rawHeaders: ['Authorization', '', 'authorization', 'x'] }, 'several_tokens'],
    [{ headers: { authorization }, raw: { rawHeaders: ['Authorization', '', 'authorization', ''] } }, 'several_tokens'],
    [{ headers: { authorization }, req: { rawHeaders: ['authorization', '', 'authorization', ''] } }, 'several_tokens'],
    [new Headers([['authorization', authorization], ['authorization', authorization]]), 'malformed_token'],
  ];
  for (const [request, code] of table) {
    assert.equal((await failure(guard.verifyRequest(request))).code, code);
  }
});

test('verifyRequest without a token is refused, and without a request is a TypeError', async () => {
  const guard = secure(KEYS);
  const empty = [{}, new Headers(), { authorization: undefined }, { authorization: null }, { authorization: [] }];
  const none = [...empty, ...empty.map((headers) => ({ headers }))];
  for (const request of [...none, { authorization: 7 }, { authorization: { toString: () => `Bearer ${ALICE}` } }]) {
    assert.equal((await failure(guard.verifyRequest(request))).code, 'no_credentials');
  }
  for (const request of [undefined, null, 'Bearer a', 7, true]) {
    assert.ok((await failure(guard.verifyRequest(request))) instanceof TypeError);
  }
});

test('verifyRequest waits for keys that have to be fetched', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const guard = secure(getSimpleJwksService(server.jwksUri));
  const { claims } = await guard.verifyRequest(new Headers({ authorization: `Bearer ${ALICE}` }));
  assert.equal(claims.sub, 'alice');
});

describe('behind other frameworks', () => {
  const SEVERAL = ['GET / HTTP/1.1', `authorization: Bearer ${ALICE}`, `Authorization: Bearer ${ALICE}`];

  async function holdsTo(client) {
    assert.deepEqual((await client.get(ALICE)).body, 'alice');
    const refused = [await client.get(), await client.get('a.b.c'), await client.raw(...SEVERAL)];
    assert.deepEqual(refused.map(({ status }) => status), [401, 403, 400]);
    assert.deepEqual(refused.map(({ challenges }) => challenges.length), [1, 1, 1]);
  }

  test('verifyRequest serves a plain server of node', async (t) => {
    const guard = secure(KEYS);
    const client = await serve(t, async (req, res) => {
      try {
        res.end((await guard.verifyRequest(req)).claims.sub);
      } catch ({ status, headers }) {
        res.writeHead(status, headers).end();
      }
    });
    await holdsTo(client);
  });

  test('verifyRequest serves Fastify, whose own error handler knows what to do with a refusal', async (t) => {
    const guard = secure(KEYS);
    const app = Fastify();
    app.addHook('onRequest', async (request) => {
      request.access = await guard.verifyRequest(request);
    });
    app.setErrorHandler(({ statusCode, headers, message }, request, reply) => {
      reply.code(statusCode).headers(headers).send(message);
    });
    app.get('/', async (request) => request.access.claims.sub);
    await app.ready();
    await holdsTo(await serve(t, app.server));
  });

  test('verifyRequest serves Koa, by its context and by its request', async (t) => {
    const guard = secure(KEYS);
    for (const name of ['request', 'req', undefined]) {
      const app = new Koa();
      app.silent = true;
      app.use(async (context) => {
        context.body = (await guard.verifyRequest(name === undefined ? context : context[name])).claims.sub;
      });
      await holdsTo(await serve(t, app.callback()));
    }
  });

  test('the middleware serves a plain server of node', async (t) => {
    const guard = secure(KEYS);
    const client = await serve(t, (req, res) => guard(req, res, () => res.end(req.claims.sub)));
    await holdsTo(client);
  });

  test('the middleware serves whatever calls functions in turn, as connect does', async (t) => {
    const stack = [secure(KEYS), secure(KEYS, { optional: true }), (req, res) => res.end(req.auth.claims.sub)];
    const client = await serve(t, (req, res) => {
      const next = (index) => (error) => (error ? res.writeHead(500).end() : stack[index](req, res, next(index + 1)));
      next(0)();
    });
    await holdsTo(client);
  });

  test('a next that throws is not called again', async (t) => {
    const script = `
      const http = require('node:http');
      const { secure, getSimpleJwksService, localKeys, setLogger } = require('portcullis');
      setLogger(null);
      const { jwks, token } = JSON.parse(process.argv[1]);
      const server = http.createServer((req, res) => res.end(JSON.stringify(jwks))).listen(0, '127.0.0.1', async () => {
        const remote = secure(getSimpleJwksService('http://127.0.0.1:' + server.address().port));
        const req = { headers: { authorization: 'Bearer ' + token }, rawHeaders: [] };
        const calls = [];
        const next = (...call) => { calls.push(call.length); throw new Error('of the handler'); };
        const thrown = new Promise((resolve) => {
          process.once('unhandledRejection', resolve).once('uncaughtException', resolve);
        });
        remote(req, {}, next);
        const { message } = await thrown;
        console.log(JSON.stringify({ calls, message }));
        process.exit();
      });
    `;
    const { stdout, stderr } = await run(t, script, { jwks: { keys: [KEY.jwk] }, token: ALICE });
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), { calls: [0], message: 'of the handler' });
  });
});

test('index.mjs exports the same, by name and by default', async (t) => {
  const script = `
    import portcullis, * as named from 'portcullis';
    import { createRequire } from 'node:module';
    const required = createRequire(process.cwd() + '/')('portcullis');
    const names = Object.keys(required).sort();
    const { default: _, ...exported } = named;
    console.log(JSON.stringify({
      names,
      exported: Object.keys(exported).sort(),
      same: names.every((name) => named[name] === required[name]) && portcullis === required,
    }));
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stderr, code], ['', 0]);
  const { names, exported, same } = JSON.parse(stdout);
  assert.deepEqual(exported, names);
  assert.ok(same);
  assert.ok(names.includes('secure') && names.includes('discovery') && names.includes('setLogger'));
});

test('each path of the package exports the same to both kinds of modules', async (t) => {
  const script = `
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/');
    const differs = [];
    const paths = Object.keys(require('./package.json').exports).filter((path) => path !== './package.json');
    for (const path of paths) {
      const name = 'portcullis' + path.slice(1);
      const [required, { default: byDefault, ...named }] = [require(name), await import(name)];
      const isSame = Object.keys(named).every((key) => name === 'portcullis/mcp' || named[key] === required[key]);
      const isWhole = Object.keys(required).sort().join() === Object.keys(named).sort().join();
      if (!isSame || !isWhole || (byDefault !== undefined && byDefault !== required)) {
        differs.push(name);
      }
    }
    console.log(JSON.stringify({ count: paths.length, differs }));
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stderr, code], ['', 0]);
  assert.deepEqual(JSON.parse(stdout), { count: 9, differs: [] });
});

test('the plugins work in several worker threads at once, which end by themselves', async (t) => {
  const { stdout, stderr, code } = await runFile(t, 'plugins-in-workers.js', { jwks: { keys: [KEY.jwk] }, token: ALICE });
  assert.deepEqual([stderr, code], ['', 0]);
  assert.deepEqual(JSON.parse(stdout), Array(3).fill([0, [200, 401, 200, 401, 401]]));
});

for (const version of VERSIONS) {
  const express = EXPRESS[version];

  describe(`what a request of Express ${version} carries`, () => {
    test('the claims are there in the app, its routers and its sub-apps', async (t) => {
      const [app, sub, deep] = [express(), express(), express()];
      const router = express.Router();
      app.use(secure(KEYS));
      app.get('/here', show);
      router.get('/here', show);
      sub.get('/here', show);
      deep.get('/here', show);
      sub.use('/deep', deep);
      app.use('/router', router).use('/sub', sub);
      const client = await serve(t, app);
      for (const path of ['/here', '/router/here', '/sub/here', '/sub/deep/here']) {
        for (const _ of [1, 2]) {
          assert.deepEqual(await seen(client, path), SEES_ALICE, path);
        }
      }
    });

    test('the claims of a guard in a sub-app are there in it, and after falling through to its parents', async (t) => {
      for (const warm of [[], ['/sub/deep/here'], ['/sub/deep/through', '/sub/deep/here']]) {
        const [app, sub, deep] = [express(), express(), express()];
        deep.use(secure(KEYS));
        deep.get('/here', show);
        sub.use('/deep', deep).get('/deep/through', show);
        app.use('/sub', sub).use('/sub/deep/end', show);
        const client = await serve(t, app);
        for (const path of [...warm, '/sub/deep/through', '/sub/deep/end', '/sub/deep/here']) {
          assert.deepEqual(await seen(client, path), SEES_ALICE, path);
        }
      }
    });

    test('the claims are there in an app that is called by hand', async (t) => {
      const [app, tenant] = [express(), express()];
      tenant.get('/', show);
      app.use(secure(KEYS), (req, res, next) => tenant(req, res, next));
      const client = await serve(t, app);
      for (const _ of [1, 2]) {
        assert.deepEqual(await seen(client, '/'), SEES_ALICE);
      }
    });

    test('the claims of a guard before an app are there in it', async (t) => {
      const app = express();
      const guard = secure(KEYS);
      app.get('/', show);
      const client = await serve(t, (req, res) => guard(req, res, () => app(req, res)));
      for (const _ of [1, 2]) {
        assert.deepEqual(await seen(client, '/'), SEES_ALICE);
      }
    });

    test('the claims are there when an app that was used on its own is mounted later', async (t) => {
      const [app, sub] = [express(), express()];
      sub.use(secure(KEYS));
      sub.get('/here', show);
      const alone = await serve(t, sub);
      assert.deepEqual(await seen(alone, '/here'), SEES_ALICE);
      app.use('/sub', sub).use(show);
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/sub/here'), SEES_ALICE);
      assert.deepEqual(await seen(client, '/sub/through'), SEES_ALICE);
    });

    test('the claims are there in both apps that an app is mounted in', async (t) => {
      const [first, second, sub] = [express(), express(), express()];
      sub.use(secure(KEYS));
      first.use('/sub', sub).use(show);
      second.use('/sub', sub).use(show);
      for (const app of [first, second]) {
        assert.deepEqual(await seen(await serve(t, app), '/sub/through'), SEES_ALICE);
      }
    });

    test('the claims are there in an object made of the request', async (t) => {
      const app = express();
      app.use(secure(KEYS));
      app.get('/made', (req, res) => show(Object.create(req), res));
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/made'), SEES_ALICE);
    });

    test('the claims are there through a Proxy of the request', async (t) => {
      const app = express();
      app.use(secure(KEYS));
      app.get('/proxied', (req, res) => show(new Proxy(req, {}), res));
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/proxied'), SEES_ALICE);
    });

    test('what is assigned to an object made of the request leaves the request as it is', async (t) => {
      const app = express();
      app.use(secure(KEYS));
      app.get('/made', (req, res) => {
        const made = Object.create(req);
        made.claims = { sub: 'carol' };
        made.auth = undefined;
        assert.deepEqual([made.claims.sub, made.auth], ['carol', undefined]);
        show(req, res);
      });
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/made'), SEES_ALICE);
    });

    test('the claims are there in a request whose fields as they came are taken away', async (t) => {
      const app = express();
      // The newest Node makes `headers` of these fields when they are read first, and fails without them.
      const taken = (value) => (req, res, next) => next(void (req.headers, req.rawHeaders = value));
      app.get('/before', taken(undefined), secure(KEYS), show);
      app.get('/frozen', (req, res, next) => next(void Object.freeze(req.rawHeaders)), secure(KEYS), show);
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/before'), SEES_ALICE);
      assert.deepEqual(await seen(client, '/frozen'), SEES_ALICE);
    });

    test('nothing of a guard is in the fields as they came', async (t) => {
      const app = express();
      app.get('/', secure(KEYS), (req, res) => {
        const { rawHeaders } = req;
        res.end(JSON.stringify(Reflect.ownKeys(rawHeaders).length - rawHeaders.length));
      });
      const client = await serve(t, app);
      // Their length is a property of an array.
      assert.equal(await seen(client, '/'), 1);
    });

    test('each request has its own, also while others are under way', async (t) => {
      const app = express();
      const waiting = [];
      app.use(secure(KEYS));
      app.get('/', (req, res) => {
        waiting.push(() => show(req, res));
        if (waiting.length === 20) {
          waiting.reverse().forEach((answer) => answer());
        }
      });
      const client = await serve(t, app);
      const tokens = Array.from({ length: 20 }, (_, index) => mint(KEY, { sub: `user-${index}` }));
      const subjects = await Promise.all(tokens.map(async (token) => (await seen(client, '/', token)).claims));
      assert.deepEqual(subjects, tokens.map((_, index) => `user-${index}`));
    });

    test('a request that no guard has seen carries nothing', async (t) => {
      const app = express();
      app.get('/guarded', secure(KEYS), show);
      app.get('/open', show);
      const client = await serve(t, app);
      assert.deepEqual(await seen(client, '/open'), SEES_NOTHING);
      assert.deepEqual(await seen(client, '/guarded'), SEES_ALICE);
      assert.deepEqual(await seen(client, '/open'), SEES_NOTHING);
    });

    test('what was assigned before is replaced by the word of the guard', async (t) => {
      const app = express();
      app.use((req, res, next) => {
        req.auth = { claims: { sub: 'mallory' } };
        req.claims = { sub: 'mallory' };
        next();
      });
      app.get('/optional', secure(KEYS, { optional: true }), show);
      app.get('/', secure(KEYS), show);
      const client = await serve(t, app);
      for (const _ of [1, 2]) {
        assert.deepEqual(await seen(client, '/'), SEES_ALICE);
        const { body } = await client.get(undefined, '/optional');
        assert.deepEqual(JSON.parse(body), SEES_NOTHING);
      }
    });

    test('what was defined before is replaced by the word of the guard', async (t) => {
      const app = express();
      app.use((req, res, next) => {
        const value = { sub: 'mallory', claims: { sub: 'mallory' } };
        Object.defineProperties(req, {
          auth: { value, writable: true, configurable: true },
          claims: { value, writable: true, configurable: true },
        });
        next();
      });
      app.use(secure(KEYS)).get('/', show);
      const client = await serve(t, app);
      for (const _ of [1, 2]) {
        assert.deepEqual(await seen(client, '/'), SEES_ALICE);
      }
    });

    test('what is assigned after stays, each for itself', async (t) => {
      const app = express();
      app.use(secure(KEYS));
      app.get('/claims', (req, res, next) => next(void (req.claims = { sub: 'carol' })), show);
      app.get('/auth', (req, res, next) => next(void (req.auth = { claims: { sub: 'carol' } })), show);
      app.get('/none', (req, res, next) => next(void (req.claims = req.auth = undefined)), show);
      const client = await serve(t, app);
      for (const _ of [1, 2]) {
        assert.deepEqual(await seen(client, '/claims'), { claims: 'carol', auth: 'alice', same: false });
        assert.deepEqual(await seen(client, '/auth'), { claims: 'alice', auth: 'carol', same: false });
        assert.deepEqual(await seen(client, '/none'), SEES_NOTHING);
      }
    });

    test('an app of somebody who has put auth on its requests keeps it for requests without a guard', async (t) => {
      const app = express();
      Object.defineProperty(app.request, 'auth', { configurable: true, writable: true, value: 'theirs' });
      app.get('/open', (req, res) => res.send(String(req.auth)));
      app.get('/', secure(KEYS), show);
      const client = await serve(t, app);
      assert.equal((await client.get(undefined, '/open')).body, 'theirs');
      assert.deepEqual(await seen(client, '/'), SEES_ALICE);
      assert.equal((await client.get(undefined, '/open')).body, 'theirs');
    });

    test('a field that somebody has made no text of lets nobody pass, also where a token is optional', async (t) => {
      for (const value of [5, true, {}, [`Bearer ${ALICE}`], Symbol('a'), () => `Bearer ${ALICE}`]) {
        for (const optional of [false, true]) {
          const app = express();
          app.use((req, res, next) => next(void (req.headers.authorization = value)));
          app.get('/', secure(KEYS, { optional }), show);
          app.use((error, req, res, next) => res.status(500).end(error instanceof Error ? 'failed' : next()));
          const { status, body } = await (await serve(t, app)).get(ALICE);
          assert.deepEqual([status, body], [500, 'failed'], `${typeof value}, optional: ${optional}`);
        }
      }
    });

    test('a guard behind another has the last word', async (t) => {
      const app = express();
      const getToken = (req) => req.headers['x-token'];
      app.use(secure(KEYS), secure(KEYS, { getToken }));
      app.get('/', show);
      const client = await serve(t, app);
      const headers = { authorization: `Bearer ${ALICE}`, 'x-token': BOB };
      const { body } = await client.request({ headers });
      assert.deepEqual(JSON.parse(body), { claims: 'bob', auth: 'bob', same: true });
    });

    test('a guard in an app has the last word over one before the app', async (t) => {
      const app = express();
      const outer = secure(KEYS);
      const getToken = (req) => req.headers['x-token'];
      app.use(secure(KEYS, { getToken, optional: true })).get('/', show);
      const client = await serve(t, (req, res) => outer(req, res, () => app(req, res)));
      const authorization = `Bearer ${ALICE}`;
      for (const _ of [1, 2]) {
        const bob = await client.request({ headers: { authorization, 'x-token': BOB } });
        assert.deepEqual(JSON.parse(bob.body), { claims: 'bob', auth: 'bob', same: true });
        const nobody = await client.request({ headers: { authorization } });
        assert.deepEqual(JSON.parse(nobody.body), SEES_NOTHING);
      }
    });

    test('two apps in one process keep to themselves', async (t) => {
      const [key, otherKey] = [newKey(), newKey()];
      const clients = [];
      for (const { jwk } of [key, otherKey]) {
        const app = express();
        app.use(secure(localKeys({ keys: [jwk] })));
        app.get('/', show);
        clients.push(await serve(t, app));
      }
      assert.deepEqual(await seen(clients[0], '/', mint(key)), SEES_ALICE);
      assert.deepEqual(await seen(clients[1], '/', mint(otherKey)), SEES_ALICE);
      assert.equal(await seen(clients[0], '/', mint(otherKey)), 403);
      assert.equal(await seen(clients[1], '/', mint(key)), 403);
    });
  });
}

test('one guard serves Express 4, Express 5 and a plain server in turn', async (t) => {
  const guard = secure(KEYS);
  const apps = VERSIONS.map((version) => EXPRESS[version]().use(guard).get('/', show));
  const plain = (req, res) => guard(req, res, () => show(req, res));
  const clients = [];
  for (const app of [...apps, plain]) {
    clients.push(await serve(t, app));
  }
  for (const client of [...clients, ...clients.reverse()]) {
    assert.deepEqual(await seen(client, '/'), SEES_ALICE);
  }
});

test('the middleware changes nothing of the prototypes that other requests than those of Express share', async (t) => {
  const app = EXPRESS[5]();
  app.use(secure(KEYS)).get('/', show);
  assert.deepEqual(await seen(await serve(t, app), '/'), SEES_ALICE);
  assert.ok(!('claims' in http.IncomingMessage.prototype) && !('auth' in http.IncomingMessage.prototype));
  assert.deepEqual(Object.keys(EXPRESS[5].request).filter((name) => ['auth', 'claims'].includes(name)), []);
});

test('the answer to a refused request goes out whole', async (t) => {
  const guard = secure(KEYS, { problemJson: true });
  const client = await serve(t, (req, res) => {
    const finished = once(res, 'finish');
    guard(req, res, () => assert.fail('passed'));
    return finished;
  });
  const { body, all } = await client.get();
  assert.equal(String(Buffer.byteLength(body)), all('content-length')[0] ?? String(Buffer.byteLength(body)));
  assert.equal(JSON.parse(body).code, 'no_credentials');
});

'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

require('reflect-metadata');
const { Catch, Controller, Get, HttpException, Module, Post, UseGuards } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ExpressAdapter } = require('@nestjs/platform-express');
const { FastifyAdapter } = require('@nestjs/platform-fastify');

const { errors, mcp } = require('portcullis');
const { Auth, Claims, PortcullisGuard, PortcullisModule, RefusalException, Secured } = require('portcullis/nestjs');
const { run } = require('./support/child.js');
const { atEnd } = require('./support/cleanup.js');
const { KEY, KEYS, holdsTheContract } = require('./support/contract.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };
const ALICE = mint(KEY);
const READER = mint(KEY, { scope: 'read' });
const WRITER = mint(KEY, { scope: 'read write' });

/** Applies decorators to a class and its methods, as TypeScript does: the last one first. */
function decorate(Class, decorators, methods = {}, parameters = {}) {
  const { prototype } = Class;
  for (const [name, those] of Object.entries(parameters)) {
    those.forEach((decorator, index) => decorator(prototype, name, index));
  }
  for (const [name, those] of Object.entries(methods)) {
    for (const decorator of those.toReversed()) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      Object.defineProperty(prototype, name, decorator(prototype, name, descriptor) ?? descriptor);
    }
  }
  decorators.toReversed().forEach((decorator) => decorator(Class));
  return Class;
}

/** Starts an app of these modules, controllers and providers, and resolves to its client. */
async function start(t, adapter, { imports = [PortcullisModule.forRoot({ keys: KEYS })], controllers, providers = [], filters = [], prepare = () => {} }) {
  const AppModule = decorate(class AppModule {}, [Module({ imports, controllers, providers })]);
  const app = await NestFactory.create(AppModule, ADAPTERS[adapter](), { logger: false, abortOnError: false });
  atEnd(t, () => app.close());
  app.useGlobalFilters(...filters);
  prepare(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready?.();
  return serve(t, app.getHttpServer());
}

/** A controller whose handler answers with `show(access, claims)`. */
function controllerOf(show, ...decorators) {
  class Root {
    get(auth, claims) {
      return show(auth, claims);
    }
  }
  return decorate(Root, [...decorators, Controller()], { get: [Get()] }, { get: [Auth(), Claims()] });
}

/** The parts of a refusal that are the same as on Express; the body is Nest's own unless it has problem details. */
function form({ status, all, body }) {
  return [status, ...['www-authenticate', 'dpop-nonce'].map(all), body.includes('about:blank') ? body : ''];
}

for (const adapter of Object.keys(ADAPTERS)) {
  describe(`on ${adapter}`, () => {
    holdsTheContract((t, guards, handler) => start(t, adapter, {
      imports: guards.map(([keys, options]) => PortcullisModule.forRoot({ keys, ...options })),
      controllers: [controllerOf((auth, claims) => handler({ auth, claims }))],
    }), { form });

    test('a refusal has the body of Nest', async (t) => {
      const { body } = await (await start(t, adapter, { controllers: [controllerOf(() => 'ok')] })).get('opaque');
      assert.deepEqual(JSON.parse(body), { statusCode: 403, error: 'Forbidden', message: 'Token is malformed' });
    });

    test('a refusal goes to the exception filters, and its fields stay', async (t) => {
      class Refusals {
        catch(exception, host) {
          assert.ok(exception instanceof HttpException && exception.refusal instanceof errors.UnauthorizedError);
          assert.equal(exception.cause, exception.refusal);
          const response = host.switchToHttp().getResponse();
          response.status(exception.getStatus()).send(`mine: ${exception.refusal.code}`);
        }
      }
      decorate(Refusals, [Catch(RefusalException)]);
      const client = await start(t, adapter, { controllers: [controllerOf(() => 'ok')], filters: [new Refusals()] });
      const { status, challenges, body } = await client.get();
      assert.deepEqual([status, challenges, body], [401, ['Bearer'], 'mine: no_credentials']);
    });

    test('problem details are the body, with the type that Nest gives its bodies', async (t) => {
      const imports = [PortcullisModule.forRoot({ keys: KEYS, problemJson: true })];
      const { all, body } = await (await start(t, adapter, { imports, controllers: [controllerOf(() => 'ok')] })).get();
      assert.deepEqual([JSON.parse(body).code, all('content-type')], ['no_credentials', ['application/json; charset=utf-8']]);
    });

    test('a response that other code has sent while keys are fetched stays as it is', async (t) => {
      let fail;
      const keys = () => new Promise((_, reject) => (fail = reject));
      const caught = [];
      const All = decorate(class All { catch(exception) { caught.push(exception.refusal?.code ?? exception); } }, [Catch()]);
      const client = await start(t, adapter, {
        imports: [PortcullisModule.forRoot({ keys })],
        controllers: [controllerOf(() => assert.fail('the handler ran'))],
        filters: [new All()],
        prepare: (app) => app.use((req, res, next) => {
          next();
          res.on('finish', () => fail(new Error('mine')));
          setImmediate(() => res.writeHead(504).end('late'));
        }),
      });
      const { status, body } = await client.get(ALICE);
      assert.deepEqual([status, body], [504, 'late']);
      await new Promise(setImmediate);
      assert.deepEqual(caught, ['keys_unavailable']);
    });

    test('several challenges have a field each', async (t) => {
      const imports = [PortcullisModule.forRoot({ keys: KEYS, dpop: 'allowed' })];
      const { challenges } = await (await start(t, adapter, { imports, controllers: [controllerOf(() => 'ok')] })).get();
      assert.equal(challenges.length, 2);
    });

    test('an unknown path has no handler and no guard', async (t) => {
      const client = await start(t, adapter, { controllers: [controllerOf(() => 'ok')] });
      assert.equal((await client.get(undefined, '/nowhere')).status, 404);
    });

    test('rules of class and method add to those of the module, and false alone makes a handler public', async (t) => {
      class Orders {
        list() { return 'ok'; }
        create() { return 'ok'; }
        mine() { return 'ok'; }
        health() { return 'ok'; }
      }
      decorate(Orders, [Secured({ scope: 'read' }), Controller('orders')], {
        list: [Get()],
        create: [Secured({ scope: 'write' }), Post()],
        mine: [Get('mine'), Secured({ claims: [{ name: 'sub', value: 'bob' }] }), Secured({ scope: ['write'] })],
        health: [Secured(false), Get('health')],
      });
      class Open {
        one() { return 'ok'; }
        two() { return 'ok'; }
      }
      decorate(Open, [Controller('open'), Secured(false)], { one: [Get('one')], two: [Get('two'), Secured({ scope: 'write' })] });
      class Inherits extends Orders {}
      decorate(Inherits, [Controller('inherits'), Secured({ claims: [{ name: 'sub', value: 'bob' }] })]);
      const imports = [PortcullisModule.forRoot({ keys: KEYS, claims: [{ name: 'sub', oneOf: ['alice', 'bob'] }] })];
      const client = await start(t, adapter, { imports, controllers: [Orders, Open, Inherits, controllerOf(() => 'ok')] });
      const bob = (claims) => mint(KEY, { sub: 'bob', ...claims });
      const table = [
        ['GET', '/', undefined, 401], ['GET', '/', ALICE, 200], ['GET', '/', mint(KEY, { sub: 'eve' }), 403],
        ['GET', '/orders', ALICE, 403], ['GET', '/orders', READER, 200], ['GET', '/orders', mint(KEY, { sub: 'eve', scope: 'read' }), 403],
        ['POST', '/orders', READER, 403], ['POST', '/orders', mint(KEY, { scope: 'write' }), 403], ['POST', '/orders', WRITER, 201],
        ['GET', '/orders/mine', WRITER, 403], ['GET', '/orders/mine', bob({ scope: 'read' }), 403], ['GET', '/orders/mine', bob({ scope: 'read write' }), 200],
        ['GET', '/orders/health', undefined, 200],
        ['GET', '/open/one', undefined, 200], ['GET', '/open/two', undefined, 401], ['GET', '/open/two', READER, 403], ['GET', '/open/two', WRITER, 200],
        ['GET', '/inherits', READER, 403], ['GET', '/inherits', bob(), 403], ['GET', '/inherits', bob({ scope: 'read' }), 200],
      ];
      for (const [method, path, token, status] of table) {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        assert.equal((await client.request({ method, path, headers })).status, status, `${method} ${path}`);
      }
      const { challenge } = await client.request({ method: 'POST', path: '/orders', headers: { authorization: `Bearer ${ALICE}` } });
      assert.match(challenge, /scope="read write"/);
    });

    test('with global: false only decorated handlers are guarded', async (t) => {
      class Some {
        open() { return 'ok'; }
        secured() { return 'ok'; }
        used() { return 'ok'; }
        write() { return 'ok'; }
      }
      decorate(Some, [Controller()], {
        open: [Get('open')],
        secured: [Secured(), Get('secured')],
        used: [UseGuards(PortcullisGuard), Get('used')],
        write: [Get('write'), Secured({ scope: 'write' })],
      });
      const imports = [PortcullisModule.forRoot({ keys: KEYS, global: false, scope: 'read' })];
      const client = await start(t, adapter, { imports, controllers: [Some] });
      const statuses = async (token) => Promise.all(['/open', '/secured', '/used', '/write'].map(async (path) => (await client.get(token, path)).status));
      assert.deepEqual(await statuses(), [200, 401, 401, 401]);
      assert.deepEqual(await statuses(ALICE), [200, 403, 403, 403]);
      assert.deepEqual(await statuses(READER), [200, 200, 200, 403]);
      assert.deepEqual(await statuses(WRITER), [200, 200, 200, 200]);
    });

    test('a guard that stands before a handler twice judges once', async (t) => {
      const told = [];
      const imports = [PortcullisModule.forRoot({ keys: KEYS, getToken: () => void told.push('asked') })];
      const client = await start(t, adapter, { imports, controllers: [controllerOf(() => 'ok', Secured(), UseGuards(PortcullisGuard))] });
      assert.equal((await client.get()).status, 401);
      assert.deepEqual(told, ['asked']);
    });

    test('parameters get the access, the claims, or one of them', async (t) => {
      class Root {
        get(auth, claims, sub, name) {
          return { scopes: auth.scopes, claims: claims.sub, sub, name };
        }
      }
      decorate(Root, [Controller()], { get: [Get()] }, { get: [Auth(), Claims(), Claims('sub'), Claims('/region/name')] });
      const client = await start(t, adapter, { controllers: [Root] });
      const { body } = await client.get(mint(KEY, { scope: 'a b', region: { name: 'eu' } }));
      assert.deepEqual(JSON.parse(body), { scopes: ['a', 'b'], claims: 'alice', sub: 'alice', name: 'eu' });
    });

    test('forRootAsync injects, and resources are guarded, whose token is taken off', async (t) => {
      const [issuer, resource] = ['https://login.example.com', 'https://mcp.example.com/mcp'];
      const useFactory = async (made) => ({ resource: made, scope: 'read' });
      const Config = decorate(class Config {}, [Module({
        providers: [{ provide: 'RESOURCE', useValue: mcp({ resource, issuer, jwks: KEYS }) }],
        exports: ['RESOURCE'],
      })]);
      const imports = [PortcullisModule.forRootAsync({ imports: [Config], inject: ['RESOURCE'], useFactory })];
      class Root {
        get(request) {
          return request.headers.authorization ?? 'none';
        }
      }
      const { Req } = require('@nestjs/common');
      decorate(Root, [Controller()], { get: [Get()] }, { get: [Req()] });
      const client = await start(t, adapter, { imports, controllers: [Root] });
      const token = mint(KEY, { iss: issuer, aud: resource, scope: 'read' });
      assert.equal((await client.get(token)).body, 'none');
      assert.match((await client.get()).challenge, /scope="read", resource_metadata=/);
    });

    test('mistaken rules stop the app', async (t) => {
      const failureOf = (imports, ...controllers) => failure(start(t, adapter, { imports, controllers }));
      const withRules = (rules, ofMethod) => {
        class Orders {
          list() {}
        }
        return decorate(Orders, [Controller(), ...(rules === undefined ? [] : [Secured(rules)])], { list: [Get(), ...(ofMethod === undefined ? [] : [Secured(ofMethod)])] });
      };
      const imports = [PortcullisModule.forRoot({ keys: KEYS, acr: 'gold' })];
      const table = [
        [await failureOf(imports, withRules({ scope: 7 })), /^portcullis\/nestjs: @Secured of Orders\.list: .*scope/],
        [await failureOf(imports, withRules({ anyScope: [] })), /^portcullis\/nestjs: @Secured of Orders\.list: .*anyScope/],
        [await failureOf(imports, withRules({ acr: 'silver' })), /@Secured of Orders\.list: expected an `acr` that the rules around accept/],
        [await failureOf(imports, withRules({ scope: 'a' }, { optional: true })), /@Secured of Orders\.list: expected `optional` in the plugin's options, too/],
        [await failureOf([], withRules({ scope: 'a' })), /Nest can't resolve dependencies of the PortcullisGuard/],
      ];
      for (const [error, message] of table) {
        assert.match(error.message, message);
      }
    });

    test('rules that another decorator has lost stop the app', async (t) => {
      const wraps = (target, key, { value, ...descriptor }) => ({ ...descriptor, value: (...parts) => value.apply(this, parts) });
      class Orders {
        list() {}
      }
      decorate(Orders, [Controller()], { list: [Get(), wraps, Secured({ scope: 'a' })] });
      const error = await failure(start(t, adapter, { controllers: [Orders] }));
      assert.match(error.message, /^portcullis\/nestjs: expected the rules of Orders\.list, which another decorator has lost: put @Secured above it/);
    });
  });
}

test('mistaken options and rules are errors at once', () => {
  const secured = (rules) => () => decorate(class Orders { list() {} }, [], { list: [Secured(rules)] });
  const table = [
    [() => PortcullisModule.forRoot(), /^portcullis\/nestjs: expected `keys` to be a JWKS service/],
    [() => PortcullisModule.forRoot({ keys: KEYS, scopes: 'a' }), /^portcullis\/nestjs: expected known options, got `scopes`: did you mean `scope`\?/],
    [() => PortcullisModule.forRoot({ keys: KEYS, next: true }), /^portcullis\/nestjs: expected no `next`/],
    [() => PortcullisModule.forRoot({ keys: KEYS, global: 1 }), /^portcullis\/nestjs: expected global to be true or false/],
    [secured({ scopes: 'a' }), /^portcullis\/nestjs: @Secured of Orders\.list: expected known options, got `scopes`: did you mean `scope`\?/],
    [secured({ audience: 'a' }), /got `audience`: it is an option of the plugin/],
    [secured(true), /@Secured of Orders\.list: expected the rules of a route to be an object, or false for a public one, got a boolean/],
    [secured(null), /got null/],
    [() => decorate(class Orders { list() {} }, [], { list: [Secured(false), Secured({ scope: 'a' })] }), /expected Orders\.list to be public or to have rules, got both/],
    [() => decorate(class Orders {}, [Secured({ scope: 'a' }), Secured(false)]), /expected Orders to be public or to have rules, got both/],
    [() => Secured({})(class { }.prototype, 'field', undefined), /expected a class or a method/],
  ];
  for (const [make, message] of table) {
    assert.throws(make, { name: 'TypeError', message });
  }
});

test('a request of another kind than HTTP is refused, not passed', async () => {
  const { Judge } = require('../lib/plugin/nestjs/judge.js');
  const judge = new Judge({ keys: KEYS }, new Map());
  class Gateway {
    handle() {}
  }
  const context = { getType: () => 'ws', getClass: () => Gateway, getHandler: () => Gateway.prototype.handle };
  assert.match((await failure(judge.allows(context))).message, /expected an HTTP request, got a context of ws/);
});

test('a process with the module exits by itself, in ES modules, too', async (t) => {
  const script = `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { getSimpleJwksService, setLogger } from 'portcullis';
    import { PortcullisModule } from 'portcullis/nestjs';
    setLogger(null);
    class AppModule {}
    Module({ imports: [PortcullisModule.forRoot({ keys: getSimpleJwksService('http://127.0.0.1:9/jwks') })] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    console.log((await fetch(await app.getUrl())).status);
    await app.close();
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['404\n', '', 0]);
});

'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, test } = require('node:test');

const { errors, localKeys, protectedResource, secure, setLogger } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { parameters, serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

setLogger(null);

const KEY = newKey();
const JWKS = localKeys({ keys: [KEY.jwk] });
const ISSUER = 'https://login.example.com';
const RESOURCE = 'https://api.example.com/orders';
const PATH = '/.well-known/oauth-protected-resource/orders';
const METADATA = `https://api.example.com${PATH}`;

const describing = (options = {}) => protectedResource({ resource: RESOURCE, issuer: ISSUER, jwks: JWKS, ...options });
const token = (claims = {}) => mint(KEY, { iss: ISSUER, aud: RESOURCE, ...claims });

const now = () => Math.floor(Date.now() / 1000);

for (const version of VERSIONS) {
  const express = EXPRESS[version];

  describe(`a resource behind Express ${version}`, () => {
    /** An app with the document's router, and a guarded handler. */
    async function start(t, options, ...guards) {
      const { router, guard } = describing(options);
      const app = express();
      app.use(router);
      app.use('/orders', ...guards.map((options) => guard(options)), (req, res) => res.json(req.claims ?? null));
      return serve(t, app);
    }

    test('has a document for everyone, which names all that its description and its guards say', async (t) => {
      const options = {
        name: 'Orders',
        documentation: 'https://docs.example.com/orders',
        policyUri: 'https://example.com/policy',
        tosUri: 'https://example.com/terms',
        scopesSupported: 'orders:export',
      };
      const client = await start(t, options, { scope: 'orders:read' }, { anyScope: ['orders:write', 'admin'] });
      const answer = await client.request({ path: PATH });
      assert.equal(answer.status, 200);
      assert.deepEqual(['content-type', 'access-control-allow-origin'].flatMap(answer.all), ['application/json', '*']);
      assert.match(answer.all('cache-control').join(), /max-age=\d+/);
      assert.deepEqual(JSON.parse(answer.body), {
        resource: RESOURCE,
        authorization_servers: [ISSUER],
        scopes_supported: ['orders:export', 'orders:read', 'orders:write', 'admin'],
        bearer_methods_supported: ['header'],
        resource_name: 'Orders',
        resource_documentation: 'https://docs.example.com/orders',
        resource_policy_uri: 'https://example.com/policy',
        resource_tos_uri: 'https://example.com/terms',
      });
    });

    test('answers HEAD, a preflight and other methods at the path of the document', async (t) => {
      const client = await start(t, {}, {});
      const table = [
        ['HEAD', 200],
        ['OPTIONS', 204],
        ['POST', 405],
        ['DELETE', 405],
      ];
      for (const [method, status] of table) {
        const answer = await client.request({ method, path: `${PATH}?a=b` });
        assert.deepEqual([answer.status, answer.body, answer.all('access-control-allow-origin')], [status, '', ['*']], method);
      }
    });

    test('has its document at this path alone', async (t) => {
      const client = await start(t, {}, {});
      const others = [
        '/.well-known/oauth-protected-resource',
        `${PATH}/`,
        `${PATH}/a`,
        `/${PATH}`,
        '/.well-known/oauth-protected-resource/a/../orders',
        '/.well-known/oauth-protected-resource%2forders',
        '/.well-known/oauth-protected-resource/%6frders',
        '/.well-known/oauth-protected-resource/ORDERS',
        '/.well-known/oauth-protected-resource\\orders',
        '/.well-known/oauth-protected-resource/orders%00',
        '/orders/.well-known/oauth-protected-resource',
      ];
      for (const path of others) {
        assert.ok([401, 404].includes((await client.request({ path })).status), path);
      }
    });

    test('has its document in the root if the identifier has no path', async (t) => {
      const client = await start(t, { resource: 'https://api.example.com' }, {});
      const { status, body } = await client.request({ path: '/.well-known/oauth-protected-resource' });
      assert.deepEqual([status, JSON.parse(body).resource], [200, 'https://api.example.com']);
    });

    test('has its document before a guard of the whole app, and in a mounted app', async (t) => {
      const { guard } = describing();
      const [app, inner] = [express(), express()];
      inner.use(guard());
      app.use('/.well-known', inner).use(guard(), (req, res) => res.end());
      const client = await serve(t, app);
      assert.equal((await client.request({ path: PATH })).status, 200);
      assert.equal((await client.request({ path: '/.well-known/other' })).status, 401);
      assert.equal((await client.get(token())).status, 200);
    });

    test('tells a client without a token where to get one, and the scope to ask for', async (t) => {
      const client = await start(t, {}, { realm: 'r', scope: ['orders:read', 'orders:list'] });
      const { status, challenge } = await client.request({ path: '/orders' });
      assert.equal(status, 401);
      const told = { realm: 'r', scope: 'orders:read orders:list', resource_metadata: METADATA };
      assert.deepEqual(parameters(challenge), told);
    });

    test('tells all the scope that is needed, and never what the token has', async (t) => {
      const client = await start(t, {}, { scope: ['orders:read', 'orders:write'] });
      const { status, challenge } = await client.get(token({ scope: 'orders:read secret' }), '/orders');
      assert.equal(status, 403);
      const { error, scope, resource_metadata: metadata } = parameters(challenge);
      assert.deepEqual([error, scope, metadata], ['insufficient_scope', 'orders:read orders:write', METADATA]);
    });

    test('takes tokens for itself alone', async (t) => {
      const client = await start(t, {}, {});
      assert.equal((await client.get(token(), '/orders')).status, 200);
      const others = [
        { aud: `${RESOURCE}/` },
        { aud: 'https://api.example.com' },
        { aud: RESOURCE.replace('https:', 'http:') },
        { aud: undefined },
        { aud: [] },
        { iss: `${ISSUER}/` },
        { iss: undefined },
      ];
      for (const claims of others) {
        const { status, challenge } = await client.get(token(claims), '/orders');
        const { error, resource_metadata: metadata } = parameters(challenge);
        assert.deepEqual([status, error, metadata], [403, 'invalid_token', METADATA], JSON.stringify(claims));
      }
    });
  });
}

describe('step-up', () => {
  const ACR = 'urn:example:mfa';

  /** The outcome of a token with these claims at an endpoint with these rules. */
  const outcome = (rules, claims) =>
    secure(JWKS, rules).verify(token(claims)).then(() => 'passes', ({ code }) => code);

  test('asks for one of the authentication contexts', async () => {
    const refused = 'insufficient_user_authentication';
    const table = [
      [{ acr: ACR }, 'passes'],
      [{ acr: 'urn:example:hw' }, 'passes'],
      [{}, refused],
      [{ acr: ACR.toUpperCase() }, refused],
      [{ acr: [ACR] }, refused],
      [{ acr: `${ACR} urn:example:hw` }, refused],
      [{ acr: '' }, refused],
      [{ acr: null }, refused],
      [{ acr: true }, refused],
    ];
    for (const [claims, expected] of table) {
      assert.equal(await outcome({ acr: [ACR, 'urn:example:hw'] }, claims), expected, JSON.stringify(claims));
    }
    assert.equal(await outcome({ acr: ACR }, { acr: ACR }), 'passes');
  });

  test('asks for a recent authentication', async () => {
    const refused = 'insufficient_user_authentication';
    const table = [
      [{ auth_time: now() }, 'passes'],
      [{ auth_time: now() - 250 }, 'passes'],
      [{ auth_time: now() - 320 }, refused],
      [{ auth_time: now() + 60 }, refused],
      [{ auth_time: String(now()) }, refused],
      [{ auth_time: -1 }, refused],
      [{ auth_time: 1e300 }, refused],
      [{ auth_time: null }, refused],
      [{ auth_time: [now()] }, refused],
      [{}, refused],
    ];
    for (const [claims, expected] of table) {
      assert.equal(await outcome({ maxAge: 300 }, claims), expected, JSON.stringify(claims));
    }
  });

  test('has a challenge of its own, and an error of its own', async (t) => {
    const { guard } = describing();
    const app = EXPRESS[5]();
    app.use(guard({ acr: ACR, maxAge: 300 }), (req, res) => res.end());
    const client = await serve(t, app);
    const { status, challenge } = await client.get(token({ acr: 'pwd', auth_time: now() }));
    assert.equal(status, 401);
    const { error, acr_values: acr, max_age: age, resource_metadata: metadata } = parameters(challenge);
    assert.deepEqual([error, acr, age, metadata], ['insufficient_user_authentication', ACR, '300', METADATA]);
    const refusal = await failure(guard({ acr: ACR }).verify(token()));
    assert.ok(refusal instanceof errors.InsufficientUserAuthenticationError);
    assert.equal((await client.get(token({ acr: ACR, auth_time: now() }))).status, 200);
  });

  test('throws for rules that no challenge can tell', () => {
    const table = [
      [{ acr: 'a b' }, /acr/],
      [{ acr: [] }, /expected acr to be at least one string/],
      [{ acr: 7 }, /expected acr to be a string or an array of strings/],
      [{ maxAge: '5m' }, /expected maxAge to be a number of seconds/],
      [{ maxAge: 0 }, /max.?[aA]ge/],
      [{ maxAge: -1 }, /expected maxAge to be a number of seconds/],
      [{ maxage: 300 }, /did you mean `maxAge`/],
    ];
    for (const [rules, message] of table) {
      assert.throws(() => secure(JWKS, rules), (error) => error instanceof TypeError && message.test(error.message), JSON.stringify(rules));
    }
  });
});

describe('a description of a resource', () => {
  test('finds the keys by the metadata of its issuers', async (t) => {
    const [first, second] = [newKey(), newKey()];
    const servers = [await AuthorizationServer.start(t, [first]), await AuthorizationServer.start(t, [second])];
    const issuers = servers.map(({ issuer }) => issuer);
    const { guard } = protectedResource({ resource: RESOURCE, issuers: [issuers[0], { issuer: issuers[1], leeway: 1 }] });
    for (const [key, iss] of [[first, issuers[0]], [second, issuers[1]]]) {
      assert.equal((await guard().verify(mint(key, { iss, aud: RESOURCE }))).claims.iss, iss);
    }
    const crossed = mint(first, { iss: issuers[1], aud: RESOURCE });
    assert.equal((await failure(guard().verify(crossed))).code, 'unknown_key');
  });

  test('serves other frameworks: verify, verifyRequest, invalidate, and the document over plain http', async (t) => {
    const { router, guard } = describing();
    const read = guard({ scope: 'orders:read' });
    const good = token({ scope: 'orders:read', client_id: 'agent' });
    const access = await read.verify(good);
    assert.deepEqual([access.clientId, access.resource.href, access.extra.claims], ['agent', RESOURCE, access.claims]);
    read.invalidate(good);
    assert.equal((await read.verifyRequest(new Request(RESOURCE, { headers: { authorization: `Bearer ${good}` } }))).token, good);
    const refusal = await failure(read.verifyRequest({}));
    assert.equal(parameters(refusal.headers['www-authenticate']).scope, 'orders:read');
    const client = await serve(t, http.createServer((req, res) => router(req, res, () => res.writeHead(404).end())));
    assert.equal((await client.request({ path: PATH })).status, 200);
    assert.equal((await client.request({ path: '/' })).status, 404);
  });

  test('throws for an identifier that clients could read in two ways', () => {
    const table = [
      'http://api.example.com',
      'https://api.example.com#a',
      'https://api.example.com/?a=b',
      'https://user@api.example.com',
      'https://api.example.com/a/../b',
      'https://api.example.com/a%2fb',
      'https://api.example.com/a\\b',
      'https://API.example.com',
      'https://api.example.com:443',
      'https://api.example.com/a//b',
      'api.example.com',
      '/orders',
      '',
    ];
    for (const resource of table) {
      const isTold = (error) => error instanceof TypeError && /^protectedResource: .*resource/.test(error.message);
      assert.throws(() => describing({ resource }), isTold, resource);
    }
    describing({ resource: 'http://127.0.0.1:3000/mcp' });
    describing({ resource: 'https://api.example.com/orders/' });
  });

  test('throws for unexpected options', () => {
    const table = [
      [{ resource: undefined }, /protectedResource: .*resource/],
      [{ resource: 7 }, /resource.*expected a string, got a number/],
      [{ issuer: undefined, jwks: undefined }, /expected issuer to be the URL of an authorization server/],
      [{ issuer: undefined }, /expected issuer to be a string/],
      [{ naem: 'Orders' }, /did you mean `name`/],
      [{ scope: 'read' }, /it is an option of the guard: `guard\(\{ scope: … \}\)`/],
      [{ documentation: 'docs' }, /documentation/],
      [{ scope: 'orders:read' }, /got `scope`/],
      [{ scopesSupported: 'a "b"' }, /scopesSupported/],
      [{ trustDomain: 'example.org' }, /a trust domain has none/],
      [{ tools: [] }, /got `tools`/],
      [{ mcp: 1 }, /expected mcp to be true, or an object/],
      [{ mcp: { tool: [] } }, /did you mean `tools`/],
      [null, /expected an object such as \{ resource: /],
      [{ issuer: undefined, jwks: undefined, issuers: [JWKS] }, /expected each of issuers to be a URL, .*, got an object of class JwksService/],
    ];
    for (const [options, message] of table) {
      const given = options && { resource: RESOURCE, issuer: ISSUER, jwks: JWKS, ...options };
      assert.throws(() => protectedResource(given), (error) => error instanceof TypeError && message.test(error.message), message);
    }
    const { guard } = describing();
    assert.throws(() => guard({ audience: 'a' }), /expected `audience` in the description of the resource/);
    assert.throws(() => guard({ scop: 'a' }), /did you mean `scope`/);
    assert.throws(() => guard(null), /expected options to be an object, got null/);
  });
});

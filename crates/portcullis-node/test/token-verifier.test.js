'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { discovery, errors: ours, localKeys, setLogger } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { AuthorizationServer, FAILURES } = require('./support/authorization-server.js');
const { run } = require('./support/child.js');
const { parameters, serve } = require('./support/http.js');
const { badTokens, mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

setLogger(null);

const KEY = newKey();
const RESOURCE = 'https://mcp.example.com/mcp';

/** The SDK's versions in each of their forms, with the package in the same form; a function loads them. */
const SDKS = {
  '1.x in CommonJS': () => [
    require('portcullis/mcp'),
    require('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'),
  ],
  '1.x in ES modules': () => [
    import('portcullis/mcp'),
    import('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'),
  ],
  '2.x in CommonJS': () => [require('portcullis/mcp'), require('@modelcontextprotocol/express')],
  '2.x in ES modules': () => [import('portcullis/mcp'), import('@modelcontextprotocol/express')],
  '2.x in ES modules, the package in CommonJS': () => [require('portcullis/mcp'), import('@modelcontextprotocol/express')],
};

/** Bad tokens; without one that Node itself refuses, and without one with a space, of which the SDK takes the first word. */
const SINGLE_WORDS = badTokens(KEY)
  .map(([, bad]) => bad)
  .filter((bad) => bad.length < 16 * 1024 && !bad.includes(' '));

async function load(sdk) {
  const [{ tokenVerifier }, { requireBearerAuth }] = await Promise.all(SDKS[sdk]());
  return { tokenVerifier, requireBearerAuth };
}

/** Starts an authorization server, and an app whose handler answers with the SDK's data. */
async function start(t, sdk, { version = 5, required = {}, options = {} } = {}) {
  const { tokenVerifier, requireBearerAuth } = await load(sdk);
  const server = await AuthorizationServer.start(t, [KEY]);
  const verifier = tokenVerifier({ resource: RESOURCE, issuer: server.issuer, ...options });
  const app = EXPRESS[version]();
  app.use(requireBearerAuth({ verifier, ...required }));
  app.get('/', (req, res) => res.json(req.auth));
  const client = await serve(t, app);
  const token = (claims = {}, ...others) => mint(KEY, { iss: server.issuer, aud: RESOURCE, ...claims }, ...others);
  return { server, verifier, client, token };
}

for (const sdk of Object.keys(SDKS)) {
  describe(`with the SDK ${sdk}`, () => {
    for (const version of VERSIONS) {
      test(`a good token passes, with Express ${version}`, async (t) => {
        const { client, token } = await start(t, sdk, { version, required: { expectedResource: new URL(RESOURCE) } });
        const good = token({ client_id: 'agent', scope: 'files:read files:write', exp: 4_000_000_000 });
        const { status, body } = await client.get(good);
        assert.equal(status, 200);
        const { extra, ...told } = JSON.parse(body);
        const scopes = ['files:read', 'files:write'];
        assert.deepEqual(told, { token: good, clientId: 'agent', scopes, expiresAt: 4_000_000_000, resource: RESOURCE });
        assert.equal(extra.claims.sub, 'alice');
      });
    }

    test('a bad token gets 401, without a part of it', async (t) => {
      const { client, server, token } = await start(t, sdk);
      const others = [
        token({ aud: 'https://mcp.example.com' }),
        token({ aud: `${RESOURCE}/` }),
        token({ aud: undefined }),
        token({ iss: `${server.issuer}/` }),
        token({ iss: undefined }),
        token({ exp: 1 }),
        token({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }),
      ];
      for (const bad of [...SINGLE_WORDS, ...others]) {
        const { status, body, challenge, challenges } = await client.get(bad);
        assert.equal(status, 401, bad);
        assert.equal(challenges.length, 1);
        const { error, error_description: description } = parameters(challenge);
        assert.deepEqual([error, JSON.parse(body)], ['invalid_token', { error, error_description: description }]);
        const parts = bad.split('.').filter((part) => part.length > 8);
        assert.deepEqual(parts.filter((part) => `${body}${challenge}`.includes(part)), []);
      }
    });

    test('a token without a scope gets 403; with one that implies it, it passes', async (t) => {
      const required = { requiredScopes: ['files:read'] };
      const options = { impliedScopes: { 'files:write': ['files:read'] } };
      const { client, token } = await start(t, sdk, { required, options });
      const refused = await client.get(token({ scope: 'files' }));
      assert.deepEqual([refused.status, parameters(refused.challenge).scope], [403, 'files:read']);
      assert.equal((await client.get(token({ scope: 'files:write' }))).status, 200);
    });

    test('a token that cannot be judged gets 500, not 401', async (t) => {
      const { client, server, token } = await start(t, sdk);
      server.fail(FAILURES['status 500']);
      const { status, body, challenges } = await client.get(token());
      assert.deepEqual([status, JSON.parse(body).error, challenges], [500, 'server_error', []]);
    });
  });
}

test('both forms of the module export the same names', async () => {
  assert.deepEqual(Object.keys(await import('portcullis/mcp')), Object.keys(require('portcullis/mcp')));
});

describe('the verifier', () => {
  const jwks = localKeys({ keys: [KEY.jwk] });
  const { tokenVerifier } = require('portcullis/mcp');
  const issuer = 'https://login.example.com';
  const token = (claims) => mint(KEY, { iss: issuer, aud: RESOURCE, ...claims });

  test('finds the client in the claims of each authorization server', async () => {
    const verifier = tokenVerifier({ resource: RESOURCE, issuer, jwks });
    const table = [
      [{ client_id: 'a', azp: 'b', cid: 'c', appid: 'd' }, 'a'],
      [{ azp: 'b', cid: 'c', appid: 'd' }, 'b'],
      [{ cid: 'c', appid: 'd' }, 'c'],
      [{ appid: 'd' }, 'd'],
      [{ client_id: ['a'], azp: 7 }, ''],
      [{}, ''],
    ];
    for (const [claims, clientId] of table) {
      assert.equal((await verifier.verifyAccessToken(token(claims))).clientId, clientId);
    }
  });

  test('rejects with an error whose cause is the refusal', async () => {
    const verifier = tokenVerifier({ resource: RESOURCE, issuer, jwks });
    const error = await failure(verifier.verifyAccessToken(token({ exp: 1 })));
    assert.ok(error.cause instanceof ours.RefusalError);
    assert.deepEqual([error.cause.code, error.message], ['expired', 'Token has expired']);
  });

  test('refuses each bad token', async () => {
    const verifier = tokenVerifier({ resource: RESOURCE, issuer, jwks });
    for (const [, bad] of badTokens(KEY)) {
      const { name, cause, message } = await failure(verifier.verifyAccessToken(bad));
      assert.deepEqual([cause instanceof ours.InvalidTokenError, message], [true, cause.message], name);
    }
  });

  test('takes several issuers, each with its own rules', async () => {
    const other = newKey();
    const partner = { issuer: 'https://partner.example.org', jwks: localKeys({ keys: [other.jwk] }), audience: 'partners' };
    const verifier = tokenVerifier({ resource: RESOURCE, issuers: [{ issuer, jwks }, partner] });
    assert.equal((await verifier.verifyAccessToken(token())).extra.claims.iss, issuer);
    const theirs = { iss: partner.issuer, aud: 'partners' };
    assert.equal((await verifier.verifyAccessToken(mint(other, theirs))).extra.claims.iss, partner.issuer);
    const table = [
      [mint(other, { ...theirs, aud: RESOURCE }), 'wrong_audience'],
      [mint(other, { iss: issuer, aud: RESOURCE }), 'unknown_key'],
      [mint(KEY, theirs), 'unknown_key'],
      [token({ iss: 'https://else.example.com' }), 'wrong_issuer'],
    ];
    for (const [bad, code] of table) {
      assert.equal((await failure(verifier.verifyAccessToken(bad))).cause.code, code);
    }
  });

  test('refuses a token for a claim, and a rule that is a mistake is no bad token', async () => {
    const claims = [{ name: 'role', value: 'admin' }];
    const strict = tokenVerifier({ resource: RESOURCE, issuer, jwks, claims });
    assert.equal((await failure(strict.verifyAccessToken(token()))).cause.code, 'required_claims');
    await strict.verifyAccessToken(token({ role: 'admin' }));
    const mistaken = tokenVerifier({ resource: RESOURCE, issuer, jwks, claims: [async () => true] });
    assert.ok((await failure(mistaken.verifyAccessToken(token()))) instanceof TypeError);
  });

  test('throws for unexpected options', () => {
    const good = { resource: RESOURCE, issuer };
    const table = [
      [undefined, /expected issuer to be the URL/],
      [{ issuer }, /`resource`: expected an absolute URL/],
      [{ ...good, resource: new URL(RESOURCE) }, /expected resource to be a JSON value .* got an object of class URL/],
      [{ ...good, resource: 'mcp' }, /`resource`: expected an absolute URL/],
      [{ ...good, resource: 'http://mcp.example.com' }, /`resource`: expected an https URL/],
      [{ resource: RESOURCE }, /expected issuer to be the URL/],
      [{ ...good, issuer: ['https://a.example.com'] }, /expected issuer to be the URL/],
      [{ ...good, scope: ['read'] }, /`scope`: pass it to requireBearerAuth/],
      [{ ...good, requiredScopes: ['read'] }, /got `requiredScopes`/],
      [{ ...good, anyScope: ['read'] }, /use `mcp`/],
      [{ ...good, trustDomain: 'example.org' }, /a trust domain has none/],
      [{ ...good, maxTokenByte: 1 }, /did you mean `maxTokenBytes`/],
      [{ ...good, issuers: [issuer] }, /expected `issuer` in `issuers`/],
      [{ resource: RESOURCE, issuers: [issuer], leeway: 1 }, /expected `leeway` in `issuers`/],
      [{ resource: RESOURCE, issuers: [] }, /expected issuers to be an array of issuers, got an empty array/],
      [{ resource: RESOURCE, issuers: [null] }, /expected each of issuers to be a URL/],
      [{ resource: RESOURCE, issuers: [{ issuer, scope: 'read' }] }, /got `scope`/],
      [{ resource: RESOURCE, jwks }, /expected issuer to be a string/],
      [{ resource: RESOURCE, issuer, jwks: {} }, /expected jwks to be a JWKS service/],
      [{ ...good, errors: {} }, /expected errors to be the classes InvalidTokenError and ServerError \(SDK 1.x\)/],
      [{ ...good, errors: null }, /expected errors to be the classes/],
      [{ ...good, errors: { InvalidTokenError: Error } }, /expected errors to be the classes/],
    ];
    for (const [options, message] of table) {
      assert.throws(() => tokenVerifier(options), (error) => error instanceof TypeError && message.test(error.message), message);
    }
    tokenVerifier({ resource: RESOURCE, jwks: discovery({ issuer }) });
  });

  test('makes errors of the given classes', async () => {
    const first = require('@modelcontextprotocol/sdk/server/auth/errors.js');
    const second = require('@modelcontextprotocol/server');
    const errorOf = (errors) => failure(tokenVerifier({ resource: RESOURCE, issuer, jwks, errors }).verifyAccessToken('a'));
    assert.equal((await errorOf(first)).constructor, first.InvalidTokenError);
    assert.equal((await errorOf(second)).constructor, second.OAuthError);
    assert.equal((await errorOf({ OAuthError: second.OAuthError })).code, 'invalid_token');
  });
});

describe('without the SDK', () => {
  const make = `tokenVerifier({ resource: 'https://mcp.example.com/mcp', issuer: 'https://login.example.com' })`;
  const tell = `try { ${make}; } catch (error) { console.log(error.constructor.name, error.message); }`;
  const expected = /^TypeError tokenVerifier: expected @modelcontextprotocol\/sdk or .* to be installed, found neither/;

  test('a verifier in CommonJS is an error that says so', async (t) => {
    const script = `
      const Module = require('node:module');
      const { _resolveFilename } = Module;
      Module._resolveFilename = (name, ...rest) => {
        if (name.startsWith('@modelcontextprotocol/')) throw Object.assign(new Error(name), { code: 'MODULE_NOT_FOUND' });
        return _resolveFilename(name, ...rest);
      };
      const { tokenVerifier } = require('portcullis/mcp');
      ${tell}
    `;
    const { stdout, stderr } = await run(t, script);
    assert.equal(stderr, '');
    assert.match(stdout, expected);
  });

  test('a verifier in ES modules is an error that says so', async (t) => {
    const hook = `export async function resolve(name, context, next) {
      if (name.startsWith('@modelcontextprotocol/')) throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    const script = `
      import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});
      const { tokenVerifier } = await import('portcullis/mcp');
      ${tell}
    `;
    const { stdout } = await run(t, script, {}, ['--input-type=module']);
    assert.match(stdout, expected);
  });
});

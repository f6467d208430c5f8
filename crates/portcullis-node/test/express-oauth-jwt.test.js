'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const { describe, test } = require('node:test');

const { secure, getSimpleJwksService, jwksService, InMemoryCache, errors } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { parameters, serve } = require('./support/http.js');
const { badTokens, mint, mintText } = require('./support/tokens.js');
const { confusedKey, cryptoKeyOf, forgedKey, namedKey, newKey, newSecret } = require('./support/tokens.js');
require('./support/watch.js');

const KEY = newKey();
const MALFORMED = 'Bearer realm="my-realm", error="invalid_token", error_description="Token is malformed"';
const FEW_SCOPES = 'error="insufficient_scope", error_description="Token is missing some required scope values"';
const FEW_CLAIMS = 'Bearer error="invalid_token", error_description="Token is missing some required claims"';

/** Starts an app as the README of express-oauth-jwt has them, with a handler that shows `req.claims`. */
async function start(t, version, guard) {
  const app = EXPRESS[version]();
  const router = EXPRESS[version].Router();
  router.use(guard);
  router.get('/', (req, res) => res.json(req.claims));
  app.use('/', router);
  return serve(t, app);
}

async function startSimple(t, version, options) {
  const server = await AuthorizationServer.start(t, [KEY]);
  return { server, client: await start(t, version, secure(getSimpleJwksService(server.jwksUri), options)) };
}

/** A client of its own, as the README passes `https`: it notes what it is asked. */
function notingClient() {
  const calls = [];
  return {
    calls,
    get(url, options, answered) {
      calls.push(String(url));
      return http.get(url, options, answered);
    },
  };
}

/** A cache of its own, that notes how it is used. */
function notingCache(keyStore = null) {
  return {
    calls: [],
    async getKeyStore() {
      this.calls.push('get');
      return keyStore;
    },
    async setKeyStore(next) {
      this.calls.push('set');
      keyStore = next;
      this.written?.();
    },
    get keyStore() {
      return keyStore;
    },
  };
}

test('the package exports what express-oauth-jwt exports', () => {
  for (const Exported of [secure, getSimpleJwksService, jwksService, InMemoryCache]) {
    assert.equal(typeof Exported, 'function');
  }
  assert.deepEqual([new errors.InsufficientScopeError().message, new errors.TokenClaimsError().message], [
    'Token is missing some required scope values',
    'Token is missing some required claims',
  ]);
  assert.ok(new errors.InsufficientScopeError() instanceof Error && new errors.TokenClaimsError() instanceof Error);
});

test('the export itself is secure, as two samples of the README use it', () => {
  const exported = require('portcullis');
  assert.equal(exported, secure);
  assert.equal(exported.secure, secure);
});

for (const version of VERSIONS) {
  describe(`with Express ${version}, as the README of express-oauth-jwt says`, () => {
    test('const secure = require(…) makes a guard', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const required = require('portcullis');
      const guard = required(getSimpleJwksService(server.jwksUri), { scope: ['scope1', 'scope2'] });
      const client = await start(t, version, guard);
      assert.equal((await client.get(mint(KEY, { scope: 'scope2 scope1' }))).status, 200);
      assert.equal((await client.get(mint(KEY, { scope: 'scope1' }))).status, 403);
    });

    test('a valid token passes, and all its claims are in req.claims', async (t) => {
      const { client } = await startSimple(t, version);
      const claims = { iss: 'a', aud: ['b'], sub: 'c', n: 1.5, o: { p: [true, null] }, 'https://x/y': 'ü' };
      const { status, body } = await client.get(mint(KEY, claims));
      const { iat, exp, ...rest } = JSON.parse(body);
      assert.deepEqual([status, rest, exp - iat], [200, claims, 600]);
    });

    test('any endpoint with the middleware applied requires a token', async (t) => {
      const { client } = await startSimple(t, version);
      for (const path of ['/', '/nowhere', '/?access_token=a']) {
        assert.equal((await client.get(undefined, path)).status, 401, path);
      }
    });

    test('a request without a token gets 401 and WWW-Authenticate', async (t) => {
      const { client } = await startSimple(t, version);
      const answer = await client.get();
      assert.deepEqual([answer.status, answer.challenges, answer.body], [401, ['Bearer'], '']);
    });

    test('a request with another scheme gets 401', async (t) => {
      const { client } = await startSimple(t, version, { realm: 'my-realm' });
      for (const scheme of ['Basic', 'Digest', 'DPoP', 'Bear', 'Bearers']) {
        const answer = await client.request({ headers: { authorization: `${scheme} ${mint(KEY)}` } });
        assert.deepEqual([answer.status, answer.challenges], [401, ['Bearer realm="my-realm"']], scheme);
      }
    });

    test('a token that does not pass validation gets 403', async (t) => {
      const { client } = await startSimple(t, version, { realm: 'my-realm' });
      for (const [code, token] of badTokens(KEY).filter(([, token]) => token.length < 10_000)) {
        const answer = await client.get(token);
        assert.deepEqual([answer.status, answer.challenges.length], [403, 1], code);
        const { realm, error } = parameters(answer.challenge);
        assert.deepEqual([realm, error], ['my-realm', 'invalid_token'], code);
      }
    });

    test('with a realm, the challenge of a bad token is to the letter that of RFC 6750', async (t) => {
      const { client } = await startSimple(t, version, { realm: 'my-realm' });
      assert.deepEqual((await client.get('opaque')).challenges, [MALFORMED]);
      assert.deepEqual((await client.get()).challenges, ['Bearer realm="my-realm"']);
    });

    test('an empty realm is none', async (t) => {
      const { client } = await startSimple(t, version, { realm: '' });
      assert.deepEqual((await client.get()).challenges, ['Bearer']);
    });

    test('scope values limit the request: all have to be granted', async (t) => {
      const { client } = await startSimple(t, version, { scope: ['scope1', 'scope2'] });
      for (const scope of ['scope1 scope2', 'scope2 a scope1', '  scope1   scope2  ']) {
        assert.equal((await client.get(mint(KEY, { scope }))).status, 200, scope);
      }
      for (const scope of [undefined, '', 'scope1', 'scope10 scope2', 'scope1scope2', 'scope1,scope2']) {
        const answer = await client.get(mint(KEY, { scope }));
        const expected = `Bearer ${FEW_SCOPES}, scope="scope1 scope2"`;
        assert.deepEqual([answer.status, answer.challenges], [403, [expected]], scope);
      }
    });

    test('a claim with a name only has to exist', async (t) => {
      const { client } = await startSimple(t, version, { claims: [{ name: 'someClaim' }] });
      for (const someClaim of ['a', '', 0, false, null, [], ['b'], {}]) {
        assert.equal((await client.get(mint(KEY, { someClaim }))).status, 200, JSON.stringify(someClaim));
      }
      for (const claims of [{}, { someclaim: 'a' }, { other: { someClaim: 'a' } }]) {
        const answer = await client.get(mint(KEY, claims));
        assert.deepEqual([answer.status, answer.challenges], [403, [FEW_CLAIMS]]);
      }
    });

    test('members that every object inherits are no claims', async (t) => {
      for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
        for (const rule of [{ name }, { name, value: () => true }]) {
          const { client } = await startSimple(t, version, { claims: [rule] });
          assert.equal((await client.get(mint(KEY))).status, 403, name);
        }
      }
    });

    test('a claim with a value has to match it', async (t) => {
      const { client } = await startSimple(t, version, { claims: [{ name: 'someClaim', value: 'withValue' }] });
      for (const someClaim of ['withValue', ['withValue'], ['a', 'withValue']]) {
        assert.equal((await client.get(mint(KEY, { someClaim }))).status, 200, JSON.stringify(someClaim));
      }
      const others = [undefined, null, 'withvalue', 'withValue ', true, ['a'], [['withValue']], { withValue: 1 }];
      for (const someClaim of others) {
        assert.equal((await client.get(mint(KEY, { someClaim }))).status, 403, JSON.stringify(someClaim));
      }
    });

    test('all rules for claims are held, also behind one for an array', async (t) => {
      const claims = [{ name: 'aud', value: 'api' }, { name: 'role', value: 'admin' }];
      const { client } = await startSimple(t, version, { claims });
      assert.equal((await client.get(mint(KEY, { aud: ['api'], role: 'admin' }))).status, 200);
      assert.equal((await client.get(mint(KEY, { aud: ['api'], role: 'user' }))).status, 403);
    });

    test('the claims are there in any other middleware which is next in chain', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const app = EXPRESS[version]();
      const seen = [];
      const note = (req, res, next) => next(void seen.push(req.claims?.myClaim));
      app.use(note, secure(getSimpleJwksService(server.jwksUri)), note);
      app.get('/', note, (req, res) => res.send(req.claims.myClaim === 'someValue' ? 'library data' : ''));
      const client = await serve(t, app);
      assert.equal((await client.get(mint(KEY, { myClaim: 'someValue' }))).body, 'library data');
      assert.deepEqual(seen, [undefined, 'someValue', 'someValue']);
    });

    test('the service keeps the keys, and asks for new ones when a key is not among them', async (t) => {
      const { server, client } = await startSimple(t, version);
      const next = newKey();
      await client.get(mint(KEY));
      await client.get(mint(KEY));
      assert.equal(server.counts.jwks, 1);
      server.publish(KEY, next);
      assert.equal((await client.get(mint(next))).status, 200);
      assert.equal(server.counts.jwks, 2);
    });

    test('the request fails only when the key is not found in the refreshed key store', async (t) => {
      const { server, client } = await startSimple(t, version);
      await client.get(mint(KEY));
      assert.equal((await client.get(mint(newKey()))).status, 403);
      assert.equal(server.counts.jwks, 2);
    });

    test('jwksService(cache, jwksUri, client) reads and writes the cache, and fetches with the client', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const [cache, client] = [notingCache(), notingClient()];
      const written = new Promise((resolve) => (cache.written = resolve));
      const app = await start(t, version, secure(jwksService(cache, server.jwksUri, client)));
      assert.equal((await app.get(mint(KEY))).status, 200);
      await written;
      assert.deepEqual([cache.calls, client.calls], [['get', 'set'], [server.jwksUri]]);
      assert.deepEqual(cache.keyStore.keys, [KEY.jwk]);
      assert.deepEqual(cache.keyStore.toJWKS().keys, [KEY.jwk]);
    });

    test('a kept key store saves the fetch', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const first = notingCache();
      const written = new Promise((resolve) => (first.written = resolve));
      await jwksService(first, server.jwksUri).refresh();
      await written;
      const kept = [first.keyStore, JSON.stringify(first.keyStore), JSON.parse(JSON.stringify(first.keyStore))];
      for (const keyStore of kept) {
        const client = await start(t, version, secure(jwksService(notingCache(keyStore), server.jwksUri)));
        assert.equal((await client.get(mint(KEY))).status, 200);
      }
      assert.equal(server.counts.jwks, 1);
    });

    test('a key store of version 1, which knows toJWKS only, is read', async (t) => {
      const server = await AuthorizationServer.start(t);
      const cache = notingCache({ toJWKS: () => ({ keys: [KEY.jwk] }) });
      const client = await start(t, version, secure(jwksService(cache, server.jwksUri)));
      assert.equal((await client.get(mint(KEY))).status, 200);
    });

    test('InMemoryCache is a cache, and shows its key store', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const cache = new InMemoryCache();
      assert.equal(await cache.getKeyStore(), null);
      const written = new Promise((resolve) => {
        t.mock.method(cache, 'setKeyStore', async (keyStore) => resolve((cache.keyStore = keyStore)));
      });
      const client = await start(t, version, secure(jwksService(cache, server.jwksUri)));
      assert.equal((await client.get(mint(KEY))).status, 200);
      await written;
      assert.deepEqual((await cache.getKeyStore()).keys, [KEY.jwk]);
    });

    test('the client is the native https by default, and a double with two arguments is enough', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const calls = [];
      const get = t.mock.method(https, 'get', (url, options, answered) => {
        calls.push(url);
        return http.get(server.jwksUri, options, answered);
      });
      const uri = 'https://as.example.com/jwks';
      const client = await start(t, version, secure(jwksService(new InMemoryCache(), uri)));
      assert.equal((await client.get(mint(KEY))).status, 200);
      assert.deepEqual([calls, get.mock.callCount()], [[uri], 1]);
      const double = { get: (url, answered) => http.get(server.jwksUri, answered) };
      const doubled = await start(t, version, secure(jwksService(new InMemoryCache(), uri, double)));
      assert.equal((await doubled.get(mint(KEY))).status, 200);
    });

    test('an opaque token, not exchanged by a gateway, is refused', async (t) => {
      const { client } = await startSimple(t, version);
      assert.equal((await client.get('_0XBPWQQ_2e7d0f1c-f6a7-4f4c-b2a3-7fd0c1c9e4a1')).status, 403);
    });

    test('the example works: three endpoints, three guards, one service', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      const service = getSimpleJwksService(server.jwksUri);
      const app = EXPRESS[version]();
      const show = (req, res) => res.json({ claims: req.claims });
      app.get('/secured/token', secure(service), show);
      app.get('/secured/scope', secure(service, { scope: ['read'] }), show);
      app.get('/secured/claim', secure(service, { claims: [{ name: 'role', value: 'admin' }] }), show);
      const client = await serve(t, app);
      const statuses = async (token) => {
        const paths = ['/secured/token', '/secured/scope', '/secured/claim'];
        return Promise.all(paths.map(async (path) => (await client.get(token, path)).status));
      };
      assert.deepEqual(await statuses(mint(KEY)), [200, 403, 403]);
      assert.deepEqual(await statuses(mint(KEY, { scope: 'read' })), [200, 200, 403]);
      assert.deepEqual(await statuses(mint(KEY, { scope: 'read', role: 'admin' })), [200, 200, 200]);
      assert.deepEqual(await statuses(undefined), [401, 401, 401]);
      assert.equal(server.counts.jwks, 1);
    });
  });

  describe(`with Express ${version}, as version 2 of express-oauth-jwt is used`, () => {
    for (const [name, load] of [
      ['jose 4', () => require('jose4')],
      ['jose 5', () => require('jose5')],
      ['jose 6', () => import('jose')],
    ]) {
      test(`createRemoteJWKSet of ${name} finds the keys`, async (t) => {
        const { createRemoteJWKSet } = await load();
        const keys = ['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => namedKey(alg));
        const server = await AuthorizationServer.start(t, keys);
        const options = { realm: 'my-realm', scope: ['read'], claims: [{ name: 'role', value: 'admin' }] };
        const client = await start(t, version, secure(createRemoteJWKSet(new URL(server.jwksUri)), options));
        for (const key of keys) {
          const good = await client.get(mint(key, { scope: 'read', role: 'admin' }));
          assert.deepEqual([good.status, JSON.parse(good.body).role], [200, 'admin'], key.alg);
          assert.equal((await client.get(mint(key, { role: 'admin' }))).status, 403);
          assert.equal((await client.get(mint(forgedKey(key)))).status, 403);
        }
        assert.equal((await client.get(mint(newKey()))).status, 403);
        assert.deepEqual((await client.get('opaque')).challenges, [MALFORMED]);
        assert.equal((await client.get()).status, 401);
        assert.equal(server.counts.jwks, 1);
      });

      test(`createRemoteJWKSet of ${name} with several keys that fit is asked for each`, async (t) => {
        const { createRemoteJWKSet } = await load();
        const keys = [newKey(), newKey(), newKey()];
        const server = await AuthorizationServer.start(t, keys);
        const client = await start(t, version, secure(createRemoteJWKSet(new URL(server.jwksUri))));
        for (const key of keys) {
          assert.equal((await client.get(mint(key, {}, { kid: undefined }))).status, 200);
        }
        assert.equal((await client.get(mint(newKey(), {}, { kid: undefined }))).status, 403);
      });

      test(`tokens that ${name} has signed pass`, async (t) => {
        const { SignJWT } = await load();
        for (const alg of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']) {
          const key = namedKey(alg);
          const server = await AuthorizationServer.start(t, [key]);
          const client = await start(t, version, secure(getSimpleJwksService(server.jwksUri)));
          const token = new SignJWT({}).setProtectedHeader({ alg, kid: key.kid }).setExpirationTime('5m');
          assert.equal((await client.get(await token.sign(key.privateKey))).status, 200, alg);
        }
      });
    }

    test('getKey may give a KeyObject, a CryptoKey, a JWK, a JWK Set, PEM or a secret', async (t) => {
      const [rsa, ec, okp, secret] = [namedKey('RS256'), namedKey('ES256'), namedKey('EdDSA'), newSecret()];
      const forms = [];
      for (const key of [rsa, ec, okp]) {
        const cryptoKey = await cryptoKeyOf(key);
        forms.push([key, key.publicKey], [key, cryptoKey], [key, key.jwk], [key, { keys: [key.jwk] }], [key, key.pem]);
      }
      const hmac = { algorithms: ['HS256'] };
      forms.push([secret, secret.privateKey, hmac], [secret, secret.bytes, hmac], [secret, secret.jwk, hmac]);
      forms.push([secret, new Uint8Array(secret.bytes), hmac], [secret, await cryptoKeyOf(secret), hmac]);
      for (const [key, form, options] of forms) {
        for (const getKey of [() => form, async () => form]) {
          const client = await start(t, version, secure(getKey, options));
          assert.equal((await client.get(mint(key))).status, 200, `${key.alg} ${form.constructor.name}`);
          const forged = key === secret ? newSecret() : namedKey(key.alg, 'forger');
          assert.equal((await client.get(mint({ ...forged, kid: key.kid }))).status, 403, key.alg);
        }
      }
    });

    test('getKey gets the header and the token in its parts', async (t) => {
      const calls = [];
      const client = await start(t, version, secure((...call) => calls.push(call) && KEY.publicKey));
      const token = mint(KEY, {}, { extra: 'x' });
      await client.get(token);
      const [protectedPart, payload, signature] = token.split('.');
      const header = { alg: 'ES256', kid: KEY.kid, typ: 'JWT', extra: 'x' };
      assert.deepEqual(calls, [[header, { protected: protectedPart, payload, signature }]]);
    });

    test('getKey is not asked for a token that no key could save', async (t) => {
      let asked = 0;
      const client = await start(t, version, secure(() => (asked += 1) && KEY.publicKey, { algorithms: ['ES256'] }));
      const needKeys = ['unknown_key', 'key_mismatch', 'bad_signature', 'expired', 'not_yet_valid', 'issued_in_future'];
      const hopeless = badTokens(KEY).filter(([code]) => !needKeys.includes(code) && !code.endsWith('_claim'));
      for (const [code, token] of hopeless.filter(([, token]) => token.length < 10_000)) {
        assert.equal((await client.get(token)).status, 403, code);
      }
      assert.equal(asked, 0);
    });

    test('a key that getKey no longer gives opens nothing', async (t) => {
      let key = KEY;
      const client = await start(t, version, secure(() => key.publicKey));
      const token = mint(KEY);
      assert.equal((await client.get(token)).status, 200);
      key = newKey();
      assert.equal((await client.get(token)).status, 403);
    });

    test('a secret that getKey gives opens nothing unless an HS algorithm is named', async (t) => {
      const secret = newSecret();
      const client = await start(t, version, secure(() => secret.bytes));
      assert.equal((await client.get(mint(secret))).status, 403);
    });

    test('a key that getKey gives for none of the algorithms opens nothing, and is no outage', async (t) => {
      for (const key of [namedKey('RS256').publicKey, newSecret().bytes]) {
        const client = await start(t, version, secure(() => key, { algorithms: 'ES256' }));
        assert.equal((await client.get(mint(KEY))).status, 403);
      }
    });

    test('a public key as text is no secret, even where HS256 is named', async (t) => {
      const client = await start(t, version, secure(() => KEY.pem, { algorithms: ['HS256', 'ES256'] }));
      const forged = mint(confusedKey(KEY));
      assert.equal((await client.get(forged)).status, 403);
      assert.equal((await client.get(mint(KEY))).status, 200);
    });

    test('a CryptoKey is good for its own algorithm only', async (t) => {
      const key = namedKey('RS256');
      const cryptoKey = await cryptoKeyOf(key);
      const client = await start(t, version, secure(() => cryptoKey));
      assert.equal((await client.get(mint({ ...key, alg: 'RS512' }))).status, 403);
      assert.equal((await client.get(mint({ ...key, alg: 'PS256' }))).status, 403);
      assert.equal((await client.get(mint(key))).status, 200);
    });

    test('a token whose text repeats a member is refused whatever getKey gives', async (t) => {
      const client = await start(t, version, secure(() => KEY.publicKey));
      assert.equal((await client.get(mintText(KEY, '{"exp":1,"exp":9999999999}'))).status, 403);
    });
  });
}

'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { anyOf, errors, localKeys, secure } = require('portcullis');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { serve } = require('./support/http.js');
const { forgedKey, mint, namedKey, newKey } = require('./support/tokens.js');

const [KEY, OTHER_KEY] = [newKey(), newKey()];
const [KEYS, OTHER_KEYS] = [KEY, OTHER_KEY].map(({ jwk }) => localKeys({ keys: [jwk] }));
const ALICE = mint(KEY, { sub: 'alice', iss: 'a', aud: 'a', scope: 'read' });
const BOB = mint(KEY, { sub: 'bob', iss: 'a', aud: 'a', scope: 'read write', role: 'admin' });
const CAROL = mint(OTHER_KEY, { sub: 'carol', iss: 'b', aud: 'b', scope: 'read write', role: 'admin' });
const FORGED = mint(forgedKey(KEY), { sub: 'admin', scope: 'read write', role: 'admin' });

const fromCookie = (req) => /(?:^|; )at=([^;]*)/.exec(req.headers.cookie ?? '')?.[1];

/** Middleware that puts this token into the `Authorization` field. */
const carrying = (token) => (req, res, next) => next(void (req.headers.authorization = token && `Bearer ${token}`));

/** Answers with the subject that a handler sees. */
function show(req, res) {
  res.end(`${req.claims?.sub} ${req.auth?.claims.sub}`);
}

const both = (name) => `${name} ${name}`;

for (const version of VERSIONS) {
  const express = EXPRESS[version];

  /** The outcome of a request that passes through an app's middleware and then through its router's. */
  async function outcome(t, outer, inner, headers = {}) {
    const app = express();
    const router = express.Router();
    app.use(...outer);
    router.use(...inner).get('/', show);
    app.use(router);
    app.use((error, req, res, next) => {
      res.status(error.status ?? 500).end(error instanceof errors.RefusalError ? error.code : next(error));
    });
    const { status, body } = await (await serve(t, app)).request({ headers });
    return status === 200 ? body : `${status} ${body}`;
  }

  describe(`a guard within another, with Express ${version}`, () => {
    const TOLD = { next: true };
    const alice = { authorization: `Bearer ${ALICE}` };

    test('finds a token in its own place: what the outer has found elsewhere does not let in', async (t) => {
      const byCookie = secure(KEYS, { ...TOLD, getToken: fromCookie });
      const byField = secure(KEYS, TOLD);
      const table = [
        [byCookie, byField, { cookie: `at=${ALICE}` }, '401 no_credentials'],
        [byCookie, byField, { cookie: `at=${ALICE}`, authorization: 'Basic YTpi' }, '401 other_scheme'],
        [byCookie, byField, { cookie: `at=${ALICE}`, authorization: 'Bearer x' }, '403 malformed_token_parts'],
        [byCookie, byField, { cookie: `at=${ALICE}`, authorization: `Bearer ${FORGED}` }, '403 bad_signature'],
        [byCookie, byField, { cookie: `at=${ALICE}`, authorization: `Bearer ${BOB}` }, both('bob')],
        [byField, byCookie, alice, '401 no_credentials'],
        [byField, byCookie, { ...alice, cookie: 'at=x' }, '403 malformed_token_parts'],
        [byField, byCookie, { ...alice, cookie: `at=${BOB}` }, both('bob')],
      ];
      for (const [outer, inner, headers, expected] of table) {
        assert.equal(await outcome(t, [outer], [inner], headers), expected, JSON.stringify(headers));
      }
    });

    test('judges by its own keys and rules, not by what the outer has let in', async (t) => {
      const table = [
        [{}, '403 unknown_key', OTHER_KEYS],
        [{ issuer: 'b' }, '403 wrong_issuer'],
        [{ audience: 'b' }, '403 wrong_audience'],
        [{ algorithms: 'RS256' }, '403 algorithm_not_allowed', localKeys({ keys: [KEY.jwk, namedKey('RS256').jwk] })],
        [{ types: 'at+jwt' }, '403 wrong_type'],
        [{ maxTokenBytes: 20 }, '403 token_too_large'],
        [{ scope: 'write' }, '403 insufficient_scope'],
        [{ anyScope: ['write', 'admin'] }, '403 insufficient_scope'],
        [{ claims: [{ name: 'role' }] }, '403 required_claims'],
        [{ claims: [({ sub }) => sub === 'bob'] }, '403 required_claims'],
        [{ audience: 'a', scope: 'read' }, both('alice')],
      ];
      for (const [options, expected, keys = KEYS] of table) {
        const inner = secure(keys, { ...TOLD, ...options });
        assert.equal(await outcome(t, [secure(KEYS)], [inner], alice), expected, JSON.stringify(options));
      }
    });

    test('of getKey and of several issuers judges by its own keys, too', async (t) => {
      const getKey = secure(async () => OTHER_KEY.publicKey, TOLD);
      const several = secure(anyOf([{ jwks: OTHER_KEYS, issuer: 'a' }, { jwks: OTHER_KEYS, issuer: 'b' }]), TOLD);
      assert.equal(await outcome(t, [secure(KEYS)], [getKey], alice), '403 bad_signature');
      assert.equal(await outcome(t, [secure(KEYS)], [several], alice), '403 unknown_key');
      assert.equal(await outcome(t, [getKey], [secure(KEYS, TOLD)], { authorization: `Bearer ${CAROL}` }), '403 unknown_key');
    });

    test('judges the token that the request has by now', async (t) => {
      const table = [
        [BOB, both('bob')],
        [FORGED, '403 bad_signature'],
        [`${ALICE.slice(0, -4)}AAAA`, '403 bad_signature'],
        ['x', '403 malformed_token_parts'],
        [undefined, '401 no_credentials'],
      ];
      for (const [token, expected] of table) {
        for (const optional of [false, true]) {
          const outer = [secure(KEYS), carrying(token)];
          const actual = await outcome(t, outer, [secure(KEYS, { ...TOLD, optional })], alice);
          assert.equal(actual, optional && token === undefined ? 'undefined undefined' : expected, token);
        }
      }
    });

    test('takes nobody\'s word for who it is: not that of `req.auth`, nor that of an outer', async (t) => {
      const access = await secure(KEYS).verify(BOB);
      const assigned = (req, res, next) => next(void Object.assign(req, { auth: access, claims: access.claims }));
      const table = [
        [false, {}, '401 no_credentials'],
        [true, {}, 'undefined undefined'],
        [false, alice, both('alice')],
        [true, alice, both('alice')],
        [true, { authorization: 'Bearer x' }, '403 malformed_token_parts'],
      ];
      for (const [optional, headers, expected] of table) {
        const inner = secure(KEYS, { ...TOLD, optional });
        assert.equal(await outcome(t, [assigned], [inner], headers), expected);
        assert.equal(await outcome(t, [secure(KEYS, { getToken: () => BOB }), assigned], [inner], headers), expected);
      }
    });

    test('that needs a token lets in nobody whom an optional outer has let pass without', async (t) => {
      const optional = secure(KEYS, { ...TOLD, optional: true });
      assert.equal(await outcome(t, [optional], [secure(KEYS, TOLD)]), '401 no_credentials');
      assert.equal(await outcome(t, [optional], [secure(KEYS, TOLD)], { authorization: 'Bearer' }), '401 empty_token');
      assert.equal(await outcome(t, [optional], [secure(KEYS, TOLD)], alice), both('alice'));
    });

    test('that is refused leaves nothing of the outer to an error handler that goes on', async (t) => {
      const app = express();
      app.use(secure(KEYS), secure(OTHER_KEYS, TOLD));
      app.use((error, req, res, next) => show(req, res));
      assert.equal((await (await serve(t, app)).get(ALICE)).body, 'undefined undefined');
    });
  });

  describe(`a request that is made of another, with Express ${version}`, () => {
    const WAYS = {
      'Object.create': (req) => Object.create(req),
      'a copy': (req) => Object.assign(Object.create(Object.getPrototypeOf(req)), req),
    };

    for (const [name, make] of Object.entries(WAYS)) {
      /** An app whose `/batch` lets a guard judge another request with this token, and then shows the first request. */
      async function start(t, ...before) {
        const app = express();
        const guard = secure(KEYS);
        app.get('/batch', ...before, async (req, res) => {
          const made = make(req);
          made.headers = { authorization: `Bearer ${BOB}` };
          await new Promise((resolve) => guard(made, res, resolve));
          res.end(`${req.claims?.sub} ${req.auth?.claims.sub}, ${made.claims?.sub} ${made.auth?.claims.sub}`);
        });
        return serve(t, app);
      }

      test(`${name}: has the word of its guard, and leaves that of the other as it is`, async (t) => {
        const { body } = await (await start(t, secure(KEYS))).get(ALICE, '/batch');
        assert.equal(body, `${both('alice')}, ${both('bob')}`);
      });

      test(`${name}: leaves one that no guard has seen without any`, async (t) => {
        const { body } = await (await start(t)).get(ALICE, '/batch');
        assert.equal(body, `undefined undefined, ${both('bob')}`);
      });
    }
  });
}

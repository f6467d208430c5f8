'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { errors, getSimpleJwksService, localKeys, mcp, secure, setLogger } = require('portcullis');
const { VERSIONS, guardedApp } = require('./support/apps.js');
const { serve } = require('./support/http.js');
const { badTokens, mint, newKey } = require('./support/tokens.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });

for (const version of VERSIONS) {
  describe(`reportOnly, with Express ${version}`, () => {
    /** A client of an app whose guard only reports, and the reports. */
    async function start(t, options = {}, keys = KEYS) {
      const reports = [];
      const onReport = (error, req) => reports.push([error.code ?? error.constructor.name, req?.url]);
      const onError = () => reports.push(['onError']);
      const guard = secure(keys, { reportOnly: true, onReport, onError, ...options });
      return { client: await serve(t, guardedApp(version, guard)), guard, reports };
    }

    test('each request passes, and each refusal is reported', async (t) => {
      const { client, reports } = await start(t, { scope: ['read'], problemJson: true });
      const table = [
        [undefined, 'no_credentials'],
        [mint(KEY), 'insufficient_scope'],
        // Node itself refuses a field of this size.
        ...badTokens(KEY).filter(([code]) => code !== 'token_too_large').map(([code, token]) => [token, code]),
      ];
      for (const [token, code] of table) {
        const { status, body } = await client.get(token);
        assert.deepEqual([status, JSON.parse(body)], [200, null], code);
        assert.deepEqual(reports.splice(0), [[code, '/']]);
      }
      const { status, body } = await client.get(mint(KEY, { scope: 'read' }));
      assert.deepEqual([status, JSON.parse(body).sub, reports], [200, 'alice', []]);
    });

    test('so are a rule that refuses, a rule that throws, a getToken that throws and keys that are away', async (t) => {
      const throws = () => {
        throw new Error('oops');
      };
      const away = () => getSimpleJwksService('http://127.0.0.1:1/jwks');
      const table = [
        [{ claims: [() => false] }, KEYS, 'required_claims'],
        [{ claims: [throws] }, KEYS, 'Error'],
        [{ claims: [async () => true] }, KEYS, 'TypeError'],
        [{ getToken: throws }, KEYS, 'Error'],
        [{}, away(), 'keys_unavailable'],
        [{}, throws, 'keys_unavailable'],
        [{}, () => newKey().publicKey, 'bad_signature'],
      ];
      for (const [options, keys, code] of table) {
        setLogger(null);
        const { client, reports } = await start(t, options, keys);
        const { status, body } = await client.get(mint(KEY));
        assert.deepEqual([status, JSON.parse(body), reports], [200, null, [[code, '/']]]);
      }
    });

    test('claims of an outer guard are gone behind one that would refuse', async (t) => {
      const app = guardedApp(version, secure(KEYS, { scope: ['write'], reportOnly: true, onReport: () => {} }), (app) => {
        app.use(secure(KEYS));
      });
      const { body } = await (await serve(t, app)).get(mint(KEY));
      assert.equal(JSON.parse(body), null);
    });
  });
}

test('verify and verifyRequest resolve to null in place of a refusal', async () => {
  const reports = [];
  const guard = secure(KEYS, { reportOnly: true, onReport: (error, request) => reports.push([error.code, request]) });
  const request = { headers: { authorization: 'Bearer bad' } };
  assert.deepEqual([await guard.verify('bad'), await guard.verifyRequest(request)], [null, null]);
  assert.equal((await guard.verify(mint(KEY))).claims.sub, 'alice');
  assert.deepEqual(reports, [['malformed_token_parts', undefined], ['malformed_token_parts', request]]);
});

test('without onReport, a refusal is a line in the log, without the token', async (t) => {
  const lines = [];
  setLogger({ warn: (line) => lines.push(line) });
  t.after(() => setLogger(null));
  const guard = secure(KEYS, { issuer: 'https://as.example.com', audience: 'api', reportOnly: true });
  const token = mint(KEY);
  await guard.verify(token);
  assert.equal(lines.length, 1);
  assert.match(lines[0], /report only.*wrong_issuer|report only.*missing_claim/);
  assert.ok(!lines[0].includes(token.split('.')[1]));
});

test('a failing onReport changes nothing', async () => {
  setLogger(null);
  const failing = [() => { throw new Error('oops'); }, async () => { throw new Error('oops'); }];
  for (const onReport of failing) {
    assert.equal(await secure(KEYS, { reportOnly: true, onReport }).verify('bad'), null);
  }
});

test('whatever a rule throws, the request passes, and the hook gets an error', async (t) => {
  const lines = [];
  setLogger({ warn: (line) => lines.push(line) });
  t.after(() => setLogger(null));
  const unreadable = new Proxy({}, { get: () => { throw new Error('unreadable'); } });
  for (const thrown of [undefined, null, 0, '', 'oops', Symbol('oops'), Object.create(null), unreadable]) {
    const reports = [];
    const claims = [() => { throw thrown; }];
    const [told, logged] = [(error) => reports.push(error), undefined].map((onReport) => secure(KEYS, { reportOnly: true, onReport, claims }));
    assert.equal(await told.verify(mint(KEY)), null);
    assert.equal(await logged.verify(mint(KEY)), null);
    assert.equal(typeof reports[0], 'object');
    assert.notEqual(reports[0], null);
    assert.ok(lines.splice(0).some((line) => /report only|onReport failed/.test(line)));
  }
});

test('an MCP server may report only', async () => {
  const codes = [];
  const server = mcp({ resource: 'https://mcp.example.com', issuer: 'https://as.example.com', jwks: KEYS });
  const guard = server.guard({ reportOnly: true, onReport: ({ code }) => codes.push(code) });
  assert.equal(await guard.verifyRequest({ method: 'POST', headers: {} }), null);
  assert.deepEqual(codes, ['no_credentials']);
});

test('a wrong option is a TypeError that names it', () => {
  for (const [options, name] of [[{ reportOnly: 'yes' }, 'reportOnly'], [{ reportOnly: 1 }, 'reportOnly'], [{ onReport: 7 }, 'onReport']]) {
    assert.throws(() => secure(KEYS, options), (error) => error instanceof TypeError && error.message.includes(name));
  }
  assert.ok(errors.RefusalError);
});

'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, test } = require('node:test');

const express = require('express');

const { getSimpleJwksService, localKeys, mcp, secure } = require('portcullis');
const { AuthorizationServer } = require('./authorization-server.js');
const { DpopClient } = require('./dpop.js');
const { serve } = require('./http.js');
const { badTokens, mint, newKey } = require('./tokens.js');
const { collectLog, forbidCrashes } = require('./watch.js');

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const ALICE = mint(KEY);

/** Thrown values, some of which frameworks take for leave to go on. */
const THROWN = { 'an error': new Error('mine'), 'nothing': undefined, 'an empty text': '', 'null': null, 'a text': 'route', 'an object': {} };

/**
 * Tests what all plugins have in common. `start(t, guards, handler)` starts a server, with a guard for each `[keys, options]` in `guards`, one
 * behind the other, and resolves to its client. For requests that pass it calls `handler({ auth, claims })`, and answers with its result as JSON.
 *
 * `form(answer)` returns the parts of a refusal that are to be the same as on Express.
 */
function holdsTheContract(start, { form = whole, several = 400 } = {}) {
  const show = ({ auth, claims }) => ({ sub: claims?.sub ?? null, same: (auth?.claims ?? null) === (claims ?? null) });
  const startOne = (t, options = {}, { keys = KEYS, handler = show } = {}) => start(t, [[keys, options]], handler);

  describe('a request', () => {
    test('with a good token passes, with its claims', async (t) => {
      const client = await startOne(t);
      for (const _ of [1, 2]) {
        const { status, body } = await client.get(ALICE);
        assert.deepEqual([status, JSON.parse(body)], [200, { sub: 'alice', same: true }]);
      }
    });

    test('is refused as on Express', async (t) => {
      for (const options of [{}, { realm: 'a', problemJson: true, invalidTokenStatus: 401 }, { dpop: 'allowed' }, { scope: 'read' }]) {
        const client = await startOne(t, options);
        const reference = await serve(t, express().use(secure(KEYS, options)));
        for (const token of [undefined, '', ...badTokens(KEY).slice(1).map(([, token]) => token), ALICE]) {
          const [here, there] = [await client.get(token), await reference.get(token)];
          if (there.status !== 404) {
            assert.deepEqual(form(here), form(there));
          }
        }
      }
    });

    test('with several tokens is refused', async (t) => {
      const client = await startOne(t, { optional: true });
      const lines = [`authorization: Bearer ${ALICE}`, `Authorization: Bearer ${ALICE}`];
      assert.equal((await client.raw('GET / HTTP/1.1', ...lines)).status, several);
    });

    test('without a token passes an optional guard, a bad one does not', async (t) => {
      const client = await startOne(t, { optional: true });
      assert.deepEqual(JSON.parse((await client.get()).body), { sub: null, same: true });
      assert.equal((await client.get('a.b.c')).status, 403);
    });

    test('waits for keys, and gets 503 without them', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      server.fail((request, response) => response.writeHead(500).end());
      const keys = getSimpleJwksService(server.jwksUri);
      const client = await startOne(t, {}, { keys });
      const { status, all, challenges } = await client.get(ALICE);
      assert.deepEqual([status, all('retry-after').length, challenges], [503, 1, []]);
      server.recover();
      await keys.refresh();
      assert.equal((await client.get(ALICE)).status, 200);
      assert.equal((await (await startOne(t, {}, { keys: async () => KEY.publicKey })).get(ALICE)).status, 200);
    });

    test('that is refused is told to onError once', async (t) => {
      const told = [];
      const client = await startOne(t, { onError: (error, request) => told.push([error.code, typeof request]) });
      await client.get();
      await client.get(ALICE);
      assert.deepEqual(told, [['no_credentials', 'object']]);
    });
  });

  describe('no handler runs for a request', () => {
    /** The status of a request with a good token, and the number of handlers that ran. */
    async function outcome(t, options, keys, token = ALICE) {
      let ran = 0;
      const { status } = await (await startOne(t, options, { keys, handler: () => ({ ran: ++ran }) })).get(token);
      return [status, ran];
    }

    for (const [name, thrown] of Object.entries(THROWN)) {
      test(`for which a rule throws ${name}`, async (t) => {
        collectLog(t);
        const rule = () => {
          throw thrown;
        };
        assert.deepEqual(await outcome(t, { claims: [rule] }), [500, 0]);
        assert.deepEqual(await outcome(t, { getToken: rule }), [500, 0]);
        assert.deepEqual(await outcome(t, { claims: [rule] }, async () => KEY.publicKey), [500, 0]);
      });
    }

    test('for which a rule promises', async (t) => {
      collectLog(t);
      assert.deepEqual(await outcome(t, { claims: [async () => true] }), [500, 0]);
    });

    test('that is refused while the hook for refusals fails', async (t) => {
      const log = collectLog(t);
      const onError = () => {
        throw new Error('mine');
      };
      assert.deepEqual(await outcome(t, { onError }, KEYS, 'opaque'), [403, 0]);
      assert.match(await log.line(/onError/), /mine/);
    });

    test('whose client is gone while keys are fetched, if it is refused then', async (t) => {
      forbidCrashes(t);
      const server = await AuthorizationServer.start(t, [KEY]);
      const held = new Promise((resolve) => server.fail((request, response) => resolve(response)));
      let judged;
      const told = new Promise((resolve) => (judged = resolve));
      const client = await startOne(t, { onError: judged }, {
        keys: getSimpleJwksService(server.jwksUri),
        handler: () => assert.fail('the handler ran'),
      });
      const request = http.get({ port: client.port, host: '127.0.0.1', headers: { authorization: `Bearer ${ALICE}` } });
      request.on('error', () => {});
      const response = await held;
      request.destroy();
      await new Promise((resolve) => request.on('close', resolve));
      response.writeHead(500).end();
      assert.equal((await told).code, 'keys_unavailable');
      assert.equal((await client.get()).status, 401);
    });
  });

  test('several guards all have to let a request pass, and the last one gives the claims', async (t) => {
    const claims = [{ name: 'sub', value: 'alice' }];
    const client = await start(t, [[KEYS, { scope: 'read' }], [KEYS, { scope: 'write' }], [KEYS, { claims }]], show);
    const statuses = [];
    for (const changed of [{}, { scope: 'read' }, { scope: 'write' }, { scope: 'read write', sub: 'bob' }, { scope: 'read write' }]) {
      statuses.push((await client.get(mint(KEY, changed))).status);
    }
    assert.deepEqual(statuses, [403, 403, 403, 403, 200]);
  });

  describe('DPoP', () => {
    const dpop = new DpopClient();
    const token = mint(KEY, dpop.bound);
    const ask = (client, nonce) => {
      const proof = dpop.proof({ url: `http://127.0.0.1:${client.port}/`, token, nonce });
      return client.request({ headers: dpop.fields(token, proof) });
    };

    test('is judged, and the response has the nonce', async (t) => {
      const client = await startOne(t, { dpop: { use: 'required', nonces: true } });
      const first = await ask(client);
      assert.deepEqual([first.status, first.all('dpop-nonce').length], [401, 1]);
      assert.match(first.challenge, /use_dpop_nonce/);
      const second = await ask(client, first.all('dpop-nonce')[0]);
      assert.deepEqual([second.status, second.all('dpop-nonce').length], [200, 1]);
      assert.equal((await client.get(token)).status, 401);
    });

    test('of one request is judged once by several guards, and once in all', async (t) => {
      const client = await start(t, [[KEYS, { dpop: 'required' }], [KEYS, { dpop: 'required' }]], show);
      const headers = dpop.fields(token, dpop.proof({ url: `http://127.0.0.1:${client.port}/`, token }));
      assert.deepEqual([(await client.request({ headers })).status, (await client.request({ headers })).status], [200, 401]);
    });
  });
}

/**
 * Tests that a guard of an MCP server takes the token off, and that another one behind it finds it. `start(t, guards, read)` starts a
 * server with these guards, which answers with `read(request)`, the `Authorization` field in the handler.
 */
function takesTheToken(start) {
  const issuer = 'https://login.example.com';
  const resource = 'https://mcp.example.com/mcp';
  const token = mint(KEY, { iss: issuer, aud: resource });

  test('a guard of an MCP server takes the token off, and one behind it finds it', async (t) => {
    const taking = mcp({ resource, issuer, jwks: KEYS });
    const leaving = mcp({ resource, issuer, jwks: KEYS, forwardAuthorization: true });
    const answers = [];
    for (const guards of [[taking.guard(), secure(KEYS)], [leaving.guard(), secure(KEYS)]]) {
      const { status, body } = await (await start(t, guards)).get(token);
      answers.push([status, body]);
    }
    assert.deepEqual(answers, [[200, 'none'], [200, `Bearer ${token}`]]);
  });
}

/** The whole of a refusal. */
function whole({ status, all, body }) {
  return [status, body, ...['www-authenticate', 'content-type', 'dpop-nonce', 'content-length'].map(all)];
}

/** The same where a response of fetch joins fields of one name, and may have an unknown length. */
function joined({ status, all, body }) {
  return [status, body, ...['www-authenticate', 'content-type', 'dpop-nonce'].map((name) => all(name).join(', '))];
}

module.exports = { KEY, KEYS, holdsTheContract, joined, takesTheToken, whole };

'use strict';

/**
 * The tests of the packed packages, in a folder that has nothing but them, on each Node and platform that runs them: see
 * `cargo xtask dist npm`. They start no other process, and take the paths of the package as CommonJS or as ES modules.
 */

const assert = require('node:assert/strict');
const { constants, generateKeyPairSync, sign } = require('node:crypto');
const { once } = require('node:events');
const { createServer } = require('node:http');
const { test } = require('node:test');

/** The paths that need no other package. */
const ALONE = ['portcullis', 'portcullis/fastify', 'portcullis/fetch', 'portcullis/hono', 'portcullis/http', 'portcullis/koa', 'portcullis/mcp'];

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** An algorithm of each kind: type of key, its parameters, hash, and parameters of the signature. */
const ALGORITHMS = {
  RS256: ['rsa', { modulusLength: 2048 }, 'sha256', {}],
  PS512: ['rsa', { modulusLength: 2048 }, 'sha512', PSS],
  ES256: ['ec', { namedCurve: 'P-256' }, 'sha256', { dsaEncoding: 'ieee-p1363' }],
  ES384: ['ec', { namedCurve: 'P-384' }, 'sha384', { dsaEncoding: 'ieee-p1363' }],
  EdDSA: ['ed25519', {}, null, {}],
};

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A key set of one key, and a token signed with it by Node. */
function issued(alg) {
  const [type, options, hash, parameters] = ALGORITHMS[alg];
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const input = `${encoded({ alg, kid: alg })}.${encoded({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 600 })}`;
  const signature = sign(hash, Buffer.from(input), { key: privateKey, ...parameters }).toString('base64url');
  return { keys: [{ ...publicKey.export({ format: 'jwk' }), alg, kid: alg, use: 'sig' }], token: `${input}.${signature}` };
}

/** The status and body of the answers to requests with these tokens. */
async function answers(listener, tokens) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  const found = [];
  for (const token of tokens) {
    const headers = { connection: 'close', ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(url, { headers });
    found.push([response.status, response.ok ? await response.text() : response.headers.get('www-authenticate')?.split(' ')[0]]);
  }
  server.close();
  return found;
}

/** Much more than an emulator needs. */
const LIMIT = { timeout: 120_000 };

const hello = (req, res) => res.end(`hello ${req.claims.sub}`);

/** Defines the tests, with `load` for a path of the package. */
function check(load) {
  test('each path loads', LIMIT, async () => {
    for (const path of ALONE) {
      assert.ok(await load(path), path);
    }
    // It needs NestJS, which is not there.
    assert.ok(require.resolve('portcullis/nestjs'));
  });

  test('a server answers 401 without a token, and 200 with one of each algorithm', LIMIT, async () => {
    const { localKeys, secure } = await load('portcullis');
    const { protect } = await load('portcullis/http');
    for (const alg of Object.keys(ALGORITHMS)) {
      const { keys, token } = issued(alg);
      const forged = issued(alg).token;
      const guarded = protect(secure(localKeys({ keys })), hello);
      const expected = [[401, 'Bearer'], [200, 'hello alice'], [200, 'hello alice'], [403, 'Bearer']];
      assert.deepEqual(await answers(guarded, [undefined, token, token, forged]), expected, alg);
    }
  });

  test('and with the test kit, whose keys it fetches', LIMIT, async () => {
    const { discovery, secure } = await load('portcullis');
    const { protect } = await load('portcullis/http');
    const { AuthorizationServer } = await load('portcullis/testkit');
    const server = await AuthorizationServer.start();
    const guard = secure(discovery({ issuer: server.issuer }), { audience: 'https://api.example.com' });
    const expected = [[401, 'Bearer'], [200, 'hello bob']];
    assert.deepEqual(await answers(protect(guard, hello), [undefined, server.token({ sub: 'bob' })]), expected);
    for (const { name, token, code } of server.hostileTokens()) {
      await assert.rejects(guard.verify(token), { code }, name);
    }
    await server.stop();
  });
}

module.exports = { check };

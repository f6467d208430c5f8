'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { before, describe, test } = require('node:test');

const { localKeys, secure } = require('portcullis');
const { EXPRESS } = require('./support/apps.js');
const { AS, AUDIENCE, DIFFERENCES, ISSUER, ORIGIN, ROWS, replays } = require('./support/dpop-requests.js');
const { serve } = require('./support/http.js');

const DOCUMENT = join(__dirname, '..', 'docs', 'dpop.md');

let oauth;
let theirOptions;

before(async () => {
  oauth = await import('oauth4webapi');
  theirOptions = { [oauth.customFetch]: async () => Response.json({ keys: [AS.jwk] }) };
});

/** The verdict of oauth4webapi on a request as it has come over the network. */
async function theirVerdict({ method, originalUrl, rawHeaders }) {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index], rawHeaders[index + 1]);
  }
  const request = new Request(ORIGIN + originalUrl, { method, headers });
  const server = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
  return oauth.validateJwtAccessToken(server, request, AUDIENCE, theirOptions).then(() => 'passes', () => 'refused');
}

/** Starts an Express app that asks both; it answers with both verdicts. */
async function start(t) {
  const app = EXPRESS[5]();
  const dpop = { use: 'allowed', publicUrl: ORIGIN };
  const guard = secure(localKeys({ keys: [AS.jwk] }), { issuer: ISSUER, audience: AUDIENCE, dpop, next: true });
  const answer = async (verdict, req, res) => res.set('x-verdicts', `${verdict} ${await theirVerdict(req)}`).end();
  app.use((req, res, next) => guard(req, res, (error) => {
    const known = error === undefined ? 'passes' : error.code;
    return typeof known === 'string' ? answer(known, req, res).catch(next) : next(error);
  }));
  // The longest proofs are longer than Node's own limit for all header fields.
  return serve(t, createServer({ maxHeaderSize: 256 * 1024 }, app));
}

async function verdicts(client, { method, path, fields }) {
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  const answer = await client.raw(`${method} ${path} HTTP/1.1`, ...lines);
  return answer.all('x-verdicts')[0]?.split(' ') ?? [`status ${answer.status}`];
}

const theirs = (verdict, difference) => ((verdict === 'passes') !== (difference !== undefined) ? 'passes' : 'refused');

describe('requests with DPoP proofs, beside oauth4webapi', () => {
  test('each gets the same verdict, or another one for a reason', async (t) => {
    const client = await start(t);
    const wrong = [];
    for (const [name, make, verdict, difference] of ROWS) {
      const actual = await verdicts(client, make());
      const expected = [verdict, theirs(verdict, difference)];
      if (actual.join(' ') !== expected.join(' ')) {
        wrong.push({ name, actual: actual.join(' '), expected: expected.join(' ') });
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(ROWS.length > 300);
  });

  test('a used one is refused here alone', async (t) => {
    const client = await start(t);
    for (const [name, first, second, verdict] of replays()) {
      assert.deepEqual(await verdicts(client, first), ['passes', 'passes'], name);
      assert.deepEqual(await verdicts(client, second), [verdict, 'passes'], name);
    }
  });

  test('docs/dpop.md names each difference, and no other', () => {
    const used = new Set([...ROWS.flatMap(([, , , difference]) => difference ?? []), 'replay']);
    assert.deepEqual([...used].sort(), Object.keys(DIFFERENCES).sort());
    const rows = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| (.+?) \| (?:refused|passes|no effect) \|/gm)].map(([, first]) => first);
    assert.deepEqual(rows.sort(), Object.values(DIFFERENCES).sort());
  });
});

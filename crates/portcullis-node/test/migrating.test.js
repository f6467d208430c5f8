'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const { join } = require('node:path');
const { describe, test } = require('node:test');
const vm = require('node:vm');

const express = require('express');

const { localKeys } = require('portcullis');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { forgedKey, mint, mintText, namedKey } = require('./support/tokens.js');
require('./support/watch.js');

const PAGE = readFileSync(join(__dirname, '..', 'docs', 'migrating.md'), 'utf8');
const KEY = namedKey('RS256');
const AUDIENCE = 'https://api.example.com';
const BOTH = 'Differences from both versions';

/** The sections with code; tables of other sections that count, too; and modules in place of those that the code requires. */
const SECTIONS = {
  'From express-oauth-jwt 1.x': { tables: [BOTH], modules: { 'express-oauth-jwt': overHttp(require('express-oauth-jwt1')) } },
  'From express-oauth-jwt 2.x': { tables: [BOTH] },
  'From express-oauth2-jwt-bearer': {},
  'From @fastify/jwt with get-jwks': {},
  'From jose by hand': {},
};

/** Modules for all sections: the newest jose cannot be required by the oldest Node, and the tests have no TLS. */
const MODULES = { jose: require('jose5'), 'node:https': http };

/** The first version of express-oauth-jwt, whose simple service fetches by https alone. */
function overHttp({ jwksService, InMemoryCache, ...others }) {
  return { ...others, jwksService, InMemoryCache, getSimpleJwksService: (uri) => jwksService(new InMemoryCache(), uri, http) };
}

const now = () => Math.floor(Date.now() / 1000);

/** The lines of a request with this token. */
const bearer = (token) => [`authorization: Bearer ${token}`];

/** Requests by the first cells of the tables: functions of a maker of tokens. */
const REQUESTS = {
  'a bad token': (token) => [bearer(token({}, {}, forgedKey(KEY))), bearer(token({ exp: now() - 60 })), bearer('opaque')],
  'a token of another issuer': (token) => [bearer(token({ iss: 'https://other.example.com' }))],
  "`scope: ['read']` and a token with `readonly`": (token) => [bearer(token({ scope: 'readonly' }))],
  'another scheme': (token) => [[`authorization: Basic ${token()}`]],
  '`Authorization: bearer …`, or with two spaces': (token) => [[`authorization: bearer ${token()}`], [`authorization: Bearer  ${token()}`]],
  '`Authorization: Bearer` with two spaces': (token) => [[`authorization: Bearer  ${token()}`]],
  'two `Authorization` fields': (token) => [[...bearer(token()), ...bearer('other')]],
  'a token in the query': (token) => [{ path: `/orders?access_token=${token()}` }],
  'a token with `scp` and no `scope`': (token) => [bearer(token({ scope: undefined, scp: 'orders:read read' }))],
  'a token without `exp`': (token) => [bearer(token({ exp: undefined }))],
  '`exp` a few seconds ago': (token) => [bearer(token({ exp: now() - 2 }))],
  '`iat` in the future': (token) => [bearer(token({ iat: now() + 60 }))],
  '`typ: dpop+jwt`, or any other kind of JWT': (token) => [bearer(token({}, { typ: 'dpop+jwt' })), bearer(token({}, { typ: 'logout+jwt' }))],
  'a claim that occurs twice in a token': (token) => [bearer(twice(token()))],
  'a token bound to a key (`cnf`), sent as `Bearer`': (token) => [bearer(token({ cnf: { jkt: 'A'.repeat(43) } }))],
  'unavailable keys': (token) => [bearer(token())],
};

/** The same token with another `sub` in front of its own. */
function twice(token) {
  const payload = Buffer.from(token.split('.')[1], 'base64url').toString();
  return mintText(KEY, payload.replace('{', '{"sub":"mallory",'));
}

for (const [section, { tables = [], modules = {} }] of Object.entries(SECTIONS)) {
  describe(section, () => {
    const blocks = blocksOf(section);
    const rows = [section, ...tables].flatMap(rowsOf).filter(({ label }) => label in REQUESTS);
    const [before, after] = [blocks.find(({ isBefore }) => isBefore), blocks.find(({ isBefore }) => !isBefore)];

    blocks.forEach((block, index) => {
      test(`block ${index + 1}, ${block.isBefore ? 'before' : 'after'}: good tokens pass, no others`, async (t) => {
        const { client, token } = await start(t, block, modules);
        const requests = [bearer(token()), [], bearer(token({}, {}, forgedKey(KEY))), bearer(token({ exp: now() - 60 }))];
        const statuses = await Promise.all(requests.map((lines) => statusOf(client, lines)));
        assert.equal(statuses[0], 200);
        assert.deepEqual(statuses.slice(1).filter((status) => ![401, 403].includes(status)), []);
      });
    });

    for (const { label, cells } of rows) {
      for (const [block, told] of [[before, cells[0]], [after, cells[1]]]) {
        test(`${block.isBefore ? 'before' : 'after'}, ${label}: ${told}`, async (t) => {
          const { client, server, token } = await start(t, block, modules);
          if (label === 'unavailable keys') {
            await server.stop();
          }
          for (const request of REQUESTS[label](token)) {
            const status = await statusOf(client, request);
            assert.ok(statusesIn(told).includes(status), `got ${status}`);
          }
        });
      }
    }
  });
}

test('each request is one of a table, and each table has some', () => {
  const labels = [...Object.keys(SECTIONS), BOTH].flatMap(rowsOf).map(({ label }) => label);
  assert.deepEqual(Object.keys(REQUESTS).filter((label) => !labels.includes(label)), []);
  for (const [section, { tables = [] }] of Object.entries(SECTIONS)) {
    assert.ok([section, ...tables].flatMap(rowsOf).filter(({ label }) => label in REQUESTS).length >= 9, section);
  }
});

test('the tables for @fastify/jwt and jose tell the form of refusals', async (t) => {
  for (const [section, code] of [['From @fastify/jwt with get-jwks', 'FST_JWT_NO_AUTHORIZATION_IN_HEADER'], ['From jose by hand', undefined]]) {
    const [before, after] = await Promise.all(blocksOf(section).slice(0, 2).map(async (block) => (await start(t, block)).client.get(undefined, '/orders')));
    assert.deepEqual([before.challenges, after.challenges], [[], ['Bearer']]);
    assert.equal(after.body, '');
    assert.equal(code, code && JSON.parse(before.body).code);
  }
});

test('the second example of get-jwks accepts the tokens of every issuer, the plugin does not', async (t) => {
  const mallory = await AuthorizationServer.start(t, [KEY]);
  const [, after, careless] = blocksOf('From @fastify/jwt with get-jwks');
  for (const [block, status] of [[careless, 200], [after, 401]]) {
    const { client, token } = await start(t, block);
    assert.equal(await statusOf(client, bearer(token({ iss: mallory.issuer }))), status);
  }
});

test('@fastify/jwt for tokens of its own and the plugin work in one app', async (t) => {
  const app = require('fastify')();
  atEnd(t, () => app.close());
  await app.register(require('@fastify/jwt'), { secret: 'a secret of the app' });
  await app.register(require('portcullis/fastify'), { keys: localKeys({ keys: [KEY.jwk] }) });
  app.get('/', async (request, reply) => reply.jwtSign({ sub: request.claims.sub }));
  const { body } = await app.inject({ url: '/', headers: { authorization: `Bearer ${mint(KEY)}` } });
  assert.equal(app.jwt.verify(body).sub, 'alice');
});

/** The statuses in a cell of a table. */
function statusesIn(told) {
  return [...(/passes/.test(told) ? [200] : []), ...(told.match(/\b[45]\d\d\b/g) ?? []).map(Number)];
}

async function statusOf(client, request) {
  const { path = '/orders', lines = [] } = Array.isArray(request) ? { lines: request } : request;
  return (await client.raw(`GET ${path} HTTP/1.1`, ...lines)).status;
}

/** Starts an authorization server, and the app of a block with its addresses; `token` makes tokens that pass unless they are changed. */
async function start(t, { code }, modules) {
  const server = await AuthorizationServer.start(t, [KEY]);
  const claims = { iss: server.issuer, aud: AUDIENCE, scope: 'orders:read read', role: 'admin' };
  const token = (changed, header, key = KEY) => mint(key, { ...claims, ...changed }, header);
  return { server, token, client: await serve(t, await handlerOf(t, code, server, modules)) };
}

/** Runs a block with the addresses of a server in place of those on the page; returns the handler of its app. */
async function handlerOf(t, code, server, modules) {
  const app = express().set('env', 'test');
  const router = express.Router();
  const orders = (req, res) => res.json({ sub: (req.claims ?? req.auth?.payload ?? req.user).sub });
  const redis = { get: async () => null, set: async () => {} };
  const given = { ...MODULES, ...modules };
  const names = { app, router, orders, redis, require: (name) => given[name] ?? require(name) };
  const local = code.replaceAll('https://login.example.com', server.issuer).replaceAll('https://myoauthserver.com/auth/jwks', server.jwksUri);
  const run = new vm.Script(`(async (${Object.keys(names)}) => {{\n${local}\nreturn app;\n}})`).runInThisContext();
  const made = await run(...Object.values(names));
  if (made === app) {
    return app.use(router).get('/orders', orders);
  }
  await made.ready();
  return made.server;
}

/** The blocks of a section, in order. */
function blocksOf(section) {
  const found = sectionOf(section).matchAll(/^```js( before)?\n([^]*?)^```$/gm);
  return [...found].map(([, before, code]) => ({ isBefore: before !== undefined, code }));
}

/** The rows of the tables of a section that compare both packages. */
function rowsOf(section) {
  const tables = sectionOf(section).trim().split('\n\n').filter((part) => part.startsWith('| | '));
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(2));
  return rows.map((row) => row.slice(2, -2).split(' | ')).map(([label, ...cells]) => ({ label, cells }));
}

function sectionOf(heading) {
  return PAGE.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
}

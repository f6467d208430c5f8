'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { test } = require('node:test');
const tls = require('node:tls');

const { EXPRESS } = require('./support/apps.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');

const ROOT = path.join(__dirname, '..', '..', '..');
const BOOK = path.join(ROOT, 'docs', 'providers');
const SHAPES = path.join(ROOT, 'crates', 'portcullis-testkit', 'src', 'provider');

/** The shapes of blocks that are not named after theirs. */
const SHAPE_OF = { entra_tenants: 'entra_v2', curity_jwt: 'curity' };

/** The date at which the sample tokens were issued, in seconds: 1 January 2026. */
const ISSUED = 1_767_225_600;

const [authority, cert, keyOfServer] = ['authority', 'certificate', 'key'].map((name) =>
  fs.readFileSync(path.join(__dirname, 'support', 'tls', `${name}.pem`)),
);

/** A stand-in for a provider: every TLS connection of this process leads there, whatever name it is for. */
async function standIn(t, name) {
  const shape = JSON.parse(fs.readFileSync(path.join(SHAPES, `${name}.json`), 'utf8'));
  const key = newKey(shape.header.alg, shape.header.kid);
  const jwk = Object.fromEntries(Object.entries({ ...key.jwk, ...shape.key }).filter(([, value]) => value !== null));
  const documents = documentsOf(shape, { keys: [jwk] });
  const server = https.createServer({ cert, key: keyOfServer }, (request, response) => {
    const found = documents.get(`https://${request.headers.host}${request.url}`);
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { connect } = tls;
  const there = { host: '127.0.0.1', port: server.address().port, ca: authority, checkServerIdentity: () => undefined };
  tls.connect = (options, ...rest) => connect({ ...options, ...there }, ...rest);
  atEnd(t, () => {
    tls.connect = connect;
    server.close();
    server.closeAllConnections();
  });
  return { key, token: (changes = {}) => mint(key, { sub: undefined, ...datedNow(shape.claims), ...changes }, headerOf(shape)) };
}

/** The documents by their URLs. */
function documentsOf({ issuer, metadata, jwks_uri: uri }, keys) {
  const documents = new Map([[metadata?.jwks_uri ?? uri, keys]]);
  if (metadata !== undefined) {
    documents.set(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, metadata);
  }
  return documents;
}

function headerOf({ header }) {
  return { typ: undefined, kid: undefined, ...header };
}

function datedNow(claims) {
  const passed = Math.floor(Date.now() / 1000) - ISSUED;
  const dates = ['iat', 'nbf', 'exp', 'auth_time'].filter((name) => typeof claims[name] === 'number');
  return { ...claims, ...Object.fromEntries(dates.map((name) => [name, claims[name] + passed])) };
}

/** The blocks of all pages: `[page, label, code]`. */
function blocks() {
  return fs.readdirSync(BOOK).flatMap((page) => {
    const text = fs.readFileSync(path.join(BOOK, page), 'utf8');
    return [...text.matchAll(/```js (\w+)\n(.*?)```/gs)].map(([, label, code]) => [page, label, code]);
  });
}

/** The modules of a block; the files of other machines are those of the stand-in. */
function modules(key) {
  const read = (file) => (file.endsWith('ca.crt') ? authority : key.pem);
  const standIns = { 'node:fs': { readFileSync: read }, 'node:fs/promises': { readFile: async () => 'a token' } };
  return (name) => standIns[name] ?? require(name);
}

for (const [page, label, code] of blocks()) {
  test(`${page}: the block ${label} lets the token of its provider pass, and no other`, async (t) => {
    const provider = await standIn(t, SHAPE_OF[label] ?? label);
    const app = EXPRESS[5]();
    new Function('require', 'app', code)(modules(provider.key), app);
    app.get('/orders', (req, res) => res.json(req.claims));
    const client = await serve(t, app);
    const good = await client.get(provider.token(), '/orders');
    assert.equal(good.status, 200, good.body);
    const expired = await client.get(provider.token({ exp: ISSUED }), '/orders');
    assert.equal(expired.status, 403);
    assert.equal((await client.get(undefined, '/orders')).status, 401);
  });
}

test('each page has a block for Node', () => {
  const pages = fs.readdirSync(BOOK).filter((page) => page !== 'README.md');
  assert.deepEqual([...new Set(blocks().map(([page]) => page))].sort(), pages.sort());
});

'use strict';

const assert = require('node:assert/strict');
const { createHash, X509Certificate } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs/promises');
const https = require('node:https');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { test } = require('node:test');

const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');

const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'sender-constrained.md');
const KEY = newKey();
const NONCE = 'a-nonce-of-the-authorization-server';

/** Runs the block of the page with this text, and returns the value of the expression; the hosts of the page are those of `urls`. */
async function blockWith(part, expression, urls) {
  const page = await fs.readFile(PAGE, 'utf8');
  const found = [...page.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code).filter((code) => code.includes(part));
  assert.equal(found.length, 1, part);
  const code = Object.entries(urls).reduce((code, [url, actual]) => code.replaceAll(url, actual), found[0]);
  return new Function('require', `${code}\nreturn ${expression};`)(require);
}

const parsed = (part) => JSON.parse(Buffer.from(part, 'base64url'));

/** The thumbprint of a P-256 key (RFC 7638). */
function thumbprint({ crv, kty, x, y }) {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** An authorization server that binds tokens to the key of the proof, and asks for a nonce. */
function authorizationServer(asked) {
  return async (request, response) => {
    const answer = (status, body, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (request.url === '/jwks') {
      return answer(200, { keys: [KEY.jwk] });
    }
    const [header, payload] = request.headers.dpop.split('.', 2).map(parsed);
    asked.push([request.url, new URLSearchParams(await text(request)).get('grant_type'), payload.nonce]);
    if (payload.nonce !== NONCE) {
      return answer(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': NONCE });
    }
    const claims = { iss: `http://${request.headers.host}`, aud: 'https://api.example.com', scope: 'orders:read', sub: 'shop' };
    return answer(200, { token_type: 'DPoP', access_token: mint(KEY, { ...claims, cnf: { jkt: thumbprint(header.jwk) } }) });
  };
}

test("docs/sender-constrained.md: the page's client passes at the page's server, and a thief of its requests does not", async (t) => {
  const [asked, seen] = [[], []];
  const as = `http://127.0.0.1:${(await serve(t, authorizationServer(asked))).port}`;
  let app;
  const { port } = await serve(t, (request, response) => {
    seen.push(request.headers);
    return app(request, response);
  });
  const api = `http://127.0.0.1:${port}`;
  const audience = "audience: 'https://api.example.com'";
  // The audience stays; the URLs are those of the test.
  const urls = { [audience]: 'audience: AUDIENCE', 'https://as.example.com': as, 'https://api.example.com': api, 'AUDIENCE': "'https://api.example.com'" };
  app = await blockWith('publicUrl', 'app', urls);
  const orders = await blockWith('generateProof', 'orders', urls);

  const response = await orders();
  assert.deepEqual([response.status, await response.json()], [200, { of: 'shop' }]);
  assert.deepEqual(asked, [['/token', 'client_credentials', undefined], ['/token', 'client_credentials', NONCE]]);

  const [{ authorization, dpop }] = seen;
  const stolen = (headers) => fetch(`${api}/orders`, { headers }).then(({ status }) => status);
  assert.equal(await stolen({ authorization, dpop }), 401);
  assert.equal(await stolen({ authorization }), 401);
  assert.equal(await stolen({ authorization: authorization.replace('DPoP', 'Bearer') }), 401);
});

test("docs/sender-constrained.md: the page's server with TLS lets a bound token pass with its certificate alone", async (t) => {
  const as = `http://127.0.0.1:${(await serve(t, authorizationServer([]))).port}`;
  const app = await blockWith('requestCert', 'app', { 'https://as.example.com': as });
  app.use((req, res) => res.json(req.claims.sub));
  const [own, other] = await Promise.all(['client', 'other-client'].map(certificate));
  const options = { ...own, requestCert: true, rejectUnauthorized: false };
  const { port } = await serve(t, https.createServer(options, app));

  const status = async (token, presented) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = https.get({ host: '127.0.0.1', port, headers, agent: false, rejectUnauthorized: false, ...presented });
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode;
  };
  const claims = { iss: as, aud: 'https://api.example.com', sub: 'shop' };
  const bound = mint(KEY, { ...claims, cnf: { 'x5t#S256': createHash('sha256').update(new X509Certificate(own.cert).raw).digest('base64url') } });
  assert.equal(await status(bound, own), 200);
  assert.equal(await status(bound, other), 401);
  assert.equal(await status(bound), 401);
  assert.equal(await status(mint(KEY, claims), own), 401);
});

/** A key and its certificate. */
async function certificate(name) {
  const read = (file) => fs.readFile(path.join(__dirname, 'support', 'tls', file));
  return { key: await read(`${name}-key.pem`), cert: await read(`${name}.pem`) };
}

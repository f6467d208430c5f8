'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs/promises');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { brotliCompressSync, deflateSync, gzipSync } = require('node:zlib');

const { discovery, getSimpleJwksService, InMemoryCache, jwksService, secure } = require('portcullis');
const { version } = require('../package.json');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { run } = require('./support/child.js');
const { atEnd } = require('./support/cleanup.js');
const { serve } = require('./support/http.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const WHO = `portcullis/${version}`;
const TLS = path.join(__dirname, 'support', 'tls');

/** The first version of Node whose own clients use the proxies of the environment. */
const KNOWS_PROXIES = 24;

/** The values of a field in each request. */
function valuesOf(server, name) {
  return server.requests.map(({ headers }) => headers[name]);
}

/** A server that sends the keys to requests with this field, and 403 to all others. */
async function guarded(t, name, pattern) {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.fail((request, response) => {
    const isLet = pattern().test(request.headers[name] ?? '');
    response.writeHead(isLet ? 200 : 403).end(JSON.stringify({ keys: [KEY.jwk] }));
  });
  return server;
}

describe('each request', () => {
  test('says who asks, and asks for what is not compressed', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const module = { get: (url, options, answered) => http.get(url, options, answered) };
    const services = [
      getSimpleJwksService(server.jwksUri),
      getSimpleJwksService(server.jwksUri, { client: { headers: { 'x-tenant': 'a' } } }),
      jwksService(new InMemoryCache(), server.jwksUri, module),
      discovery({ issuer: server.issuer }),
    ];
    await Promise.all(services.map((service) => service.refresh()));
    assert.equal(server.requests.length, 5);
    assert.deepEqual([...new Set(valuesOf(server, 'user-agent'))], [WHO]);
    assert.deepEqual([...new Set(valuesOf(server, 'accept-encoding'))], ['identity']);
  });

  test('says so to the metadata of RFC 8414, too', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    server.fail((request, response) => {
      const isFound = request.url === '/.well-known/oauth-authorization-server';
      const metadata = { issuer: server.issuer, jwks_uri: server.jwksUri };
      response.writeHead(isFound ? 200 : 404).end(JSON.stringify(metadata), () => isFound && server.recover());
    });
    await discovery({ issuer: server.issuer }).refresh();
    assert.deepEqual(valuesOf(server, 'user-agent'), [WHO, WHO, WHO]);
  });

  test('passes a firewall that lets in nobody without a name', async (t) => {
    const server = await guarded(t, 'user-agent', () => /^[a-z]+\/[0-9.]+$/);
    const { claims } = await secure(getSimpleJwksService(server.jwksUri)).verify(mint(KEY));
    assert.equal(claims.sub, 'alice');
  });

  test('has the fields of yours, in whatever case, before ours', async (t) => {
    const fields = { 'User-Agent': 'shop/2', 'ACCEPT-ENCODING': 'gzip', 'x-tenant': 'a' };
    const forms = [fields, new Headers(fields), new Map(Object.entries(fields)), () => fields, async () => fields];
    for (const headers of forms) {
      const server = await AuthorizationServer.start(t, [KEY]);
      const client = { headers };
      await getSimpleJwksService(server.jwksUri, { client }).refresh();
      await discovery({ issuer: server.issuer, client }).refresh();
      assert.deepEqual([...new Set(valuesOf(server, 'user-agent'))], ['shop/2']);
      assert.deepEqual([...new Set(valuesOf(server, 'accept-encoding'))], ['gzip']);
      assert.deepEqual([...new Set(valuesOf(server, 'x-tenant'))], ['a']);
    }
  });
});

describe('fields of yours', () => {
  test('that a function gives are asked for at each fetch: a token in a file may rotate', async (t) => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'portcullis-'));
    atEnd(t, () => fs.rm(directory, { recursive: true }));
    const file = path.join(directory, 'token');
    let current = 'first';
    const server = await guarded(t, 'authorization', () => new RegExp(`^Bearer ${current}$`));
    const headers = async () => ({ authorization: `Bearer ${(await fs.readFile(file, 'utf8')).trim()}` });
    const service = getSimpleJwksService(server.jwksUri, { client: { headers } });
    for (current of ['first', 'second']) {
      await fs.writeFile(file, `${current}\n`);
      await service.refresh();
    }
    assert.deepEqual(valuesOf(server, 'authorization'), ['Bearer first', 'Bearer second']);
    await fs.rm(file);
    await assert.rejects(service.refresh(), /ENOENT/);
    assert.equal((await secure(service).verify(mint(KEY))).claims.sub, 'alice', 'the keys at hand stay in use');
  });

  test('that are none keep the keys away, and are told without their values', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const table = [
      [() => { throw new Error('mine'); }, /mine/],
      [async () => { throw new Error('mine'); }, /mine/],
      [() => undefined, /client\.headers/],
      [() => null, /client\.headers/],
      [() => 'authorization: s3cret', /client\.headers/],
      [() => ['authorization', 's3cret'], /client\.headers/],
      [() => ({ authorization: 'Bearer s3cret\n' }), /authorization/],
      [() => ({ 'no name': 's3cret' }), /no name/],
    ];
    for (const [headers, pattern] of table) {
      const service = getSimpleJwksService(server.jwksUri, { client: { headers } });
      const error = await failure(service.refresh());
      assert.match(error.message, pattern);
      assert.doesNotMatch(`${error.message} ${JSON.stringify(service.status())}`, /s3cret/);
      assert.equal((await failure(secure(service).verify(mint(KEY)))).code, 'keys_unavailable');
    }
    assert.equal(server.requests.length, 0);
    for (const headers of [null, 7, 'authorization: s3cret', ['authorization', 's3cret'], true]) {
      assert.throws(() => getSimpleJwksService(server.jwksUri, { client: { headers } }), (error) => {
        return error instanceof TypeError && /client\.headers/.test(error.message) && !/s3cret/.test(error.message);
      });
    }
  });

  test('a function that never answers: the request has its 503 when the time is over', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const client = { headers: () => new Promise(() => {}) };
    const service = getSimpleJwksService(server.jwksUri, { client, timeout: 0.05 });
    assert.equal((await failure(secure(service).verify(mint(KEY)))).code, 'keys_unavailable');
    assert.equal(server.requests.length, 0);
  });

  test('go to the origin that you have named, and not where its metadata point', async (t) => {
    const [named, other] = [await AuthorizationServer.start(t), await AuthorizationServer.start(t, [KEY])];
    named.metadata = { jwks_uri: other.jwksUri };
    const asked = [];
    const secret = { authorization: 'Bearer s3cret', 'x-api-key': 's3cret', 'user-agent': 'shop/2' };
    const forms = [
      { headers: secret },
      { headers: new Headers(secret) },
      { headers: () => (asked.push('headers'), secret) },
      { auth: 'user:s3cret' },
    ];
    for (const client of forms) {
      await discovery({ issuer: named.issuer, client }).refresh();
      assert.match(JSON.stringify(named.requests.pop().headers), /s3cret|dXNlcjpzM2NyZXQ=/);
      const { headers } = other.requests.pop();
      assert.doesNotMatch(JSON.stringify(headers), /s3cret|dXNlcjpzM2NyZXQ=/);
      assert.equal(headers['user-agent'], WHO);
    }
    assert.deepEqual(asked, ['headers']);
  });
});

test('timeout: an endpoint may take as long as you say', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  let answer;
  server.fail((request, response) => (answer = () => response.end(JSON.stringify({ keys: [KEY.jwk] }))));
  const verdict = (timeout) => secure(getSimpleJwksService(server.jwksUri, { timeout })).verify(mint(KEY));
  assert.equal((await failure(verdict(0.05))).code, 'keys_unavailable');
  const patient = [verdict(60), server.asked()];
  await patient[1];
  answer();
  assert.equal((await patient[0]).claims.sub, 'alice');
});

test('an answer that is no key set is named for what it is', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const jwks = JSON.stringify({ keys: [KEY.jwk] });
  const table = [
    [/HTML/, '<!doctype html><html><body>Sign in</body></html>'],
    [/XML/, '<?xml version="1.0"?><keys/>'],
    [/compressed/, gzipSync(jwks), { 'content-encoding': 'gzip' }],
    [/compressed/, brotliCompressSync(jwks), { 'content-encoding': 'br' }],
    [/compressed/, deflateSync(jwks), { 'content-encoding': 'deflate' }],
    [/compressed/, gzipSync(jwks)],
    [/UTF-16/, Buffer.from(`\ufeff${jwks}`, 'utf16le')],
    [/empty|nothing/, ''],
  ];
  for (const [pattern, body, headers = {}] of table) {
    server.fail((request, response) => response.writeHead(200, headers).end(body));
    for (const service of [getSimpleJwksService(server.jwksUri), discovery({ issuer: server.issuer })]) {
      assert.match((await failure(service.refresh())).message, pattern);
    }
  }
});

describe('a certificate authority of your own', () => {
  async function start(t, isLet = () => true) {
    const [key, cert, ca] = await Promise.all(
      ['key.pem', 'certificate.pem', 'authority.pem'].map((file) => fs.readFile(path.join(TLS, file))),
    );
    const answer = (request, response) => {
      response.writeHead(isLet(request) ? 200 : 401).end(JSON.stringify({ keys: [KEY.jwk] }));
    };
    const { port } = await serve(t, https.createServer({ key, cert }, answer));
    return { ca, uri: `https://localhost:${port}/jwks` };
  }

  test('is trusted where it is named, and nowhere else', async (t) => {
    const { ca, uri } = await start(t);
    const error = await failure(getSimpleJwksService(uri).refresh());
    assert.match(error.message, /certificate/);
    for (const client of [{ ca }, { agent: new https.Agent({ ca, keepAlive: false }) }]) {
      const guard = secure(getSimpleJwksService(uri, { client }));
      assert.equal((await guard.verify(mint(KEY))).claims.sub, 'alice');
    }
    await assert.rejects(getSimpleJwksService(uri).refresh(), /certificate/);
  });

  test('serves a Kubernetes cluster, whose endpoint wants a token, too', async (t) => {
    const { ca, uri } = await start(t, ({ headers }) => headers.authorization === 'Bearer of-the-pod');
    const headers = async () => ({ authorization: 'Bearer of-the-pod' });
    const cluster = { issuer: 'https://kubernetes.default.svc.cluster.local', audience: 'orders' };
    const token = mint(KEY, { iss: cluster.issuer, aud: ['orders'] }, { typ: undefined });
    const guard = secure(getSimpleJwksService(uri, { client: { ca, headers } }), cluster);
    assert.equal((await guard.verify(token)).claims.sub, 'alice');
    await assert.rejects(getSimpleJwksService(uri, { client: { ca } }).refresh(), /401/);
  });
});

describe('a proxy', () => {
  const ISSUER = 'http://as.example.com';
  const URI = `${ISSUER}/jwks`;

  /** A proxy that answers with metadata and keys itself, and records requests. */
  async function start(t) {
    const asked = [];
    const { port } = await serve(t, (request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify(request.url === URI ? { keys: [KEY.jwk] } : { issuer: ISSUER, jwks_uri: URI }));
    });
    return { asked, port };
  }

  test('is asked where an agent goes through it', async (t) => {
    const { asked, port } = await start(t);
    const agent = new http.Agent();
    agent.addRequest = function addRequest(request, options) {
      request.path = `http://${options.host}${request.path}`;
      return http.Agent.prototype.addRequest.call(this, request, { ...options, host: '127.0.0.1', port });
    };
    const options = { client: { agent }, dangerouslyAllowHttp: true };
    await getSimpleJwksService(URI, options).refresh();
    await discovery({ issuer: ISSUER, ...options }).refresh();
    assert.deepEqual(asked, [URI, `${ISSUER}/.well-known/openid-configuration`, URI]);
  });

  const isKnown = Number.parseInt(process.versions.node, 10) >= KNOWS_PROXIES;
  const skip = isKnown ? false : `needs Node ${KNOWS_PROXIES}`;
  const SCRIPT = `
    const { Agent } = require('node:http');
    const { discovery, getSimpleJwksService } = require('portcullis');
    const { issuer, uri, hasAgent } = JSON.parse(process.argv[1]);
    const client = hasAgent ? { agent: new Agent({ proxyEnv: process.env }) } : undefined;
    const options = { client, dangerouslyAllowHttp: true };
    const services = [getSimpleJwksService(uri, options), discovery({ issuer, ...options })];
    const all = Promise.all(services.map((service) => service.refresh()));
    all.then(() => console.log('fetched'), ({ message }) => console.log(message));`;

  for (const [how, hasAgent, env] of [
    ['NODE_USE_ENV_PROXY says so', false, { NODE_USE_ENV_PROXY: '1' }],
    ['an agent says so', true, {}],
  ]) {
    test(`of the environment is asked where ${how}`, { skip }, async (t) => {
      const { asked, port } = await start(t);
      const proxy = { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '' };
      const { stdout } = await run(t, SCRIPT, { issuer: ISSUER, uri: URI, hasAgent }, [], { ...proxy, ...env });
      assert.equal(stdout.trim(), 'fetched');
      assert.deepEqual(asked.sort(), [`${ISSUER}/.well-known/openid-configuration`, URI, URI]);
    });
  }
});

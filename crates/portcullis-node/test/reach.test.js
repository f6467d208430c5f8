'use strict';

const assert = require('node:assert/strict');
const dns = require('node:dns');
const http = require('node:http');
const net = require('node:net');
const { describe, test } = require('node:test');

const { discovery, getSimpleJwksService, secure } = require('portcullis');
const { AuthorizationServer } = require('./support/authorization-server.js');
const { atEnd } = require('./support/cleanup.js');
const { mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const ISSUER = 'http://as.example.com';
const OUT_OF_REACH = /a network that the issuer itself is not in/;

const portOf = (server) => Number(new URL(server.issuer).port);

/** A lookup like `dns.lookup` that uses this table and records the names. */
function lookupBy(table, form = 'all') {
  const lookup = (name, options, callback) => {
    lookup.asked.push(name);
    const found = table[name].map((address) => ({ address, family: net.isIP(address) }));
    return form === 'all' ? callback(null, found) : callback(null, found[0].address, found[0].family);
  };
  return Object.assign(lookup, { asked: [] });
}

/**
 * An issuer that seems to be outside: its server is on this machine, but connections are made as by a proxy. Its metadata
 * have `jwksUri`.
 */
async function outside(t, jwksUri) {
  const server = await AuthorizationServer.start(t);
  server.metadata = { issuer: ISSUER, jwks_uri: jwksUri };
  const { createConnection } = http.Agent.prototype;
  http.Agent.prototype.createConnection = function connect(options, done) {
    const isIssuer = options.host === 'as.example.com';
    return isIssuer ? net.connect(portOf(server), '127.0.0.1') : createConnection.call(this, options, done);
  };
  atEnd(t, () => (http.Agent.prototype.createConnection = createConnection));
  return (client) => discovery({ issuer: ISSUER, client, dangerouslyAllowHttp: true });
}

describe('keys at an address that an issuer\'s metadata choose', () => {
  const INNER = [
    ['127.0.0.1'], ['127.9.9.9'], ['::1'], ['::ffff:127.0.0.1'], ['0.0.0.0'], ['169.254.169.254'], ['10.0.0.1'], ['192.168.0.1'],
    ['172.16.0.1'], ['100.64.0.1'], ['fd00:ec2::254'], ['fe80::1'], ['224.0.0.1'], ['64:ff9b::7f00:1'], ['10.0.0.1', '127.0.0.1'],
  ];

  test('are not fetched from farther in than the issuer is, whatever name stands for it', async (t) => {
    const inner = await AuthorizationServer.start(t, [KEY]);
    const start = await outside(t, `http://keys.example.com:${portOf(inner)}/jwks`);
    for (const addresses of INNER) {
      for (const form of ['all', 'one']) {
        const lookup = lookupBy({ 'keys.example.com': addresses }, form);
        const service = start(form === 'all' ? { lookup } : { lookup, agent: new http.Agent() });
        assert.match((await failure(service.refresh())).message, OUT_OF_REACH, addresses.join());
        assert.ok(lookup.asked.includes('keys.example.com'));
        assert.equal((await failure(secure(service).verify(mint(KEY, { iss: ISSUER })))).code, 'keys_unavailable');
      }
    }
    assert.equal(inner.counts.jwks, 0);
  });

  test('are not fetched by an address in the URL, either', async (t) => {
    const inner = await AuthorizationServer.start(t, [KEY]);
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '[::ffff:127.0.0.1]']) {
      const start = await outside(t, `http://${host}:${portOf(inner)}/jwks`);
      assert.match((await failure(start().refresh())).message, OUT_OF_REACH, host);
    }
    assert.equal(inner.counts.jwks, 0);
  });

  test('are judged at each fetch: a name that changes gains nothing', async (t) => {
    const inner = await AuthorizationServer.start(t, [KEY]);
    const start = await outside(t, `http://keys.example.com:${portOf(inner)}/jwks`);
    const table = { 'keys.example.com': ['127.0.0.1'] };
    const service = start({ lookup: lookupBy(table) });
    for (const addresses of [['169.254.169.254'], ['127.0.0.1'], ['10.0.0.1']]) {
      table['keys.example.com'] = addresses;
      assert.match((await failure(service.refresh())).message, OUT_OF_REACH);
    }
    assert.equal(inner.counts.jwks, 0);
  });

  test('are not fetched by a connection that somebody else has made and kept open', async (t) => {
    const inner = await AuthorizationServer.start(t, [KEY]);
    const lookup = lookupBy({ 'keys.example.com': ['127.0.0.1'] });
    const agent = new http.Agent({ keepAlive: true });
    const globalAgent = http.globalAgent;
    atEnd(t, () => {
      http.globalAgent = globalAgent;
      agent.destroy();
    });
    http.globalAgent = agent;
    const url = `http://keys.example.com:${portOf(inner)}/jwks`;
    await new Promise((resolve, reject) => {
      http.get(url, { lookup }, (answer) => answer.resume().on('end', () => setImmediate(resolve))).on('error', reject);
    });
    assert.equal(inner.counts.jwks, 1);
    const start = await outside(t, url);
    t.mock.method(dns, 'lookup', lookup);
    for (const client of [{ lookup }, undefined, http]) {
      assert.match((await failure(start(client).refresh())).message, OUT_OF_REACH);
    }
    assert.equal(inner.counts.jwks, 1);
  });

  test('are fetched from the issuer\'s own kind of address, and from its own origin', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const port = portOf(server);
    const names = { 'as.example.com': ['127.0.0.1'], 'keys.example.com': ['127.0.0.1'] };
    const issuer = `http://as.example.com:${port}`;
    for (const host of ['as.example.com', 'keys.example.com', '127.0.0.1']) {
      for (const form of ['all', 'one']) {
        server.metadata = { issuer, jwks_uri: `http://${host}:${port}/jwks` };
        const client = { lookup: lookupBy(names, form) };
        const service = discovery({ issuer, client, dangerouslyAllowHttp: true });
        const guard = secure(service);
        assert.equal((await guard.verify(mint(KEY, { iss: issuer }))).claims.sub, 'alice', host);
        await service.refresh();
      }
    }
  });

  test('are fetched from the issuer\'s own origin, also where nobody can tell its address', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const lookup = lookupBy({ 'as.example.com': ['127.0.0.1'], 'keys.example.com': ['127.0.0.1'] });
    const issuer = `http://as.example.com:${portOf(server)}`;
    const module = {
      get(url, options, answered) {
        const withoutSocket = (response) => answered(Object.create(response, { socket: { value: undefined } }));
        return http.get(url, { ...options, agent: false }, withoutSocket);
      },
    };
    t.mock.method(dns, 'lookup', lookup);
    for (const [host, isFetched] of [['as.example.com', true], ['keys.example.com', false]]) {
      server.metadata = { issuer, jwks_uri: `http://${host}:${portOf(server)}/jwks` };
      const fetched = discovery({ issuer, client: module, dangerouslyAllowHttp: true }).refresh();
      await (isFetched ? fetched : assert.rejects(fetched, OUT_OF_REACH));
    }
  });

  test('are fetched where an operator has named them', async (t) => {
    const server = await AuthorizationServer.start(t, [KEY]);
    const client = { lookup: lookupBy({ 'keys.example.com': ['127.0.0.1'] }) };
    const uri = `http://keys.example.com:${portOf(server)}/jwks`;
    const service = getSimpleJwksService(uri, { client, dangerouslyAllowHttp: true });
    assert.equal((await secure(service).verify(mint(KEY))).claims.sub, 'alice');
  });

  test('are held to it with a module as the client, too', async (t) => {
    const inner = await AuthorizationServer.start(t, [KEY]);
    const server = await AuthorizationServer.start(t);
    const issuer = ISSUER;
    server.metadata = { issuer, jwks_uri: `http://localhost.example.com:${portOf(inner)}/jwks` };
    const module = {
      get(url, options, answered) {
        const isMetadata = url.startsWith(issuer);
        return http.get(isMetadata ? url.replace(issuer, server.issuer) : url.replace('.example.com', ''), options, answered);
      },
    };
    const service = discovery({ issuer, client: module, dangerouslyAllowHttp: true });
    assert.match((await failure(service.refresh())).message, OUT_OF_REACH);
    assert.equal(inner.counts.jwks, 0);
  });
});

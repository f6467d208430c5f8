'use strict';

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const { Readable } = require('node:stream');
const { setImmediate: turn } = require('node:timers/promises');

const express = require('express');
const { getSimpleJwksService, localKeys, mcp, protectedResource, secure, setLogger } = require('portcullis');
const { DpopClient } = require('./dpop.js');
const { mint, mintText, newKey, newSecret } = require('./tokens.js');

const KEY = newKey();
const JWKS = { keys: [KEY.jwk] };
const ISSUER = 'https://as.example.com';
const RESOURCE = 'https://mcp.example.com/mcp';
const MEBIBYTE = 1024 * 1024;

/** Returns true if a request with this token passes; request and response have only the properties that the middleware reads. */
function pass(guard, token) {
  return new Promise((resolve) => {
    const authorization = `Bearer ${token}`;
    const req = { headers: { authorization }, rawHeaders: ['Authorization', authorization] };
    const res = { headersSent: false, writableEnded: false, setHeader() {}, end: () => resolve(false) };
    guard(req, res, (error) => resolve(error === undefined));
  });
}

function expectTo(pass, what) {
  if (!pass) {
    throw new Error(`expected ${what} to succeed`);
  }
}

/** Returns a function that sends a request with a proof that a guard accepts. */
function proofsFor(guard) {
  const client = new DpopClient();
  const token = mint(KEY, client.bound);
  const url = '/a';
  let nonce;
  const ask = async () => {
    const headers = client.fields(token, client.proof({ url: ISSUER + url, token, nonce }));
    const access = await guard.verifyRequest({ method: 'GET', url, headers });
    nonce = access.dpopNonce;
  };
  return () => ask().catch((refusal) => {
    nonce = refusal.headers['dpop-nonce'];
    return ask();
  });
}

const { load, warmUp, count, collects } = JSON.parse(process.argv[2]);

/** The work: each returns a function that does it `count` times. */
const LOADS = {
  'guards of one service'() {
    const service = localKeys(JWKS);
    const token = mint(KEY);
    return repeat(async (index) => expectTo(await pass(secure(service, { realm: `r${index}` }), token), 'a guard'));
  },
  'guards of one service with options of their own'() {
    const service = localKeys(JWKS);
    const token = mint(KEY, { aud: 'a' });
    return repeat(async (index) => {
      const guard = secure(service, { audience: ['a', `b${index}`] });
      expectTo(await pass(guard, token), 'a guard');
    });
  },
  'guards of services of their own'() {
    const token = mint(KEY);
    return repeat(async (index) => {
      expectTo(await pass(secure(localKeys(JWKS)), token), 'a guard');
      secure(getSimpleJwksService(`http://127.0.0.1:1/${index}`));
    });
  },
  'guards that ask getKey'() {
    const token = mint(KEY);
    return repeat(async () => {
      const { claims } = await secure(() => KEY.publicKey).verify(token);
      expectTo(claims.sub === 'alice', 'a guard');
    });
  },
  'resources of their own'() {
    const token = mint(KEY, { iss: ISSUER, aud: RESOURCE });
    return repeat(async (index) => {
      const { guard } = protectedResource({ resource: RESOURCE, issuer: ISSUER, jwks: localKeys(JWKS) });
      expectTo(await pass(guard({ realm: `r${index}` }), token), 'a guard');
    });
  },
  'guards of one MCP server'() {
    const tools = [{ name: 'delete_*', scope: 'write' }];
    const { guard } = mcp({ resource: RESOURCE, issuer: ISSUER, jwks: localKeys(JWKS), tools });
    const authorization = `Bearer ${mint(KEY, { iss: ISSUER, aud: RESOURCE, scope: 'read write' })}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}';
    return repeat(async (index) => {
      const request = new Request(RESOURCE, { method: 'POST', headers, body });
      const { claims } = await guard({ realm: `r${index}`, scope: 'read' }).verifyRequest(request);
      expectTo(claims.sub === 'alice', 'a message');
    });
  },
  'requests'() {
    const guard = secure(localKeys(JWKS), { claims: [{ name: 'sub', value: (sub) => sub !== 'mallory' }] });
    const good = Array.from({ length: 500 }, (_, index) => mint(KEY, { jti: String(index) }));
    const bad = ['opaque', 'a.b.c', mint(KEY, { exp: 1 }), mint(KEY, { sub: 'mallory' })];
    return repeat(async (index) => {
      const isBad = index % 10 === 0;
      const token = isBad ? bad[(index / 10) % bad.length] : good[index % good.length];
      expectTo(await pass(guard, token) === !isBad, 'a request');
    });
  },
  'requests with proofs'() {
    const guard = secure(localKeys(JWKS), { dpop: { publicUrl: ISSUER, nonces: true } });
    const send = proofsFor(guard);
    return repeat(send);
  },
  'guards with proofs and stores of their own'() {
    const service = localKeys(JWKS);
    return repeat(async () => {
      const replayStore = { keepNew: async () => true };
      await proofsFor(secure(service, { dpop: { publicUrl: ISSUER, nonces: true, replayStore } }))();
    });
  },
  'requests over HTTP'() {
    const guard = secure(localKeys(JWKS));
    const app = express();
    app.use(guard).get('/', (req, res) => res.end(req.claims.sub));
    const server = app.listen(0, '127.0.0.1').unref();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const tokens = [mint(KEY), 'opaque'];
    return async (count) => {
      await (server.listening || once(server, 'listening'));
      const { port } = server.address();
      const rounds = Array.from({ length: 20 }, async (_, lane) => {
        for (let index = lane; index < count; index += 20) {
          await ask(port, agent, tokens[index % 3 === 0 ? 1 : 0], index % 3 === 0 ? 403 : 200);
        }
      });
      await Promise.all(rounds);
    };
  },
  'requests with tokens that each come three or four times'() {
    const secret = newSecret();
    const guard = secure(localKeys(secret.bytes), { algorithms: ['HS256'] });
    const header = '{"alg":"HS256"}';
    const exp = Math.floor(Date.now() / 1000) + 3600;
    let number = 0;
    const one = async () => {
      number += 1;
      const claims = { sub: `user-${number}`, exp, filling: 'f'.repeat(100), roles: ['a', 'b', { c: number }] };
      const token = mintText(secret, JSON.stringify(claims), header);
      for (let times = number % 3 === 0 ? 4 : 3; times > 0; times -= 1) {
        expectTo(await pass(guard, token), 'a token');
      }
    };
    // 60 tokens, 200 requests.
    return (count) => repeat(() => Promise.all(Array.from({ length: 60 }, one)))(count / 200);
  },
  'tokens of a service whose keys change'() {
    const keys = [newKey(), newKey()];
    let current = 0;
    const get = (url, options, answered) => {
      const response = Readable.from([JSON.stringify({ keys: [keys[current].jwk] })]);
      setImmediate(answered, Object.assign(response, { statusCode: 200, headers: {} }));
    };
    const service = getSimpleJwksService('https://as.example.com/jwks', { client: { get } });
    const guard = secure(service);
    return repeat(async (index) => {
      current = index % 2;
      await service.refresh();
      expectTo(await pass(guard, mint(keys[current])), 'a token');
    });
  },
};

function repeat(once) {
  return async (count) => {
    for (let index = 0; index < count; index += 1) {
      await once(index);
      if (index % 100 === 0) {
        await turn();
      }
      if (collects && index % 1000 === 0) {
        await measure();
      }
    }
  };
}

async function ask(port, agent, token, status) {
  const headers = { authorization: `Bearer ${token}` };
  const [response] = await once(http.get({ port, host: '127.0.0.1', agent, headers }), 'response');
  response.resume();
  await once(response, 'end');
  expectTo(response.statusCode === status, 'a request');
}

/** The memory in use after collecting garbage, in MiB. */
async function measure() {
  for (let round = 0; round < 5; round += 1) {
    global.gc();
    await turn();
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss / MEBIBYTE, heapUsed: heapUsed / MEBIBYTE, addon: addonHeap() };
}

/**
 * The memory of the addon's heap, in MiB: mimalloc reserves it in mappings of 32 MiB and more, and V8 maps its pages one by one. 0 where
 * the system does not tell.
 */
function addonHeap() {
  const mappings = readMappings().split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const sizes = mappings.map((mapping) => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*$/m.exec(mapping) ?? [];
    const isLarge = from !== undefined && Number(`0x${to}`) - Number(`0x${from}`) >= 32 * MEBIBYTE;
    return isLarge ? Number(/^Rss:\s+(\d+) kB/m.exec(mapping)[1]) / 1024 : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function readMappings() {
  try {
    return fs.readFileSync('/proc/self/smaps', 'utf8');
  } catch {
    return '';
  }
}

async function main() {
  setLogger(null);
  const run = LOADS[load]();
  await run(warmUp);
  const before = await measure();
  await run(count);
  const after = await measure();
  const grown = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
  console.log(JSON.stringify({ grown, after }));
  process.exit();
}

main();

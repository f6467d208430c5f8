'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { AuthorizationServer, SILENCES } = require('./support/authorization-server.js');
const { run, runFile } = require('./support/child.js');
const { mint, newKey } = require('./support/tokens.js');
require('./support/watch.js');

const KEY = newKey();

/** The beginning of each script. */
const PRELUDE = `
  'use strict';
  const { secure, getSimpleJwksService, localKeys, setLogger } = require('portcullis');
  const { Worker } = require('node:worker_threads');
  const { once } = require('node:events');
  setLogger(null);
  const { uri, jwks, token } = JSON.parse(process.argv[1]);
`;

/** The beginning of a worker's script. */
const IN_WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { secure, getSimpleJwksService, localKeys, setLogger } = require('portcullis');
  setLogger(null);
`;

/** Runs a script that ends by itself with code 0, and returns its output. */
async function output(t, script, server) {
  const data = { uri: server?.jwksUri, jwks: { keys: [KEY.jwk] }, token: mint(KEY) };
  const { stdout, stderr, code, signal } = await run(t, PRELUDE + script, data);
  assert.deepEqual({ stderr, code, signal }, { stderr: '', code: 0, signal: null });
  return stdout.trim().split('\n');
}

/** A script that starts workers with this source and prints their messages. */
function workers(count, source) {
  return `
    for (let count = 0; count < ${count}; count += 1) {
      const source = ${JSON.stringify(IN_WORKER + source)};
      const worker = new Worker(source, { eval: true, workerData: { uri, jwks, token } });
      worker.on('message', (message) => console.log(message)).on('error', (error) => console.log(error));
    }
  `;
}

test('a script that only loads the package ends', async (t) => {
  assert.deepEqual(await output(t, 'console.log(typeof secure)'), ['function']);
});

test('a script that has made services and guards and used none ends', async (t) => {
  const script = 'secure(getSimpleJwksService(uri)); secure(localKeys(jwks)); console.log(1)';
  const server = await AuthorizationServer.start(t, [KEY]);
  assert.deepEqual(await output(t, script, server), ['1']);
  assert.equal(server.counts.jwks, 0);
});

test('a script that has verified a token with keys that it fetched ends', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const script = `
    const guard = secure(getSimpleJwksService(uri));
    guard.verify(token).then(({ claims }) => console.log(claims.sub));
  `;
  assert.deepEqual(await output(t, script, server), ['alice']);
});

test('a script with a refresh that is due ends', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const script = `
    const service = getSimpleJwksService(uri, { maxAge: 0 });
    service.prefetch().then(() => secure(service).verify(token)).then(() => console.log(service.ready));
  `;
  assert.deepEqual(await output(t, script, server), ['true']);
});

test('a script that waits for a server that never answers ends when that takes too long', async (t) => {
  for (const silence of Object.values(SILENCES)) {
    const server = await AuthorizationServer.start(t, [KEY]);
    server.fail(silence);
    const script = `
      secure(getSimpleJwksService(uri, { timeout: 0.2 })).verify(token).catch(({ code }) => console.log(code));
    `;
    assert.deepEqual(await output(t, script, server), ['keys_unavailable']);
  }
});

test('a script that waits for a getKey or a cache that never answers ends when that takes too long', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const script = `
    const { jwksService } = require('portcullis');
    const never = () => new Promise(() => {});
    secure(never, { getKeyTimeout: 0.1 }).verify(token).catch(({ code }) => console.log(code));
    const cache = { getKeyStore: never, setKeyStore: never };
    secure(jwksService(cache, uri)).verify(token).then(({ claims }) => console.log(claims.sub));
  `;
  assert.deepEqual(await output(t, script, server), ['keys_unavailable', 'alice']);
});

test('a script that exits in the middle of a fetch exits', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.fail(SILENCES['no answer']);
  const script = `
    secure(getSimpleJwksService(uri)).verify(token);
    setImmediate(() => setImmediate(() => { console.log('bye'); process.exit(0); }));
  `;
  assert.deepEqual(await output(t, script, server), ['bye']);
});

test('a worker verifies tokens with local keys and with keys that it fetches', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const script = workers(1, `
    const guards = [secure(localKeys(workerData.jwks)), secure(getSimpleJwksService(workerData.uri))];
    Promise.all(guards.map((guard) => guard.verify(workerData.token))).then((all) => {
      parentPort.postMessage(all.map(({ claims }) => claims.sub).join());
    });
  `);
  assert.deepEqual(await output(t, script, server), ['alice,alice']);
});

test('several workers verify tokens at once, beside the main thread', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const loop = `
    (async () => {
      const guard = secure(getSimpleJwksService(data.uri), { tokenCache: false });
      for (let count = 0; count < 200; count += 1) await guard.verify(data.token);
      said('done');
    })();
  `;
  const script = workers(4, `const data = workerData; const said = (text) => parentPort.postMessage(text); ${loop}`);
  const main = `const data = { uri, token }; const said = console.log; ${loop}`;
  assert.deepEqual(await output(t, script + main, server), Array(5).fill('done'));
  assert.equal(server.counts.jwks, 5);
});

test('workers that are terminated in the middle of fetches take nothing with them', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const silent = await AuthorizationServer.start(t, [KEY]);
  silent.fail(SILENCES['no answer']);
  const source = `
    for (let count = 0; count < 5; count += 1) {
      secure(getSimpleJwksService(workerData.silent)).verify(workerData.token).catch(() => {});
      const cache = { getKeyStore: () => new Promise(() => {}), setKeyStore: async () => {} };
      secure(require('portcullis').jwksService(cache, workerData.silent)).verify(workerData.token).catch(() => {});
    }
    parentPort.postMessage('asking');
  `;
  const script = `
    (async () => {
      const workerData = { silent: ${JSON.stringify(silent.jwksUri)}, token };
      for (let round = 0; round < 5; round += 1) {
        const worker = new Worker(${JSON.stringify(IN_WORKER + source)}, { eval: true, workerData });
        await once(worker, 'message');
        await worker.terminate();
      }
      const service = getSimpleJwksService(uri);
      console.log((await secure(service).verify(token)).claims.sub);
      await service.refresh();
      console.log(service.ready);
    })();
  `;
  assert.deepEqual(await output(t, script, server), ['alice', 'true']);
});

test('the package is loaded in one worker after another, and never in the main thread', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  const source = IN_WORKER + `
    secure(getSimpleJwksService(workerData.uri)).verify(workerData.token).then(({ claims }) => {
      parentPort.postMessage(claims.sub);
    });
  `;
  const script = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const workerData = JSON.parse(process.argv[1]);
    (async () => {
      for (let round = 0; round < 3; round += 1) {
        const worker = new Worker(${JSON.stringify(source)}, { eval: true, workerData });
        worker.on('message', (message) => console.log(message));
        console.log((await once(worker, 'exit'))[0]);
      }
      const { secure, getSimpleJwksService, setLogger } = require('portcullis');
      setLogger(null);
      console.log((await secure(getSimpleJwksService(workerData.uri)).verify(workerData.token)).claims.sub);
    })();
  `;
  const { stdout, stderr, code } = await run(t, script, { uri: server.jwksUri, token: mint(KEY) });
  assert.deepEqual([stderr, code], ['', 0]);
  assert.deepEqual(stdout.trim().split('\n'), ['alice', '0', 'alice', '0', 'alice', '0', 'alice']);
});

test('a warning reaches the thread that is left when the one that was told first has ended', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  server.fail((request, response) => response.writeHead(500).end());
  const script = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    (async () => {
      const worker = new Worker('require("portcullis")', { eval: true });
      await once(worker, 'exit');
      const { getSimpleJwksService, setLogger } = require('portcullis');
      const alive = setInterval(() => {}, 1000);
      setLogger({ warn: (line) => { console.log(line); clearInterval(alive); } });
      await getSimpleJwksService(JSON.parse(process.argv[1]).uri).refresh().catch(() => {});
    })();
  `;
  const { stdout, stderr, code } = await run(t, script, { uri: server.jwksUri });
  assert.deepEqual([stderr, code], ['', 0]);
  assert.match(stdout, /could not be fetched/);
});

describe('two processes of a cluster serve one port', () => {
  const ISSUER = 'https://as.example.com';
  const exp = Math.floor(Date.now() / 1000) + 600;
  const exchanged = {
    access_token: mint(KEY, { iss: ISSUER, aud: 'upstream' }),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
  };
  const table = [
    // What is tried, the token, the answer to a form, and the questions: one of each process.
    ['secure', mint(KEY), {}, { jwks: 2 }],
    ['introspection', 'opaque', { active: true, exp }, { '/ask': 2, jwks: 0 }],
    ['exchange', mint(KEY, { iss: ISSUER }), exchanged, { '/ask': 2, jwks: 2 }],
    ['fastify', mint(KEY), {}, { jwks: 2 }],
    ['koa', mint(KEY), {}, { jwks: 2 }],
  ];
  for (const [kind, token, answer, questions] of table) {
    test(kind, async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      server.forms['/ask'] = () => answer;
      const data = { kind, uri: server.jwksUri, endpoint: `${server.issuer}/ask`, token };
      const { stdout, stderr, code } = await runFile(t, 'cluster.js', data);
      assert.deepEqual([stderr, code], ['', 0]);
      assert.deepEqual(JSON.parse(stdout), [200, 200]);
      assert.deepEqual({ ...server.counts, ...questions }, server.counts);
    });
  }
});

'use strict';

// Asks plugins in three worker threads at once, and prints their exit codes and the statuses.
const { once } = require('node:events');
const http = require('node:http');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const fastify = require('fastify');
const { Hono } = require('hono');

const { getSimpleJwksService, secure, setLogger } = require('portcullis');
const plugin = require('portcullis/fastify');
const { judge } = require('portcullis/fetch');
const hono = require('portcullis/hono');

setLogger(null);

async function main({ jwks, token }) {
  const server = http.createServer((request, response) => response.end(JSON.stringify(jwks))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const uri = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify(await Promise.all([1, 2, 3].map(() => ask({ uri, token })))));
  server.close();
}

/** The exit code of a new worker, and its message. */
async function ask(data) {
  const worker = new Worker(__filename, { workerData: data });
  const [[message], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return [code, message];
}

/** The statuses of requests with and without a token. */
async function statuses({ uri, token }) {
  const keys = getSimpleJwksService(uri);
  const headers = { authorization: `Bearer ${token}` };
  const app = fastify().register(plugin, { keys });
  app.get('/', async ({ claims }) => claims.sub);
  const other = new Hono().use(hono.secure(keys)).get('/', (c) => c.text('ok'));
  return [
    (await app.inject({ url: '/', headers })).statusCode,
    (await app.inject('/')).statusCode,
    (await other.request('/', { headers })).status,
    (await other.request('/')).status,
    (await judge(secure(keys), new Request('http://api.example.com'))).status,
  ];
}

if (isMainThread) {
  main(JSON.parse(process.argv[2]));
} else {
  statuses(workerData).then((found) => parentPort.postMessage(found));
}

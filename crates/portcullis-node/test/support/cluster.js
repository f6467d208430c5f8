'use strict';

const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');

const Fastify = require('fastify');
const Koa = require('koa');
const { exchanger, getSimpleJwksService, introspector, secure, setLogger } = require('portcullis');

const { kind = 'secure', uri, endpoint, token } = JSON.parse(process.argv[2]);

async function ask(port) {
  const headers = { authorization: `Bearer ${token}` };
  const [response] = await once(http.get({ port, host: '127.0.0.1', headers, agent: false }), 'response');
  const [body] = await once(response, 'data');
  return [String(body), response.statusCode];
}

/** Starts two processes and prints the statuses of each one's answers. */
async function lead() {
  const processes = [cluster.fork(), cluster.fork()];
  const [[{ port }]] = await Promise.all(processes.map((one) => once(one, 'listening')));
  const answers = new Map();
  for (let count = 0; count < 20; count += 1) {
    const [pid, status] = await ask(port);
    answers.set(pid, status);
  }
  console.log(JSON.stringify([...answers.values()]));
  cluster.disconnect();
}

const client = { endpoint, clientId: 'an api', clientSecret: 'a secret' };
const host = '127.0.0.1';
const pid = String(process.pid);

/** The servers of a process, each with the part of the package that is tried. */
const SERVERS = {
  secure: () => served(secure(getSimpleJwksService(uri)), (req, res) => res.end(pid)),
  introspection: () => served(secure(introspector(client)), (req, res) => res.end(pid)),
  exchange() {
    const keys = getSimpleJwksService(uri);
    const by = exchanger({ ...client, jwks: keys, issuer: 'https://as.example.com' });
    const guard = secure(keys, { issuer: 'https://as.example.com', exchange: { upstream: { by, audience: 'upstream' } } });
    served(guard, (req, res) => req.auth.exchange('upstream').then(() => res.end(pid)));
  },
  fastify() {
    const app = Fastify();
    app.register(require('portcullis/fastify'), { keys: getSimpleJwksService(uri) });
    app.get('/', async () => pid);
    app.listen({ port: 0, host });
  },
  koa() {
    const app = new Koa();
    app.use(require('portcullis/koa').secure(getSimpleJwksService(uri)));
    app.use((ctx) => void (ctx.body = pid));
    app.listen(0, host);
  },
};

function served(guard, handler) {
  http.createServer((req, res) => guard(req, res, () => handler(req, res))).listen(0, host);
}

setLogger(null);
if (cluster.isPrimary) {
  lead();
} else {
  SERVERS[kind]();
}

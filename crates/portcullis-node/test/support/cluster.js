'use strict';

const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');

const { secure, getSimpleJwksService, setLogger } = require('portcullis');

const { uri, token } = JSON.parse(process.argv[2]);

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

function serve() {
  const guard = secure(getSimpleJwksService(uri));
  const answer = (req, res) => guard(req, res, () => res.end(String(process.pid)));
  http.createServer(answer).listen(0, '127.0.0.1');
}

setLogger(null);
if (cluster.isPrimary) {
  lead();
} else {
  serve();
}

'use strict';

const { EventEmitter, once } = require('node:events');
const { createServer } = require('node:http');
const { text: textOf } = require('node:stream/consumers');
const { gzipSync } = require('node:zlib');

const { atEnd } = require('./cleanup.js');

/**
 * An authorization server on a free loopback port. It publishes `keys`, counts requests, and answers with `failure` while one
 * is set.
 */
class AuthorizationServer extends EventEmitter {
  keys = [];
  headers = {};
  counts = { jwks: 0, metadata: 0 };
  requests = [];
  metadata = {};
  /** Functions that answer the forms sent to a path, `(form, request) => object`, or `[type, text]`, or `[type, text, status]`. */
  forms = {};
  #failure = null;
  #server;

  /** Starts a server that ends with the test `t`. */
  static async start(t, keys = []) {
    const server = new AuthorizationServer();
    server.keys = keys.map(({ jwk }) => jwk);
    server.#server = createServer((request, response) => server.#answer(request, response));
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    atEnd(t, () => server.stop());
    return server;
  }

  get issuer() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get jwksUri() {
    return `${this.issuer}/jwks`;
  }

  /** Publishes exactly these keys. */
  publish(...keys) {
    this.keys = keys.map(({ jwk }) => jwk);
  }

  /** Answers with `failure(request, response)` from now on. */
  fail(failure) {
    this.#failure = failure;
  }

  recover() {
    this.#failure = null;
  }

  /** Waits for the next request. */
  async asked() {
    await once(this, 'request');
  }

  async stop() {
    if (!this.#server.listening) {
      return;
    }
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(request, response) {
    const asked = request.url === '/jwks' ? 'jwks' : Object.hasOwn(this.forms, request.url) ? request.url : 'metadata';
    this.counts[asked] = (this.counts[asked] ?? 0) + 1;
    this.requests.push({ url: request.url, headers: request.headers });
    this.emit('request');
    if (this.#failure !== null) {
      this.#failure(request, response);
    } else if (Object.hasOwn(this.forms, asked)) {
      this.#answerForm(asked, request, response);
    } else if (asked === 'jwks') {
      this.#send(response, { keys: this.keys });
    } else if (request.url === '/.well-known/openid-configuration') {
      this.#send(response, { issuer: this.issuer, jwks_uri: this.jwksUri, ...this.metadata });
    } else {
      response.writeHead(404).end();
    }
  }

  async #answerForm(path, request, response) {
    const form = Object.fromEntries(new URLSearchParams(await textOf(request)));
    const answer = await this.forms[path](form, request);
    const [type, body, status = 200] = Array.isArray(answer) ? answer : ['application/json', JSON.stringify(answer)];
    response.writeHead(status, { 'content-type': type }).end(body);
  }

  #send(response, document) {
    response.writeHead(200, { 'content-type': 'application/json', ...this.headers }).end(JSON.stringify(document));
  }
}

function text(status, headers, body) {
  return (request, response) => response.writeHead(status, headers).end(body);
}

/** Failures, each a function of request and response; those that never end need a short `timeout`. */
const FAILURES = {
  'status 500': text(500, {}, 'no'),
  'status 404 with a key set': text(404, {}, '{"keys":[]}'),
  'status 204': text(204, {}, ''),
  'status 304 unasked': text(304, {}, ''),
  'a redirect': text(302, { location: '/jwks' }, ''),
  'an empty body': text(200, {}, ''),
  'a page of HTML': text(200, { 'content-type': 'text/html' }, '<html>maintenance</html>'),
  'JSON that is no key set': text(200, {}, '{"error":"later"}'),
  'a null': text(200, {}, 'null'),
  'keys that are no array': text(200, {}, '{"keys":{}}'),
  'a key set without keys': text(200, {}, '{"keys":[]}'),
  'a key set of rubbish': text(200, {}, '{"keys":[null,1,"a",{},{"kty":"RSA"}]}'),
  'a secret as the key': text(200, {}, JSON.stringify({ keys: [{ kty: 'oct', k: 'A'.repeat(64), alg: 'HS256' }] })),
  'half a key set': text(200, {}, '{"keys":[{"kty":"EC",'),
  'bytes that are no UTF-8': text(200, {}, Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
  'JSON nested without end': text(200, {}, '['.repeat(300_000)),
  'gzip': text(200, { 'content-encoding': 'gzip' }, gzipSync('{"keys":[]}')),
  'gzip garbage': text(200, { 'content-encoding': 'gzip' }, Buffer.alloc(100, 0x1f)),
  'a huge body': text(200, {}, Buffer.alloc(2 * 1024 * 1024, ' ')),
  'a body without end': (request, response) => {
    const more = () => response.closed || response.write(Buffer.alloc(64 * 1024, ' '), () => setImmediate(more));
    response.writeHead(200);
    more();
  },
  'a connection closed at once': (request, response) => response.socket.destroy(),
  'a body that breaks off': (request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"keys":', () => response.socket.destroy());
  },
  'no HTTP': (request, response) => response.socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
};

/** Failures that never end. */
const SILENCES = {
  'no answer': () => {},
  'no end of the head': (request, response) => response.socket.write('HTTP/1.1 200 OK\r\nx-a: b\r\n'),
  'no end of the body': (request, response) => response.writeHead(200, { 'content-length': '1000' }).write('{"keys":'),
};

module.exports = { AuthorizationServer, FAILURES, SILENCES };

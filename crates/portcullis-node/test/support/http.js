'use strict';

const { once } = require('node:events');
const http = require('node:http');
const { connect } = require('node:net');
const { buffer } = require('node:stream/consumers');

const { atEnd } = require('./cleanup.js');

/** Starts a server for `handler` (an Express app, a function, a server) on a free loopback port; it ends with the test `t`. */
async function serve(t, handler) {
  const server = typeof handler === 'function' ? http.createServer(handler) : handler;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => stop(server));
  return new Client(server.address().port);
}

async function stop(server) {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

/** A client of a server; each request has its own connection. */
class Client {
  constructor(port) {
    this.port = port;
  }

  /** A request with this token, if any. */
  get(token, path = '/', options = {}) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return this.request({ path, headers, ...options });
  }

  async request({ path = '/', method = 'GET', headers = {} }) {
    const request = http.request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: false }).end();
    const [response] = await once(request, 'response');
    const body = await buffer(response);
    return answer(response.statusCode, pairs(response.rawHeaders), body.toString());
  }

  /** Sends a request as raw bytes. */
  async raw(...lines) {
    return this.exact(...lines, 'host: a');
  }

  /** The same without a field `Host` of its own. */
  async exact(...lines) {
    const socket = connect(this.port, '127.0.0.1').setTimeout(30_000, () => socket.destroy(new Error(`expected an answer within 30 s to ${lines[0]}`)));
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`, 'latin1'));
    const [head, ...body] = (await buffer(socket)).toString('latin1').split('\r\n\r\n');
    const [status, ...fields] = head.split('\r\n');
    return answer(Number(status.split(' ')[1]), fields.map(split), body.join('\r\n\r\n'));
  }
}

function answer(status, fields, body) {
  const all = (name) => fields.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);
  return { status, body, all, challenges: all('www-authenticate'), challenge: all('www-authenticate').join('\n') };
}

function pairs(raw) {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]]] : []));
}

function split(line) {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** The parameters of a challenge; throws unless it is one well-formed `Bearer` challenge (RFC 9110 section 11.6.1). */
function parameters(challenge) {
  const parameter = /([a-z_]+)="((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"/y;
  const found = {};
  let rest = challenge.replace(/^Bearer/, '');
  while (rest !== '') {
    const lead = /^(?: |, )/.exec(rest);
    parameter.lastIndex = lead?.[0].length;
    const match = lead && parameter.exec(rest);
    if (!match || match[1] in found || challenge.startsWith('Bearer') === false) {
      throw new Error(`expected a challenge, got ${challenge}`);
    }
    found[match[1]] = match[2].replace(/\\(.)/g, '$1');
    rest = rest.slice(parameter.lastIndex);
  }
  return found;
}

module.exports = { serve, parameters };

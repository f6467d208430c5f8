'use strict';

const http = require('node:http');
const https = require('node:https');

const { Names } = require('./names.js');
const { expected } = require('./values.js');

/** The package's own field of each request, because compressed answers are not read. */
const OURS = { 'accept-encoding': 'identity' };

/** Options that apply to the configured origin only, not to other origins in its metadata. */
const CREDENTIALS = ['headers', 'auth'];

/** An HTTP client: a module like `https`, or Node's own with options. */
class Client {
  #module;
  #options = {};
  #origin;
  #names;

  /** `home` is the configured URL; `follows` is true if its metadata may point to others. */
  constructor(owner, client, { home, follows }) {
    this.#origin = originOf(home);
    if (typeof client?.get === 'function') {
      this.#module = client;
    } else if (client !== undefined && client !== null) {
      this.#options = readOptions(owner, client);
    }
    this.#names = follows ? new Names(this.#options.lookup) : undefined;
  }

  /**
   * The options for a request with these fields; the user's fields replace them.
   *
   * `mayConnectTo` returns true for an address to which the URL may lead.
   */
  async optionsFor(url, headers, mayConnectTo) {
    const isHome = originOf(url) === this.#origin;
    const reach = this.#reach(url, isHome ? () => true : mayConnectTo);
    const { headers: given = {}, ...options } = isHome ? this.#options : without(this.#options, CREDENTIALS);
    const theirs = readHeaders('the client', typeof given === 'function' ? await given() : given);
    return { ...options, ...reach, headers: { ...OURS, ...headers, ...theirs } };
  }

  /** Sends a request; returns the module's result. */
  send(method, url, options, body, answered) {
    const client = this.#module ?? protocolOf(url);
    if (method !== 'GET') {
      const request = client.request(url, { ...options, method }, answered);
      request.end(body);
      return request;
    }
    if (this.#module === undefined) {
      return client.get(url, options, answered);
    }
    // A test double often takes only two arguments, as express-oauth-jwt passed them.
    const isShort = this.#module.get.length === 2;
    return isShort ? this.#module.get(url, answered) : this.#module.get(url, options, answered);
  }

  /** The address of the server that answered, if it is known not to be a proxy's. */
  peerOf(url, response) {
    return this.#names?.peerOf(url, response.socket?.remoteAddress);
  }

  /** The options that restrict a request to the allowed addresses. */
  #reach(url, mayConnectTo) {
    if (this.#names === undefined) {
      return {};
    }
    const lookup = this.#names.within(mayConnectTo);
    return { lookup, agent: this.#options.agent ?? newAgent(this.#module ?? protocolOf(url)) };
  }
}

function readOptions(owner, client) {
  if (typeof client !== 'object') {
    throw expected(owner, 'client', 'a module like https, or request options', client);
  }
  if (client.headers !== undefined && typeof client.headers !== 'function') {
    readHeaders(owner, client.headers);
  }
  return client;
}

function protocolOf(url) {
  return url.startsWith('http:') ? http : https;
}

/** An agent like Node's own, without reused connections, whose addresses were not checked. */
function newAgent({ Agent, globalAgent }) {
  // A replaced global agent is left alone: it may go through a proxy.
  const isNodes = globalAgent !== undefined && globalAgent.constructor === Agent;
  return isNodes ? new Agent({ ...globalAgent.options, keepAlive: false }) : undefined;
}

/** The fields of an object, a Map or a `Headers`, with names in lower case. */
function readHeaders(owner, headers) {
  if (headers === null || typeof headers !== 'object' || Array.isArray(headers)) {
    throw expected(owner, 'client.headers', 'an object of fields, or a function that returns one', headers);
  }
  const fields = typeof headers.entries === 'function' ? headers.entries() : Object.entries(headers);
  return Object.fromEntries(Array.from(fields, ([name, value]) => [name.toLowerCase(), value]));
}

function without(options, names) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** The origin of a URL; undefined for an invalid URL, which the addon refuses. */
function originOf(url) {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

module.exports = { Client };

'use strict';

const http = require('node:http');
const https = require('node:https');

const { Names } = require('./names.js');
const { expected } = require('./values.js');

/** A field of each request, beside those of the library: what comes compressed is not read. */
const OURS = { 'accept-encoding': 'identity' };

/** What of a user's options is for the origin that he has named, and for no other that its metadata point to. */
const CREDENTIALS = ['headers', 'auth'];

/** How documents are asked for: by a module like `https`, or by Node's own with options. */
class Client {
  #module;
  #options = {};
  #origin;
  #names;

  /** `home` is the URL that was configured; `follows` says that metadata may name others. */
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
   * The options for a request with these fields: those of the user, where he has any, go before.
   *
   * `mayConnectTo` says of an address whether the URL may lead there.
   */
  async optionsFor(url, headers, mayConnectTo) {
    const isHome = originOf(url) === this.#origin;
    const reach = this.#reach(url, isHome ? () => true : mayConnectTo);
    const { headers: given = {}, ...options } = isHome ? this.#options : without(this.#options, CREDENTIALS);
    const theirs = readHeaders('the client', typeof given === 'function' ? await given() : given);
    return { ...options, ...reach, headers: { ...OURS, ...headers, ...theirs } };
  }

  /** Asks; gives what the module gives. */
  get(url, options, answered) {
    if (this.#module === undefined) {
      return protocolOf(url).get(url, options, answered);
    }
    // A double in a test often knows the two arguments only that express-oauth-jwt passed.
    const isShort = this.#module.get.length === 2;
    return isShort ? this.#module.get(url, answered) : this.#module.get(url, options, answered);
  }

  /** The address of the server that has answered, where it is known to be that server's. */
  peerOf(url, response) {
    return this.#names?.peerOf(url, response.socket?.remoteAddress);
  }

  /** What holds a request to the addresses that its URL may lead to. */
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

/** An agent as Node's own, but for connections that somebody else has made, whose addresses nobody has judged. */
function newAgent({ Agent, globalAgent }) {
  // One of somebody else's goes its own way, through a proxy perhaps.
  const isNodes = globalAgent !== undefined && globalAgent.constructor === Agent;
  return isNodes ? new Agent({ ...globalAgent.options, keepAlive: false }) : undefined;
}

/** Fields by their names in lower case: of an object, a Map, or the Headers of fetch. */
function readHeaders(owner, headers) {
  if (headers === null || typeof headers !== 'object' || Array.isArray(headers)) {
    throw expected(owner, 'client.headers', 'an object of fields, or a function that gives one', headers);
  }
  const fields = typeof headers.entries === 'function' ? headers.entries() : Object.entries(headers);
  return Object.fromEntries(Array.from(fields, ([name, value]) => [name.toLowerCase(), value]));
}

function without(options, names) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** None for what is no URL, which the addon tells. */
function originOf(url) {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

module.exports = { Client };

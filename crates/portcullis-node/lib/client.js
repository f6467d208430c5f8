'use strict';

const http = require('node:http');
const https = require('node:https');

const { version } = require('../package.json');
const { expected } = require('./options.js');

/** The fields of each request: firewalls turn away who gives no name, and what comes compressed is not read. */
const OURS = { 'user-agent': `portcullis/${version}`, 'accept-encoding': 'identity' };

/** What of a user's options is for the origin that he has named, and for no other that its metadata point to. */
const CREDENTIALS = ['headers', 'auth'];

/** How documents are asked for: by a module like `https`, or by Node's own with options. */
class Client {
  #module;
  #options;
  #origin;

  /** `home` is the URL that was configured. */
  constructor(owner, client, home) {
    if (typeof client?.get === 'function') {
      this.#module = client;
      return;
    }
    if (client !== undefined && client !== null && typeof client !== 'object') {
      throw expected(owner, 'client', 'a module like https, or request options', client);
    }
    if (client?.headers !== undefined && typeof client.headers !== 'function') {
      readHeaders(owner, client.headers);
    }
    this.#options = client ?? {};
    this.#origin = originOf(home);
  }

  /** The options for a request with these fields: those of the user, where he has any, go before. */
  async optionsFor(url, headers) {
    if (this.#module !== undefined) {
      return { headers: { ...OURS, ...headers } };
    }
    if (originOf(url) !== this.#origin) {
      return { ...without(this.#options, CREDENTIALS), headers: { ...OURS, ...headers } };
    }
    const { headers: given = {}, ...options } = this.#options;
    const theirs = readHeaders('the client', typeof given === 'function' ? await given() : given);
    return { ...options, headers: { ...OURS, ...headers, ...theirs } };
  }

  /** Asks; gives what the module gives. */
  get(url, options, answered) {
    if (this.#module === undefined) {
      return (url.startsWith('http:') ? http : https).get(url, options, answered);
    }
    // A double in a test often knows the two arguments only that express-oauth-jwt passed.
    const isShort = this.#module.get.length === 2;
    return isShort ? this.#module.get(url, answered) : this.#module.get(url, options, answered);
  }
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

'use strict';

const { KeyObject } = require('node:crypto');

const { Client } = require('../client.js');
const { readClock } = require('../clock.js');
const { refuseUnknown } = require('../library.js');
const { expected, optional, readBoolean, readCount, readLimit, readSeconds, readTimeout } = require('../values.js');

/** The longest time for a whole question, in seconds. */
const TIMEOUT = 5;

/** The options for the authentication of the client. */
const CLIENT = ['clientId', 'clientSecret', 'authentication', 'privateKey', 'kid', 'algorithm', 'assertionAudience'];

/** The options that all endpoints have. */
const ENDPOINT = [
  'endpoint',
  ...CLIENT,
  'client',
  'clock',
  'timeout',
  'keepFor',
  'rememberRefusalsFor',
  'maxQuestions',
  'maxAnswerBytes',
  'cacheBytes',
  'store',
  'storeSecret',
  'dangerouslyAllowHttp',
];

/**
 * Reads the options of an endpoint of an authorization server; `times` and `others` are the names of its own. `issuer` is the one whose
 * metadata name the endpoint, if it need not be given. The result has the URL, the options for the addon, the HTTP client and the store.
 */
function readEndpoint(owner, options, times, others, issuer) {
  refuseUnknown(options, [...ENDPOINT, ...times, ...others], owner);
  const { timeout = TIMEOUT } = options;
  const seconds = { timeout: readTimeout(owner, 'timeout', timeout) };
  for (const name of ['keepFor', 'rememberRefusalsFor', ...times]) {
    seconds[name] = readSeconds(owner, name, options[name]);
  }
  const isDiscovered = options.endpoint === undefined && issuer !== undefined;
  const url = isDiscovered ? undefined : readUrl(owner, options.endpoint);
  return {
    url,
    rules: {
      client: readClient(owner, options),
      times: seconds,
      maxQuestions: readLimit(owner, 'maxQuestions', options.maxQuestions),
      maxAnswerBytes: readLimit(owner, 'maxAnswerBytes', options.maxAnswerBytes),
      cacheBytes: optional(options.cacheBytes, (value) => readCount(owner, 'cacheBytes', value)),
      dangerouslyAllowHttp: readBoolean(owner, 'dangerouslyAllowHttp', options.dangerouslyAllowHttp),
    },
    client: new Client(owner, options.client, { home: url ?? issuer, follows: isDiscovered }),
    timeout: timeout * 1000,
    clock: readClock(owner, options.clock),
    ...readStore(owner, options),
  };
}

function readUrl(owner, endpoint) {
  const url = endpoint instanceof URL ? endpoint.href : endpoint;
  if (typeof url !== 'string') {
    throw expected(owner, 'endpoint', 'a URL', endpoint);
  }
  return url;
}

function readClient(owner, options) {
  const client = {};
  for (const name of CLIENT.filter((name) => options[name] !== undefined)) {
    const value = name === 'privateKey' ? pemOf(options[name]) : options[name];
    if (typeof value !== 'string') {
      throw expected(owner, name, name === 'privateKey' ? 'PEM or a private KeyObject' : 'a string', value);
    }
    client[name] = value;
  }
  return client;
}

/** A private key as PEM; other values stay as they are. */
function pemOf(key) {
  return key instanceof KeyObject && key.type === 'private' ? key.export({ type: 'pkcs8', format: 'pem' }) : key;
}

function readStore(owner, { store, storeSecret }) {
  if (store === undefined && storeSecret === undefined) {
    return {};
  }
  const missing = ['get', 'set'].find((method) => typeof store?.[method] !== 'function');
  if (missing !== undefined) {
    throw expected(owner, 'store', `an object with the functions get and set`, store);
  }
  if (typeof storeSecret !== 'string' && !(storeSecret instanceof Uint8Array)) {
    throw expected(owner, 'storeSecret', 'the secret by which entries are sealed, as a string or bytes', storeSecret);
  }
  return { store, storeSecret: Buffer.from(storeSecret) };
}

module.exports = { readEndpoint };

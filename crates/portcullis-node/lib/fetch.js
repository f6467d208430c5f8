'use strict';

const http = require('node:http');
const https = require('node:https');

const { LONGEST_TIMER } = require('./options.js');

/**
 * Fetches a document with `client`: a module like `https`, options for Node's own, or nothing.
 *
 * Redirects are not followed. A body that grows beyond `maxBodyBytes` is not read to its end.
 *
 * @returns {Promise<{ status: number, fields: string[], body: Buffer }>}
 */
function fetchWith(client, { url, headers, maxBodyBytes }, timeout) {
  return new Promise((resolve, reject) => {
    let timer;
    const settled = (settle) => (outcome) => {
      clearTimeout(timer);
      settle(outcome);
    };
    const request = start(client, url, headers, (response) => {
      read(response, maxBodyBytes).then(settled(resolve), (error) => {
        settled(reject)(error);
        // One that is not read to its end would hold its connection.
        end(response);
      });
    });
    request?.on?.('error', settled(reject));
    // A client that is async has failed in its own way.
    request?.then?.(undefined, settled(reject));
    const giveUp = () => {
      reject(new Error(`no whole answer within ${timeout / 1000} s`));
      end(request);
    };
    timer = setTimeout(giveUp, Math.min(timeout, LONGEST_TIMER)).unref();
  });
}

function start(client, url, headers, answered) {
  if (typeof client?.get !== 'function') {
    const own = url.startsWith('http:') ? http : https;
    return own.get(url, { ...client, headers: { ...client?.headers, ...headers } }, answered);
  }
  // A double in a test often knows the two arguments only that express-oauth-jwt passed.
  return client.get.length === 2 ? client.get(url, answered) : client.get(url, { headers }, answered);
}

function end(stream) {
  try {
    stream?.destroy?.();
  } catch {
    // A double that cannot be ended has nothing to hold.
  }
}

function read(response, maxBodyBytes) {
  return new Promise((resolve, reject) => {
    // First of all: an error that nobody listens to would end the process.
    response.on('error', reject);
    const { statusCode } = response;
    if (!Number.isInteger(statusCode)) {
      throw new TypeError('the client answered without a statusCode');
    }
    const chunks = [];
    let length = 0;
    const take = (chunk) => {
      chunks.push(Buffer.from(chunk));
      length += chunks.at(-1).length;
      if (length > maxBodyBytes) {
        reject(new Error(`the answer is longer than ${maxBodyBytes} bytes`));
      }
    };
    const conclude = () => resolve({ status: statusCode, fields: fieldsOf(response), body: Buffer.concat(chunks) });
    response.on('data', caught(reject, take));
    response.on('end', caught(reject, conclude));
    // After `end` this changes nothing.
    response.on('close', () => reject(new Error('the answer broke off')));
  });
}

/** A listener whose failure is the fetch's, and not the process's. */
function caught(reject, listener) {
  return (...given) => {
    try {
      listener(...given);
    } catch (error) {
      reject(error);
    }
  };
}

function fieldsOf({ rawHeaders, headers }) {
  const fields = Array.isArray(rawHeaders) ? rawHeaders : Object.entries(headers ?? {}).flat(2);
  return fields.length % 2 === 0 ? fields.map(String) : [];
}

module.exports = { fetchWith };

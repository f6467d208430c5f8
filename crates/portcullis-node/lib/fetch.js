'use strict';

const { LONGEST_TIMER } = require('./values.js');

/**
 * Sends a request with a `Client`, and reads the whole response.
 *
 * It follows no redirects and stops at a body of more than `maxBodyBytes`.
 *
 * @returns {Promise<{ status: number, fields: string[], body: Buffer, peer?: string }>}
 */
async function fetchWith(client, { method, url, headers, body, maxBodyBytes }, timeout, mayConnectTo) {
  const options = await client.optionsFor(url, headers, mayConnectTo);
  return new Promise((resolve, reject) => {
    let timer;
    const settled = (settle) => (outcome) => {
      clearTimeout(timer);
      settle(outcome);
    };
    const request = client.send(method, url, options, body, (response) => {
      const peer = response && client.peerOf(url, response);
      read(response, maxBodyBytes).then((answer) => settled(resolve)({ ...answer, peer }), (error) => {
        settled(reject)(error);
        // An unfinished response would hold its connection.
        end(response);
      });
    });
    request?.on?.('error', settled(reject));
    // An async client reports its failure by a rejection.
    request?.then?.(undefined, settled(reject));
    const giveUp = () => {
      reject(new Error(`no whole answer within ${timeout / 1000} s`));
      end(request);
    };
    timer = setTimeout(giveUp, Math.min(timeout, LONGEST_TIMER)).unref();
  });
}

function end(stream) {
  try {
    stream?.destroy?.();
  } catch {
    // A test double without `destroy` holds no connection.
  }
}

function read(response, maxBodyBytes) {
  return new Promise((resolve, reject) => {
    // First, because an error without a listener would end the process.
    response.on('error', reject);
    const { statusCode } = response;
    if (!Number.isInteger(statusCode)) {
      throw new TypeError('expected the client to answer with a statusCode, got none');
    }
    const chunks = [];
    let length = 0;
    const take = (chunk) => {
      chunks.push(Buffer.from(chunk));
      length += chunks.at(-1).length;
      if (length > maxBodyBytes) {
        reject(new Error(`expected at most ${maxBodyBytes} bytes, got more: if the document is right, raise maxDocumentBytes`));
      }
    };
    const conclude = () => resolve({ status: statusCode, fields: fieldsOf(response), body: Buffer.concat(chunks) });
    response.on('data', caught(reject, take));
    response.on('end', caught(reject, conclude));
    // This has no effect after `end`.
    response.on('close', () => reject(new Error('expected a whole answer, but the connection closed')));
  });
}

/** A listener whose failure fails the fetch, not the process. */
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

'use strict';

const { IncomingMessage } = require('node:http');
const { Http2ServerRequest } = require('node:http2');

const { nameOf } = require('../values.js');

/** A content that is longer than the limit, and one that ended too early. */
const TOO_LARGE = { lost: 'too_large' };
const CUT_OFF = { lost: 'cut_off' };

const UNREAD = 'the content of the request to be unread, or parsed into `body`';

/** The members of messages and their `params` that tell the operation. */
const OF_OPERATIONS = ['method', 'params', 'name', 'uri'];

/** The contents that were read here, by request, for the guards behind. */
const seen = new WeakMap();

/**
 * The content of a request, for a guard that judges by it.
 *
 * The handler must get what was judged. So an unread content is read and put back, and one that a parser has read is judged as the
 * parser's result: `isParsed` is true then, and the fields for the type and coding of the content do not apply.
 *
 * @returns {Promise<{ content?: Uint8Array, lost?: string, isParsed?: boolean }>} neither `content` nor `lost` if the request shows
 *   none
 */
async function contentOf(request, limit) {
  if (typeof request.clone === 'function') {
    return ofFetch(request, limit);
  }
  const message = messageOf(request);
  if (message === undefined) {
    return {};
  }
  if (seen.has(message)) {
    return { content: seen.get(message) };
  }
  if (hasNone(message) && isNothing(request.body)) {
    return { content: Buffer.alloc(0) };
  }
  // A body without a content is what a platform has put there: a handler reads it.
  if (hasNone(message) || message.readableEnded) {
    return { content: bytesOf(request.body), isParsed: true };
  }
  if (message.readableDidRead || message.readableEncoding !== null) {
    throw new TypeError(`expected ${UNREAD}, got one that is partly read: put the guard before the code that reads it`);
  }
  const read = await readAndPutBack(message, limit);
  if (read.content !== undefined) {
    seen.set(message, read.content);
  }
  return read;
}

/** Returns true if a request has no content: HTTP/1 announces one by a field, and HTTP/2 ends a request without one by its header. */
function hasNone(message) {
  if (message instanceof Http2ServerRequest) {
    return message.stream?.endAfterHeaders === true;
  }
  const { 'content-length': length = '0', 'transfer-encoding': coding } = message.headers;
  return length === '0' && coding === undefined;
}

/** Returns true for a body in which a handler finds nothing, as parsers leave it for a request without content. */
function isNothing(body) {
  const isEmpty = body !== null && typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0;
  return body === undefined || body === null || (isEmpty && !inheritsMembers(body));
}

/** The request of Node: the request itself, or the one inside a request of Fastify or Koa. */
function messageOf(request) {
  return [request, request.raw, request.req].find(
    (request) => request instanceof IncomingMessage || request instanceof Http2ServerRequest,
  );
}

/** The content that a handler finds in `body`, which is all that is left of it. */
function bytesOf(body) {
  if (body instanceof Uint8Array) {
    return body;
  }
  if ([body].flat().some((message) => inheritsMembers(message) || inheritsMembers(message?.params))) {
    // A handler reads them, and JSON leaves them out.
    throw new TypeError('expected a message in `body` with members of its own, got inherited ones: the prototype is poisoned');
  }
  const text = typeof body === 'string' ? body : jsonOf(body);
  if (text === undefined) {
    throw new TypeError(`expected ${UNREAD}, got one that was read, and a body that is ${nameOf(body)}`);
  }
  return Buffer.from(text);
}

/** Returns true if a member that tells the operation comes from the prototype. */
function inheritsMembers(value) {
  const isObject = value !== null && typeof value === 'object';
  return isObject && OF_OPERATIONS.some((member) => member in value && !Object.hasOwn(value, member));
}

function jsonOf(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) {
      // The value is nested too deep for V8, and a much shorter text is refused for the same reason.
      return '['.repeat(1000) + ']'.repeat(1000);
    }
    throw error;
  }
}

/**
 * Reads a content to its end and puts it back before the stream ends, so that the code behind reads it as if nothing had happened.
 */
function readAndPutBack(message, limit) {
  if (Number(message.headers['content-length']) > limit) {
    return TOO_LARGE;
  }
  return new Promise((resolve, reject) => {
    const chunks = [];
    let length = 0;
    const listeners = {
      readable: take,
      // A content that has come to its end can be put back no more, unless it is empty.
      end: () => (length === 0 ? settle({ content: Buffer.alloc(0) }) : reject(new Error('expected to see the content before its end'))),
      error: () => settle(CUT_OFF),
      close: () => settle(CUT_OFF),
    };

    function take() {
      for (let chunk = message.read(); chunk !== null; chunk = message.read()) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > limit) {
          settle(TOO_LARGE);
          // The rest is dropped, so that the client gets to the response.
          message.resume();
          return;
        }
      }
      if (length > 0 && isComplete(message)) {
        const content = Buffer.concat(chunks, length);
        message.unshift(content);
        settle({ content });
      }
    }

    function settle(read) {
      Object.entries(listeners).forEach(([event, listener]) => message.off(event, listener));
      resolve(read);
    }

    Object.entries(listeners).forEach(([event, listener]) => message.on(event, listener));
  });
}

/** Returns true if all of a content has come, and its end is still to be told. */
function isComplete(message) {
  // `complete` of HTTP/2 is true only once the end was told.
  return message instanceof Http2ServerRequest ? message.stream.readableEnded : message.complete;
}

/** The content of a request of `fetch`, from a copy. */
async function ofFetch(request, limit) {
  if (request.bodyUsed) {
    throw new TypeError('expected a request of fetch whose content is unread, got one that was read');
  }
  const reader = request.clone().body?.getReader();
  const chunks = [];
  let length = 0;
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader.read()) {
    chunks.push(next.value);
    length += next.value.length;
    if (length > limit) {
      // Not awaited: the copy is done with only when the request itself is.
      reader.cancel().catch(() => {});
      return TOO_LARGE;
    }
  }
  return { content: Buffer.concat(chunks, length) };
}

module.exports = { contentOf };

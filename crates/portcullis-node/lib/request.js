'use strict';

const { nameOf } = require('./values.js');

const NAME = 'authorization';

/**
 * The `Authorization` field of a request of Node, Express, Fastify, Koa, hapi or `fetch`, or of an object of fields; `several`
 * is true if there is more than one.
 */
function credentialsOf(request) {
  const headers = request?.headers ?? request;
  if (headers === null || typeof headers !== 'object') {
    throw new TypeError(`expected a request, or its headers, got ${nameOf(headers)}`);
  }
  if (typeof headers.get === 'function') {
    // Two fields are joined to one, which is not a valid token.
    return { authorization: textOrNothing(headers.get(NAME)), several: false };
  }
  const raw = rawHeadersOf(request);
  if (Array.isArray(raw)) {
    return { authorization: textOrNothing(headers[NAME]), several: isRepeated(raw) };
  }
  return ofObject(headers);
}

/** The header fields of a request of any framework, or of an object of fields: name, value, name, value… */
function fieldsOf(request) {
  const headers = request.headers ?? request;
  if (typeof headers.get === 'function' && typeof headers.entries === 'function') {
    return [...headers.entries()].flat();
  }
  const raw = rawHeadersOf(request);
  if (Array.isArray(raw)) {
    return raw;
  }
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap((value) => [name, String(value)]));
}

/** The raw fields of a request of any framework, if it has them. */
function rawHeadersOf(request) {
  return nodeRequestOf(request)?.rawHeaders;
}

/** Node's own request inside a request of Fastify, Koa or hapi; any other request itself. */
function nodeRequestOf(request) {
  const [raw, req] = [request?.raw, request?.req];
  return [request, raw, req, raw?.req].find((request) => Array.isArray(request?.rawHeaders)) ?? request;
}

/** The requests of Node from which adapters have made requests of `fetch`. */
const originals = new WeakMap();

/** Tells the request of Node from which an adapter has made a request of `fetch`, for the address of its client. */
function setOriginal(request, original) {
  if (original !== undefined) {
    originals.set(request, original);
  }
}

/** The address of the client, as the framework knows it: of the connection, or by a trusted proxy. */
function clientOf(request) {
  const ip = request?.ip;
  return typeof ip === 'string' ? ip : nodeRequestOf(originals.get(request) ?? request)?.socket?.remoteAddress;
}

/**
 * A property of a request. Each request of Express has its own shape, and V8 finds its properties four times as fast by a
 * variable name.
 */
function read(request, name) {
  return request[name];
}

/** Returns true if there are several fields: Node's `headers` keep only the first, `rawHeaders` all. */
function isRepeated(rawHeaders) {
  if (!Array.isArray(rawHeaders)) {
    return false;
  }
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name.length === NAME.length && (name === 'Authorization' || name.toLowerCase() === NAME)) {
      count += 1;
    }
  }
  return count > 1;
}

function ofObject(headers) {
  const values = Object.keys(headers)
    .filter((name) => name.toLowerCase() === NAME)
    .flatMap((name) => headers[name] ?? []);
  return { authorization: textOrNothing(values[0]), several: values.length > 1 };
}

function textOrNothing(value) {
  return typeof value === 'string' ? value : undefined;
}

module.exports = { clientOf, credentialsOf, fieldsOf, isRepeated, nodeRequestOf, read, setOriginal };

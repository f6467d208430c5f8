'use strict';

const NAME = 'authorization';

/**
 * The `Authorization` field of a request, and whether it has several: of Node, Express, Fastify, Koa, hapi, of `fetch`, or an
 * object of fields.
 */
function credentialsOf(request) {
  const headers = request?.headers ?? request;
  if (headers === null || typeof headers !== 'object') {
    throw new TypeError('expected a request, or its headers');
  }
  if (typeof headers.get === 'function') {
    // Two fields come as one, which no token can be.
    return { authorization: textOrNothing(headers.get(NAME)), several: false };
  }
  const raw = rawHeadersOf(request);
  if (Array.isArray(raw)) {
    return { authorization: textOrNothing(headers[NAME]), several: isRepeated(raw) };
  }
  return ofObject(headers);
}

/** The fields as they came: of a request of Node's, or of the one within that of Fastify, Koa or hapi. */
function rawHeadersOf(request) {
  const { raw, req } = request;
  return [request, raw, req, raw?.req].find((request) => Array.isArray(request?.rawHeaders))?.rawHeaders;
}

/**
 * A property of a request. Express makes each request an object of a shape of its own: looked up by a name that varies, its
 * properties are found in a quarter of the time.
 */
function read(request, name) {
  return request[name];
}

/** Node keeps the first of several fields; what came says whether there were more. */
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

module.exports = { credentialsOf, isRepeated, read };

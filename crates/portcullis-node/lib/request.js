'use strict';

const NAME = 'authorization';

/**
 * The `Authorization` field of a request, and whether it has several: of Node, Express, Fastify, Koa, of `fetch`, or an
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
  const raw = request.rawHeaders ?? request.raw?.rawHeaders ?? request.req?.rawHeaders;
  if (Array.isArray(raw)) {
    return { authorization: textOrNothing(headers[NAME]), several: isRepeated(raw) };
  }
  return ofObject(headers);
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

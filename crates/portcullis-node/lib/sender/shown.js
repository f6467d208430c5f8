'use strict';

const { fieldsOf, nodeRequestOf } = require('../request.js');

/** The fields by which a proof is judged, besides that of the token. */
const FIELDS = new Set(['dpop', 'host', 'x-forwarded-host', 'x-forwarded-proto']);

/** The name of Express's setting for the function that tells trusted proxies. */
const TRUST = 'trust proxy fn';

/** A target that is a URL: scheme, authority, and the rest. */
const URL_FORM = /^(https?):\/\/([^/?#]*)(.*)$/is;

const UNKNOWN = { authority: '' };

/** Returns true if a request has a `DPoP` field. */
function showsProof(request) {
  const headers = request.headers ?? request;
  if (typeof headers.get === 'function') {
    return headers.get('dpop') !== null;
  }
  if (headers.dpop !== undefined) {
    return true;
  }
  // Node writes all names in lower case.
  return !Array.isArray(request.rawHeaders) && Object.keys(headers).some((name) => name.toLowerCase() === 'dpop');
}

/**
 * The parts of a request from which the client's URL is made, and its proofs: raw, since the addon refuses malformed ones, and
 * the frameworks would repair them. An authority that is absent is that of the field `Host`; an empty one is unknown.
 */
function addressOf(request) {
  const { method, originalUrl, url } = request;
  const fields = ofProofs(fieldsOf(request));
  const { socket, authority } = nodeRequestOf(request);
  const target = ofTarget(originalUrl ?? url);
  return {
    method: typeof method === 'string' ? method : '',
    fields,
    ...target,
    authority: target.authority ?? authority,
    scheme: socket === undefined ? target.scheme : ofConnection(socket),
    ...(trustsPeer(request, socket) ? ofProxy(fields) : undefined),
  };
}

function ofProofs(fields) {
  const kept = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (FIELDS.has(fields[index].toLowerCase())) {
      kept.push(fields[index], fields[index + 1]);
    }
  }
  return kept;
}

function ofTarget(target) {
  if (typeof target !== 'string') {
    return { target: '' };
  }
  const [, scheme, authority, rest] = URL_FORM.exec(target) ?? [];
  return scheme === undefined ? { target } : { scheme, authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** The scheme of a connection; undefined for one without TLS, which may come from a proxy that ends TLS. */
function ofConnection(socket) {
  return socket?.encrypted === true ? 'https' : undefined;
}

/** Scheme and authority as a trusted proxy tells them. Unlike Express, this takes no first value of a list: the client may have sent it. */
function ofProxy(fields) {
  const [protos, hosts] = ['x-forwarded-proto', 'x-forwarded-host'].map((name) => valuesOf(fields, name));
  if (protos.length > 1 || hosts.length > 1 || hosts[0]?.includes(',') || !/^(https?)?$/i.test(protos[0] ?? '')) {
    return UNKNOWN;
  }
  return { ...(protos[0] && { scheme: protos[0] }), ...(hosts[0] !== undefined && { authority: hosts[0] }) };
}

function valuesOf(fields, wanted) {
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1].toLowerCase() === wanted);
}

/** Returns true if Express is told to trust the proxy that has sent a request. */
function trustsPeer({ app }, socket) {
  const trusts = app?.settings?.[TRUST];
  return typeof trusts === 'function' && trusts(socket?.remoteAddress, 0) === true;
}

module.exports = { addressOf, showsProof };

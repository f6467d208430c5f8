'use strict';

const { X509Certificate } = require('node:crypto');

const { nodeRequestOf, read } = require('../request.js');
const { expected } = require('../values.js');

/** The certificates of clients, in DER, by connections. */
const known = new WeakMap();

/**
 * The certificate with which the client has authenticated its TLS connection, in DER; undefined without one.
 *
 * Its issuer does not matter: a token is bound to the certificate itself (RFC 8705 section 3), and the handshake proves that the
 * client has the key.
 */
function ofConnection(request) {
  const socket = read(request, 'socket') ?? nodeRequestOf(request).socket;
  return socket?.encrypted === true ? ofTls(socket) : undefined;
}

function ofTls(socket) {
  const kept = known.get(socket);
  if (kept !== undefined) {
    return kept;
  }
  const certificate = socket.getPeerX509Certificate?.()?.raw;
  if (certificate !== undefined) {
    known.set(socket, certificate);
  }
  return certificate;
}

/** The function that finds a request's certificate: by the option `clientCertificate`, or else by the connection. */
function certificateFinder(owner, find) {
  return find === undefined ? ofConnection : (request) => inDer(owner, find(request));
}

function inDer(owner, found) {
  if (found === undefined || found === null) {
    return undefined;
  }
  if (found instanceof X509Certificate) {
    return found.raw;
  }
  if (!(found instanceof Uint8Array)) {
    throw expected(owner, 'clientCertificate', 'a function that returns DER as bytes, an X509Certificate, or undefined', found);
  }
  return found;
}

module.exports = { certificateFinder };

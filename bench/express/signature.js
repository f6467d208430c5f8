/** Express and the signature, nothing else: verified by Node.js on the event loop, or in libuv's pool. */

import { createPublicKey, verify } from 'node:crypto';

import { SUBJECT, serve, settings } from './server.js';

const { jwksUri, pool } = settings;

/** The first key of the issuer's set. */
const key = await fetchKey();

async function fetchKey() {
  const response = await fetch(jwksUri);
  const { keys } = await response.json();
  return createPublicKey({ key: keys[0], format: 'jwk' });
}

function guard(req, res, next) {
  const conclude = (error, valid) => (valid ? next() : res.sendStatus(403));
  const { input, signature } = partsOf(req.headers.authorization ?? '');
  if (pool) {
    return verify('RSA-SHA256', input, key, signature, conclude);
  }
  return conclude(null, verify('RSA-SHA256', input, key, signature));
}

function partsOf(authorization) {
  const token = authorization.slice('Bearer '.length);
  const dot = token.lastIndexOf('.');
  return { input: Buffer.from(token.slice(0, dot)), signature: Buffer.from(token.slice(dot + 1), 'base64url') };
}

serve(() => SUBJECT, guard);

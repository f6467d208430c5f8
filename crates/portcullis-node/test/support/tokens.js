'use strict';

const { constants, createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign } = require('node:crypto');

const PSS = constants.RSA_PKCS1_PSS_PADDING;

const KINDS = {
  RS: () => ['rsa', { modulusLength: 2048 }],
  PS: () => ['rsa', { modulusLength: 2048 }],
  ES256: () => ['ec', { namedCurve: 'P-256' }],
  ES384: () => ['ec', { namedCurve: 'P-384' }],
  ES512: () => ['ec', { namedCurve: 'P-521' }],
  EdDSA: () => ['ed25519', {}],
};

/** A new key; `jwk` is its public part for a key set. */
function newKey(alg = 'ES256', kid = `${alg}-${randomBytes(4).toString('hex')}`) {
  const [type, options] = (KINDS[alg] ?? KINDS[alg.slice(0, 2)])();
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig' };
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return { alg, kid, publicKey, privateKey, jwk, pem };
}

const known = new Map();

/** The key of this name, the same at each call, because making an RSA key takes long. */
function namedKey(alg, name = 'first') {
  const id = `${alg}-${name}`;
  if (!known.has(id)) {
    known.set(id, newKey(alg, id));
  }
  return known.get(id);
}

/** Another key with the same `kid`. */
function forgedKey(key) {
  return { ...namedKey(key.alg, 'forger'), kid: key.kid };
}

/** A secret for the HS algorithms. */
function newSecret(alg = 'HS256', kid = undefined) {
  const bytes = randomBytes(64);
  const jwk = { kty: 'oct', k: bytes.toString('base64url'), alg, kid };
  return { alg, kid, bytes, privateKey: createSecretKey(bytes), jwk };
}

/** A signed token. Members that are undefined are left out. */
function mint(key, claims = {}, header = {}) {
  const now = Math.floor(Date.now() / 1000);
  return mintText(
    key,
    JSON.stringify({ sub: 'alice', iat: now, exp: now + 600, ...claims }),
    JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }),
  );
}

/** A signed token of these texts, valid or not. */
function mintText(key, payload, header = JSON.stringify({ alg: key.alg, kid: key.kid })) {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${signature(key, input).toString('base64url')}`;
}

function encoded(text) {
  return Buffer.from(text).toString('base64url');
}

function signature({ alg, privateKey }, input) {
  const bytes = Buffer.from(input);
  const hash = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case 'HS':
      return createHmac(hash, privateKey).update(bytes).digest();
    case 'ES':
      return sign(hash, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'PS':
      return sign(hash, bytes, { key: privateKey, padding: PSS, saltLength: Number(alg.slice(2)) / 8 });
    default:
      return sign(hash, bytes, privateKey);
  }
}

/** Tokens that are refused, each for one reason: `[code, token]`. */
function badTokens(key) {
  const now = Math.floor(Date.now() / 1000);
  const good = mint(key);
  const [header, payload, sealed] = good.split('.');
  const turned = Buffer.from(sealed, 'base64url');
  turned[10] ^= 1;
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
  return [
    ['token_too_large', `${header}.${'A'.repeat(17 * 1024)}.${sealed}`],
    ['malformed_token', `${header}.${payload}.${sealed.slice(0, -1)}"`],
    ['malformed_token', `${good} ${good}`],
    ['malformed_token_parts', 'opaque-reference-token'],
    ['malformed_token_parts', `${header}.${payload}`],
    ['malformed_token_parts', `${good}.`],
    ['encrypted_token', `${good}.${payload}.${sealed}`],
    ['malformed_base64', `${header}.${payload}+.${sealed}`],
    ['malformed_base64', `${header}.${payload}.${sealed}AAA`],
    ['malformed_base64', `${header}.${payload}.${sealed.slice(0, -1)}B`],
    ['malformed_json', mintText(key, 'no json')],
    ['malformed_json', mintText(key, '["exp"]')],
    ['malformed_json', mintText(key, 'null')],
    ['duplicate_member', mintText(key, `{"sub":"a","sub":"b","exp":${now + 600}}`)],
    ['duplicate_member', mintText(key, `{"exp":${now + 600},"a":{"b":1,"b":2}}`)],
    ['nested_too_deep', mintText(key, `{"exp":${now + 600},"a":${deep}}`)],
    ['malformed_header', mint(key, {}, { alg: undefined })],
    ['malformed_header', mint(key, {}, { kid: 7 })],
    ['malformed_header', mint(key, {}, { kid: 'k'.repeat(513) })],
    ['malformed_header', mint(key, {}, { typ: ['JWT'] })],
    ['malformed_header', mint(key, {}, { b64: false })],
    ['critical_header', mint(key, {}, { crit: ['b64'], b64: true })],
    ['critical_header', mint(key, {}, { crit: [] })],
    ['algorithm_not_allowed', mint(key, {}, { alg: 'none' })],
    ['algorithm_not_allowed', `${encoded('{"alg":"none"}')}.${payload}.`],
    ['algorithm_not_allowed', mint(key, {}, { alg: 'nOnE' })],
    ['algorithm_not_allowed', mint(confusedKey(key))],
    ['wrong_type', mint(key, {}, { typ: 'logout+jwt' })],
    ['unknown_key', mint(key, {}, { kid: 'nobody-has-this' })],
    ['key_mismatch', mint(key, {}, { alg: 'RS256' })],
    ['bad_signature', `${header}.${payload}.${turned.toString('base64url')}`],
    ['bad_signature', `${header}.${encoded(JSON.stringify({ sub: 'admin', exp: now + 600 }))}.${sealed}`],
    ['bad_signature', mint(forgedKey(key))],
    ['bad_signature', `${header}.${payload}.`],
    ['expired', mint(key, { exp: now - 60 })],
    ['expired', mint(key, { exp: 0 })],
    ['not_yet_valid', mint(key, { nbf: now + 60 })],
    ['issued_in_future', mint(key, { iat: now + 60 })],
    ['missing_claim', mint(key, { exp: undefined })],
    ['malformed_claim', mint(key, { exp: String(now + 600) })],
    ['malformed_claim', mint(key, { exp: null })],
    ['malformed_claim', mint(key, { nbf: true })],
  ];
}

/** The public key as a secret, for algorithm confusion. */
function confusedKey({ kid, pem }) {
  return { alg: 'HS256', kid, privateKey: createSecretKey(Buffer.from(pem)) };
}

/** The key as a CryptoKey. */
function cryptoKeyOf({ jwk, alg }) {
  const algorithms = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    ES384: { name: 'ECDSA', namedCurve: 'P-384' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
    HS256: { name: 'HMAC', hash: 'SHA-256' },
  };
  const { alg: _, ...bare } = jwk;
  return crypto.subtle.importKey('jwk', alg === 'EdDSA' ? bare : jwk, algorithms[alg], true, ['verify']);
}

module.exports = { newKey, namedKey, forgedKey, confusedKey, newSecret, mint, mintText, badTokens, cryptoKeyOf };

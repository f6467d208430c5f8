'use strict';

const { generateKeyPairSync, randomBytes } = require('node:crypto');

const { DpopClient, sha256 } = require('./dpop.js');
const { forgedKey, mint, namedKey, newKey } = require('./tokens.js');

/**
 * Requests with DPoP proofs, good and hostile, and the verdicts on them: that of the package, and that of `validateJwtAccessToken` of
 * oauth4webapi.
 *
 * A row is `[name, request, verdict, difference]`. The verdict is `passes` or the code of the refusal. The verdict of oauth4webapi is
 * the opposite if the row has a `difference`, a name in `DIFFERENCES`.
 */

const ORIGIN = 'https://api.example.com';
const ISSUER = 'https://as.example.com';
const AUDIENCE = 'api';
const PATH = '/r';

/** The differences, as docs/dpop.md names them. */
const DIFFERENCES = {
  replay: 'a proof that was used before',
  jti: '`jti` that is empty, or longer than 256 bytes',
  ahead: 'a proof that is made a minute ahead',
  size: 'a proof of more than 12 KiB',
  rfc3986: '`htu` that is no URI of RFC 3986, such as one with a backslash, a space or full-width letters',
  userinfo: '`htu` with an empty userinfo',
  encoded: '`htu` whose percent-encoding is different, and means the same',
  times: '`exp` or `nbf` in a proof',
  base64url: 'base64url with padding, spaces, characters of the standard alphabet (there only up to Node 24), or bits that do not count',
  json: 'a member that occurs twice, a byte-order mark, bytes outside of UTF-8, half a character',
  members: '`jwk` whose `use` or `key_ops` forbids to verify with it',
  b64: '`b64: false` without `crit`',
  unknown: 'an empty `cnf`, in a bearer token',
  confirmations: 'a further member in `cnf`, beside `jkt`',
};

/** True if oauth4webapi decodes base64url by `atob`, which knows the standard alphabet alone. */
const OLD_DECODER = Uint8Array.fromBase64 === undefined;

const AS = namedKey('ES256', 'authorization-server');
const CLIENT = new DpopClient();
const OTHER = new DpopClient('ES256', 'other');
const now = () => Math.floor(Date.now() / 1000);
const encoded = (text) => Buffer.from(text).toString('base64url');
const GOOD = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', client_id: 'app' };

/** A token of the authorization server. */
function tokenOf(claims, key = AS, header = {}) {
  return mint(key, { ...GOOD, jti: randomBytes(8).toString('hex'), ...claims }, { typ: 'at+jwt', ...header });
}

/** A request with a token that is bound to the client's key, and a proof for both. */
function request({ method = 'GET', path = PATH, client = CLIENT, claims, header, token, proof, fields, scheme = 'DPoP' } = {}) {
  const sent = token ?? tokenOf(client.bound);
  const asked = { method, url: ORIGIN + path.split('?', 1)[0], token: sent };
  const changed = typeof claims === 'function' ? claims(sent) : claims;
  const made = proof?.(asked) ?? client.proof(asked, changed, header);
  return { method, path, fields: fields?.(sent, made) ?? [['authorization', `${scheme} ${sent}`], ['dpop', made]] };
}

/** Rows of requests whose proof has other claims: `[name, claims, verdict, difference, request]`. */
function byClaims(member, table) {
  return table.map(([name, value, verdict, difference, more]) => {
    const claims = typeof value === 'function' ? (sent) => ({ [member]: value(sent) }) : { [member]: value };
    return [`${member}: ${name}`, () => request({ claims, ...more }), verdict, difference];
  });
}

/** Rows of requests whose proof has another header. */
function byHeader(table) {
  return table.map(([name, header, verdict, difference]) => [`header: ${name}`, () => request({ header }), verdict, difference]);
}

/** Rows of requests whose proof is made by a function of the asked request. */
function byProof(table) {
  return table.map(([name, proof, verdict, difference]) => [`proof: ${name}`, () => request({ proof }), verdict, difference]);
}

/** Rows of requests whose token has another `cnf`, with a good proof. */
function byToken(table) {
  return table.map(([name, claims, verdict, difference, more]) => [
    `token: ${name}`,
    () => request({ token: tokenOf(claims), ...more }),
    verdict,
    difference,
  ]);
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519'];

/** A client whose key is used by this algorithm. */
function clientOf(alg) {
  const kind = /^[RP]S/.test(alg) ? 'RS256' : alg.replace('Ed25519', 'EdDSA');
  const client = new DpopClient(kind);
  client.key = { ...client.key, alg };
  return client;
}

function ofAlgorithms() {
  return ALGORITHMS.flatMap((alg) =>
    METHODS.map((method) => [`${alg}, ${method}`, () => request({ client: clientOf(alg), method }), 'passes']));
}

function ofMethods() {
  const others = METHODS.filter((method) => method !== 'GET').map((method) => [method, method, 'dpop_method']);
  return byClaims('htm', [
    ...others,
    ['lower case', 'get', 'dpop_method'],
    ['mixed case', 'Get', 'dpop_method'],
    ['with a space', 'GET ', 'dpop_method'],
    ['a list', ['GET'], 'malformed_dpop_proof'],
    ['null', null, 'malformed_dpop_proof'],
    ['a number', 1, 'malformed_dpop_proof'],
    ['empty', '', 'dpop_method'],
    ['absent', undefined, 'malformed_dpop_proof'],
  ]);
}

function ofUrls() {
  const at = (path) => ({ path });
  return byClaims('htu', [
    ['the URL', `${ORIGIN}/r`, 'passes'],
    ['with a query', `${ORIGIN}/r?a=1`, 'passes'],
    ['with a fragment', `${ORIGIN}/r#a`, 'passes'],
    ['with both', `${ORIGIN}/r?a=1#b`, 'passes'],
    ['with an empty query', `${ORIGIN}/r?`, 'passes'],
    ['without the query of the request', `${ORIGIN}/r`, 'passes', undefined, at('/r?a=1')],
    ['with the query of the request', `${ORIGIN}/r?a=1`, 'passes', undefined, at('/r?a=1')],
    ['with another query', `${ORIGIN}/r?a=2`, 'passes', undefined, at('/r?a=1')],
    ['the default port', 'https://api.example.com:443/r', 'passes'],
    ['an empty port', 'https://api.example.com:/r', 'passes'],
    ['a port with zeros', 'https://api.example.com:0443/r', 'passes'],
    ['the port of http', 'https://api.example.com:80/r', 'dpop_url'],
    ['another port', 'https://api.example.com:8443/r', 'dpop_url'],
    ['a port that is too large', 'https://api.example.com:99999/r', 'dpop_url'],
    ['a host in upper case', 'https://API.EXAMPLE.COM/r', 'passes'],
    ['a scheme in upper case', 'HTTPS://api.example.com/r', 'passes'],
    ['another scheme', 'http://api.example.com/r', 'dpop_url'],
    ['a scheme of sockets', 'wss://api.example.com/r', 'dpop_url'],
    ['another host', 'https://api.example.org/r', 'dpop_url'],
    ['a host below', 'https://a.api.example.com/r', 'dpop_url'],
    ['a host with a dot', 'https://api.example.com./r', 'dpop_url'],
    ['a host that begins alike', 'https://api.example.com.evil.example/r', 'dpop_url'],
    ['userinfo', 'https://user@api.example.com/r', 'dpop_url'],
    ['userinfo with a password', 'https://user:secret@api.example.com/r', 'dpop_url'],
    ['the host as userinfo', 'https://api.example.com@evil.example/r', 'dpop_url'],
    ['empty userinfo', 'https://@api.example.com/r', 'dpop_url', 'userinfo'],
    ['an encoded unreserved character', `${ORIGIN}/%72`, 'passes', 'encoded'],
    ['an encoded tilde', `${ORIGIN}/%7Er`, 'passes', 'encoded', at('/~r')],
    ['a tilde for an encoded one', `${ORIGIN}/~r`, 'passes', 'encoded', at('/%7Er')],
    ['encodings in another case', `${ORIGIN}/a%2fb`, 'passes', 'encoded', at('/a%2Fb')],
    ['an encoded slash', `${ORIGIN}/a%2Fb`, 'dpop_url', undefined, at('/a/b')],
    ['a slash for an encoded one', `${ORIGIN}/a/b`, 'dpop_url', undefined, at('/a%2Fb')],
    ['an encoded host', 'https://%61pi.example.com/r', 'passes'],
    ['dot segments', `${ORIGIN}/a/../r`, 'passes'],
    ['one dot', `${ORIGIN}/./r`, 'passes'],
    ['dots above the root', `${ORIGIN}/../r`, 'passes'],
    ['encoded dots', `${ORIGIN}/a/%2E%2e/r`, 'passes'],
    ['dot segments in the request', `${ORIGIN}/r`, 'passes', undefined, at('/a/../r')],
    ['a trailing slash', `${ORIGIN}/r/`, 'dpop_url'],
    ['two slashes', `${ORIGIN}//r`, 'dpop_url'],
    ['a path in upper case', `${ORIGIN}/R`, 'dpop_url'],
    ['a longer path', `${ORIGIN}/r/s`, 'dpop_url'],
    ['no path', ORIGIN, 'dpop_url'],
    ['no path for the root', ORIGIN, 'passes', undefined, at('/')],
    ['no path but a query for the root', `${ORIGIN}?a=1`, 'passes', undefined, at('/')],
    ['the path alone', '/r', 'dpop_url'],
    ['no scheme', '//api.example.com/r', 'dpop_url'],
    ['empty', '', 'dpop_url'],
    ['absent', undefined, 'malformed_dpop_proof'],
    ['null', null, 'malformed_dpop_proof'],
    ['a number', 7, 'malformed_dpop_proof'],
    ['a list', [`${ORIGIN}/r`], 'malformed_dpop_proof'],
    ['one slash', 'https:/api.example.com/r', 'dpop_url', 'rfc3986'],
    ['no slash', 'https:api.example.com/r', 'dpop_url', 'rfc3986'],
    ['three slashes', 'https:///api.example.com/r', 'dpop_url', 'rfc3986'],
    ['backslashes', 'https:\\\\api.example.com\\r', 'dpop_url', 'rfc3986'],
    ['a backslash in the path', `${ORIGIN}\\r`, 'dpop_url', 'rfc3986'],
    ['a space in front', ` ${ORIGIN}/r`, 'dpop_url', 'rfc3986'],
    ['a space behind', `${ORIGIN}/r `, 'dpop_url', 'rfc3986'],
    ['a tab', 'https://api.\texample.com/r', 'dpop_url', 'rfc3986'],
    ['a line break', `${ORIGIN}\n/r`, 'dpop_url', 'rfc3986'],
    ['full-width letters', 'https://ａpi.example.com/r', 'dpop_url', 'rfc3986'],
    ['an ideographic dot', 'https://api。example.com/r', 'dpop_url', 'rfc3986'],
    ['a soft hyphen', 'https://api\u00ad.example.com/r', 'dpop_url', 'rfc3986'],
    ['a letter outside of ASCII', `${ORIGIN}/é`, 'dpop_url', 'rfc3986', at('/%C3%A9')],
    ['the same letter, encoded', `${ORIGIN}/%c3%a9`, 'passes', 'encoded', at('/%C3%A9')],
    ['a quotation mark', `${ORIGIN}/"`, 'dpop_url', 'rfc3986', at('/%22')],
    ['a bracket', `${ORIGIN}/<r`, 'dpop_url', 'rfc3986', at('/%3Cr')],
    ['a lone percent sign', `${ORIGIN}/%`, 'dpop_url', undefined],
    ['a wrong encoding', `${ORIGIN}/%zz`, 'dpop_url', undefined],
  ]);
}

function ofTimes() {
  return byClaims('iat', [
    ['a minute ago', () => now() - 60, 'passes'],
    ['nearly five minutes ago', () => now() - 280, 'passes'],
    ['six minutes ago', () => now() - 360, 'dpop_too_old'],
    ['a day ago', () => now() - 86400, 'dpop_too_old'],
    ['a second ahead', () => now() + 1, 'passes'],
    ['a minute ahead', () => now() + 60, 'dpop_ahead', 'ahead'],
    ['six minutes ahead', () => now() + 360, 'dpop_ahead'],
    ['in milliseconds', () => now() * 1000, 'dpop_ahead'],
    ['a fraction', () => now() - 0.5, 'passes'],
    ['a small fraction', () => now() - 0.000001, 'passes'],
    ['zero', 0, 'dpop_too_old'],
    ['negative', -1, 'dpop_too_old'],
    ['huge', 1e300, 'dpop_ahead'],
    ['a text', () => String(now()), 'malformed_dpop_proof'],
    ['null', null, 'malformed_dpop_proof'],
    ['true', true, 'malformed_dpop_proof'],
    ['a list', () => [now()], 'malformed_dpop_proof'],
    ['absent', undefined, 'malformed_dpop_proof'],
  ]);
}

function ofTokenHashes() {
  const standard = (token) => Buffer.from(sha256(token), 'base64url').toString('base64');
  return byClaims('ath', [
    ['that of the token', sha256, 'passes'],
    ['padded', (token) => `${sha256(token)}=`, 'dpop_wrong_token'],
    ['of another token', () => sha256(tokenOf(CLIENT.bound)), 'dpop_wrong_token'],
    ['of the token and its scheme', (token) => sha256(`DPoP ${token}`), 'dpop_wrong_token'],
    ['of the decoded token', (token) => sha256(token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1')).join('.')), 'dpop_wrong_token'],
    ['of the payload', (token) => sha256(token.split('.')[1]), 'dpop_wrong_token'],
    ['in the standard alphabet', standard, 'dpop_wrong_token'],
    ['in hexadecimal digits', (token) => Buffer.from(sha256(token), 'base64url').toString('hex'), 'dpop_wrong_token'],
    ['the token', (token) => token, 'dpop_wrong_token'],
    ['a part of it', (token) => sha256(token).slice(0, 22), 'dpop_wrong_token'],
    ['empty', '', 'dpop_wrong_token'],
    ['a number', 7, 'malformed_dpop_proof'],
    ['null', null, 'malformed_dpop_proof'],
    ['absent', undefined, 'malformed_dpop_proof'],
  ]);
}

function ofIds() {
  return byClaims('jti', [
    ['one character', () => randomBytes(1).toString('hex')[0], 'passes'],
    ['256 bytes', () => randomBytes(128).toString('hex'), 'passes'],
    ['257 bytes', () => `${randomBytes(128).toString('hex')}a`, 'malformed_dpop_proof', 'jti'],
    ['256 characters of two bytes', () => 'é'.repeat(256), 'malformed_dpop_proof', 'jti'],
    ['2 KB', () => 'a'.repeat(2048), 'malformed_dpop_proof', 'jti'],
    ['10 KB', () => 'a'.repeat(10_000), 'dpop_proof_too_large', 'size'],
    ['letters outside of ASCII', () => `é-${randomBytes(8).toString('hex')}`, 'passes'],
    ['a zero byte', () => `\0${randomBytes(8).toString('hex')}`, 'passes'],
    ['empty', '', 'malformed_dpop_proof', 'jti'],
    ['a number', 7, 'malformed_dpop_proof'],
    ['null', null, 'malformed_dpop_proof'],
    ['a list', ['a'], 'malformed_dpop_proof'],
    ['absent', undefined, 'malformed_dpop_proof'],
  ]);
}

function ofHeaders() {
  const { jwk } = CLIENT;
  const withJwk = (members) => ({ jwk: { ...jwk, ...members } });
  return byHeader([
    ['typ in another case', { typ: 'DPoP+JWT' }, 'passes'],
    ['typ with its tree', { typ: 'application/dpop+jwt' }, 'passes'],
    ['typ of a JWT', { typ: 'JWT' }, 'dpop_type'],
    ['typ of a token', { typ: 'at+jwt' }, 'dpop_type'],
    ['typ cut off', { typ: 'dpop' }, 'dpop_type'],
    ['typ with a space', { typ: 'dpop+jwt ' }, 'dpop_type'],
    ['empty typ', { typ: '' }, 'dpop_type'],
    ['typ that is a number', { typ: 7 }, 'dpop_type'],
    ['no typ', { typ: undefined }, 'dpop_type'],
    ['alg none', { alg: 'none' }, 'dpop_algorithm'],
    ['alg None', { alg: 'None' }, 'dpop_algorithm'],
    ['alg HS256', { alg: 'HS256' }, 'dpop_algorithm'],
    ['alg of another type of key', { alg: 'RS256' }, 'dpop_key'],
    ['alg of another curve', { alg: 'ES384' }, 'dpop_key'],
    ['alg in lower case', { alg: 'es256' }, 'dpop_algorithm'],
    ['an unknown alg', { alg: 'ES256K' }, 'dpop_algorithm'],
    ['empty alg', { alg: '' }, 'dpop_algorithm'],
    ['alg that is a number', { alg: 256 }, 'dpop_algorithm'],
    ['no alg', { alg: undefined }, 'dpop_algorithm'],
    ['no jwk', { jwk: undefined }, 'dpop_key'],
    ['jwk null', { jwk: null }, 'dpop_key'],
    ['jwk as a text', { jwk: JSON.stringify(jwk) }, 'dpop_key'],
    ['jwk as a list', { jwk: [jwk] }, 'dpop_key'],
    ['empty jwk', { jwk: {} }, 'dpop_key'],
    ['the private key', withJwk({ d: CLIENT.key.privateKey.export({ format: 'jwk' }).d }), 'dpop_key'],
    ['a private member that is null', withJwk({ d: null }), 'dpop_key'],
    ['a secret', { jwk: { kty: 'oct', k: encoded('a'.repeat(32)) } }, 'dpop_key'],
    ['another key', { jwk: OTHER.jwk }, 'dpop_wrong_key'],
    ['a point off the curve', withJwk({ y: jwk.x }), 'dpop_key'],
    ['half a point', withJwk({ y: undefined }), 'dpop_key'],
    ['a short coordinate', withJwk({ x: jwk.x.slice(0, -4) }), 'dpop_key'],
    ['padded coordinates', withJwk({ x: `${jwk.x}=` }), 'dpop_key'],
    ['an unknown curve', withJwk({ crv: 'P-257' }), 'dpop_key'],
    ['another curve', withJwk({ crv: 'P-384' }), 'dpop_key'],
    ['another type of key', withJwk({ kty: 'RSA' }), 'dpop_key'],
    ['no type of key', withJwk({ kty: undefined }), 'dpop_key'],
    ['kid in jwk', withJwk({ kid: 'a' }), 'passes'],
    ['alg in jwk', withJwk({ alg: 'ES256' }), 'passes'],
    ['another alg in jwk', withJwk({ alg: 'ES384' }), 'dpop_key'],
    ['use sig', withJwk({ use: 'sig' }), 'passes'],
    ['use enc', withJwk({ use: 'enc' }), 'dpop_key', 'members'],
    ['key_ops verify', withJwk({ key_ops: ['verify'] }), 'passes'],
    ['key_ops sign', withJwk({ key_ops: ['sign'] }), 'dpop_key', 'members'],
    ['an unknown member of jwk', withJwk({ a: 1 }), 'passes'],
    ['a certificate in jwk', withJwk({ x5c: ['a'] }), 'passes'],
    ['kid', { kid: 'a' }, 'passes'],
    ['kid that is a number', { kid: 7 }, 'passes'],
    ['an unknown member', { a: 1 }, 'passes'],
    ['a URL of keys', { jku: 'https://evil.example/keys' }, 'passes'],
    ['crit', { crit: ['exp'], exp: 1 }, 'malformed_dpop_proof'],
    ['empty crit', { crit: [] }, 'malformed_dpop_proof'],
    ['crit null', { crit: null }, 'malformed_dpop_proof'],
    ['b64 false', { b64: false }, 'malformed_dpop_proof', 'b64'],
  ]);
}

/** A client with an RSA key of another form. */
function rsaClient(options) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', options);
  const client = new DpopClient('RS256');
  const { e, kty, n } = publicKey.export({ format: 'jwk' });
  client.key = { alg: 'RS256', privateKey };
  client.jwk = { e, kty, n };
  client.jkt = sha256(JSON.stringify(client.jwk));
  return client;
}

function ofKeys() {
  const weak = rsaClient({ modulusLength: 1024 });
  const small = rsaClient({ modulusLength: 2048, publicExponent: 3 });
  return [
    ['key: RSA of 1024 bits', () => request({ client: weak }), 'dpop_key'],
    ['key: RSA with the exponent 3', () => request({ client: small }), 'passes'],
    ['key: that of the other client, honestly', () => request({ client: OTHER, token: tokenOf(CLIENT.bound) }), 'dpop_wrong_key'],
    ['key: that of the authorization server', () => request({ token: tokenOf(CLIENT.bound, forgedKey(AS)) }), 'bad_signature'],
  ];
}

function ofForms() {
  const good = (asked) => CLIENT.proof(asked);
  const parts = (change) => (asked) => change(good(asked).split('.')).join('.');
  const raw = (change, header) => (asked) => CLIENT.proofOf(change(JSON.stringify(CLIENT.claims(asked))), header);
  const header = JSON.stringify(CLIENT.header);
  return byProof([
    ['empty', () => '', 'malformed_dpop_proof'],
    ['no JWS', () => 'proof', 'malformed_dpop_proof'],
    ['two parts', parts(([a, b]) => [a, b]), 'malformed_dpop_proof'],
    ['four parts', parts(([a, b, c]) => [a, b, c, 'a']), 'malformed_dpop_proof'],
    ['five parts', parts(([a, b, c]) => [a, b, c, 'a', 'a']), 'malformed_dpop_proof'],
    ['an empty header', parts(([, b, c]) => ['', b, c]), 'malformed_dpop_proof'],
    ['an empty payload', parts(([a, , c]) => [a, '', c]), 'malformed_dpop_proof'],
    ['an empty signature', parts(([a, b]) => [a, b, '']), 'dpop_signature'],
    ['a signature of zeros', parts(([a, b]) => [a, b, encoded('\0'.repeat(64))]), 'dpop_signature'],
    ['a short signature', parts(([a, b, c]) => [a, b, c.slice(0, 84)]), 'dpop_signature'],
    ['a signature of another key', (asked) => CLIENT.proof(asked, {}, {}, OTHER.key), 'dpop_signature'],
    ['a signature of another proof', (asked) => [...good(asked).split('.').slice(0, 2), good(asked).split('.')[2]].join('.'), 'dpop_signature'],
    ['a padded signature', parts(([a, b, c]) => [a, b, `${c}==`]), 'malformed_dpop_proof', 'base64url'],
    ['a space in the signature', parts(([a, b, c]) => [a, b, `${c.slice(0, 8)} ${c.slice(8)}`]), 'malformed_dpop_proof', 'base64url'],
    ['a signature in the standard alphabet', inStandardAlphabet, 'malformed_dpop_proof', OLD_DECODER ? 'base64url' : undefined],
    ['bits behind the signature', parts(([a, b, c]) => [a, b, `${c.slice(0, -1)}${nextOf(c.at(-1))}`]), 'malformed_dpop_proof', 'base64url'],
    ['quotation marks around', (asked) => `"${good(asked)}"`, 'malformed_dpop_proof'],
    ['a list of two', (asked) => `${good(asked)}, ${good(asked)}`, 'malformed_dpop_proof'],
    ['a scheme in front', (asked) => `DPoP ${good(asked)}`, 'malformed_dpop_proof'],
    ['the token as proof', ({ token }) => token, 'malformed_dpop_proof'],
    ['JSON', (asked) => JSON.stringify(CLIENT.claims(asked)), 'malformed_dpop_proof'],
    ['13 KB', (asked) => CLIENT.proof(asked, { filling: 'a'.repeat(9500) }), 'dpop_proof_too_large', 'size'],
    ['100 KB', (asked) => CLIENT.proof(asked, { filling: 'a'.repeat(75_000) }), 'dpop_proof_too_large', 'size'],
    ['a payload that is a list', raw(() => '[]'), 'malformed_dpop_proof'],
    ['a payload that is null', raw(() => 'null'), 'malformed_dpop_proof'],
    ['a payload that is no JSON', raw((text) => text.slice(1)), 'malformed_dpop_proof'],
    ['a comma too many', raw((text) => text.replace('}', ',}')), 'malformed_dpop_proof'],
    ['a comment', raw((text) => `${text}//`), 'malformed_dpop_proof'],
    ['spaces in JSON', raw((text) => ` ${text}\n`), 'passes'],
    ['a byte-order mark', raw((text) => `\ufeff${text}`), 'malformed_dpop_proof', 'json'],
    ['jti twice', raw((text) => text.replace('{', '{"jti":"a",')), 'malformed_dpop_proof', 'json'],
    ['htm twice', raw((text) => text.replace('{', '{"htm":"POST",')), 'malformed_dpop_proof', 'json'],
    ['alg twice', raw((text) => text, header.replace('{', '{"alg":"none",')), 'malformed_dpop_proof', 'json'],
    ['kty twice', raw((text) => text, header.replace('"kty"', '"kty":"RSA","kty"')), 'malformed_dpop_proof', 'json'],
    ['half a character', (asked) => CLIENT.proof(asked, { jti: '\ud800a' }), 'malformed_dpop_proof', 'json'],
    ['bytes outside of UTF-8', (asked) => CLIENT.proofOf(Buffer.from(JSON.stringify(CLIENT.claims(asked)).replace('{', '{"a":"\xff",'), 'latin1')), 'malformed_dpop_proof', 'json'],
    ['exp that has passed', (asked) => CLIENT.proof(asked, { exp: 1 }), 'passes', 'times'],
    ['exp to come', (asked) => CLIENT.proof(asked, { exp: now() + 60 }), 'passes'],
    ['exp that is a text', (asked) => CLIENT.proof(asked, { exp: 'never' }), 'passes', 'times'],
    ['nbf to come', (asked) => CLIENT.proof(asked, { nbf: now() + 600 }), 'passes', 'times'],
    ['an unasked nonce', (asked) => CLIENT.proof(asked, { nonce: 'a' }), 'passes'],
    ['further claims', (asked) => CLIENT.proof(asked, { iss: 'app', aud: 'b', a: { b: [1] } }), 'passes'],
  ]);
}

function inStandardAlphabet(asked) {
  for (;;) {
    const [header, payload, signature] = CLIENT.proof(asked).split('.');
    if (/[-_]/.test(signature)) {
      return [header, payload, signature.replaceAll('-', '+').replaceAll('_', '/')].join('.');
    }
  }
}

/** The next letter of the alphabet of base64url: the last letter of 64 bytes has four bits that do not count. */
function nextOf(letter) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(letter) + 1];
}

function ofTokens() {
  const { jkt } = CLIENT;
  const bearer = { scheme: 'Bearer' };
  const alone = (scheme) => ({ fields: (token) => [['authorization', `${scheme} ${token}`]] });
  return byToken([
    ['bound', { cnf: { jkt } }, 'passes'],
    ['bound, as Bearer with a proof', { cnf: { jkt } }, 'sender_constrained_token', undefined, bearer],
    ['bound, as Bearer alone', { cnf: { jkt } }, 'sender_constrained_token', undefined, alone('Bearer')],
    ['bound, without a proof', { cnf: { jkt } }, 'missing_dpop_proof', undefined, alone('DPoP')],
    ['unbound, with a proof', {}, 'unbound_token'],
    ['unbound, as Bearer with a proof', {}, 'unbound_token', undefined, bearer],
    ['unbound, without a proof', {}, 'unbound_token', undefined, alone('DPoP')],
    ['unbound, as Bearer alone', {}, 'passes', undefined, alone('Bearer')],
    ['bound to another key', { cnf: { jkt: OTHER.jkt } }, 'dpop_wrong_key'],
    ['a thumbprint that is empty', { cnf: { jkt: '' } }, 'malformed_claim'],
    ['a thumbprint that is padded', { cnf: { jkt: `${jkt}=` } }, 'malformed_claim'],
    ['a thumbprint that is cut off', { cnf: { jkt: jkt.slice(0, 27) } }, 'malformed_claim'],
    ['a thumbprint that is a number', { cnf: { jkt: 7 } }, 'malformed_claim'],
    ['a thumbprint that is null', { cnf: { jkt: null } }, 'malformed_claim'],
    ['a thumbprint in a list', { cnf: { jkt: [jkt] } }, 'malformed_claim'],
    ['cnf null', { cnf: null }, 'malformed_claim'],
    ['cnf empty', { cnf: {} }, 'malformed_claim'],
    ['cnf a text', { cnf: jkt }, 'malformed_claim'],
    ['cnf a list', { cnf: [{ jkt }] }, 'malformed_claim'],
    ['cnf with a key', { cnf: { jwk: CLIENT.jwk } }, 'unsupported_confirmation'],
    ['cnf with a key, as Bearer', { cnf: { jwk: CLIENT.jwk } }, 'unsupported_confirmation', undefined, alone('Bearer')],
    ['cnf empty, as Bearer', { cnf: {} }, 'malformed_claim', 'unknown', alone('Bearer')],
    ['cnf with another member', { cnf: { jkt, kid: 'a' } }, 'passes', 'confirmations'],
    ['bound to a certificate, too', { cnf: { jkt, 'x5t#S256': sha256('a') } }, 'sender_constrained_token'],
    ['bound to a certificate alone', { cnf: { 'x5t#S256': sha256('a') } }, 'sender_constrained_token', undefined, alone('Bearer')],
    ['expired', { cnf: { jkt }, exp: now() - 60 }, 'expired'],
    ['of another issuer', { cnf: { jkt }, iss: 'https://other.example.com' }, 'wrong_issuer'],
    ['for another audience', { cnf: { jkt }, aud: 'b' }, 'wrong_audience'],
  ]);
}

function ofFields() {
  const bound = (fields) => () => request({ fields });
  const pair = (token, proof) => [['authorization', `DPoP ${token}`], ['dpop', proof]];
  const schemes = ['dpop', 'DPOP', 'dPoP'].map((scheme) => [`scheme: ${scheme}`, () => request({ scheme }), 'passes']);
  return [
    ...schemes,
    ['scheme: DPoP and two spaces', bound((token, proof) => [['authorization', `DPoP  ${token}`], ['dpop', proof]]), 'passes'],
    ['scheme: DPoP and a tab', bound((token, proof) => [['authorization', `DPoP\t${token}`], ['dpop', proof]]), 'other_scheme'],
    ['scheme: DPoP alone', bound((token, proof) => [['authorization', 'DPoP'], ['dpop', proof]]), 'empty_token'],
    ['scheme: Basic', bound((token, proof) => [['authorization', 'Basic YTpi'], ['dpop', proof]]), 'other_scheme'],
    ['scheme: none', bound((token, proof) => [['authorization', token], ['dpop', proof]]), 'other_scheme'],
    ['scheme: DPoP and two tokens', bound((token, proof) => [['authorization', `DPoP ${token} ${token}`], ['dpop', proof]]), 'malformed_token'],
    ['fields: none', bound(() => []), 'no_credentials'],
    ['fields: a proof alone', bound((token, proof) => [['dpop', proof]]), 'no_credentials'],
    ['fields: the same proof twice', bound((token, proof) => [...pair(token, proof), ['dpop', proof]]), 'several_dpop_proofs'],
    ['fields: a proof and an empty one', bound((token, proof) => [...pair(token, proof), ['dpop', '']]), 'several_dpop_proofs'],
    ['fields: DPoP and Bearer', bound((token, proof) => [...pair(token, proof), ['authorization', `Bearer ${token}`]]), 'several_tokens'],
    ['fields: Bearer and DPoP', bound((token, proof) => [['authorization', `Bearer ${token}`], ...pair(token, proof)]), 'several_tokens'],
    ['fields: DPoP twice', bound((token, proof) => [...pair(token, proof), ['authorization', `DPoP ${token}`]]), 'several_tokens'],
    ['fields: names in upper case', bound((token, proof) => [['AUTHORIZATION', `DPoP ${token}`], ['DPOP', proof]]), 'passes'],
    ['fields: a proof in the token\'s place', bound((token, proof) => [['authorization', `DPoP ${proof}`], ['dpop', proof]]), 'missing_claim'],
  ];
}

/** Requests whose proof was used before: `[name, first, second, verdict]`. */
function replays() {
  const [first, other] = [request(), request()];
  return [
    ['the same request', first, first, 'dpop_replayed'],
    ['with another query', other, { ...other, path: `${PATH}?again` }, 'dpop_replayed'],
  ];
}

const ROWS = [
  ...ofAlgorithms(), ...ofMethods(), ...ofUrls(), ...ofTimes(), ...ofTokenHashes(), ...ofIds(), ...ofHeaders(), ...ofKeys(),
  ...ofForms(), ...ofTokens(), ...ofFields(),
];

module.exports = { AS, AUDIENCE, DIFFERENCES, ISSUER, ORIGIN, ROWS, newKey, replays, request, tokenOf };

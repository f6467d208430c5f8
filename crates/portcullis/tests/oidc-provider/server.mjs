// A real authorization server for Portcullis's tests: oidc-provider on a loopback port, `node server.mjs [port]`.
//
// When it is ready it prints one line of JSON on stdout:
//
//     {"issuer":"http://127.0.0.1:PORT","control":"http://127.0.0.1:PORT2","keys":{"RS256":PEM,...}}
//
// or, on a port of your choice, a sentence for a person without the keys. It ends when its stdin closes, so a test that dies never leaves
// it behind.
//
// Tokens: client `test-client`, secret `test-secret`, grant client_credentials, scopes `read` and
// `write`; `resource=https://api.example.com/RS256` (or /ES256, /EdDSA) picks the algorithm, and
// `resource=https://api.example.com/opaque` gives an opaque token.
//
// Introspection: client `gateway`, secret `gateway-secret` (client_secret_basic), or `gateway-post` with the same
// secret (client_secret_post), or `gateway-RS256` (or -PS256, -ES256, -ES384, -EdDSA) by private_key_jwt with the key
// in the first line, which is new at each start; as JSON (RFC 7662), as a signed JWT (RFC 9701),
// and, for `Accept: application/jwt`, as the JWT behind the opaque token, or 204. The last is not
// oidc-provider's: it is made here from its answer. Revocation (RFC 7009): the client that has the token.
//
// MCP clients register themselves (RFC 7591) and use the authorization code grant with PKCE for any resource on a loopback address
// (RFC 8707), with the scopes `files:read` and `files:write`. The user logs in and consents without a question: see `login.mjs`.
//
// Bound tokens: a request with a DPoP proof gets a token that is bound to its key (RFC 9449), and client `mtls-client`, secret
// `test-secret`, one that is bound to its certificate (RFC 8705), which the field `X-Client-Certificate` has as DER in base64, as if a
// proxy had ended TLS.
//
// Token exchange (RFC 8693): client `gateway`, secret `gateway-secret`, for any of the resources above, which `resource` or `audience`
// names. oidc-provider has no such grant built in: it is a grant of our own here, and oidc-provider finds the subject's token, judges the
// client and the resource, and makes the new token. It expires with the subject's.
//
// The control server answers
//
//     POST /rotate?keep=true|false   new signing keys; keep=true still publishes those before them
//                                    (the default), keep=false withdraws them
//     GET  /counts                   requests since the start: {"jwks":N,"discovery":N,"token":N,"introspection":N}
//     POST /counts/reset             sets the counts to 0

import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { createServer } from 'node:http';

// oidc-provider logs to the console: stdout is kept for the ready line.
for (const method of ['log', 'info', 'debug']) console[method] = console.error;
const { default: Provider, errors } = await import('oidc-provider');
const { Memory } = await import('./memory.mjs');
const { INTERACTIONS, logIn } = await import('./login.mjs');

const CLIENT = { id: 'test-client', secret: 'test-secret' };
const MTLS_CLIENT = { id: 'mtls-client', secret: CLIENT.secret };
const GATEWAY = { id: 'gateway', secret: 'gateway-secret' };
const POST_CLIENT = { id: 'gateway-post', secret: GATEWAY.secret };
const PORT = Number(process.argv[2] ?? 0);
const RESOURCE = 'https://api.example.com/';
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const KEY_TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};
const CLIENT_KEY_TYPES = { ...KEY_TYPES, PS256: KEY_TYPES.RS256, ES384: ['ec', { namedCurve: 'P-384' }] };
const COUNTED = {
  '/jwks': 'jwks',
  '/.well-known/openid-configuration': 'discovery',
  '/.well-known/oauth-authorization-server': 'discovery',
  '/token': 'token',
  '/token/introspection': 'introspection',
};

// A restarted server has other keys, with other ids.
const STARTED = Date.now();
let generation = 0;

/** One fresh private JWK for each algorithm. */
function newKeys() {
  generation += 1;
  return Object.entries(KEY_TYPES).map(([alg, [type, options]]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    alg,
    kid: `${alg}-${STARTED}-${generation}`,
    use: 'sig',
  }));
}

/** A resource server whose access tokens are opaque, or JWTs signed with the algorithm, as its name ends; or an MCP server. */
function resourceServer(_ctx, resource) {
  if (LOOPBACK.has(new URL(resource).hostname)) {
    return { audience: resource, scope: 'files:read files:write', accessTokenFormat: 'jwt', accessTokenTTL: 600 };
  }
  const alg = resource.startsWith(RESOURCE) ? resource.slice(RESOURCE.length) : '';
  if (alg === 'opaque') return { audience: resource, scope: 'read write', accessTokenFormat: 'opaque', accessTokenTTL: 600 };
  if (!Object.hasOwn(KEY_TYPES, alg)) throw new errors.InvalidTarget();
  return {
    audience: resource,
    scope: 'read write',
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg } },
  };
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Answers a token exchange (RFC 8693 section 2.2). */
async function exchangeToken(ctx) {
  const { params, client, provider: self } = ctx.oidc;
  if (params.subject_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest('expected an access token');
  const subject = await subjectOf(self, params.subject_token);
  const resource = params.resource ?? params.audience;
  if (!resource) throw new errors.InvalidTarget();
  const server = new self.ResourceServer(resource, resourceServer(ctx, resource));
  const left = subject.exp - Math.floor(Date.now() / 1000);
  const token = new self.ClientCredentials({ client, scope: server.scope ? params.scope : undefined });
  token.resourceServer = server;
  token.expiresIn = left;
  token.extra = { sub: subject.sub, act: { sub: client.clientId } };
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: left,
    scope: token.scope,
  };
}

/** The subject and expiry of an active token: a JWT by one of our keys, or an opaque one of the store. */
async function subjectOf(self, token) {
  const parts = token.split('.');
  if (parts.length === 3) {
    const header = JSON.parse(Buffer.from(parts[0], 'base64url'));
    const key = keys.find(({ kid }) => kid === header.kid);
    const hash = { ES256: 'sha256', RS256: 'sha256', EdDSA: null }[header.alg];
    const input = Buffer.from(`${parts[0]}.${parts[1]}`);
    const signature = Buffer.from(parts[2], 'base64url');
    const publicKey = key && { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
    const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
    if (!publicKey || !verify(hash, input, publicKey, signature)) throw new errors.InvalidGrant('unknown token');
    if (claims.exp <= Date.now() / 1000) throw new errors.InvalidGrant('expired token');
    return claims;
  }
  const found = await self.ClientCredentials.find(token);
  if (!found) throw new errors.InvalidGrant('unknown token');
  return { sub: found.clientId, exp: found.exp };
}

/** oidc-provider takes its keys when it is made, so a rotation makes a new one for the same issuer. */
function newProvider(issuer, keys) {
  const made = new Provider(issuer, {
    // So that tokens outlive a rotation.
    adapter: Memory,
    clients: [
      newClient(CLIENT),
      { ...newClient(MTLS_CLIENT), tls_client_certificate_bound_access_tokens: true },
      {
        ...newClient(GATEWAY),
        introspection_signed_response_alg: 'ES256',
        grant_types: ['client_credentials', EXCHANGE],
      },
      { ...newClient(POST_CLIENT), token_endpoint_auth_method: 'client_secret_post' },
      ...clientKeys.map(newKeyClient),
    ],
    enabledJWA: {
      clientAuthSigningAlgValues: Object.keys(CLIENT_KEY_TYPES),
      idTokenSigningAlgValues: Object.keys(KEY_TYPES),
      introspectionSigningAlgValues: Object.keys(KEY_TYPES),
    },
    // An opaque token of a client has no subject; a JWT names the client.
    // An exchanged one is for the subject of the client's token.
    extraTokenClaims: (_ctx, { accountId, clientId, extra }) => extra ?? (accountId ? undefined : { sub: clientId }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId.startsWith(GATEWAY.id) },
      jwtIntrospection: { enabled: true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: certificateOf },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
    // oidc-provider names the client that asks as the subject: an exchanged token keeps that of the client's.
    formats: { customizers: { jwt: (_ctx, token, jwt) => {
      if (token.extra?.sub) jwt.payload.sub = token.extra.sub;
      return jwt;
    } } },
    interactions: { url: (_ctx, { uid }) => `${INTERACTIONS}${uid}` },
    jwks: { keys },
    scopes: ['read', 'write', 'files:read', 'files:write', 'offline_access'],
    ttl: { ClientCredentials: 600 },
  });
  const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'resource', 'audience', 'scope'];
  made.registerGrantType(EXCHANGE, exchangeToken, parameters);
  return made;
}

/** The client's certificate. */
function certificateOf(ctx) {
  const der = ctx.get('x-client-certificate');
  return der ? new X509Certificate(Buffer.from(der, 'base64')) : undefined;
}

function newClient({ id, secret }) {
  return {
    client_id: id,
    client_secret: secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
}

/** A client that signs for itself by this algorithm and key (private_key_jwt). */
function newKeyClient({ alg, publicKey }) {
  return {
    ...newClient({ id: `gateway-${alg}` }),
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg, kid: 'client-key', use: 'sig' }] },
    introspection_signed_response_alg: Object.hasOwn(KEY_TYPES, alg) ? alg : 'RS256',
  };
}

/** Answers an introspection with the JWT that the token stands for: what the provider says as JSON, signed. */
function answerWithPhantom(request, response) {
  request.headers.accept = 'application/json';
  const chunks = [];
  const { writeHead } = response;
  response.write = (chunk) => chunks.push(Buffer.from(chunk));
  response.writeHead = (status) => {
    response.statusCode = status;
    return response;
  };
  response.end = (chunk) => {
    if (chunk) chunks.push(Buffer.from(chunk));
    delete response.write;
    delete response.end;
    response.writeHead = writeHead;
    const text = Buffer.concat(chunks).toString();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    if (response.statusCode !== 200) return send(response, response.statusCode, JSON.parse(text));
    const { active, token_type: _, ...claims } = JSON.parse(text);
    if (!active) return response.writeHead(204).end();
    return response.writeHead(200, { 'content-type': 'application/jwt' }).end(signed(claims));
  };
  handle(request, response);
}

/** A JWT access token by the newest ES256 key. */
function signed(claims) {
  const key = keys.find(({ alg }) => alg === 'ES256');
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })}.${part(claims)}`;
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Has this provider answer from now on. */
function use(next) {
  provider = next;
  handle = provider.callback();
}

/** Starts `server` on a loopback port, any free one by default, and gives its address. */
function listen(server, port = 0) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const counts = { jwks: 0, discovery: 0, token: 0, introspection: 0 };
const clientKeys = Object.entries(CLIENT_KEY_TYPES).map(([alg, [type, options]]) => ({
  alg,
  ...generateKeyPairSync(type, options),
}));
let keys = newKeys();
let provider;
let handle;

const issuer = await listen(createServer((request, response) => {
  const counted = COUNTED[request.url.split('?', 1)[0]];
  if (counted) counts[counted] += 1;
  const phantom = counted === 'introspection' && request.headers.accept?.includes('application/jwt');
  if (phantom) answerWithPhantom(request, response);
  else if (request.url.startsWith(INTERACTIONS)) logIn(provider, request, response);
  else handle(request, response);
}), PORT);
use(newProvider(issuer, keys));

const control = await listen(createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://control');
  switch (`${request.method} ${pathname}`) {
    case 'POST /rotate': {
      const kept = searchParams.get('keep') === 'false' ? [] : keys;
      keys = [...newKeys(), ...kept]; // the first key of an algorithm signs
      use(newProvider(issuer, keys));
      send(response, 200, { kids: keys.map(({ kid }) => kid) });
      break;
    }
    case 'GET /counts':
      send(response, 200, counts);
      break;
    case 'POST /counts/reset':
      for (const name of Object.keys(counts)) counts[name] = 0;
      send(response, 200, counts);
      break;
    default:
      send(response, 404, { error: `no ${request.method} ${pathname} here` });
  }
}));

process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
const pem = ({ alg, privateKey }) => [alg, privateKey.export({ format: 'pem', type: 'pkcs8' })];
const privateKeys = Object.fromEntries(clientKeys.map(pem));
process.stdout.write(PORT
  ? `The authorization server listens on ${issuer}. Ctrl-C ends it, and so does the end of its standard input.\n`
  : `${JSON.stringify({ issuer, control, keys: privateKeys })}\n`);

// The package's types in ESM.
import { X509Certificate, createPublicKey, createSecretKey, webcrypto } from 'node:crypto';

import express from 'express';
import portcullis, {
  type Access,
  type Claims,
  type GetKey,
  type Guard,
  type JwksService,
  type ProtectedResource,
  type RefusalCode,
  InMemoryCache,
  anyOf,
  discovery,
  errors,
  getSimpleJwksService,
  jwksService,
  localKeys,
  mcp,
  protectedResource,
  secure,
  setLogger,
} from 'portcullis';

const keys: JwksService = getSimpleJwksService('https://myoauthserver.com/auth/jwks', { timeout: 2 });
const guard: Guard = portcullis(keys);
portcullis.secure(keys);

// Every option.
secure(keys, {
  issuer: ['https://a.example.com', 'https://b.example.com'],
  audience: 'https://api.example.com',
  algorithms: ['RS256', 'Ed25519'],
  types: 'at+jwt',
  orNoType: true,
  leeway: 30,
  maxTokenLifetime: 3600,
  scopeClaims: ['permissions', '/realm_access/roles'],
  rfc9068: true,
  dangerouslyAcceptTokensWithoutExpiry: false,
  dangerouslyAcceptSenderConstrainedTokens: false,
  tokenCache: { bytes: 1 << 20, tokens: 1000 },
  realm: 'orders',
  scope: ['read'],
  anyScope: 'admin audit',
  impliedScopes: { 'orders:write': ['orders:read'] },
  claims: [
    { name: 'sub' },
    { name: 'role', value: 'admin' },
    { name: 'level', value: 3 },
    { name: 'verified', value: true },
    { name: 'tenant', value: null },
    { name: '/region', value: { name: 'eu', codes: [1, 2] } },
    { name: 'plan', oneOf: ['team', 3, null] },
    { name: 'sub', matches: 'repo:my-org/*' },
    { name: 'act', absent: true },
    { name: 'level', value: (level) => level >= 3 },
    { name: 'level', value: (level: number, claims: Claims) => level >= 3 && claims.sub !== undefined },
    (claims) => claims['owner'] === claims.sub,
  ],
  maxTokenBytes: 32 * 1024,
  invalidTokenStatus: 401,
  problemJson: true,
  next: true,
  onError: (error, req: express.Request) => console.warn(error.code, error.reason, req.url),
  getToken: (req: express.Request) => req.get('x-token'),
  getKeyTimeout: 1,
  senderConstrained: true,
  clientCertificate: (req: express.Request) => new X509Certificate(req.get('x-certificate') ?? ''),
  dpop: {
    use: 'allowed',
    algorithms: ['ES256', 'EdDSA'],
    maxAge: 60,
    leeway: 5,
    maxProofBytes: 4096,
    publicUrl: new URL('https://api.example.com'),
    nonces: { secret: Buffer.alloc(32), lifetime: 60 },
    replayStore: { keepNew: async (id, seconds) => id.length > seconds },
    whenStoreIsAway: 'refuse',
  },
});
secure(keys, { dpop: 'required', clientCertificate: () => undefined });
secure(keys, { dpop: { nonces: true, publicUrl: 'https://api.example.com' } });

// Tokens and requests without Express.
const access: Access = await guard.verify('token');
const { claims, token, header, scopes } = access;
const expiry: number | undefined = claims.exp;
const nonce: string | undefined = access.dpopNonce;
console.log(claims.aud, claims['roles'], token, header?.kid, header?.['x5t'], scopes.length, expiry, nonce);
await guard.verifyRequest(new Request('https://api.example.com'));
await guard.verifyRequest(new Headers());
await guard.verifyRequest({ authorization: 'Bearer token' });
await guard.verifyRequest({ headers: { authorization: ['Bearer token'] } });
guard.invalidate('token');

// Only an optional guard lets requests pass without an Access.
const perhaps: Access | null = await secure(keys, { optional: true }).verifyRequest({});
const surely: Access = await secure(keys, { optional: false }).verifyRequest({});
console.log(perhaps?.claims, surely.claims);

// One that only reports does, too, and verifies a refused token to null.
const reporting = secure(keys, { reportOnly: true, onReport: (error) => console.warn(error.message) });
const reported: Access | null = await reporting.verifyRequest({});
const unverified: Access | null = await reporting.verify('token');
// @ts-expect-error: it may be null.
const admitted: Access = await reporting.verifyRequest({});
// @ts-expect-error: it may be null.
const verified: Access = await reporting.verify('token');

// Keys.
const getKey: GetKey = async ({ kid }) => (kid === undefined ? 'PEM' : { kty: 'RSA', n: 'AQAB', e: 'AQAB' });
secure(getKey);
secure(async () => createPublicKey('PEM'));
secure(() => new Uint8Array(32), { algorithms: 'HS256' });
localKeys({ keys: [] });
localKeys('PEM');
localKeys({ keys: [] }, { keyUses: 'jwt-svid' });
getSimpleJwksService('https://spire.example.org', { keyUses: ['jwt-svid'], maxKeys: 10, maxDocumentBytes: 1 << 20 });
secure(keys, { trustDomain: 'example.org', maxKeyAttempts: 3 });
secure(keys, { anyScope: [['eu', 'us'], ['read']] as const, scopeClaims: 'permissions' });
localKeys(createSecretKey(Buffer.alloc(32)));
localKeys(Buffer.alloc(32));
localKeys({} as webcrypto.CryptoKey);
jwksService(new InMemoryCache(), 'https://myoauthserver.com/auth/jwks');
jwksService(new InMemoryCache(), 'https://myoauthserver.com/auth/jwks', { ca: 'PEM', headers: { 'x-tenant': 'a' } });
getSimpleJwksService('https://myoauthserver.com/auth/jwks', { client: { headers: new Headers() } });
getSimpleJwksService('https://myoauthserver.com/auth/jwks', { client: { headers: async () => new Map([['a', 'b']]) } });
secure(anyOf([
  { jwks: discovery({ issuer: 'https://login.example.com', timeout: 2 }), audience: 'https://api.example.com' },
  { jwks: keys, issuer: 'https://partner.example.org', algorithms: 'ES256' },
]));
await keys.prefetch();
console.log(keys.ready, keys.status().skipped[0]?.problem, keys.status().warnings[0]?.oddity);
setLogger(console);
setLogger(null);

// Errors.
function answer(error: unknown): RefusalCode | undefined {
  if (!(error instanceof errors.RefusalError)) {
    return undefined;
  }
  const { status, statusCode, headers, body, message, reason, expose } = error;
  console.log(status, statusCode, headers['www-authenticate'], body, message, reason, expose);
  console.log(new Response(body, { status, headers }));
  return error.code === 'expired' ? 'expired' : error.code;
}
answer(new errors.TokenClaimsError());
answer(new errors.InsufficientScopeError());

// Resources.
const { router, guard: guardOf } = protectedResource({
  resource: 'https://api.example.com',
  issuer: 'https://login.example.com',
  leeway: 30,
  name: 'Orders',
  documentation: 'https://docs.example.com',
  policyUri: 'https://example.com/policy',
  tosUri: 'https://example.com/terms',
  scopesSupported: ['orders:read'],
  authorizationServers: 'https://front.example.com',
  jwksUri: 'https://api.example.com/jwks',
  mcp: { tools: [{ name: 'delete_*', scope: 'files:write' }] },
});
express().use(router).use('/orders', guardOf({ scope: 'orders:read', acr: ['urn:example:mfa'], maxAge: 300 }));
const certain: Access = await guardOf().verify('token');
const uncertain: Access | null = await guardOf({ optional: true }).verifyRequest({});
console.log(certain.clientId, certain.expiresAt, certain.resource?.href, uncertain?.extra.claims.sub);
const server: ProtectedResource = mcp({
  resource: 'https://mcp.example.com/mcp',
  issuers: ['https://login.example.com', { jwks: discovery({ issuer: 'https://b.example.com' }), audience: 'b' }],
  allowedOrigins: ['https://chat.example.com'],
  tools: [{ name: 'delete_*', scope: ['files:write'] }],
  methods: [{ method: 'resources/read', name: 'file:///keys/*', scope: 'keys:read' }],
  forwardAuthorization: true,
  maxBodyBytes: 1 << 16,
});
express().use(server.router, server.guard());

'use strict';

// An Express server behind the package, set up like its axum twin in doors_agree.rs. It prints its address in one line and
// ends with its standard input.

const express = require('express');
const { getSimpleJwksService, mcp, protectedResource, secure } = require('../..');

const { JWKS_URI, ISSUER, AUDIENCE } = process.env;
const options = { realm: 'doors', problemJson: true, issuer: ISSUER, audience: AUDIENCE };

const app = express();
const jwks = getSimpleJwksService(JWKS_URI);
app.get('/token', secure(jwks, options), (req, res) => res.send(req.claims.sub));
app.get('/scope', secure(jwks, { ...options, scope: ['read', 'write'] }), (req, res) => res.send(req.claims.sub));
app.get('/claim', secure(jwks, { ...options, claims: [{ name: '/nested/role', value: 'admin' }] }), (req, res) =>
  res.send(req.claims.sub),
);
app.get('/any-scope', secure(jwks, { ...options, anyScope: ['write', 'admin'] }), (req, res) => res.send(req.claims.sub));
app.get('/types', secure(jwks, { ...options, types: 'JOSE', orNoType: true }), (req, res) => res.send(req.claims.sub));
app.get('/bound', secure(jwks, { ...options, dangerouslyAcceptSenderConstrainedTokens: true }), (req, res) =>
  res.send(req.claims.sub),
);
app.get('/few-keys', secure(jwks, { ...options, maxKeyAttempts: 2 }), (req, res) => res.send(req.claims.sub));
const bundle = getSimpleJwksService(JWKS_URI, { keyUses: 'jwt-svid' });
app.get('/svid', secure(bundle, { ...options, issuer: undefined, trustDomain: 'example.org' }), (req, res) =>
  res.send(req.claims.sub),
);
app.get('/short', secure(jwks, { ...options, maxTokenBytes: 100 }), (req, res) => res.send(req.claims.sub));
const rules = {
  '/one-of': { claims: [{ name: 'plan', oneOf: ['team', 7] }] },
  '/matches': { claims: [{ name: '/nested/repository', matches: 'my-org/*' }] },
  '/absent': { claims: [{ name: 'act', absent: true }], invalidTokenStatus: 401 },
  '/implied': { scope: 'read', impliedScopes: { admin: ['write'], write: ['read'] } },
  '/scope-claims': { scope: 'read', scopeClaims: ['permissions', '/nested/scope'] },
  '/lifetime': { maxTokenLifetime: 900 },
  '/acr': { acr: ['mfa', 'hw'], invalidTokenStatus: 401 },
  '/max-age': { maxAge: 300, acr: 'mfa' },
};
for (const [path, more] of Object.entries(rules)) {
  app.get(path, secure(jwks, { ...options, ...more }), (req, res) => res.send(req.claims.sub));
}
for (const [path, dpop] of Object.entries({
  '/dpop': { use: 'allowed', publicUrl: AUDIENCE },
  '/dpop-required': { use: 'required', publicUrl: AUDIENCE, algorithms: ['ES256'] },
  '/dpop-nonce': { publicUrl: AUDIENCE, nonces: { secret: 'a secret of at least thirty-two bytes' } },
})) {
  app.get(path, secure(jwks, { ...options, dpop }), (req, res) => res.send(req.claims.sub));
}
app.get('/sender-constrained', secure(jwks, { ...options, senderConstrained: true }), (req, res) => res.send(req.claims.sub));
app.get('/optional', secure(jwks, { ...options, optional: true }), (req, res) => res.send(req.claims?.sub ?? 'nobody'));

const { router, guard } = protectedResource({ resource: AUDIENCE, issuer: ISSUER, jwks, name: 'Doors' });
const resourceRules = { realm: 'doors', problemJson: true, scope: ['read', 'write'], acr: 'mfa' };
app.use(router);
app.get('/resource', guard(resourceRules), (req, res) => res.send(req.claims.sub));

const tools = [{ name: 'delete_*', scope: 'files:write' }];
const files = mcp({ resource: `${AUDIENCE}/mcp`, issuer: ISSUER, jwks, tools, audience: AUDIENCE, maxBodyBytes: 1000 });
app.use(files.router);
app.use('/mcp', files.guard({ scope: 'read' }), (req, res) => req.pipe(res));

const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());

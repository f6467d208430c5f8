// The types of portcullis/fastify.
import Fastify from 'fastify';
import { type Access, type Claims, getSimpleJwksService, protectedResource } from 'portcullis';
import portcullis, { type Options, type RouteRules } from 'portcullis/fastify';

const keys = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
const options: Options = { keys, audience: 'https://api.example.com', scope: ['read'], global: false };
const rules: RouteRules = { scope: 'write', maxAge: 60, claims: [{ name: 'sub' }] };

const app = Fastify();
await app.register(portcullis, options);
await app.register(portcullis, { resource: protectedResource({ resource: 'https://api.example.com', issuer: 'https://login.example.com' }), scope: 'read' });
app.post('/orders', { config: { portcullis: rules } }, async (request) => {
  const access: Access | null = request.auth;
  const claims: Claims | null = request.claims;
  return { sub: claims?.sub, scopes: access?.scopes };
});
app.get('/health', { config: { portcullis: false } }, async () => 'ok');
app.get('/mine', { onRequest: app.secure({ scope: 'mine' }) }, async () => 'ok');
app.get('/both', { onRequest: [app.secure()] }, async () => 'ok');

// @ts-expect-error no keys
await app.register(portcullis, {});
// @ts-expect-error a misspelt option
await app.register(portcullis, { keys, scopes: ['read'] });
// @ts-expect-error keys and a resource
await app.register(portcullis, { keys, resource: protectedResource({ resource: 'https://a.example', issuer: 'https://b.example' }) });
// @ts-expect-error a rule of another type; Fastify's types let unknown members pass, which the start of the app refuses
app.get('/a', { config: { portcullis: { scope: 7 } } }, async () => 'ok');
// @ts-expect-error a misspelt rule
app.secure({ scopes: 'a' });
// @ts-expect-error the request may be without a token
app.get('/c', async (request) => request.auth.claims);

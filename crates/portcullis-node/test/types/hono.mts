// The types of portcullis/hono.
import { Hono } from 'hono';
import { type Access, getSimpleJwksService, secure as guardOf } from 'portcullis';
import { type Variables, protect, secure } from 'portcullis/hono';

const keys = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
const app = new Hono<{ Variables: Variables }>();
app.use(secure(keys, { scope: ['read'] }));
app.get('/', (c) => {
  const access: Access = c.get('auth');
  return c.json({ sub: c.var.claims.sub, scopes: access.scopes });
});
app.post('/', secure(keys, { scope: 'write' }), (c) => c.text(c.var.auth.token));
new Hono().get('/', protect(guardOf(keys)), (c) => c.text(c.var.claims.sub ?? ''));
new Hono().get('/', secure(keys, { optional: true }), (c) => {
  // @ts-expect-error the request may be without a token
  c.var.auth.claims;
  return c.text(c.var.auth?.claims.sub ?? '');
});

// @ts-expect-error no keys
secure();
// @ts-expect-error a misspelt option
secure(keys, { scopes: 'read' });
// @ts-expect-error no guard
protect(keys);

// The types of portcullis/koa.
import Koa from 'koa';
import { type Access, getSimpleJwksService, secure as guardOf } from 'portcullis';
import { type State, protect, secure } from 'portcullis/koa';

const keys = getSimpleJwksService('https://myoauthserver.com/auth/jwks');
const app = new Koa();
app.use(secure(keys, { scope: ['read'], getToken: (ctx: Koa.Context) => ctx.cookies.get('at') })).use((ctx) => {
  const access: Access = ctx.state.auth;
  ctx.body = { sub: ctx.state.claims.sub, scopes: access.scopes };
});
app.use(protect(guardOf(keys)));
const state: State = { auth: await guardOf(keys).verify('token'), claims: {} };
console.log(state.auth.claims.sub);
new Koa().use(secure(keys, { optional: true })).use((ctx) => {
  ctx.body = ctx.state.auth?.claims.sub;
  // @ts-expect-error the request may be without a token
  ctx.state.auth.claims;
});

// @ts-expect-error no keys
secure();
// @ts-expect-error a misspelt option
secure(keys, { scopes: 'read' });
// @ts-expect-error no guard
protect(keys);

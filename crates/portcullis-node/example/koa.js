'use strict';

const Koa = require('koa');

const { errors, getSimpleJwksService, secure } = require('portcullis');
const settings = require('./settings');

const guard = secure(getSimpleJwksService(settings.jwks_uri), { problemJson: true });
const app = new Koa();

app.use(async (ctx, next) => {
  try {
    ctx.state.auth = await guard.verifyRequest(ctx.req);
  } catch (error) {
    return refuse(ctx, error);
  }
  return next();
});

app.use(async (ctx) => {
  ctx.body = { claims: ctx.state.auth.claims };
});

function refuse(ctx, error) {
  if (!(error instanceof errors.RefusalError)) {
    throw error;
  }
  ctx.status = error.status;
  ctx.set(error.headers);
  ctx.body = error.body;
}

const server = app.listen(settings.port, settings.host, () => {
  console.log(`listening on http://${settings.host}:${server.address().port}`);
});

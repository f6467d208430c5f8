'use strict';

const Koa = require('koa');

const { getSimpleJwksService } = require('portcullis');
const { secure } = require('portcullis/koa');
const settings = require('./settings');

const app = new Koa();

app.use(secure(getSimpleJwksService(settings.jwks_uri), { problemJson: true }));

app.use((ctx) => {
  ctx.body = { claims: ctx.state.claims };
});

const server = app.listen(settings.port, settings.host, () => {
  console.log(`listening on http://${settings.host}:${server.address().port}`);
});

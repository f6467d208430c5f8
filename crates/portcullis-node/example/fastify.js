'use strict';

const fastify = require('fastify');

const { errors, getSimpleJwksService, secure } = require('portcullis');
const settings = require('./settings');

const guard = secure(getSimpleJwksService(settings.jwks_uri), { problemJson: true });
const app = fastify();

app.decorateRequest('auth', null);

app.addHook('onRequest', async (request) => {
  request.auth = await guard.verifyRequest(request);
});

app.setErrorHandler((error, request, reply) => {
  if (!(error instanceof errors.RefusalError)) {
    return reply.send(error);
  }
  return reply.code(error.status).headers(error.headers).send(error.body);
});

app.get('/secured/token', async (request) => ({ claims: request.auth.claims }));

app.listen({ host: settings.host, port: settings.port }).then((url) => console.log(`listening on ${url}`));

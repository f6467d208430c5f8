'use strict';

const fastify = require('fastify');

const { getSimpleJwksService } = require('portcullis');
const portcullis = require('portcullis/fastify');
const settings = require('./settings');

const app = fastify();

app.register(portcullis, { keys: getSimpleJwksService(settings.jwks_uri), problemJson: true });

app.get('/secured/token', async (request) => ({ claims: request.claims }));

// A token that was granted the scope `read`.
app.get('/secured/scope', { config: { portcullis: { scope: 'read' } } }, async (request) => ({ claims: request.claims }));

app.get('/health', { config: { portcullis: false } }, async () => 'ok');

app.listen({ host: settings.host, port: settings.port }).then((url) => console.log(`listening on ${url}`));

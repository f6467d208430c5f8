// Requests of other frameworks.
import Fastify from 'fastify';
import { getSimpleJwksService, secure } from 'portcullis';

const guard = secure(getSimpleJwksService('https://myoauthserver.com/auth/jwks'));

Fastify().addHook('onRequest', async (request) => {
  await guard.verifyRequest(request);
});

interface KoaContext {
  headers: NodeJS.Dict<string | string[]>;
  get(field: string): string;
}
export const koa = async (context: KoaContext) => guard.verifyRequest(context);

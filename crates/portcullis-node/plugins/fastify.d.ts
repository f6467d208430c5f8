import type { FastifyPluginAsync, onRequestHookHandler } from 'fastify';

import portcullis = require('../index.js');
import type { PluginOptions, RouteRules as Rules } from './options.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The rules that the route adds to those of `portcullis/fastify`, or false for a public route. */
    portcullis?: portcullisFastify.RouteRules | false;
  }

  interface FastifyRequest {
    /** The request's token with its header, claims and scope; null on a public route, and without a token where it is optional. */
    auth: portcullis.Access | null;
    /** The claims of the request's token. */
    claims: portcullis.Claims | null;
  }

  interface FastifyInstance {
    /** Makes a hook for a route, with rules in addition to those of the plugin: for routes of a plugin with `global: false`. */
    secure(rules?: portcullisFastify.RouteRules): onRequestHookHandler;
  }
}

/**
 * A plugin for Fastify 5 that lets a request pass only with a valid access token that the rules allow. It guards all routes of the
 * context in which it is registered, and of the contexts within.
 *
 * @example
 * ```js
 * await app.register(require('portcullis/fastify'), { keys, audience: 'https://api.example.com' });
 * app.post('/orders', { config: { portcullis: { scope: 'orders:write' } } }, async (request) => request.claims.sub);
 * app.get('/health', { config: { portcullis: false } }, async () => 'ok');
 * ```
 *
 * @throws TypeError, as a rejection of `ready`, if an option is invalid
 */
declare const portcullisFastify: FastifyPluginAsync<portcullisFastify.Options>;

declare namespace portcullisFastify {
  /** The options of the plugin. */
  type Options = PluginOptions & {
    /** Guards all routes: true by default. If false, only those with `config.portcullis` or with a hook of `app.secure()`. */
    global?: boolean;
  };

  /** The rules that a route adds to those of the plugin. */
  type RouteRules = Rules;
}

export = portcullisFastify;

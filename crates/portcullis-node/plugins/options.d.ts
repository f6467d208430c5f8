import portcullis = require('../index.js');

/**
 * The options of a plugin: the keys, and the rules for all routes as `secure` takes them; or a resource, and the rules of its guard.
 */
export type PluginOptions =
  | ({
      /** A JWKS service, several issuers (`anyOf`), or a function that finds keys. */
      keys: portcullis.Keys;
      resource?: never;
    } & portcullis.Options)
  | ({
      keys?: never;
      /** The result of `protectedResource` or `mcp`. */
      resource: portcullis.ProtectedResource;
    } & portcullis.EndpointOptions);

/**
 * The rules that a route adds to those of its plugin: a token has to meet both. A route with rules needs a token unless it is
 * `optional`, as the plugin has to be, too.
 */
export type RouteRules = Pick<
  portcullis.EndpointOptions,
  'scope' | 'anyScope' | 'claims' | 'acr' | 'maxAge' | 'senderConstrained' | 'optional'
>;

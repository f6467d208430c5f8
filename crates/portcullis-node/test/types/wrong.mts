// Mistakes that must not compile.
import {
  type RefusalCode,
  InMemoryCache,
  anyOf,
  discovery,
  errors,
  getSimpleJwksService,
  jwksService,
  localKeys,
  mcp,
  protectedResource,
  secure,
  setLogger,
} from 'portcullis';

const uri = 'https://myoauthserver.com/auth/jwks';
const keys = getSimpleJwksService(uri);

// @ts-expect-error a misspelt option
secure(keys, { scopes: ['read'] });
// @ts-expect-error a scope that is a number
secure(keys, { scope: 1 });
// @ts-expect-error a rule with a misspelt member
secure(keys, { claims: [{ name: 'sub', val: 'a' }] });
// @ts-expect-error one of a value
secure(keys, { claims: [{ name: 'sub', oneOf: 'a' }] });
// @ts-expect-error a pattern that is an expression
secure(keys, { claims: [{ name: 'sub', matches: /a/ }] });
// @ts-expect-error implied scope values as a text
secure(keys, { impliedScopes: { 'orders:write': 'orders:read' } });
// @ts-expect-error a rule without a name
secure(keys, { claims: [{ value: 'a' }] });
// @ts-expect-error a rule that is a name
secure(keys, { claims: ['sub'] });
// @ts-expect-error a rule that promises
secure(keys, { claims: [async () => true] });
// @ts-expect-error a value that no JSON has
secure(keys, { claims: [{ name: 'sub', value: 1n }] });
// @ts-expect-error a status that is neither 401 nor 403
secure(keys, { invalidTokenStatus: 400 });
// @ts-expect-error an algorithm that there is not
secure(keys, { algorithms: 'none' });
// @ts-expect-error seconds as a text
secure(keys, { leeway: '5 s' });
// @ts-expect-error a use of DPoP that there is not
secure(keys, { dpop: 'on' });
// @ts-expect-error a misspelt option for proofs
secure(keys, { dpop: { publicURL: 'https://api.example.com' } });
// @ts-expect-error a store that answers as Redis does
secure(keys, { dpop: { replayStore: { keepNew: async () => 'OK' } } });
// @ts-expect-error a certificate as a text
secure(keys, { clientCertificate: () => 'PEM' });
// @ts-expect-error a promise of a token
secure(keys, { getToken: async () => 'token' });
// @ts-expect-error no keys
secure();
// @ts-expect-error a URI is no service
secure(uri);
// @ts-expect-error a service of express-oauth-jwt 1.x
secure(async (callback: (error?: Error, keyStore?: object) => void) => callback());

// @ts-expect-error a misspelt option of the service
getSimpleJwksService(uri, { maxage: 5 });
// @ts-expect-error half a cache
jwksService({ getKeyStore: async () => null }, uri);
// @ts-expect-error the arguments the other way round
jwksService(uri, new InMemoryCache());
// @ts-expect-error fields that are a text
getSimpleJwksService(uri, { client: { headers: 'authorization: Bearer token' } });
// @ts-expect-error no issuer
discovery({});
// @ts-expect-error an endpoint's option for an issuer
anyOf([{ jwks: keys, scope: ['read'] }]);
// @ts-expect-error no keys
anyOf([{ issuer: 'https://login.example.com' }]);
// @ts-expect-error keys that are a number
localKeys(5);
// @ts-expect-error a logger that cannot warn
setLogger({ info() {} });

// @ts-expect-error a code that there is not
const code: RefusalCode = 'bad_token';
declare const error: errors.RefusalError;
// @ts-expect-error the same in a comparison
if (error.code === 'expired_token') console.log(code);
// @ts-expect-error only two of the errors can be made
new errors.UnauthorizedError();

const access = await secure(keys).verify('token');
// @ts-expect-error claims are frozen
access.claims.sub = 'me';
// @ts-expect-error an optional guard may let a request pass without an Access
(await secure(keys, { optional: true }).verifyRequest({})).claims;

const resource = 'https://mcp.example.com/mcp';
const issuer = 'https://login.example.com';
// @ts-expect-error no issuer
protectedResource({ resource });
// @ts-expect-error no resource
mcp({ issuer });
// @ts-expect-error a rule for tools of a resource that is no MCP server
protectedResource({ resource, issuer, tools: [] });
// @ts-expect-error a rule without a scope
mcp({ resource, issuer, tools: [{ name: 'delete_*' }] });
// @ts-expect-error a rule of a guard in the description
mcp({ resource, issuer, scope: 'files:read' });
// @ts-expect-error a rule for tokens in a guard
mcp({ resource, issuer }).guard({ audience: 'a' });
// @ts-expect-error seconds as a text
secure(keys, { maxAge: '5m' });

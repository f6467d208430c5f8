// A real authorization server for Portcullis's tests: oidc-provider on a free loopback port.
//
// When it is ready it prints one line of JSON on stdout:
//
//     {"issuer":"http://127.0.0.1:PORT","control":"http://127.0.0.1:PORT2"}
//
// and it ends when its stdin closes, so a test that dies never leaves it behind.
//
// Tokens: client `test-client`, secret `test-secret`, grant client_credentials, scopes `read` and
// `write`; `resource=https://api.example.com/RS256` (or /ES256, /EdDSA) picks the algorithm.
//
// The control server answers
//
//     POST /rotate?keep=true|false   new signing keys; keep=true still publishes those before them
//                                    (the default), keep=false withdraws them
//     GET  /counts                   requests since the start: {"jwks":N,"discovery":N,"token":N}
//     POST /counts/reset             sets the counts to 0

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

// oidc-provider says what it is about on the console: stdout is kept for the ready line.
for (const method of ['log', 'info', 'debug']) console[method] = console.error;
const { default: Provider, errors } = await import('oidc-provider');

const CLIENT = { id: 'test-client', secret: 'test-secret' };
const RESOURCE = 'https://api.example.com/';
const KEY_TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};
const COUNTED = {
  '/jwks': 'jwks',
  '/.well-known/openid-configuration': 'discovery',
  '/.well-known/oauth-authorization-server': 'discovery',
  '/token': 'token',
};

let generation = 0;

/** One fresh private JWK for each algorithm. */
function newKeys() {
  generation += 1;
  return Object.entries(KEY_TYPES).map(([alg, [type, options]]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    alg,
    kid: `${alg}-${generation}`,
    use: 'sig',
  }));
}

/** A resource server whose access tokens are JWTs signed with the algorithm at the end of its name. */
function resourceServer(_ctx, resource) {
  const alg = resource.startsWith(RESOURCE) ? resource.slice(RESOURCE.length) : '';
  if (!Object.hasOwn(KEY_TYPES, alg)) throw new errors.InvalidTarget();
  return {
    audience: resource,
    scope: 'read write',
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg } },
  };
}

/** oidc-provider takes its keys when it is made, so a rotation makes a new one for the same issuer. */
function newProvider(issuer, keys) {
  return new Provider(issuer, {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    enabledJWA: { idTokenSigningAlgValues: Object.keys(KEY_TYPES) },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
    jwks: { keys },
    scopes: ['read', 'write'],
    ttl: { ClientCredentials: 600 },
  });
}

/** Starts `server` on a free loopback port and gives its address. */
function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const counts = { jwks: 0, discovery: 0, token: 0 };
let keys = newKeys();
let handle;

const issuer = await listen(createServer((request, response) => {
  const counted = COUNTED[request.url.split('?', 1)[0]];
  if (counted) counts[counted] += 1;
  handle(request, response);
}));
handle = newProvider(issuer, keys).callback();

const control = await listen(createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://control');
  switch (`${request.method} ${pathname}`) {
    case 'POST /rotate': {
      const kept = searchParams.get('keep') === 'false' ? [] : keys;
      keys = [...newKeys(), ...kept]; // the first key of an algorithm signs
      handle = newProvider(issuer, keys).callback();
      send(response, 200, { kids: keys.map(({ kid }) => kid) });
      break;
    }
    case 'GET /counts':
      send(response, 200, counts);
      break;
    case 'POST /counts/reset':
      for (const name of Object.keys(counts)) counts[name] = 0;
      send(response, 200, counts);
      break;
    default:
      send(response, 404, { error: `no ${request.method} ${pathname} here` });
  }
}));

process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
process.stdout.write(`${JSON.stringify({ issuer, control })}\n`);

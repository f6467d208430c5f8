'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { describe, test } = require('node:test');

const Koa = require('koa');

const { anyOf, localKeys, mcp, protectedResource, secure, setLogger } = require('portcullis');
const { tokenVerifier } = require('portcullis/mcp');
const { EXPRESS, VERSIONS } = require('./support/apps.js');
const { serve } = require('./support/http.js');
const { forgedKey, mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

setLogger(null);

const KEY = newKey();
const KEYS = localKeys({ keys: [KEY.jwk] });
const RESOURCE = 'https://mcp.example.com/mcp';
const OF_ISSUER = { issuer: 'https://login.example.com', jwks: KEYS };
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_files","arguments":{}}}';

const token = (scope, key = KEY) => mint(key, { iss: OF_ISSUER.issuer, aud: RESOURCE, sub: scope, scope });
const [READER, ADMIN, FORGED] = [token('read'), token('read admin'), token('read admin', forgedKey(KEY))];

const bearer = (text) => ({ authorization: `Bearer ${text}` });
const fromField = (req) => req.headers.authorization?.split(' ')[1];
const fromCookie = (req) => req.headers.cookie;

/** A guard of an MCP server that reads each message. */
const server = (rules = {}, options = {}) =>
  mcp({ resource: RESOURCE, ...OF_ISSUER, tools: [{ name: 'delete_*', scope: 'files:write' }], ...options }).guard(rules);

const NEEDS_ADMIN = { scope: 'admin', next: true };

/** Guards of each kind, which need the scope `admin`. */
const KINDS = {
  secure: () => secure(KEYS, NEEDS_ADMIN),
  'secure with getKey': () => secure(async () => KEY.publicKey, NEEDS_ADMIN),
  'secure with several issuers': () => secure(anyOf([OF_ISSUER]), NEEDS_ADMIN),
  'secure with getToken': () => secure(KEYS, { ...NEEDS_ADMIN, getToken: fromField }),
  protectedResource: () => protectedResource({ resource: RESOURCE, ...OF_ISSUER }).guard(NEEDS_ADMIN),
  mcp: () => server(NEEDS_ADMIN),
  'mcp with getToken': () => server({ ...NEEDS_ADMIN, getToken: fromField }),
  'mcp that may pass the token on': () => server(NEEDS_ADMIN, { forwardAuthorization: true }),
};

/** Answers with the subject, and with each place of the request that has a token. */
function show(req, res) {
  const { headers, headersDistinct, rawHeaders } = req;
  const places = { headers, headersDistinct, rawHeaders };
  const found = Object.keys(places).filter((place) => JSON.stringify(places[place]).includes('Bearer'));
  res.end([req.auth?.claims.sub, ...found].join());
}

/** Tells the code of a refusal, or the message of another error. */
function tell(error, req, res, next) {
  res.status(error.status ?? 500).end(error.code ?? error.message);
}

/** Sends a message, and returns the status and the text of the answer. */
async function send(client, headers) {
  const options = { host: '127.0.0.1', port: client.port, path: '/mcp', method: 'POST', agent: false };
  const request = http.request({ ...options, headers: { 'content-type': 'application/json', ...headers } });
  request.end(CALL);
  const [response] = await once(request, 'response');
  return `${response.statusCode} ${await response.toArray()}`;
}

for (const version of VERSIONS) {
  const express = EXPRESS[version];

  /** Starts an app with these handlers; the last shows the request. */
  function start(t, ...handlers) {
    const app = express();
    app.use(...handlers, show);
    app.use(tell);
    return serve(t, app);
  }

  /** The ways in which an app may place a guard behind that of the whole server. */
  const PLACES = {
    'beside it': (app, inner) => app.use('/mcp', inner, show),
    'at a route': (app, inner) => app.post('/mcp', inner, show),
    'behind a parser': (app, inner) => app.use('/mcp', express.json(), inner, show),
    'in a router under a prefix': (app, inner) => app.use('/mcp', express.Router().use(inner, show)),
    'in an app under a prefix': (app, inner) => app.use('/mcp', express().use(inner, show)),
  };

  describe(`a guard behind that of an MCP server, with Express ${version}`, () => {
    for (const [kind, make] of Object.entries(KINDS)) {
      test(`${kind}: finds the token, and passes none on`, async (t) => {
        for (const [place, put] of Object.entries(PLACES)) {
          const app = express();
          app.use(server());
          put(app, make());
          app.use(tell);
          const client = await serve(t, app);
          assert.equal(await send(client, bearer(READER)), '403 insufficient_scope', place);
          assert.equal(await send(client, bearer(ADMIN)), '200 read admin', place);
        }
      });
    }

    test('passes the token on if that of the server may', async (t) => {
      const client = await start(t, server({}, { forwardAuthorization: true }), KINDS.secure());
      assert.equal(await send(client, bearer(ADMIN)), '200 read admin,headers,headersDistinct,rawHeaders');
    });

    test('finds the token behind several others', async (t) => {
      const client = await start(t, server(), secure(KEYS), server(), secure(KEYS), KINDS.secure());
      assert.equal(await send(client, bearer(READER)), '403 insufficient_scope');
      assert.equal(await send(client, bearer(ADMIN)), '200 read admin');
    });

    test('judges the token that code between them has put into the request, and takes it off', async (t) => {
      const table = [[ADMIN, '200 read admin'], [FORGED, '403 bad_signature'], ['x', '403 malformed_token_parts']];
      for (const [text, expected] of table) {
        const carrying = (req, res, next) => next(void Object.assign(req.headers, bearer(text)));
        const client = await start(t, server(), carrying, KINDS.secure());
        assert.equal(await send(client, bearer(READER)), expected);
      }
    });

    test('finds a token in its own place alone', async (t) => {
      const byCookie = { getToken: fromCookie };
      const twice = { authorization: [`Bearer ${ADMIN}`, `Bearer ${ADMIN}`], cookie: ADMIN };
      const table = [
        [server(byCookie), secure(KEYS, NEEDS_ADMIN), { cookie: ADMIN }, '401 no_credentials'],
        [server(byCookie), secure(KEYS, NEEDS_ADMIN), { cookie: ADMIN, ...bearer(READER) }, '403 insufficient_scope'],
        [server(byCookie), secure(KEYS, NEEDS_ADMIN), twice, '400 several_tokens'],
        [server(byCookie), server(NEEDS_ADMIN), twice, '400 several_tokens'],
        [server(), secure(KEYS, { ...NEEDS_ADMIN, ...byCookie }), bearer(ADMIN), '401 no_credentials'],
        [server(), server({ ...NEEDS_ADMIN, ...byCookie }), bearer(ADMIN), '401 no_credentials'],
        [server({ optional: true }), secure(KEYS, NEEDS_ADMIN), {}, '401 no_credentials'],
        [server({ optional: true }), secure(KEYS, { ...NEEDS_ADMIN, optional: true }), {}, '200 '],
      ];
      for (const [outer, inner, headers, expected] of table) {
        assert.equal(await send(await start(t, outer, inner), headers), expected);
      }
    });

    test('finds no token in a request that is made of another', async (t) => {
      const judge = secure(KEYS);
      const made = async (req, res) => {
        const copies = [Object.create(req), Object.assign(Object.create(Object.getPrototypeOf(req)), req)];
        const refusals = copies.map((copy) => failure(judge.verifyRequest(Object.assign(copy, { headers: {} }))));
        res.end((await Promise.all(refusals)).map(({ code }) => code).join());
      };
      assert.equal(await send(await start(t, server(), made), bearer(ADMIN)), '200 no_credentials,no_credentials');
    });

    test('finds the token by verifyRequest, too', async (t) => {
      const judge = secure(KEYS);
      const verified = async (req, res, next) => {
        req.auth = await judge.verifyRequest(req);
        next();
      };
      assert.equal(await send(await start(t, server(), verified), bearer(ADMIN)), '200 read admin');
    });

    test('leaves no token to an error handler that goes on, nor does that of the server', async (t) => {
      const goOn = (error, req, res, next) => next();
      const throwing = () => {
        throw new TypeError('a rule that fails');
      };
      const table = [
        [[server({ scope: 'admin', next: true }), goOn], '200 '],
        [[server({ scope: 'admin', next: true }), goOn, KINDS.secure()], '403 insufficient_scope'],
        [[server(), KINDS.secure(), goOn], '200 '],
        [[server({ claims: [throwing] }), goOn], '200 '],
        [[server(), secure(KEYS, { claims: [throwing] }), goOn], '200 read'],
        [[server({ getToken: throwing }), goOn], '200 '],
        [[(req, res, next) => req.resume().on('end', next), server(), goOn], '200 '],
      ];
      for (const [handlers, expected] of table) {
        assert.equal(await send(await start(t, ...handlers), bearer(READER)), expected);
      }
    });

    test('may stand behind requireBearerAuth; behind the guard, that finds a token which may be passed on', async (t) => {
      const sdks = [
        require('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'),
        require('@modelcontextprotocol/express'),
      ];
      const verifier = tokenVerifier({ resource: RESOURCE, ...OF_ISSUER });
      for (const { requireBearerAuth } of sdks) {
        const theirs = requireBearerAuth({ verifier, requiredScopes: ['read'] });
        const subject = (req, res, next) => next(void (req.auth.claims ??= req.auth.extra.claims));
        assert.equal(await send(await start(t, theirs, server()), bearer(READER)), '200 read');
        assert.equal(await send(await start(t, theirs, server(), KINDS.secure()), bearer(READER)), '403 insufficient_scope');
        assert.match(await send(await start(t, server(), theirs, subject), bearer(READER)), /^401 .*invalid_token/);
        const forwarding = server({}, { forwardAuthorization: true });
        assert.match(await send(await start(t, forwarding, theirs, subject), bearer(READER)), /^200 read,headers/);
      }
    });
  });
}

test('a guard finds the token in the request of another framework', async (t) => {
  const [guard, judge] = [server(), secure(KEYS, { scope: 'admin' })];
  const app = new Koa();
  app.use(async (context) => {
    await new Promise((resolve) => guard(context.req, context.res, resolve));
    const access = await judge.verifyRequest(context).catch(({ code }) => ({ claims: { sub: code } }));
    context.body = `${access.claims.sub} ${context.headers.authorization}`;
  });
  const client = await serve(t, app.callback());
  assert.equal(await send(client, bearer(READER)), '200 insufficient_scope undefined');
  assert.equal(await send(client, bearer(ADMIN)), '200 read admin undefined');
});

'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { getRequestListener } = require('@hono/node-server');

const { errors, mcp, secure } = require('portcullis');
const { judge, protect } = require('portcullis/fetch');
const { run } = require('./support/child.js');
const { KEY, KEYS, holdsTheContract, joined, takesTheToken } = require('./support/contract.js');
const { DpopClient } = require('./support/dpop.js');
const { serve } = require('./support/http.js');
const { mint } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const ALICE = mint(KEY);
const URL = 'https://api.example.com/';

const requestOf = (token) => new Request(URL, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

holdsTheContract((t, guards, handler) => {
  const last = async (request, access) => Response.json(handler({ auth: access, claims: access?.claims }));
  const all = guards.reduceRight((next, [keys, options], index) => {
    // Each guard hands on its own access; the last one's is the handler's.
    return protect(secure(keys, options), index === guards.length - 1 ? next : (request) => next(request));
  }, last);
  return serve(t, getRequestListener((request) => all(request), { errorHandler: () => new Response(null, { status: 500 }) }));
}, { form: joined, several: 403 });

takesTheToken((t, guards) => {
  const last = (request) => new Response(request.headers.get('authorization') ?? 'none');
  return serve(t, getRequestListener(guards.reduceRight((next, guard) => protect(guard, next), last)));
});

test('a token that other code has put in place of the one taken off is judged', async () => {
  const resource = mcp({ resource: 'https://mcp.example.com/mcp', issuer: 'https://login.example.com', jwks: KEYS });
  const within = protect(secure(KEYS), () => new Response('ok'));
  const handler = protect(resource.guard(), (request) => {
    request.headers.set('authorization', 'Bearer other');
    return within(request);
  });
  const token = mint(KEY, { iss: 'https://login.example.com', aud: 'https://mcp.example.com/mcp' });
  assert.equal((await handler(requestOf(token))).status, 403);
});

describe('judge', () => {
  test('resolves to the access, to null, or to the response that refuses', async () => {
    const access = await judge(secure(KEYS), requestOf(ALICE));
    assert.equal(access.claims.sub, 'alice');
    assert.equal(await judge(secure(KEYS, { optional: true }), requestOf()), null);
    const response = await judge(secure(KEYS, { realm: 'a', problemJson: true }), requestOf('opaque'));
    assert.ok(response instanceof Response);
    assert.deepEqual([response.status, response.headers.get('content-type')], [403, 'application/problem+json']);
    assert.match(response.headers.get('www-authenticate'), /^Bearer realm="a", error="invalid_token"/);
    assert.equal((await response.json()).code, 'malformed_token_parts');
  });

  test('rejects with errors of rules, and with refusals with next: true', async () => {
    const rule = () => {
      throw new Error('mine');
    };
    assert.equal((await failure(judge(secure(KEYS, { claims: [rule] }), requestOf(ALICE)))).message, 'mine');
    assert.ok((await failure(judge(secure(KEYS, { next: true }), requestOf()))) instanceof errors.UnauthorizedError);
  });

  test('needs a guard and a request', async () => {
    const table = [
      [judge(KEYS, requestOf()), /^portcullis\/fetch: judge: expected guard to be the result of `secure`/],
      [judge(secure(KEYS)), /^portcullis\/fetch: expected request to be a Request of fetch, got undefined/],
      [judge(secure(KEYS, { optional: true }), { headers: {} }), /got an object of class Object/],
    ];
    for (const [promise, message] of table) {
      const error = await failure(promise);
      assert.ok(error instanceof TypeError);
      assert.match(error.message, message);
    }
  });
});

describe('protect', () => {
  test('hands further arguments on', async () => {
    const handler = protect(secure(KEYS), (request, { claims }, { id }) => new Response(`${claims.sub} ${id}`));
    assert.equal(await (await handler(requestOf(ALICE), { id: 7 })).text(), 'alice 7');
  });

  test('sets the nonce also on responses that cannot change', async (t) => {
    const dpop = new DpopClient();
    const token = mint(KEY, dpop.bound);
    const { port } = await serve(t, (req, res) => res.writeHead(201, { location: '/there' }).end());
    const handler = protect(secure(KEYS, { dpop: { nonces: true } }), () => fetch(`http://127.0.0.1:${port}/`));
    const ask = (nonce) => handler(new Request(URL, { headers: dpop.fields(token, dpop.proof({ url: URL, token, nonce })) }));
    const { headers } = await ask();
    const response = await ask(headers.get('dpop-nonce'));
    assert.deepEqual([response.status, response.headers.get('location')], [201, '/there']);
    assert.ok(response.headers.get('dpop-nonce'));
  });

  test('hands on errors of the handler', async () => {
    const handler = protect(secure(KEYS), async () => {
      throw new Error('mine');
    });
    assert.equal((await failure(handler(requestOf(ALICE)))).message, 'mine');
  });

  test('needs a guard and a handler', () => {
    assert.throws(() => protect({}, () => {}), { name: 'TypeError', message: /^portcullis\/fetch: protect: expected guard/ });
    assert.throws(() => protect(secure(KEYS)), { name: 'TypeError', message: /expected handler to be a function of request and access, got undefined/ });
  });
});

test('a refusal is a response with several challenges, and without a body unless it has one', async () => {
  const refusal = await failure(secure(KEYS, { dpop: 'allowed' }).verifyRequest(requestOf()));
  const response = refusal.getResponse();
  assert.equal(response.body, null);
  assert.match(response.headers.get('www-authenticate'), /^Bearer, DPoP algs=/);
});

test('a process with the handler exits by itself, in ES modules, too', async (t) => {
  const script = `
    import { getSimpleJwksService, secure, setLogger } from 'portcullis';
    import { judge } from 'portcullis/fetch';
    setLogger(null);
    const { status } = await judge(secure(getSimpleJwksService('http://127.0.0.1:9/jwks')), new Request('http://a.example'));
    console.log(status);
  `;
  const { stdout, stderr, code } = await run(t, script, {}, ['--input-type=module']);
  assert.deepEqual([stdout, stderr, code], ['401\n', '', 0]);
});

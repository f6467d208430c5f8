'use strict';

const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');

const { errors, getSimpleJwksService, localKeys, secure } = require('portcullis');
const { EXPRESS, VERSIONS, guardedApp } = require('./support/apps.js');
const { AuthorizationServer, FAILURES } = require('./support/authorization-server.js');
const { parameters, serve } = require('./support/http.js');
const { badTokens, mint, newKey } = require('./support/tokens.js');
const { failure } = require('./support/watch.js');

const KEY = newKey();
const ISSUER = 'https://as.example.com';

const DESCRIPTIONS = {
  token_too_large: 'Token is too large',
  malformed_token: 'Token is malformed',
  malformed_token_parts: 'Token is malformed',
  encrypted_token: 'Encrypted tokens are not supported',
  malformed_base64: 'Token is malformed',
  malformed_json: 'Token is malformed',
  duplicate_member: 'Token is malformed',
  nested_too_deep: 'Token is malformed',
  malformed_header: 'Token header is not acceptable',
  critical_header: 'Token header is not acceptable',
  algorithm_not_allowed: 'Token is signed with an algorithm that is not accepted',
  wrong_type: 'Token is not an access token',
  unknown_key: 'Token is signed with an unknown key',
  key_mismatch: 'Token is signed with an unknown key',
  bad_signature: 'Token signature is invalid',
  expired: 'Token has expired',
  not_yet_valid: 'Token is not valid yet',
  issued_in_future: 'Token is not valid yet',
  missing_claim: 'Token is missing some required claims',
  malformed_claim: 'Token has a malformed claim',
  wrong_issuer: 'Token was issued by another authorization server',
  wrong_audience: 'Token is meant for another audience',
  required_claims: 'Token is missing some required claims',
  sender_constrained_token: 'Token is bound to a key, and its proof is missing',
  unsupported_confirmation: 'Token is bound to a key, and its proof is missing',
};

/** Tokens that are refused by options: `[code, options, claims]`. */
const REFUSED_BY_OPTIONS = [
  ['wrong_issuer', { issuer: ISSUER }, { iss: `${ISSUER}/` }],
  ['missing_claim', { issuer: ISSUER }, {}],
  ['malformed_claim', { issuer: ISSUER }, { iss: [ISSUER] }],
  ['wrong_audience', { audience: 'api' }, { aud: ['apis', 'API'] }],
  ['missing_claim', { audience: 'api' }, {}],
  ['malformed_claim', { audience: 'api' }, { aud: { api: true } }],
  ['required_claims', { claims: [{ name: 'role' }] }, {}],
  ['required_claims', { claims: [{ name: 'role', value: 'admin' }] }, { role: 'administrator' }],
  ['required_claims', { claims: [{ name: 'role', value: () => false }] }, { role: 'admin' }],
];

/** Starts an app behind a guard with a local key; `codes` are the codes of refusals in `onError`. */
async function start(t, options = {}, version = 5) {
  const codes = [];
  const guard = secure(localKeys({ keys: [KEY.jwk] }), { ...options, onError: (error) => codes.push(error.code) });
  const client = await serve(t, guardedApp(version, guard));
  return { client, codes, guard };
}

for (const version of VERSIONS) {
  describe(`with Express ${version}`, () => {
    test('a request without a token gets 401 and the bare challenge', async (t) => {
      const { client, codes } = await start(t, { realm: 'r' }, version);
      const table = [
        [[], 'no_credentials'],
        [['authorization: Basic YTpi'], 'other_scheme'],
        [['authorization: DPoP abc'], 'other_scheme'],
        [['authorization: '], 'other_scheme'],
        [['authorization: Bearer'], 'empty_token'],
        [['authorization: Bearer  '], 'empty_token'],
        [[`authorization: Bearer${mint(KEY)}`], 'other_scheme'],
        [[`x-authorization: Bearer ${mint(KEY)}`], 'no_credentials'],
      ];
      for (const [fields, code] of table) {
        const answer = await client.raw('GET / HTTP/1.1', ...fields);
        assert.deepEqual([answer.status, answer.challenges, answer.body], [401, ['Bearer realm="r"'], ''], fields[0]);
        assert.equal(codes.at(-1), code, fields[0]);
      }
    });

    test('without a realm, the bare challenge is the scheme alone', async (t) => {
      const { client } = await start(t, {}, version);
      assert.deepEqual((await client.get()).challenges, ['Bearer']);
    });

    test('two Authorization fields get 400, whatever they hold', async (t) => {
      const { client, codes } = await start(t, {}, version);
      const good = `Bearer ${mint(KEY)}`;
      const other = 'Basic YTpi';
      const table = [[good, good], [good, other], [other, good], ['', good], [other, other]];
      for (const [first, second] of table) {
        for (const name of ['authorization', 'Authorization', 'AUTHORIZATION']) {
          const answer = await client.raw('GET / HTTP/1.1', `Authorization: ${first}`, `${name}: ${second}`);
          const told = [answer.status, answer.challenges.length, parameters(answer.challenge), codes.at(-1)];
          const description = 'The request carries more than one access token';
          const expected = { error: 'invalid_request', error_description: description };
          assert.deepEqual(told, [400, 1, expected, 'several_tokens'], `${first} ${name}`);
        }
      }
    });

    test('each bad token gets 403, its code, and one challenge that says no more than a client may read', async (t) => {
      const { client, codes } = await start(t, { realm: 'my-realm' }, version);
      for (const [code, token] of badTokens(KEY)) {
        if (code === 'token_too_large') {
          continue;
        }
        const answer = await client.get(token);
        const challenge = parameters(answer.challenge);
        assert.deepEqual([answer.status, codes.at(-1), answer.body], [403, code, ''], token);
        assert.equal(answer.challenges.length, 1, code);
        const description = DESCRIPTIONS[code];
        assert.deepEqual(challenge, { realm: 'my-realm', error: 'invalid_token', error_description: description });
      }
    });

    test('a token longer than 16 KiB is refused by its length', async (t) => {
      const guard = secure(localKeys({ keys: [KEY.jwk] }));
      const app = guardedApp(version, guard);
      const server = createServer({ maxHeaderSize: 64 * 1024 }, app);
      const client = await serve(t, server);
      const [, token] = badTokens(KEY).find(([code]) => code === 'token_too_large');
      const answer = await client.get(token);
      assert.deepEqual([answer.status, parameters(answer.challenge).error_description], [403, 'Token is too large']);
    });

    test('each rule of the options refuses with its code', async (t) => {
      for (const [code, options, claims] of REFUSED_BY_OPTIONS) {
        const { client, codes } = await start(t, options, version);
        const answer = await client.get(mint(KEY, claims));
        const challenge = parameters(answer.challenge);
        assert.deepEqual([answer.status, codes, answer.challenges.length], [403, [code], 1], JSON.stringify(options));
        assert.deepEqual(challenge, { error: 'invalid_token', error_description: DESCRIPTIONS[code] });
      }
    });

    test('a missing scope gets 403 and the scope values to ask for', async (t) => {
      const { client, codes } = await start(t, { scope: ['read', 'write'], realm: 'r' }, version);
      for (const scope of [undefined, '', 'read', 'readwrite', 'read writer', 'READ WRITE', ['read'], ['read write']]) {
        const answer = await client.get(mint(KEY, { scope }));
        const told = [answer.status, answer.challenges.length, codes.at(-1)];
        assert.deepEqual(told, [403, 1, 'insufficient_scope'], scope);
        assert.deepEqual(parameters(answer.challenge), {
          realm: 'r',
          error: 'insufficient_scope',
          error_description: 'Token is missing some required scope values',
          scope: 'read write',
        });
      }
    });

    test('keys that cannot be had get 503 with Retry-After, and no challenge', async (t) => {
      const server = await AuthorizationServer.start(t, [KEY]);
      server.fail(FAILURES['status 500']);
      const codes = [];
      const options = { onError: (error) => codes.push(error.code), realm: 'r' };
      const guard = secure(getSimpleJwksService(server.jwksUri), options);
      const client = await serve(t, guardedApp(version, guard));
      for (const _ of [1, 2]) {
        const answer = await client.get(mint(KEY));
        assert.deepEqual([answer.status, answer.challenges, answer.body], [503, [], '']);
        assert.deepEqual(answer.all('retry-after'), ['1']);
      }
      assert.deepEqual(codes, ['keys_unavailable', 'keys_unavailable']);
    });

    test('HEAD and OPTIONS are refused as GET is', async (t) => {
      for (const problemJson of [false, true]) {
        const { client } = await start(t, { problemJson, scope: 'read' }, version);
        for (const method of ['HEAD', 'OPTIONS', 'POST', 'DELETE']) {
          const answers = [
            await client.get(undefined, '/', { method }),
            await client.get('opaque', '/', { method, headers: { authorization: 'Bearer opaque' } }),
            await client.get('', '/', { method, headers: { authorization: `Bearer ${mint(KEY)}` } }),
          ];
          assert.deepEqual(answers.map(({ status }) => status), [401, 403, 403], method);
          assert.deepEqual(answers.map(({ challenges }) => challenges.length), [1, 1, 1], method);
          assert.equal(answers.some(({ body }) => body !== ''), problemJson && method !== 'HEAD', method);
        }
      }
    });

    test('invalidTokenStatus 401 makes bad tokens 401, and leaves scope and the rest as they are', async (t) => {
      const options = { invalidTokenStatus: 401, scope: 'read', claims: [{ name: 'role' }] };
      const { client, codes } = await start(t, options, version);
      const table = [
        [undefined, 401, 'no_credentials', undefined],
        ['opaque', 401, 'malformed_token_parts', 'invalid_token'],
        [mint(KEY, { exp: 1 }), 401, 'expired', 'invalid_token'],
        [mint(KEY, { scope: 'read' }), 401, 'required_claims', 'invalid_token'],
        [mint(KEY, { role: 'a' }), 403, 'insufficient_scope', 'insufficient_scope'],
      ];
      for (const [token, status, code, error] of table) {
        const answer = await client.get(token);
        assert.deepEqual([answer.status, codes.at(-1), parameters(answer.challenge).error], [status, code, error]);
      }
      assert.equal((await client.get(mint(KEY, { role: 'a', scope: 'read' }))).status, 200);
    });

    test('problemJson tells the refusal as problem details', async (t) => {
      const { client } = await start(t, { problemJson: true, scope: 'read', claims: [{ name: 'role' }] }, version);
      const table = [
        [undefined, 401, 'Unauthorized', 'no_credentials', 'The request carries no access token'],
        ['a.b', 403, 'Forbidden', 'malformed_token_parts', 'Token is malformed'],
        [mint(KEY), 403, 'Forbidden', 'insufficient_scope', 'Token is missing some required scope values'],
        [mint(KEY, { scope: 'read' }), 403, 'Forbidden', 'required_claims', 'Token is missing some required claims'],
      ];
      for (const [token, status, title, code, detail] of table) {
        const answer = await client.get(token);
        assert.deepEqual(answer.all('content-type'), ['application/problem+json']);
        assert.deepEqual(JSON.parse(answer.body), { type: 'about:blank', title, status, detail, code });
        assert.deepEqual([answer.status, answer.challenges.length], [status, 1]);
      }
    });

    test('with next, each refusal goes to the error handler as an error with status, headers and code', async (t) => {
      const server = await AuthorizationServer.start(t);
      server.fail(FAILURES['status 500']);
      const app = EXPRESS[version]();
      const options = { next: true, realm: 'r', scope: 'read', claims: [{ name: 'role' }] };
      app.use('/down', secure(getSimpleJwksService(server.jwksUri), options));
      app.use(secure(localKeys({ keys: [KEY.jwk] }), options));
      let error;
      app.use((caught, req, res, next) => {
        error = caught;
        res.set(caught.headers).status(caught.statusCode).send(caught.message);
      });
      const client = await serve(t, app);
      const table = [
        ['/', [], 401, 'no_credentials', 'UnauthorizedError'],
        ['/', ['authorization: Basic a'], 401, 'other_scheme', 'UnauthorizedError'],
        ['/', ['authorization: Bearer '], 401, 'empty_token', 'UnauthorizedError'],
        ['/', ['authorization: Bearer a', 'authorization: Bearer a'], 400, 'several_tokens', 'InvalidRequestError'],
        ['/', ['authorization: Bearer a'], 403, 'malformed_token_parts', 'InvalidTokenError'],
        ['/', [`authorization: Bearer ${mint(KEY, { scope: 'read' })}`], 403, 'required_claims', 'TokenClaimsError'],
        ['/', [`authorization: Bearer ${mint(KEY)}`], 403, 'insufficient_scope', 'InsufficientScopeError'],
        ['/down', [`authorization: Bearer ${mint(KEY)}`], 503, 'keys_unavailable', 'KeysUnavailableError'],
      ];
      for (const [path, fields, status, code, name] of table) {
        const answer = await client.raw(`GET ${path} HTTP/1.1`, ...fields);
        assert.ok([errors[name], errors.RefusalError, Error].every((Class) => error instanceof Class), code);
        assert.deepEqual([error.status, error.statusCode, error.code, error.name], [status, status, code, name]);
        assert.equal(error.expose, true);
        assert.deepEqual([answer.status, answer.body], [status, error.message]);
        assert.deepEqual(answer.challenges, status === 503 ? [] : [error.headers['www-authenticate']]);
        assert.deepEqual(answer.all('retry-after'), status === 503 ? [error.headers['retry-after']] : []);
      }
      assert.equal((await client.get(mint(KEY, { scope: 'read', role: 'a' }))).status, 404);
    });

    test('with next and no error handler, Express answers with the status and the fields', async (t) => {
      const app = EXPRESS[version]();
      app.set('env', 'test');
      app.use(secure(localKeys({ keys: [KEY.jwk] }), { next: true, realm: 'r' }));
      const answer = await (await serve(t, app)).get();
      assert.deepEqual([answer.status, answer.challenges], [401, ['Bearer realm="r"']]);
    });
  });
}

test('a realm comes as one quoted string, whatever it holds', async (t) => {
  const table = [
    ['my-realm', 'Bearer realm="my-realm"'],
    ['a "quoted" realm', 'Bearer realm="a \\"quoted\\" realm"'],
    ['back\\slash', 'Bearer realm="back\\\\slash"'],
    ['end\\', 'Bearer realm="end\\\\"'],
    ['a\r\nset-cookie: a=b', 'Bearer realm="a  set-cookie: a=b"'],
    ['a\u0000b\u007f', 'Bearer realm="a b "'],
    ['", error="x', 'Bearer realm="\\", error=\\"x"'],
    ['', 'Bearer'],
  ];
  for (const [realm, expected] of table) {
    const { client } = await start(t, { realm });
    const { status, challenges, all } = await client.raw('GET / HTTP/1.1');
    assert.deepEqual([status, challenges, all('set-cookie')], [401, [expected], []]);
    parameters(challenges[0]);
  }
});

test('a realm beyond ASCII comes in UTF-8', async (t) => {
  const { client } = await start(t, { realm: 'Büro 門' });
  const { challenge } = await client.raw('GET / HTTP/1.1');
  assert.equal(Buffer.from(challenge, 'latin1').toString(), 'Bearer realm="Büro 門"');
});

test('no text of an error holds anything of the token', async () => {
  const secret = 'c2VjcmV0LW1hcmtlcg';
  const guard = secure(localKeys({ keys: [KEY.jwk] }), { issuer: ISSUER, audience: 'api' });
  const claims = { iss: `https://${secret}.example`, aud: secret, sub: secret, scope: secret };
  const tokens = [
    secret,
    `${secret}.${secret}.${secret}`,
    `${secret} ${secret}`,
    mint(KEY, claims),
    mint(KEY, { ...claims, exp: 1 }),
    mint(KEY, { ...claims, iss: ISSUER }),
    mint(KEY, { ...claims, exp: secret }),
    mint(KEY, claims, { kid: secret }),
    mint(KEY, claims, { typ: secret }),
    mint(KEY, claims, { alg: secret }),
    ...badTokens(KEY).map(([, token]) => token),
  ];
  for (const token of tokens) {
    const error = await failure(guard.verify(token));
    const shown = inspect(error, { depth: 9, showHidden: true });
    const texts = [error.message, error.reason, error.stack, String(error), JSON.stringify(error), shown, error.body];
    const secrets = [secret, ...token.split('.').filter((part) => part.length > 8)];
    for (const text of texts) {
      assert.ok(!secrets.some((part) => text.includes(part)), `${error.code}: ${text}`);
    }
  }
});

test('neither JSON nor a log of req.auth holds the token', async () => {
  const guard = secure(localKeys({ keys: [KEY.jwk] }));
  const token = mint(KEY);
  const access = await guard.verify(token);
  const texts = [JSON.stringify(access), inspect(access, { depth: 9, showHidden: true }), inspect({ access })];
  for (const text of texts) {
    assert.ok(!token.split('.').some((part) => text.includes(part)), text);
    assert.ok(text.includes('alice'));
  }
  assert.equal(access.token, token);
});

test('what an operator reads names options as they are called here, and claims as they are', async () => {
  const guard = secure(localKeys({ keys: [KEY.jwk] }), { claims: [{ name: 'max_age' }] });
  assert.match((await failure(guard.verify(mint(KEY)))).reason, /: max_age$/);
  assert.match((await failure(guard.verify('a'.repeat(17_000)))).reason, /\(maxTokenBytes\)/);
});

test('what an operator reads says what was expected and what came', async () => {
  const guard = secure(localKeys({ keys: [KEY.jwk] }), { audience: 'https://api.example.com' });
  const { reason, message } = await failure(guard.verify(mint(KEY, { aud: 'b' })));
  assert.match(reason, /expected .*`aud`.*https:\/\/api\.example\.com/);
  assert.doesNotMatch(message, /example/);
});

test('onError gets the error and the request, and changes nothing', async (t) => {
  const seen = [];
  const onError = (error, req) => void seen.push([error.code, req.url]);
  const guard = secure(localKeys({ keys: [KEY.jwk] }), { onError });
  const client = await serve(t, guardedApp(5, guard));
  assert.equal((await client.get('a.b.c', '/there?q=1')).status, 403);
  assert.equal((await client.get(mint(KEY))).status, 200);
  assert.deepEqual(seen, [['malformed_base64', '/there?q=1']]);
});

test('a handler can make the two errors of express-oauth-jwt itself', () => {
  const { InsufficientScopeError, TokenClaimsError } = errors;
  const table = [
    [new InsufficientScopeError(), 'insufficient_scope', 'Token is missing some required scope values'],
    [new TokenClaimsError(), 'required_claims', 'Token is missing some required claims'],
  ];
  for (const [error, code, message] of table) {
    assert.deepEqual([error.code, error.message, error.status], [code, message, 403]);
    assert.equal(parameters(error.headers['www-authenticate']).error_description, message);
  }
});

test('a refusal that comes after somebody else has answered is dropped', async (t) => {
  const server = await AuthorizationServer.start(t, [KEY]);
  let answer;
  server.fail((request, response) => (answer = () => FAILURES['status 500'](request, response)));
  let refused;
  const gone = new Promise((resolve) => (refused = resolve));
  const guard = secure(getSimpleJwksService(server.jwksUri), { onError: refused });
  const app = guardedApp(5, guard, (app) => {
    app.use((req, res, next) => {
      server.once('request', () => res.status(504).send('too late'));
      next();
    });
  });
  const client = await serve(t, app);
  const { status, body } = await client.get(mint(KEY));
  assert.deepEqual([status, body], [504, 'too late']);
  answer();
  assert.equal((await gone).code, 'keys_unavailable');
});

'use strict';

// Run by Jest, from testkit.test.js.
const { discovery, secure } = require('portcullis');
const { AuthorizationServer, TestClock } = require('portcullis/testkit');

let server;
const clock = new TestClock();

beforeAll(async () => {
  server = await AuthorizationServer.start({ clock, algorithms: 'ES256' });
});

afterAll(() => server.stop());

const guard = () => secure(discovery({ issuer: server.issuer, clock }), { audience: 'https://api.example.com' });

test('a token passes until it expires', async () => {
  const [secured, token] = [guard(), server.token({ scope: 'read' })];
  expect((await secured.verify(token)).claims.sub).toBe('alice');
  clock.advance(400);
  await expect(secured.verify(token)).rejects.toMatchObject({ code: 'expired' });
});

test('objects of other realms are JSON, too', async () => {
  const claims = structuredClone({ roles: { of: ['admin'] } });
  const secured = secure(discovery({ issuer: server.issuer, clock }), { claims: [{ name: 'roles', value: structuredClone({ of: ['admin'] }) }] });
  expect((await secured.verify(server.token(claims))).claims.roles).toEqual({ of: ['admin'] });
});

test('hostile tokens are refused', async () => {
  const secured = guard();
  for (const { token, code } of server.hostileTokens()) {
    await expect(secured.verify(token)).rejects.toMatchObject({ code });
  }
});

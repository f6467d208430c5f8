// Run by Vitest, from testkit.test.js: the runner is in another folder, so that its functions are global.
import { discovery, secure } from 'portcullis';
import { AuthorizationServer, TestClock } from 'portcullis/testkit';

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

test('hostile tokens are refused', async () => {
  const secured = guard();
  for (const { token, code } of server.hostileTokens()) {
    await expect(secured.verify(token)).rejects.toMatchObject({ code });
  }
});

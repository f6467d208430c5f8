// The types of the test kit.
import { discovery, getSimpleJwksService, localKeys, secure, type RefusalCode } from 'portcullis';
import {
  AuthorizationServer,
  CertificateAuthority,
  DpopClient,
  SigningKey,
  TestClock,
  providers,
  type Fault,
  type HostileToken,
  type ServerOptions,
} from 'portcullis/testkit';

const clock = new TestClock(new Date());
clock.advance(-5);
clock.set(1_800_000_000);
const options: ServerOptions = {
  algorithms: ['ES256', 'ML-DSA-44'],
  audience: ['a', 'b'],
  client: { id: 'a', secret: 'b' },
  clock,
  path: '/tenant1',
  port: 0,
  jwksMaxAge: 60,
  etag: false,
  tls: new CertificateAuthority(),
};
const server: AuthorizationServer = await AuthorizationServer.start(options);
for (const provider of providers) {
  await AuthorizationServer.start({ provider });
}

const token: string = server.token({ sub: 'bob', roles: ['admin'], jti: undefined }, { alg: 'ES256', header: { typ: 'JWT' }, expiresIn: -5 });
server.token('no json', { header: '{}', key: SigningKey.generate('RS256', 'kid') });
server.opaqueToken({ scope: 'read' }, { expiresIn: 5 });
const hostile: readonly HostileToken[] = server.hostileTokens({ scope: 'read' });
const code: RefusalCode | undefined = hostile[0]?.code;
const faults: Fault[] = ['hang', { status: 503 }, { delay: 1 }, { body: '{}' }];
faults.forEach((fault) => server.fail(fault, { at: ['jwks', 'introspection'], once: true }));
server.recover({ at: 'jwks' });
await server.waitForRequests('jwks', server.counts.jwks + 1, { timeout: 1 });
const agent: string | null | undefined = server.lastHeaders('jwks')?.get('user-agent');
server.withdraw(server.rotate({ withdraw: true }));
server.publish(SigningKey.generate());
server.replaceJwks({ keys: [] });

// The clock of a test is optional in the code under test.
const made = (issuer: string, clock?: TestClock) => secure(discovery({ issuer, clock }));
made(server.issuer, server.clock);
getSimpleJwksService(server.jwksUri, { clock });
localKeys(server.signingKey.publicJwk, { clock });

const client: DpopClient = server.dpopClient({ alg: 'EdDSA' });
const { authorization, dpop } = client.headers({ url: 'https://api.example.com', token });
client.proof({ url: new URL('https://api.example.com'), method: 'POST' }, { claims: { jti: undefined }, key: SigningKey.generate() });
server.dpopAttempts(client, { url: 'https://api.example.com', claims: client.bound }).map(({ fields, passes }) => [fields[0]?.[1], passes]);
const { cert, key, der, thumbprint } = new CertificateAuthority().client('a', { expired: true });
await server[Symbol.asyncDispose]();
[code, agent, authorization, dpop, cert, key, der, thumbprint];

// @ts-expect-error the kit alone makes clocks
getSimpleJwksService(server.jwksUri, { clock: { now: () => new Date(), advance() {}, set() {} } });
// @ts-expect-error a time as a text
new TestClock('now');
// @ts-expect-error a server is started
new AuthorizationServer();
// @ts-expect-error a misspelt option
await AuthorizationServer.start({ algoritms: 'ES256' });
// @ts-expect-error a fault that there is not
server.fail('hangg');
// @ts-expect-error an endpoint that there is not
server.fail('hang', { at: 'keys' });
// @ts-expect-error a claim that is not JSON
server.token({ at: new Date() });

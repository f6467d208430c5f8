export { AuthorizationServer, CertificateAuthority, DpopClient, SigningKey, TestClock, providers } from './testkit.js';
export type {
  Changes,
  ClientIdentity,
  Counts,
  DpopAttempt,
  Endpoint,
  Fault,
  HostileToken,
  Members,
  ProviderName,
  ServerOptions,
  TokenOptions,
} from './testkit.js';

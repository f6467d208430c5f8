import testkit from './testkit.js';

export const { AuthorizationServer, CertificateAuthority, DpopClient, SigningKey, TestClock, providers } = testkit;

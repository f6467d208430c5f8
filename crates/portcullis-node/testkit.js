'use strict';

const { CertificateAuthority } = require('./lib/testkit/certificate.js');
const { TestClock } = require('./lib/testkit/clock.js');
const { DpopClient } = require('./lib/testkit/dpop.js');
const { SigningKey } = require('./lib/testkit/key.js');
const kit = require('./lib/testkit/kit.js');
const { AuthorizationServer } = require('./lib/testkit/server.js');

module.exports = {
  AuthorizationServer,
  CertificateAuthority,
  DpopClient,
  SigningKey,
  TestClock,
  /** The names of the providers whose shapes a server can take. */
  providers: kit.providers(),
};

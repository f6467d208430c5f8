'use strict';

module.exports = {
  // The JWKS endpoint of your authorization server; that of the repository's demo by default.
  jwks_uri: process.env.JWKS_URI ?? 'http://127.0.0.1:3001/jwks',
  host: '127.0.0.1',
  port: Number(process.env.PORT ?? 3000),
};

/** Express behind express-oauth-jwt. */

import { secure } from 'express-oauth-jwt';
import { createRemoteJWKSet } from 'jose';

import { serve, settings } from './server.js';

const { jwksUri, issuer, audience } = settings;

// It has no options for issuer and audience, so they are checked as claims.
const claims = [
  { name: 'iss', value: issuer },
  { name: 'aud', value: audience },
];

serve((req) => req.claims.sub, secure(createRemoteJWKSet(new URL(jwksUri)), { claims }));

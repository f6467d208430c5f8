/** Express behind express-oauth2-jwt-bearer. */

import { auth } from 'express-oauth2-jwt-bearer';

import { serve, settings } from './server.js';

const { jwksUri, issuer, audience, dpop } = settings;

serve((req) => req.auth.payload.sub, auth({ jwksUri, issuer, audience, dpop: { enabled: dpop, required: dpop } }));

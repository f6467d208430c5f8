/** Express behind Portcullis. */

import { getSimpleJwksService, secure } from '../../crates/portcullis-node/index.mjs';
import { serve, settings } from './server.js';

const { jwksUri, issuer, audience, noCache, dpop } = settings;

serve(
  (req) => req.claims.sub,
  secure(getSimpleJwksService(jwksUri), { issuer, audience, tokenCache: !noCache, dpop: dpop ? 'required' : 'off' }),
);

/** Express behind fast-jwt with get-jwks, which have no middleware and so need a few more lines. */

import { createVerifier } from 'fast-jwt';
import buildGetJwks from 'get-jwks';

import { serve, settings } from './server.js';

const { jwksUri, issuer, audience, cache } = settings;

const getJwks = buildGetJwks({ issuersWhitelist: [issuer], jwksPath: new URL(jwksUri).pathname });

const verify = createVerifier({
  key: ({ header: { kid, alg } }) => getJwks.getPublicKey({ kid, alg, domain: issuer }),
  // Neither of the two READMEs that are followed here turns it on.
  ...(cache !== undefined && { cache: Number(cache) }),
  allowedIss: issuer,
  allowedAud: audience,
});

/** The guard, with a callback: unlike a promise, it is answered at once for a known token. */
function guard(req, res, next) {
  const [scheme, token] = req.headers.authorization?.split(' ') ?? [];
  if (scheme !== 'Bearer') {
    return res.sendStatus(401);
  }
  return verify(token, (error, claims) => {
    if (error) {
      return res.sendStatus(401);
    }
    req.claims = claims;
    return next();
  });
}

serve((req) => req.claims.sub, guard);

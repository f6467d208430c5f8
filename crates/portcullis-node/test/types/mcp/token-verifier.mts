// A token verifier is an `OAuthTokenVerifier` of each version of the SDK.
import * as second from '@modelcontextprotocol/express';
import * as errors from '@modelcontextprotocol/sdk/server/auth/errors.js';
import * as first from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { AuthInfo as AuthInfoOfFirst } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { type AuthInfo as AuthInfoOfSecond, OAuthError } from '@modelcontextprotocol/server';
import { type Access, discovery, errors as ours } from 'portcullis';
import { type AuthInfo, tokenVerifier } from 'portcullis/mcp';

const resource = 'https://mcp.example.com/mcp';
const issuer = 'https://login.example.com';
const verifier = tokenVerifier({ resource, issuer, leeway: 30, impliedScopes: { 'files:write': ['files:read'] } });

first.requireBearerAuth({ verifier, requiredScopes: ['files:read'] });
second.requireBearerAuth({ verifier, requiredScopes: ['files:read'] });

tokenVerifier({ resource, jwks: discovery({ issuer }), errors });
tokenVerifier({ resource, issuers: [issuer, { issuer: 'https://b.example.com', audience: 'b' }], errors: { OAuthError } });

try {
  const { clientId, scopes, extra }: AuthInfo = await verifier.verifyAccessToken('token');
  console.log(clientId, scopes, extra.claims.sub);
} catch (error) {
  console.log(error instanceof Error && error.cause instanceof ours.RefusalError && error.cause.reason);
}

// @ts-expect-error no issuer
tokenVerifier({ resource });
// @ts-expect-error no resource
tokenVerifier({ issuer });
// @ts-expect-error rules beside several issuers
tokenVerifier({ resource, issuers: [issuer], leeway: 30 });
// @ts-expect-error a rule of requireBearerAuth
tokenVerifier({ resource, issuer, requiredScopes: ['files:read'] });

// The access that a guard gives is the SDK's data about a token.
declare const access: Access;
const ofFirst: AuthInfoOfFirst = access;
const ofSecond: AuthInfoOfSecond = access;
console.log(ofFirst.clientId, ofSecond.extra);

'use strict';

const { RefusalError } = require('../errors.js');
const { pick, readObject, refuseUnknown } = require('../library.js');
const { ISSUER, NOT_OF_ISSUERS } = require('../resource/issuers.js');
const { EXAMPLE, guarded, resourceOf } = require('../resource/protected-resource.js');
const { SdkErrors } = require('./sdk.js');

const NAME = 'tokenVerifier';

/** The options of `secure` that apply to a token alone. */
const OF_TOKENS = ['claims', 'schema', 'impliedScopes', 'maxTokenBytes'];

/** Options of `secure` that `requireBearerAuth` of the SDK has itself, or has no answer for, with the reasons. */
const NOT_OFFERED = {
  ...NOT_OF_ISSUERS,
  scope: 'pass it to requireBearerAuth, as `requiredScopes`, so that its challenge names it',
  anyScope: 'requireBearerAuth cannot ask for one of several scopes: use `mcp`',
  acr: 'requireBearerAuth has no challenge for it: use `mcp`',
  maxAge: 'requireBearerAuth has no challenge for it: use `mcp`',
  dpop: 'requireBearerAuth hands over the token alone, without a proof: use `mcp`',
  senderConstrained: 'requireBearerAuth hands over the token alone, without a proof: use `mcp`',
  clientCertificate: 'requireBearerAuth hands over the token alone, without a certificate: use `mcp`',
};

/**
 * Returns a function `tokenVerifier(options)`, which makes an `OAuthTokenVerifier` for `requireBearerAuth` of the TypeScript SDK.
 *
 * `found` returns the errors of the installed SDK.
 */
function tokenVerifierWith(found) {
  return function tokenVerifier(options) {
    const { guard, errors } = read(readObject(NAME, EXAMPLE, options), found);
    return {
      async verifyAccessToken(token) {
        try {
          return authInfo(await guard.verify(token));
        } catch (error) {
          throw error instanceof RefusalError ? inTheirWords(errors, error) : error;
        }
      },
    };
  };
}

function read(options, found) {
  const { errors } = options;
  refuseUnknown(options, ['resource', 'issuers', ...ISSUER, ...OF_TOKENS, 'errors'], NAME, NOT_OFFERED);
  return {
    guard: guarded(NAME, resourceOf(NAME, options), pick(options, OF_TOKENS)),
    errors: errors === undefined ? installed(found()) : SdkErrors.given(NAME, errors),
  };
}

function installed(errors) {
  if (!errors.areKnown) {
    throw new TypeError(
      `${NAME}: expected @modelcontextprotocol/sdk or @modelcontextprotocol/server to be installed, found neither: install one, ` +
        'or pass its error classes as `errors`',
    );
  }
  return errors;
}

/** The SDK's `AuthInfo` as a plain object, whose `scopes` include implied values: `requireBearerAuth` looks for its own in them. */
function authInfo(access) {
  const { token, clientId, grantedScopes: scopes, expiresAt, resource, extra } = access;
  return { token, clientId, scopes, expiresAt, resource, extra };
}

/** A refusal as an error of the SDK: a token that was not judged must not look like a bad one. */
function inTheirWords(errors, refusal) {
  return errors.make(refusal.status < 500 ? 'invalid_token' : 'server_error', refusal.message, refusal);
}

module.exports = { tokenVerifierWith };

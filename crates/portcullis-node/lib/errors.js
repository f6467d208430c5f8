'use strict';

const { inOurNames } = require('./library.js');

/**
 * A refusal with the whole response: `status`, `headers` and `body`.
 *
 * `message` is for clients, `reason` for operators; neither contains any part of the token.
 */
class RefusalError extends Error {
  constructor(refused) {
    super(refused.description);
    this.code = refused.code;
    this.status = refused.status;
    this.headers = refused.headers;
    this.reason = inOurNames(refused.reason);
    Object.defineProperty(this, 'body', { value: refused.body, enumerable: false });
  }

  get name() {
    return this.constructor.name;
  }

  /** The same as `status`: error handlers look for either. */
  get statusCode() {
    return this.status;
  }

  /** True, because clients may read `message`. */
  get expose() {
    return true;
  }

  /** The response of fetch's kind. Hono's own error handler calls this method, too. */
  getResponse() {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.headers)) {
      [value].flat().forEach((value) => headers.append(name, value));
    }
    return new Response(this.body === '' ? null : this.body, { status: this.status, headers });
  }
}

/** No token: no credentials, another scheme, or `Bearer` alone. */
class UnauthorizedError extends RefusalError {}

/** More than one token, or a request to an MCP server that cannot be judged. */
class InvalidRequestError extends RefusalError {}

/** A token that is malformed, forged, expired or for another audience. */
class InvalidTokenError extends RefusalError {}

/** A valid token without a required claim, or with a forbidden one. */
class TokenClaimsError extends InvalidTokenError {
  constructor(refused = made('required_claims', 'invalid_token', 'Token is missing some required claims')) {
    super(refused);
  }
}

/** A valid token without a required scope value. */
class InsufficientScopeError extends RefusalError {
  constructor(refused = made('insufficient_scope', 'insufficient_scope', 'Token is missing some required scope values')) {
    super(refused);
  }
}

/** A valid token of a user who has to authenticate again, or in another way. */
class InsufficientUserAuthenticationError extends RefusalError {}

/** A missing or bad DPoP proof, or one without a nonce of this server. */
class DpopProofError extends RefusalError {}

/** A token that was not judged, because its keys are unavailable. */
class KeysUnavailableError extends RefusalError {}

/** A token that was not judged, because the authorization server cannot be asked about it. */
class IntrospectionUnavailableError extends RefusalError {}

/** A token that was not exchanged for one of an upstream. */
class ExchangeError extends RefusalError {}

/** A proof that was not judged, because the store of the proofs seen is unavailable. */
class ReplayStoreUnavailableError extends RefusalError {}

/** The contents of an error that a handler makes itself, for the two classes with a default. */
function made(code, error, description) {
  const challenge = `Bearer error="${error}", error_description="${description}"`;
  return { code, description, reason: description, status: 403, headers: { 'www-authenticate': challenge }, body: '' };
}

const CLASSES = new Map([
  ['no_credentials', UnauthorizedError],
  ['other_scheme', UnauthorizedError],
  ['empty_token', UnauthorizedError],
  ['several_tokens', InvalidRequestError],
  ['mcp_origin', InvalidRequestError],
  ['mcp_fields_disagree', InvalidRequestError],
  ['mcp_fields_malformed', InvalidRequestError],
  ['mcp_fields_missing', InvalidRequestError],
  ['mcp_content_type', InvalidRequestError],
  ['mcp_body', InvalidRequestError],
  ['mcp_body_too_large', InvalidRequestError],
  ['insufficient_scope', InsufficientScopeError],
  ['insufficient_user_authentication', InsufficientUserAuthenticationError],
  ['required_claims', TokenClaimsError],
  ['forbidden_claim', TokenClaimsError],
  ['keys_unavailable', KeysUnavailableError],
  ['replay_store_unavailable', ReplayStoreUnavailableError],
  ['introspection_unavailable', IntrospectionUnavailableError],
  ['exchange_refused', ExchangeError],
  ['exchange_unavailable', ExchangeError],
  ['exchange_unusable', ExchangeError],
  ['unknown_exchange', ExchangeError],
  ['no_runtime', RefusalError],
  ['missing_dpop_proof', DpopProofError],
  ['several_dpop_proofs', DpopProofError],
  ['dpop_proof_too_large', DpopProofError],
  ['malformed_dpop_proof', DpopProofError],
  ['dpop_type', DpopProofError],
  ['dpop_algorithm', DpopProofError],
  ['dpop_key', DpopProofError],
  ['dpop_method', DpopProofError],
  ['dpop_url', DpopProofError],
  ['dpop_url_unknown', DpopProofError],
  ['dpop_too_old', DpopProofError],
  ['dpop_ahead', DpopProofError],
  ['dpop_nonce_missing', DpopProofError],
  ['dpop_nonce_stale', DpopProofError],
  ['dpop_wrong_token', DpopProofError],
  ['dpop_wrong_key', DpopProofError],
  ['dpop_signature', DpopProofError],
  ['dpop_replayed', DpopProofError],
]);

/** The error for a refusal of the addon. */
function refusalError(refused) {
  const Class = CLASSES.get(refused.code) ?? InvalidTokenError;
  return new Class(refused);
}

module.exports = {
  RefusalError,
  UnauthorizedError,
  InvalidRequestError,
  InvalidTokenError,
  TokenClaimsError,
  InsufficientScopeError,
  InsufficientUserAuthenticationError,
  DpopProofError,
  KeysUnavailableError,
  IntrospectionUnavailableError,
  ExchangeError,
  ReplayStoreUnavailableError,
};
Object.defineProperty(module.exports, 'refusalError', { value: refusalError, enumerable: false });

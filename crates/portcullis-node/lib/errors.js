'use strict';

const { inOurNames } = require('./options.js');

/**
 * Why a request may not pass, and the whole response to it: `status`, `headers` and `body`.
 *
 * `message` is what a client may read, `reason` what an operator may; neither holds any of the token.
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

  /** Whether a client may read `message`: always. */
  get expose() {
    return true;
  }
}

/** No token: no credentials, another scheme, or `Bearer` alone. */
class UnauthorizedError extends RefusalError {}

/** More than one token. */
class InvalidRequestError extends RefusalError {}

/** A token that is malformed, forged, out of time or not for us. */
class InvalidTokenError extends RefusalError {}

/** A good token without a claim that the endpoint asks for, or with one that it forbids. */
class TokenClaimsError extends InvalidTokenError {
  constructor(refused = made('required_claims', 'invalid_token', 'Token is missing some required claims')) {
    super(refused);
  }
}

/** A good token without a scope value that the endpoint asks for. */
class InsufficientScopeError extends RefusalError {
  constructor(refused = made('insufficient_scope', 'insufficient_scope', 'Token is missing some required scope values')) {
    super(refused);
  }
}

/** The token was not judged: the keys to judge it with could not be had. */
class KeysUnavailableError extends RefusalError {}

/** One that a handler makes itself, as it may with the two classes that have a default. */
function made(code, error, description) {
  const challenge = `Bearer error="${error}", error_description="${description}"`;
  return { code, description, reason: description, status: 403, headers: { 'www-authenticate': challenge }, body: '' };
}

const CLASSES = new Map([
  ['no_credentials', UnauthorizedError],
  ['other_scheme', UnauthorizedError],
  ['empty_token', UnauthorizedError],
  ['several_tokens', InvalidRequestError],
  ['insufficient_scope', InsufficientScopeError],
  ['required_claims', TokenClaimsError],
  ['forbidden_claim', TokenClaimsError],
  ['keys_unavailable', KeysUnavailableError],
  ['no_runtime', RefusalError],
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
  KeysUnavailableError,
};
Object.defineProperty(module.exports, 'refusalError', { value: refusalError, enumerable: false });

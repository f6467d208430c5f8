'use strict';

/** The algorithms of elliptic keys, which two of the tokens need: with another key they name the key of another algorithm. */
const ELLIPTIC = ['ES256', 'ES384', 'ES512'];

/** The expected code of each hostile token, from a guard with the server's issuer and audience. */
const CODES = {
  alg_none: 'algorithm_not_allowed',
  alg_none_mixed_case: 'algorithm_not_allowed',
  algorithm_confusion: 'algorithm_not_allowed',
  algorithm_confusion_der: 'algorithm_not_allowed',
  unknown_algorithm: 'algorithm_not_allowed',
  embedded_jwk: 'bad_signature',
  jwk_set_url: 'bad_signature',
  x509_url: 'bad_signature',
  x509_chain: 'bad_signature',
  flipped_signature_bit: 'bad_signature',
  flipped_payload_bit: 'bad_signature',
  truncated_signature: 'bad_signature',
  empty_signature: 'bad_signature',
  zero_signature: 'bad_signature',
  forged_key: 'bad_signature',
  critical_header: 'critical_header',
  unencoded_payload: 'critical_header',
  unencoded_payload_without_crit: 'malformed_header',
  kid_not_a_string: 'malformed_header',
  huge_kid: 'malformed_header',
  header_alg_missing: 'malformed_header',
  duplicate_header_member: 'duplicate_member',
  duplicate_claim: 'duplicate_member',
  duplicate_nested_claim: 'duplicate_member',
  trailing_bits: 'malformed_base64',
  standard_alphabet: 'malformed_base64',
  padded_base64: 'malformed_token',
  whitespace_in_token: 'malformed_token',
  unknown_key: 'unknown_key',
  kid_traversal: 'unknown_key',
  expired: 'expired',
  negative_expiry: 'expired',
  not_yet_valid: 'not_yet_valid',
  issued_in_future: 'issued_in_future',
  missing_expiry: 'missing_claim',
  missing_issuer: 'missing_claim',
  missing_audience: 'missing_claim',
  expiry_as_string: 'malformed_claim',
  expiry_infinite: 'malformed_json',
  wrong_issuer: 'wrong_issuer',
  issuer_prefix: 'wrong_issuer',
  wrong_audience: 'wrong_audience',
  id_token: 'wrong_audience',
  dpop_proof: 'wrong_type',
  logout_token: 'wrong_type',
  dpop_bound: 'sender_constrained_token',
  certificate_bound: 'sender_constrained_token',
  doubly_bound: 'sender_constrained_token',
  unknown_confirmation: 'unsupported_confirmation',
  null_confirmation: 'malformed_claim',
  empty_confirmation: 'malformed_claim',
  confirmation_list: 'malformed_claim',
  null_thumbprint: 'malformed_claim',
  short_thumbprint: 'malformed_claim',
  jwe: 'encrypted_token',
  two_parts: 'malformed_token_parts',
  four_parts: 'malformed_token_parts',
  oversized: 'token_too_large',
  deep_json: 'token_too_large',
  invalid_utf8: 'malformed_json',
  not_an_object: 'malformed_json',
  header_not_json: 'malformed_json',
  payload_not_json: 'malformed_json',
};

/** The hostile tokens in the kit's list, with the expected code of each for a server with these algorithms. */
function withCodes(tokens, algorithms) {
  const elliptic = algorithms.find((alg) => ELLIPTIC.includes(alg));
  const codes = {
    ...CODES,
    der_signature: elliptic === undefined ? 'key_mismatch' : 'bad_signature',
    wrong_curve: elliptic === 'ES256' ? 'bad_signature' : 'key_mismatch',
  };
  return tokens.map(({ name, description, token }) => ({ name, description, token, code: codes[name] }));
}

module.exports = { withCodes };

//! The reasons for refusing a request.
//!
//! A [`Refusal`] is sorted by blame: the request, the token, the access that it grants, the authorization server, or our own
//! configuration. It keeps the expected and the actual value. Its `Display` text is for operators and contains neither token
//! text nor claim values; [`Refusal::description`] is for clients.
//!
//! # The codes
//!
//! The codes are the same in logs, metrics, problem details and at every door. They never change their meaning.
//! `403*` is 401 where [`invalid_token_status`](crate::Secure::invalid_token_status) says so.
//!
//! | code | status | meaning |
//! |---|---|---|
//! | `no_credentials` | 401 | no token in any permitted place |
//! | `other_scheme` | 401 | another scheme than `Bearer`, or than `DPoP` where that is accepted |
//! | `empty_token` | 401 | a scheme without a token |
//! | `several_tokens` | 400 | more than one token, or two `Authorization` fields |
//! | `mcp_origin` | 403 | MCP: the `Origin` field has an origin that is not allowed |
//! | `mcp_fields_missing` | 400 | MCP: only header fields are seen, and they do not tell the operation |
//! | `mcp_fields_malformed` | 400 | MCP: `MCP-Protocol-Version`, `Mcp-Method` or `Mcp-Name` comes twice or is malformed, or, where only fields are seen, comes in another spelling (`Mcp_Name`) |
//! | `mcp_fields_disagree` | 400 | MCP: `Mcp-Method` or `Mcp-Name` differs from the content |
//! | `mcp_content_type` | 415 | MCP: the content is not JSON in UTF-8 as it stands |
//! | `mcp_body` | 400 | MCP: the content is not a JSON-RPC message that can be judged |
//! | `mcp_body_too_large` | 413 | MCP: the content is longer than the limit (`max_body_bytes`), 1 MiB by default |
//! | `token_too_large` | 403* | longer than the limit (`max_token_bytes`), 16 KiB by default |
//! | `malformed_token` | 403* | characters that no bearer token has; a cookie under another spelling of its name |
//! | `malformed_token_parts` | 403* | not three parts; also an opaque token without introspection |
//! | `encrypted_token` | 403* | five parts: a JWE |
//! | `malformed_base64` | 403* | a part is not strict base64url |
//! | `malformed_json` | 403* | header or payload is not a JSON object |
//! | `duplicate_member` | 403* | an object has two members of one name |
//! | `nested_too_deep` | 403* | objects and arrays are nested deeper than 32 levels |
//! | `malformed_header` | 403* | `alg`, `kid`, `typ` or `b64` is malformed |
//! | `critical_header` | 403* | `crit` requires an extension |
//! | `algorithm_not_allowed` | 403* | `alg` is unknown, `none`, or not allowed here |
//! | `wrong_type` | 403* | `typ` is not the type of an access token |
//! | `unknown_key` | 403* | the issuer publishes no such key |
//! | `key_mismatch` | 403* | the key exists, for another algorithm |
//! | `unusable_key` | 403* | the key exists, but is not used: it is malformed, or for another purpose |
//! | `too_many_keys` | 403* | the token names no key, and not all keys that fit are tried |
//! | `bad_signature` | 403* | the signature does not verify |
//! | `inactive_token` | 403* | introspection says so: revoked, expired, or never issued |
//! | `expired` | 403* | `exp` has passed |
//! | `not_yet_valid` | 403* | `nbf` is in the future |
//! | `issued_in_future` | 403* | `iat` is in the future: the clocks differ |
//! | `token_too_old` | 403* | the time since `iat` is longer than `max_token_age` |
//! | `token_lifetime_too_long` | 403* | the time from `iat` to `exp` is longer than `max_token_lifetime` |
//! | `missing_claim` | 403* | a registered claim is missing |
//! | `malformed_claim` | 403* | a registered claim has a wrong type |
//! | `wrong_issuer` | 403* | `iss` is not trusted here |
//! | `wrong_tenant` | 403* | the claim of the tenant is not the tenant in `iss` |
//! | `wrong_subject` | 403* | `sub` is none of the subjects that are accepted of this issuer |
//! | `wrong_audience` | 403* | `aud` does not name this resource server |
//! | `sender_constrained_token` | 401 | `cnf` binds the token to a key, and the request does not prove possession of it |
//! | `unsupported_confirmation` | 401 | `cnf` binds the token in a way that no request can prove here |
//! | `unbound_token` | 401 | a DPoP proof was sent with a token that is bound to no key |
//! | `dpop_required` | 401 | the endpoint asks for a token that is bound to a key by DPoP |
//! | `sender_constraint_required` | 401 | the endpoint asks for a token that is bound to a key, by DPoP or a client certificate |
//! | `wrong_certificate` | 401 | the token is bound to another client certificate |
//! | `missing_dpop_proof` | 401 | the `DPoP` scheme without a `DPoP` field |
//! | `several_dpop_proofs` | 401 | more than one `DPoP` field |
//! | `dpop_proof_too_large` | 401 | DPoP: longer than the limit (`max_proof_bytes`), 12 KiB by default |
//! | `malformed_dpop_proof` | 401 | DPoP: not a compact JWS, or a member is missing or has a wrong type |
//! | `dpop_type` | 401 | DPoP: `typ` is not `dpop+jwt` |
//! | `dpop_algorithm` | 401 | DPoP: `alg` is `none`, symmetric, or not on the list for proofs |
//! | `dpop_key` | 401 | DPoP: `jwk` is not a usable public key for `alg` |
//! | `dpop_method` | 401 | DPoP: `htm` is not the method of the request |
//! | `dpop_url` | 401 | DPoP: `htu` is not the URL of the request |
//! | `dpop_url_unknown` | 401 | DPoP: the URL of the request is unknown, by missing, doubled or malformed fields |
//! | `dpop_too_old` | 401 | DPoP: `iat` is longer ago than `max_age`, 5 min by default, or in a time that the full memory for used proofs has forgotten |
//! | `dpop_ahead` | 401 | DPoP: `iat` is in the future: the clocks differ |
//! | `dpop_nonce_missing` | 401 | DPoP: this server asks for a nonce |
//! | `dpop_nonce_stale` | 401 | DPoP: the nonce is not one that this server gave lately |
//! | `dpop_wrong_token` | 401 | DPoP: `ath` is the hash of another token |
//! | `dpop_wrong_key` | 401 | DPoP: the token is bound to another key (`jkt`) |
//! | `dpop_signature` | 401 | DPoP: the proof's signature does not verify |
//! | `dpop_replayed` | 401 | DPoP: the proof was used before |
//! | `required_claims` | 403* | a claim that the endpoint requires is missing or different |
//! | `forbidden_claim` | 403* | the token has a claim that the endpoint forbids |
//! | *a name of yours* | 403* | a rule of your own does not hold ([`Secure::rule`](crate::Secure::rule)) |
//! | `insufficient_scope` | 403 | a scope value that the endpoint requires was not granted |
//! | `insufficient_user_authentication` | 401 | the user has to authenticate again, or in another way (`acr`, `max_age`) |
//! | `exchange_refused` | 403 | the authorization server does not exchange the token for one of the upstream's |
//! | `keys_unavailable` | 503 | the issuer's keys are not available: the token was not judged |
//! | `introspection_unavailable` | 503 | the issuer cannot be asked about an opaque token, or its answer cannot be trusted: the token was not judged |
//! | `exchange_unavailable` | 503 | the authorization server cannot be asked for a token for the upstream |
//! | `exchange_unusable` | 503 | the authorization server's token for the upstream cannot be trusted: it is not handed on |
//! | `replay_store_unavailable` | 503 | the shared store of used DPoP proofs is away, and is configured to be needed |
//! | `missing_layer` | 500 | an extractor is used without a layer |
//! | `no_runtime` | 500 | there is no tokio runtime to fetch keys on |
//! | `unknown_exchange` | 500 | a handler asks for a token exchange by a name that its layer does not have |
//! | `mistaken_rule` | 500 | a rule of the layer can be met by no token: a scope value with a space in it, a claim without a name |

mod access;
mod check_kind;
mod message;
mod ours;
mod proof;
mod request;
mod token;
mod unverified;

pub use access::AccessFault;
pub use check_kind::CheckKind;
pub use message::{MessageFault, MessageId};
pub use ours::{ConfigurationFault, UnavailableFault};
pub use proof::ProofFault;
pub use request::RequestFault;
pub use token::{JsonFault, Part, TokenFault};
pub use unverified::{MemberName, Unverified};

pub(crate) use check_kind::check_kinds;

use std::fmt;

/// The reason for refusing a request, sorted by blame.
///
/// # Example
///
/// ```
/// use portcullis::refusal::{Refusal, TokenFault};
///
/// let refusal = Refusal::Token(TokenFault::Signature);
/// assert_eq!(refusal.code(), "bad_signature");
/// assert_eq!(refusal.to_string(), "the signature does not verify with the key that the token names");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request carries no token, or not in a permitted way; or its MCP message cannot be judged.
    Request(RequestFault),
    /// The token is malformed, forged, outside its times or not for this resource server (RFC 6750 `invalid_token`).
    Token(TokenFault),
    /// The token is good and bound to a key, but the DPoP proof of possession is not (RFC 9449 `invalid_dpop_proof`).
    Proof(ProofFault),
    /// The token is good, but does not meet the endpoint's rules.
    Access(AccessFault),
    /// The token was not judged: the keys or the answer of the authorization server are not available.
    Unavailable(UnavailableFault),
    /// The token was not judged: this server is misconfigured.
    Configuration(ConfigurationFault),
    /// One of the above, for a request whose operation needs scope values besides those of its endpoint
    /// ([`McpRules`](crate::McpRules)): the challenge names them, too.
    Operation {
        /// The refusal.
        refusal: Box<Refusal>,
        /// The scope values that the operation needs, separated by spaces.
        scope: String,
    },
}

impl Refusal {
    /// The stable code, in `snake_case`: the same in logs, metrics, problem+json and every door.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.code(),
            Self::Token(fault) => fault.code(),
            Self::Proof(fault) => fault.code(),
            Self::Access(fault) => fault.code(),
            Self::Unavailable(fault) => fault.code(),
            Self::Configuration(fault) => fault.code(),
            Self::Operation { refusal, .. } => refusal.code(),
        }
    }

    /// The refusal itself, and the scope values that the operation needs besides those of the endpoint.
    pub(crate) fn with_scope(&self) -> (&Self, &str) {
        match self {
            Self::Operation { refusal, scope } => (refusal, scope),
            other => (other, ""),
        }
    }

    /// The check that the request fails.
    ///
    /// ```
    /// use portcullis::{CheckKind, refusal::{Refusal, TokenFault}};
    ///
    /// let refusal = Refusal::Token(TokenFault::Inactive);
    /// assert_eq!(refusal.check(), CheckKind::Introspection);
    /// assert!(refusal.check() < CheckKind::Signature);
    /// ```
    #[must_use]
    pub fn check(&self) -> CheckKind {
        match self {
            Self::Request(fault) => fault.check(),
            Self::Token(fault) => fault.check(),
            Self::Proof(fault) => fault.check(),
            Self::Access(AccessFault::InsufficientScope { .. }) => CheckKind::Scope,
            Self::Access(AccessFault::InsufficientUserAuthentication { is_too_old: false, .. }) => CheckKind::Acr,
            Self::Access(AccessFault::InsufficientUserAuthentication { is_too_old: true, .. }) => CheckKind::MaxAge,
            Self::Access(AccessFault::RequiredClaims { .. } | AccessFault::ForbiddenClaim { .. }) => CheckKind::Claim,
            Self::Access(AccessFault::OwnRule { .. }) => CheckKind::Rule,
            Self::Access(AccessFault::ExchangeRefused { .. })
            | Self::Unavailable(UnavailableFault::Exchange { .. } | UnavailableFault::ExchangeAnswer { .. }) => {
                CheckKind::Exchange
            }
            Self::Unavailable(UnavailableFault::Introspection { .. }) => CheckKind::Introspection,
            Self::Unavailable(UnavailableFault::ReplayStore { .. }) => CheckKind::ProofReplay,
            Self::Unavailable(_) => CheckKind::KeyFound,
            Self::Configuration(fault) => fault.check(),
            Self::Operation { refusal, .. } => refusal.check(),
        }
    }

    /// The description for clients: without values of the token, names of servers or settings.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.description(),
            Self::Token(fault) => fault.description(),
            Self::Proof(fault) => fault.description(),
            Self::Access(fault) => fault.description(),
            Self::Unavailable(_) => "The token cannot be verified at the moment",
            Self::Configuration(_) => "The server is not set up to judge this request",
            Self::Operation { refusal, .. } => refusal.description(),
        }
    }
}

/// The codes of all refusals, in the order of the table above; a rule of your own needs another name.
///
/// ```
/// assert!(portcullis::refusal::CODES.contains(&"insufficient_scope"));
/// ```
pub const CODES: &[&str] = &[
    "no_credentials",
    "other_scheme",
    "empty_token",
    "several_tokens",
    "mcp_origin",
    "mcp_fields_missing",
    "mcp_fields_malformed",
    "mcp_fields_disagree",
    "mcp_content_type",
    "mcp_body",
    "mcp_body_too_large",
    "token_too_large",
    "malformed_token",
    "malformed_token_parts",
    "encrypted_token",
    "malformed_base64",
    "malformed_json",
    "duplicate_member",
    "nested_too_deep",
    "malformed_header",
    "critical_header",
    "algorithm_not_allowed",
    "wrong_type",
    "unknown_key",
    "key_mismatch",
    "unusable_key",
    "too_many_keys",
    "bad_signature",
    "inactive_token",
    "expired",
    "not_yet_valid",
    "issued_in_future",
    "token_too_old",
    "token_lifetime_too_long",
    "missing_claim",
    "malformed_claim",
    "wrong_issuer",
    "wrong_tenant",
    "wrong_subject",
    "wrong_audience",
    "sender_constrained_token",
    "unsupported_confirmation",
    "unbound_token",
    "dpop_required",
    "sender_constraint_required",
    "wrong_certificate",
    "missing_dpop_proof",
    "several_dpop_proofs",
    "dpop_proof_too_large",
    "malformed_dpop_proof",
    "dpop_type",
    "dpop_algorithm",
    "dpop_key",
    "dpop_method",
    "dpop_url",
    "dpop_url_unknown",
    "dpop_too_old",
    "dpop_ahead",
    "dpop_nonce_missing",
    "dpop_nonce_stale",
    "dpop_wrong_token",
    "dpop_wrong_key",
    "dpop_signature",
    "dpop_replayed",
    "required_claims",
    "forbidden_claim",
    "insufficient_scope",
    "insufficient_user_authentication",
    "exchange_refused",
    "keys_unavailable",
    "introspection_unavailable",
    "exchange_unavailable",
    "exchange_unusable",
    "replay_store_unavailable",
    "missing_layer",
    "no_runtime",
    "unknown_exchange",
    "mistaken_rule",
];

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(fault) => fault.fmt(f),
            Self::Token(fault) => fault.fmt(f),
            Self::Proof(fault) => fault.fmt(f),
            Self::Access(fault) => fault.fmt(f),
            Self::Unavailable(fault) => fault.fmt(f),
            Self::Configuration(fault) => fault.fmt(f),
            Self::Operation { refusal, .. } => refusal.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_issuer(expected: &[&str], actual: &str) -> Refusal {
        let expected = expected.iter().map(|issuer| (*issuer).to_owned()).collect();
        Refusal::Token(TokenFault::Issuer { expected, actual: Unverified::new(actual) })
    }

    #[test]
    fn what_a_token_says_of_itself_is_in_no_text() {
        let actual = "https://secret.example/";
        for expected in [vec![], vec!["https://as.example"], vec!["https://as.example", "https://b.example"]] {
            let refusal = wrong_issuer(&expected, actual);
            for text in [refusal.to_string(), format!("{refusal:?}"), refusal.description().to_owned()] {
                assert!(!text.contains("secret"), "{text}");
            }
        }
        let text = wrong_issuer(&["https://secret.example"], actual).to_string();
        assert!(text.contains("differs by a slash at its end"), "{text}");
    }

    #[test]
    fn the_reason_of_a_wrong_issuer_names_the_trusted_ones_and_a_difference_in_spelling() {
        let seven = ["https://1", "https://2", "https://3", "https://4", "https://5", "https://6", "https://7"];
        let (long, cut) = (format!("https://{}", "a".repeat(300)), format!("https://{}…\"", "a".repeat(248)));
        let template = "https://as.example/{tenant}/v2.0";
        let table: [(&[&str], &str, &str); 9] = [
            (&["https://a"], "https://x", "to be \"https://a\", to the letter, got another"),
            (
                &["https://a", "https://b"],
                "https://x",
                "to be one of [\"https://a\", \"https://b\"], to the letter, got",
            ),
            (&seven, "https://x", "\"https://5\"] or 2 more, to the letter, got another"),
            (&[&long], "https://x", &cut),
            // One that is beyond those that are shown, too.
            (
                &seven,
                "https://7/",
                "to be \"https://7\", to the letter, got another that differs by a slash at its end",
            ),
            (
                &[template],
                "https://as.example/a/v2.0/",
                "{tenant}/v2.0\", to the letter, got another that differs by a slash",
            ),
            (&[template], "https://as.example/a/v2.0", "of an accepted tenant, got that of another tenant (tenants)"),
            (&["https://me:secret@a/?secret"], "https://x", "\"https://…@a/?…\""),
            (&[], "https://x", "to be one of the configured issuers, to the letter, got another"),
        ];
        for (expected, actual, text) in table {
            let refusal = wrong_issuer(expected, actual);
            assert!(refusal.to_string().contains(text), "{refusal}");
            assert_eq!(refusal.description(), "Token was issued by another authorization server");
        }
    }

    #[test]
    fn the_list_of_codes_is_the_table_of_the_docs() {
        let rows = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once('`'));
        assert_eq!(rows.map(|(code, _)| code).collect::<Vec<_>>(), CODES);
    }

    #[test]
    fn unverified_text_is_cut_at_a_character() {
        assert_eq!(Unverified::new(&"é".repeat(1000)).reveal().len(), 256);
        assert_eq!(Unverified::new(&format!("a{}", "é".repeat(1000))).reveal().len(), 255);
    }

    #[test]
    fn the_texts_of_express_oauth_jwt_stand_to_the_letter() {
        let scope = Refusal::Access(AccessFault::InsufficientScope { required: "a".into() });
        let claims = Refusal::Access(AccessFault::RequiredClaims { claim: "a".into() });
        assert_eq!(Refusal::Request(RequestFault::EmptyToken).description(), "Bearer token is empty");
        assert_eq!(scope.description(), "Token is missing some required scope values");
        assert_eq!(claims.description(), "Token is missing some required claims");
    }
}

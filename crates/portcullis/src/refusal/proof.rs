//! Faults of a DPoP proof (RFC 9449).

use std::{fmt, time::Duration};

use super::{CheckKind, Unverified};
use crate::{keys::KeyProblem, units::span};

/// The fault of a DPoP proof (RFC 9449 section 4.3): the client can send the request again with another proof.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofFault {
    /// The token was sent with the `DPoP` scheme, without a `DPoP` field.
    Missing,
    /// More than one `DPoP` field.
    Several,
    /// The proof is longer than the limit (`max_proof_bytes`).
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// The length, in bytes.
        actual: usize,
    },
    /// The proof is no compact JWS, or a member is missing or has a wrong type.
    Malformed {
        /// The expected form, such as "`jti` of 1 to 256 bytes".
        expected: &'static str,
    },
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is `none`, symmetric, or not on the list for proofs.
    Algorithm {
        /// The algorithm that the proof names.
        actual: Unverified,
    },
    /// `jwk` is not a usable public key for `alg`.
    Key {
        /// The reason.
        problem: Box<KeyProblem>,
    },
    /// `htm` is not the method of the request, to the letter.
    Method {
        /// The method of the request.
        expected: String,
    },
    /// `htu` is not the URL of the request.
    Url {
        /// The URL of the request, without query.
        expected: String,
        /// The URL that the proof names.
        actual: Unverified,
    },
    /// The URL of the request is unknown: its `Host` or forwarded fields are missing, doubled or malformed.
    UrlUnknown,
    /// The proof was made too long ago.
    TooOld {
        /// The limit of the time since `iat` (`max_age`).
        limit: Duration,
        /// The time since `iat`.
        actual: Duration,
    },
    /// The proof was made in a time that the server has forgotten: its memory for used proofs is full, or its clock went back.
    Forgotten,
    /// The proof was made too far in the future: the clocks differ.
    Ahead {
        /// The time from now to `iat`.
        ahead: Duration,
    },
    /// `nonce` is missing, and this server asks for one (RFC 9449 section 9).
    NonceMissing,
    /// `nonce` is not one that this server gave lately.
    NonceStale,
    /// `ath` is not the hash of the access token.
    Token,
    /// The key is not the key that the token is bound to (`jkt`).
    WrongKey,
    /// The signature does not verify with the proof's own key.
    Signature,
    /// The proof was used before (`jti`).
    Replayed,
}

impl ProofFault {
    /// The fault of a key that cannot be used.
    pub(crate) fn key(problem: KeyProblem) -> Self {
        Self::Key { problem: Box::new(problem) }
    }

    pub(super) fn code(&self) -> &'static str {
        self.row().0
    }

    /// The check that gives this fault.
    pub(super) fn check(&self) -> CheckKind {
        self.row().1
    }

    pub(super) fn description(&self) -> &'static str {
        self.row().2
    }

    /// Tells whether a nonce of this server would mend the proof.
    pub(crate) fn wants_nonce(&self) -> bool {
        matches!(self, Self::NonceMissing | Self::NonceStale)
    }

    /// The code, the check that gives this fault, and the description for clients.
    fn row(&self) -> (&'static str, CheckKind, &'static str) {
        const MALFORMED: &str = "DPoP proof is malformed";
        const TOO_OLD: &str = "DPoP proof was made too long ago";
        match self {
            Self::Missing => ("missing_dpop_proof", CheckKind::ProofField, "DPoP proof is missing"),
            Self::Several => ("several_dpop_proofs", CheckKind::ProofField, "The request has more than one DPoP proof"),
            Self::TooLarge { .. } => ("dpop_proof_too_large", CheckKind::ProofField, "DPoP proof is too large"),
            Self::Malformed { .. } => ("malformed_dpop_proof", CheckKind::ProofForm, MALFORMED),
            Self::Type => ("dpop_type", CheckKind::ProofType, "DPoP proof is not of type dpop+jwt"),
            Self::Algorithm { .. } => (
                "dpop_algorithm",
                CheckKind::ProofAlgorithm,
                "DPoP proof is signed with an algorithm that is not accepted",
            ),
            Self::Key { .. } => ("dpop_key", CheckKind::ProofKey, "DPoP proof has no usable public key"),
            Self::Method { .. } => ("dpop_method", CheckKind::ProofMethod, "DPoP proof is for another method"),
            Self::Url { .. } => ("dpop_url", CheckKind::ProofUrl, "DPoP proof is for another URL"),
            Self::UrlUnknown => ("dpop_url_unknown", CheckKind::ProofUrl, "The URL of the request is not clear"),
            Self::TooOld { .. } => ("dpop_too_old", CheckKind::ProofTime, TOO_OLD),
            Self::Forgotten => ("dpop_too_old", CheckKind::ProofReplay, TOO_OLD),
            Self::Ahead { .. } => ("dpop_ahead", CheckKind::ProofTime, "DPoP proof was made in the future"),
            Self::NonceMissing => {
                ("dpop_nonce_missing", CheckKind::ProofNonce, "DPoP proof needs a nonce of this server")
            }
            Self::NonceStale => {
                ("dpop_nonce_stale", CheckKind::ProofNonce, "DPoP proof needs a fresh nonce of this server")
            }
            Self::Token => ("dpop_wrong_token", CheckKind::ProofToken, "DPoP proof is for another access token"),
            Self::WrongKey => {
                ("dpop_wrong_key", CheckKind::ProofBinding, "Token is bound to another key than the DPoP proof's")
            }
            Self::Signature => ("dpop_signature", CheckKind::ProofSignature, "DPoP proof signature is invalid"),
            Self::Replayed => ("dpop_replayed", CheckKind::ProofReplay, "DPoP proof was used before"),
        }
    }
}

impl fmt::Display for ProofFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("expected a DPoP proof in the DPoP field beside the DPoP scheme, got none"),
            Self::Several => f.write_str("expected one DPoP field, got several"),
            Self::TooLarge { limit, actual } => {
                write!(f, "expected a DPoP proof of at most {limit} bytes (max_proof_bytes), got one of {actual} bytes")
            }
            Self::Malformed { expected } => write!(f, "expected a DPoP proof with {expected}, got another"),
            Self::Type => f.write_str("expected the proof's `typ` to be dpop+jwt, got another"),
            Self::Algorithm { .. } => f.write_str("the proof's `alg` is not on the list of algorithms for proofs"),
            Self::Key { problem } => write!(f, "the key in the proof's header (jwk) cannot be used: {problem}"),
            Self::Method { expected } if is_plain_method(expected) => write!(
                f,
                "expected the proof's `htm` to be the method of the request, {expected}, to the letter, got another"
            ),
            Self::Method { .. } => {
                f.write_str("expected the proof's `htm` to be the method of the request, to the letter, got another")
            }
            Self::Url { expected, .. } => write!(
                f,
                "expected the proof's `htu` to be the URL of the request, {expected}, got another: if clients use another URL, \
                 set `public_url`"
            ),
            Self::UrlUnknown => f.write_str(
                "expected one well-formed Host field, or forwarded fields of a trusted proxy, got others: have the proxy pass \
                 them, or set `public_url`",
            ),
            Self::TooOld { limit, actual } => write!(
                f,
                "expected a proof made at most {} s ago (max_age), got one made {} s ago",
                limit.as_secs(),
                actual.as_secs()
            ),
            Self::Forgotten => f.write_str(
                "expected a proof made a moment ago, got an older one: the memory for used proofs is full, or the clock went back",
            ),
            Self::Ahead { ahead } => {
                write!(f, "the proof was made {} in the future (iat): compare the clocks, or use nonces", span(*ahead))
            }
            Self::NonceMissing => f.write_str("expected a proof with a nonce of this server, got one without"),
            Self::NonceStale => f.write_str("expected a fresh nonce of this server in the proof, got another"),
            Self::Token => f.write_str("expected the proof's `ath` to be the SHA-256 of the access token, got another"),
            Self::WrongKey => f.write_str("expected the proof's key to have the thumbprint in the token's `cnf.jkt`, got another"),
            Self::Signature => f.write_str("the proof's signature does not verify with the key in its own header"),
            Self::Replayed => f.write_str("expected a proof that was not used before, got one that was (jti)"),
        }
    }
}

/// The longest method that a text shows, in bytes.
const LONGEST_METHOD: usize = 32;

/// Tells whether a method is short and of visible ASCII: the client chooses it, and it is shown in logs.
fn is_plain_method(method: &str) -> bool {
    (1..=LONGEST_METHOD).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_in_the_text_if_it_is_plain() {
        let long = "M".repeat(33);
        for (method, is_shown) in [
            ("POST", true),
            ("get", true),
            ("M-SEARCH", true),
            ("", false),
            (&long, false),
            ("A\nB", false),
            ("É", false),
            ("A\u{202e}", false),
        ] {
            let text = ProofFault::Method { expected: method.to_owned() }.to_string();
            let shown = format!("the method of the request, {method}, to the letter");
            assert_eq!(text.contains(&shown), is_shown, "{method:?}: {text}");
            assert!(text.is_ascii() && !text.contains('\n'), "{text}");
        }
    }
}

//! From a [`VerifiedToken`] to a [`ProvenToken`]: the request proves possession of each key that the token is bound to.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::ClientCertificate;
use crate::{
    bearer::Scheme,
    check::{Actual, CheckRow},
    claims::{Confirmation, VerifiedToken},
    refusal::{CheckKind, Refusal, TokenFault},
};

/// The use of DPoP at an endpoint (RFC 9449).
///
/// # Example
///
/// ```
/// use portcullis::{DpopUse, Rules};
///
/// let rules: Rules = serde_json::from_str(r#"{ "dpop": "required" }"#)?;
/// assert_eq!(rules.dpop, DpopUse::Required);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DpopUse {
    /// Tokens that are bound to a key by DPoP are refused, and `DPoP` is no scheme: the default.
    #[default]
    Off,
    /// A token that is bound to a key by DPoP needs a proof; bearer tokens pass, too.
    Allowed,
    /// Only tokens that are bound to a key by DPoP pass, each request with a proof.
    Required,
}

/// The rules for the binding of tokens to keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PossessionRules {
    pub(crate) dpop: DpopUse,
    /// True if bearer tokens are refused.
    pub(crate) sender_constrained: bool,
}

/// The evidence that a request brings of its sender's keys.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) scheme: Scheme,
    /// The certificate of the connection.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// A verified token, and proof that the client of this request holds the keys that it is bound to.
pub(crate) struct ProvenToken(VerifiedToken);

impl PossessionRules {
    /// Checks that the request proves possession of each key that the token is bound to.
    pub(crate) fn check(self, token: VerifiedToken, sender: &Sender) -> Result<ProvenToken, Refusal> {
        self.check_binding(token.confirmation(), sender).map_err(Refusal::Token)?;
        Ok(ProvenToken(token))
    }

    fn check_binding(self, confirmation: Option<&Confirmation>, sender: &Sender) -> Result<(), TokenFault> {
        let thumbprint = confirmation.and_then(|confirmation| confirmation.x5t_s256.as_ref());
        match (thumbprint, &sender.certificate) {
            (None, _) => {}
            (Some(thumbprint), Some(certificate)) if certificate.is(thumbprint) => {}
            (Some(_), Some(_)) => return Err(TokenFault::WrongCertificate),
            (Some(_), None) => return Err(TokenFault::SenderConstrained),
        }
        match confirmation.and_then(|confirmation| confirmation.jkt) {
            Some(_) => Err(TokenFault::SenderConstrained),
            None if sender.scheme == Scheme::Dpop => Err(TokenFault::Unbound),
            None if self.dpop == DpopUse::Required => Err(TokenFault::DpopRequired),
            None if self.sender_constrained && thumbprint.is_none() => Err(TokenFault::SenderConstraintRequired),
            None => Ok(()),
        }
    }
}

impl PossessionRules {
    /// The checks with their results, for an explanation.
    pub(crate) fn rows(self, confirmation: Option<&Confirmation>, sender: &Sender) -> [CheckRow; 2] {
        let result = self.check_binding(confirmation, sender).map_err(Refusal::Token);
        let is_of_certificate = |refusal: &Refusal| refusal.check() == CheckKind::Certificate;
        let (certificate, possession) = match result {
            Err(refusal) if is_of_certificate(&refusal) => (Err(refusal), Ok(())),
            other => (Ok(()), other),
        };
        let bound = confirmation.map(|confirmation| match (confirmation.jkt, confirmation.x5t_s256) {
            (Some(_), Some(_)) => "the DPoP scheme with a proof, and the client certificate",
            (Some(_), None) => "the DPoP scheme with a proof",
            (None, _) => "the client certificate",
        });
        let asked = match self {
            Self { dpop: DpopUse::Required, .. } => Some("a token bound to a key by DPoP"),
            Self { sender_constrained: true, .. } => Some("a token bound to a key"),
            _ => (sender.scheme == Scheme::Dpop).then_some("a token bound to a key, as the scheme says"),
        };
        let x5t = confirmation.and_then(|confirmation| confirmation.x5t_s256);
        let presented = match (sender.scheme, sender.certificate) {
            (Scheme::Bearer, None) => "as a bearer token",
            (Scheme::Bearer, Some(_)) => "as a bearer token, with a client certificate",
            (Scheme::Dpop, None) => "by the DPoP scheme",
            (Scheme::Dpop, Some(_)) => "by the DPoP scheme, with a client certificate",
        };
        [
            CheckRow {
                kind: CheckKind::Possession,
                expected: bound.or(asked).map(str::to_owned),
                actual: Actual::Measured(presented.to_owned()),
                result: possession,
            },
            CheckRow {
                kind: CheckKind::Certificate,
                expected: x5t.map(|_| "the certificate that `cnf.x5t#S256` names".to_owned()),
                actual: Actual::Nothing,
                result: certificate,
            },
        ]
    }
}

impl Sender {
    /// The sender of a bearer token, of whom nothing else is known.
    pub(crate) const UNKNOWN: Self = Self { scheme: Scheme::Bearer, certificate: None };
}

impl ProvenToken {
    /// The token, to be kept as evidence together with the request's other facts.
    pub(crate) fn into_token(self) -> VerifiedToken {
        self.0
    }
}

impl Deref for ProvenToken {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.0
    }
}

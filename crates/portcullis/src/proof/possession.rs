//! From a [`VerifiedToken`] to a [`ProvenToken`]: the request proves possession of each key that the token is bound to.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{ClientCertificate, ClientKeys, UnverifiedProof, VerifiedProof};
use crate::{
    bearer::Scheme,
    check::{Actual, CheckRow},
    claims::{Confirmation, VerifiedToken},
    crypto::Digest,
    refusal::{CheckKind, ProofFault, Refusal, TokenFault},
};

/// The use of DPoP at an endpoint (RFC 9449), from the laxest to the strictest.
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
pub(crate) struct Sender {
    pub(crate) scheme: Scheme,
    /// The DPoP proof, where DPoP is accepted. Its fault is told only once the token is verified. Boxed, since most requests have
    /// none.
    pub(crate) proof: Option<Box<Result<UnverifiedProof, ProofFault>>>,
    /// The certificate of the connection.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// The state of a token whose binding was checked.
pub(crate) enum Possession {
    Proven(ProvenToken),
    /// A proof shows possession, if it was not used before.
    Shown(ShownProof),
}

/// A verified token, and the proof that its client holds its key.
pub(crate) struct ShownProof {
    token: VerifiedToken,
    pub(crate) proof: VerifiedProof,
}

/// A verified token, and proof that the client of this request holds the keys that it is bound to.
pub(crate) struct ProvenToken(VerifiedToken);

impl PossessionRules {
    /// Checks that the request proves possession of each key that the token is bound to; `keys` are those of known clients, where
    /// DPoP is accepted.
    pub(crate) fn check(
        self,
        token: VerifiedToken,
        sender: Sender,
        keys: Option<&ClientKeys>,
    ) -> Result<Possession, Refusal> {
        let Some(jkt) = self.check_binding(token.confirmation(), &sender).map_err(Refusal::Token)? else {
            return Ok(Possession::Proven(ProvenToken(token)));
        };
        let keys = keys.ok_or(Refusal::Token(TokenFault::SenderConstrained))?;
        let proof = sender.proof.map_or(Err(ProofFault::Missing), |proof| *proof);
        let proof = proof.and_then(|proof| proof.verify(&jkt, keys));
        Ok(Possession::Shown(ShownProof { token, proof: proof.map_err(Refusal::Proof)? }))
    }

    /// Checks the way in which the token is presented; returns the thumbprint of the key that a proof has to be made with.
    fn check_binding(self, confirmation: Option<&Confirmation>, sender: &Sender) -> Result<Option<Digest>, TokenFault> {
        let thumbprint = confirmation.and_then(|confirmation| confirmation.x5t_s256.as_ref());
        match (thumbprint, &sender.certificate) {
            (None, _) => {}
            (Some(thumbprint), Some(certificate)) if certificate.is(thumbprint) => {}
            (Some(_), Some(_)) => return Err(TokenFault::WrongCertificate),
            (Some(_), None) => return Err(TokenFault::SenderConstrained),
        }
        match confirmation.and_then(|confirmation| confirmation.jkt) {
            // RFC 9449 section 7.2: a bound token is no bearer token, even with a proof.
            Some(_) if sender.scheme != Scheme::Dpop => Err(TokenFault::SenderConstrained),
            Some(jkt) => Ok(Some(jkt)),
            None if sender.scheme == Scheme::Dpop || sender.proof.is_some() => Err(TokenFault::Unbound),
            None if self.dpop == DpopUse::Required => Err(TokenFault::DpopRequired),
            None if self.sender_constrained && thumbprint.is_none() => Err(TokenFault::SenderConstraintRequired),
            None => Ok(None),
        }
    }

    /// The checks with their results, for an explanation.
    pub(crate) fn rows(self, confirmation: Option<&Confirmation>, sender: &Sender) -> [CheckRow; 2] {
        let result = self.check_binding(confirmation, sender).map(drop).map_err(Refusal::Token);
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
    /// Tells whether there is a proof whose signature is worth a look.
    pub(crate) fn has_readable_proof(&self) -> bool {
        self.proof.as_deref().is_some_and(Result::is_ok)
    }

    /// The sender of a bearer token, of whom nothing else is known.
    pub(crate) const UNKNOWN: Self = Self { scheme: Scheme::Bearer, proof: None, certificate: None };
}

impl ShownProof {
    /// The proven token; to be called once the store of used proofs has told that this is the proof's first use.
    pub(crate) fn used_first(self) -> ProvenToken {
        ProvenToken(self.token)
    }
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

//! One key, bound to its algorithms at import.

use std::fmt;

use super::key_issuer::KeyIssuer;
use crate::{
    algorithm::Algorithm,
    crypto::{KeyMaterial, SignatureProof},
};

/// A key that verifies signatures of the algorithms it was imported for, and of no other.
pub(crate) struct VerificationKey {
    kid: Option<Box<str>>,
    material: KeyMaterial,
    /// The only issuer of the tokens that it verifies; any if none.
    issuer: Option<KeyIssuer>,
}

impl VerificationKey {
    pub(crate) fn new(kid: Option<&str>, material: KeyMaterial) -> Self {
        Self { kid: kid.map(Into::into), material, issuer: None }
    }

    /// The same key, for tokens of this issuer only.
    pub(super) fn of_issuer(self, issuer: Option<KeyIssuer>) -> Self {
        Self { issuer, ..self }
    }

    /// Tells whether the key may verify tokens with this `iss`.
    pub(super) fn is_of<'a>(&self, iss: impl Fn() -> Option<&'a str>) -> bool {
        self.issuer.as_ref().is_none_or(|issuer| iss().is_some_and(|iss| issuer.is(iss)))
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.material.algorithms().any(|bound| bound == algorithm)
    }

    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Option<SignatureProof> {
        self.material.verify(algorithm, input, signature)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.material.algorithms().collect();
        f.debug_struct("VerificationKey").field("kid", &self.kid).field("algorithms", &algorithms).finish()
    }
}

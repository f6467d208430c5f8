//! A public key that its holder presents: the `jwk` of a DPoP proof (RFC 9449 section 4.2).

use super::{
    ImportRules, KeyOddity, KeyProblem, Origin, VerificationKey, form::Form, jwk, members::Members, thumbprint,
};
use crate::{algorithm::Algorithm, crypto::Digest};

/// A presented key whose form is good: its numbers are judged when it is imported.
///
/// It is read more strictly than the keys of issuers: nothing is corrected.
pub(crate) struct PresentedKey {
    jwk: serde_json::Value,
    algorithm: Algorithm,
    thumbprint: Digest,
}

impl PresentedKey {
    /// Reads a public JWK for this algorithm; members that say nothing about its use, such as `kid`, do not count.
    pub(crate) fn read(jwk: serde_json::Value, algorithm: Algorithm) -> Result<Self, KeyProblem> {
        if Form::private_members().any(|name| jwk.get(name).is_some()) {
            return Err(KeyProblem::PrivateKey);
        }
        let members = Members::of(&jwk)?;
        let expected = algorithm.key_type();
        if jwk::key_type(&members)? != expected {
            return Err(KeyProblem::OtherType { expected });
        }
        jwk::check_purpose(&members, &ImportRules::of(Origin::Remote))?;
        if !jwk::algorithms(&members, expected)?.contains(&algorithm) {
            return Err(KeyProblem::Algorithm);
        }
        let missing = || KeyProblem::Member { name: "jwk", expected: "a key with all members of its type" };
        let thumbprint = thumbprint::digest(&jwk).ok_or_else(missing)?;
        Ok(Self { jwk, algorithm, thumbprint })
    }

    /// The SHA-256 thumbprint (RFC 7638).
    pub(crate) fn thumbprint(&self) -> &Digest {
        &self.thumbprint
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Parses the key, for its one algorithm.
    pub(crate) fn import(&self) -> Result<VerificationKey, KeyProblem> {
        let mut members = Members::of(&self.jwk)?;
        let material = jwk::material(&mut members, self.algorithm.key_type(), &[self.algorithm])?;
        match members.into_oddities().first() {
            Some(KeyOddity::Encoding { name }) => {
                Err(KeyProblem::Member { name, expected: "base64url without padding" })
            }
            Some(_) => Err(KeyProblem::Member { name: "jwk", expected: "a key with numbers of their exact length" }),
            None => Ok(VerificationKey::new(None, material)),
        }
    }
}

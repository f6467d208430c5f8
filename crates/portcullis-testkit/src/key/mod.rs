//! Signing keys: generated, never loaded, for tests only.

pub(crate) mod jwk;
mod material;
pub(crate) mod public;
mod weak_rsa;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::algorithm::{Algorithm, Family};
use crate::encoding::pem;
use material::Material;
use weak_rsa::WeakRsa;

/// A private key with its id and algorithm; clones share the key.
///
/// RSA keys have 2048 bits; secrets are as long as their hash.
///
/// ```
/// use portcullis_testkit::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::ES256, "my-key");
/// assert_eq!(key.public_jwk()["crv"], "P-256");
/// assert_eq!(key.sign(b"header.payload").len(), 64);
/// ```
#[derive(Clone)]
pub struct SigningKey {
    inner: Arc<Inner>,
}

struct Inner {
    algorithm: Algorithm,
    kid: String,
    material: Material,
}

impl SigningKey {
    /// Makes a new random key.
    ///
    /// # Panics
    ///
    /// When the system gives no random bytes.
    #[must_use]
    pub fn generate(algorithm: Algorithm, kid: impl Into<String>) -> Self {
        Self::from_material(algorithm, kid.into(), Material::generate(algorithm))
    }

    /// Wraps a shared secret of any length for an HS algorithm.
    ///
    /// # Panics
    ///
    /// When `algorithm` is not HS256, HS384 or HS512.
    #[must_use]
    pub fn from_secret(algorithm: Algorithm, kid: impl Into<String>, secret: &[u8]) -> Self {
        assert!(algorithm.family() == Family::Secret, "expected HS256, HS384 or HS512 for a secret, got {algorithm}");
        Self::from_material(algorithm, kid.into(), Material::Secret(secret.to_vec()))
    }

    /// Makes the ML-DSA key of a seed ([FIPS 204] section 5.1), the `priv` of an AKP key ([RFC 9964]).
    ///
    /// ```
    /// use portcullis_testkit::{Algorithm, SigningKey};
    ///
    /// let key = || SigningKey::from_seed(Algorithm::MlDsa44, "k", [7; 32]);
    /// assert_eq!(key().public_jwk(), key().public_jwk());
    /// ```
    ///
    /// # Panics
    ///
    /// When `algorithm` is not of ML-DSA.
    ///
    /// [FIPS 204]: https://doi.org/10.6028/NIST.FIPS.204
    /// [RFC 9964]: https://www.rfc-editor.org/rfc/rfc9964
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented misuse")]
    pub fn from_seed(algorithm: Algorithm, kid: impl Into<String>, seed: [u8; 32]) -> Self {
        let material = Material::from_seed(algorithm, &seed);
        Self::from_material(
            algorithm,
            kid.into(),
            material.expect("expected ML-DSA-44, ML-DSA-65 or ML-DSA-87 for a key from a seed"),
        )
    }

    /// An RSA key of 1,024 bits, which signs with RS256 only and is the same in each process.
    pub(crate) fn weak_rsa() -> Self {
        Self::from_material(Algorithm::RS256, "weak".into(), Material::WeakRsa(WeakRsa::new()))
    }

    fn from_material(algorithm: Algorithm, kid: String, material: Material) -> Self {
        Self { inner: Arc::new(Inner { algorithm, kid, material }) }
    }

    /// The key id in tokens and in the published JWK.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.inner.kid
    }

    /// The algorithm that [`sign`](Self::sign) uses.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.inner.algorithm
    }

    /// The public key as a JWK ([RFC 7517]): `kty`, `kid`, `alg`, `use: "sig"` and the parameters.
    ///
    /// An HS key gives an `oct` JWK that contains the secret.
    ///
    /// [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.public_jwk_as(self.kid())
    }

    /// The same JWK under another key id.
    pub(crate) fn public_jwk_as(&self, kid: &str) -> Value {
        jwk::public(kid, self.algorithm(), &self.inner.material)
    }

    /// The public key as a JWK without members that are no part of the key, as in a DPoP proof ([RFC 9449 section 4.2]).
    ///
    /// [RFC 9449 section 4.2]: https://www.rfc-editor.org/rfc/rfc9449#section-4.2
    pub(crate) fn bare_jwk(&self) -> Value {
        let mut jwk = self.public_jwk();
        if let Some(members) = jwk.as_object_mut() {
            let is_akp = members.get("kty").is_some_and(|kty| kty == "AKP");
            // The `alg` of an AKP key names its parameters (RFC 9964 section 3).
            members.retain(|name, _| !matches!(name.as_str(), "kid" | "use") && (is_akp || name != "alg"));
        }
        jwk
    }

    /// The SHA-256 thumbprint of the public JWK in base64url ([RFC 7638]), such as the `jkt` of a bound token.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> String {
        jwk::thumbprint(&self.public_jwk()).unwrap_or_default()
    }

    /// Signs with the key's own algorithm and returns the JWS signature's bytes.
    ///
    /// # Panics
    ///
    /// When the cryptographic library fails.
    #[must_use]
    pub fn sign(&self, signing_input: &[u8]) -> Vec<u8> {
        self.sign_with(self.algorithm(), signing_input)
    }

    /// Signs with another algorithm of the same family, such as PS256 for an RSA key.
    ///
    /// # Panics
    ///
    /// When the key cannot serve `algorithm`.
    #[must_use]
    pub fn sign_with(&self, algorithm: Algorithm, signing_input: &[u8]) -> Vec<u8> {
        assert!(
            self.algorithm().family() == algorithm.family(),
            "a key for {} cannot sign {algorithm}",
            self.algorithm()
        );
        self.inner.material.sign(algorithm, signing_input)
    }

    /// The public key as DER `SubjectPublicKeyInfo` ([RFC 5280 section 4.1.2.7]).
    ///
    /// # Panics
    ///
    /// For an HS key, which has no public half.
    ///
    /// [RFC 5280 section 4.1.2.7]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented misuse")]
    pub fn public_der(&self) -> Vec<u8> {
        let der = self.inner.material.public_der();
        der.expect("an HS key has no public half")
    }

    /// The public key as PEM, `-----BEGIN PUBLIC KEY-----` and a final line break.
    ///
    /// # Panics
    ///
    /// For an HS key, which has no public half.
    #[must_use]
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.public_der())
    }

    /// Returns true if `signature` is this key's signature over `signing_input` with `algorithm`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        let material = &self.inner.material;
        self.algorithm().family() == algorithm.family() && material.verifies(algorithm, signing_input, signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_private_part() {
        let key = SigningKey::from_secret(Algorithm::HS256, "k", b"top secret");
        assert_eq!(format!("{key:?}"), r#"SigningKey { algorithm: HS256, kid: "k", .. }"#);
    }

    #[test]
    fn every_algorithm_signs_and_verifies() {
        for &algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, "k");
            let signature = key.sign(b"input");
            assert!(key.verifies(algorithm, b"input", &signature), "{algorithm}");
            assert!(!key.verifies(algorithm, b"other", &signature), "{algorithm}");
        }
    }

    #[test]
    fn signatures_have_the_length_of_their_algorithm() {
        let table = [
            (Algorithm::RS256, 256),
            (Algorithm::ES256, 64),
            (Algorithm::ES384, 96),
            (Algorithm::ES512, 132),
            (Algorithm::Ed25519, 64),
            (Algorithm::MlDsa44, 2420),
            (Algorithm::MlDsa65, 3309),
            (Algorithm::MlDsa87, 4627),
            (Algorithm::HS384, 48),
        ];
        for (algorithm, len) in table {
            let key = SigningKey::generate(algorithm, "k");
            assert_eq!(key.sign(b"x").len(), len, "{algorithm}");
        }
    }

    #[test]
    #[should_panic(expected = "a key for ES256 cannot sign RS256")]
    fn a_key_signs_only_within_its_family() {
        let key = SigningKey::generate(Algorithm::ES256, "k");
        let _ = key.sign_with(Algorithm::RS256, b"x");
    }

    #[test]
    #[should_panic(expected = "expected ML-DSA-44, ML-DSA-65 or ML-DSA-87")]
    fn only_ml_dsa_has_keys_of_a_seed() {
        let _ = SigningKey::from_seed(Algorithm::Ed25519, "k", [0; 32]);
    }

    #[test]
    #[should_panic(expected = "no public half")]
    fn a_secret_has_no_public_key() {
        let _ = SigningKey::from_secret(Algorithm::HS256, "k", b"s").public_pem();
    }
}

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair, RsaKeyPair};

use super::weak_rsa::WeakRsa;
use crate::algorithm::{Algorithm, Family};
use crate::encoding::fill_random;

/// The private key in the cryptographic library's type.
pub(super) enum Material {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
    Secret(Vec<u8>),
    WeakRsa(WeakRsa),
}

impl Material {
    #[expect(clippy::expect_used, reason = "fails only without randomness")]
    pub(super) fn generate(algorithm: Algorithm) -> Self {
        Self::try_generate(algorithm).expect("the system gives random bytes")
    }

    fn try_generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm.family() {
            Family::Rsa => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Family::P256 => Self::ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            Family::P384 => Self::ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            Family::P521 => Self::ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING)?,
            Family::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate()?),
            Family::MlDsa44 | Family::MlDsa65 | Family::MlDsa87 => {
                Self::MlDsa(PqdsaKeyPair::generate(ml_dsa(algorithm))?)
            }
            Family::Secret => Self::Secret(random_secret(algorithm)),
        })
    }

    fn ec(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Result<Self, Unspecified> {
        EcdsaKeyPair::generate(algorithm).map(Self::Ec)
    }

    /// The ML-DSA key of a seed; `None` for another algorithm.
    pub(super) fn from_seed(algorithm: Algorithm, seed: &[u8]) -> Option<Self> {
        let is_ml_dsa = matches!(algorithm.family(), Family::MlDsa44 | Family::MlDsa65 | Family::MlDsa87);
        is_ml_dsa.then(|| PqdsaKeyPair::from_seed(ml_dsa(algorithm), seed).ok())?.map(Self::MlDsa)
    }

    #[expect(clippy::expect_used, reason = "fails only without memory")]
    pub(super) fn sign(&self, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
        self.try_sign(algorithm, input).expect("a generated key signs")
    }

    fn try_sign(&self, algorithm: Algorithm, input: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(rsa_encoding(algorithm), &random, input, &mut signature)?;
                Ok(signature)
            }
            Self::Ec(key) => Ok(key.sign(&random, input)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.sign(input).as_ref().to_vec()),
            Self::MlDsa(key) => {
                let mut signature = vec![0; key.algorithm().signature_len()];
                key.sign(input, &mut signature)?;
                Ok(signature)
            }
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac_algorithm(algorithm), secret);
                Ok(hmac::sign(&key, input).as_ref().to_vec())
            }
            Self::WeakRsa(key) => Ok(key.sign(input)),
        }
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        if let Self::Secret(secret) = self {
            let key = hmac::Key::new(hmac_algorithm(algorithm), secret);
            return hmac::verify(&key, input, signature).is_ok();
        }
        let public = self.public_bytes();
        let public = signature::UnparsedPublicKey::new(verification(algorithm), public);
        public.verify(input, signature).is_ok()
    }

    /// The public key's bytes: PKCS #1 for RSA, the uncompressed point for ECDSA, the point for Ed25519, the bare key for ML-DSA; an HS key's secret.
    pub(super) fn public_bytes(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::Ec(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
            Self::MlDsa(key) => key.public_key().as_ref(),
            Self::Secret(secret) => secret,
            Self::WeakRsa(key) => key.public_bytes(),
        }
    }

    /// The `SubjectPublicKeyInfo`; `None` for a secret and for the key that is too short.
    pub(super) fn public_der(&self) -> Option<Vec<u8>> {
        let der: Result<PublicKeyX509Der<'_>, Unspecified> = match self {
            Self::Rsa(key) => key.public_key().as_der(),
            Self::Ec(key) => key.public_key().as_der(),
            Self::Ed25519(key) => key.public_key().as_der(),
            Self::MlDsa(key) => key.public_key().as_der(),
            Self::Secret(_) | Self::WeakRsa(_) => return None,
        };
        der.ok().map(|der| der.as_ref().to_vec())
    }
}

/// A secret of the hash's length, the minimum of RFC 7518 section 3.2.
fn random_secret(algorithm: Algorithm) -> Vec<u8> {
    let mut secret = vec![0; hmac_algorithm(algorithm).digest_algorithm().output_len()];
    fill_random(&mut secret);
    secret
}

fn hmac_algorithm(algorithm: Algorithm) -> hmac::Algorithm {
    match algorithm {
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
}

fn ml_dsa(algorithm: Algorithm) -> &'static signature::PqdsaSigningAlgorithm {
    match algorithm {
        Algorithm::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        Algorithm::MlDsa87 => &signature::ML_DSA_87_SIGNING,
        _ => &signature::ML_DSA_44_SIGNING,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

pub(super) fn verification(algorithm: Algorithm) -> &'static dyn signature::VerificationAlgorithm {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA | Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::MlDsa44 => &signature::ML_DSA_44,
        Algorithm::MlDsa65 => &signature::ML_DSA_65,
        Algorithm::MlDsa87 => &signature::ML_DSA_87,
        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
    }
}

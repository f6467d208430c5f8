//! The algorithms as the cryptographic libraries know them, a row each.

use aws_lc_rs::{
    digest::{self, SHA256, SHA384, SHA512},
    hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ML_DSA_44, ML_DSA_65,
        ML_DSA_87, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
    },
};

use crate::algorithm::Algorithm;

/// The means to verify by an algorithm.
pub(super) enum Scheme {
    /// A signature, with its hash if messages may be hashed separately.
    Signature(&'static dyn VerificationAlgorithm, Option<&'static digest::Algorithm>),
    /// A message authentication code.
    Mac(hmac::Algorithm),
}

impl Scheme {
    pub(super) fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::Signature(&RSA_PKCS1_2048_8192_SHA256, Some(&SHA256)),
            Algorithm::RS384 => Self::Signature(&RSA_PKCS1_2048_8192_SHA384, Some(&SHA384)),
            Algorithm::RS512 => Self::Signature(&RSA_PKCS1_2048_8192_SHA512, Some(&SHA512)),
            Algorithm::PS256 => Self::Signature(&RSA_PSS_2048_8192_SHA256, Some(&SHA256)),
            Algorithm::PS384 => Self::Signature(&RSA_PSS_2048_8192_SHA384, Some(&SHA384)),
            Algorithm::PS512 => Self::Signature(&RSA_PSS_2048_8192_SHA512, Some(&SHA512)),
            Algorithm::ES256 => Self::Signature(&ECDSA_P256_SHA256_FIXED, Some(&SHA256)),
            Algorithm::ES384 => Self::Signature(&ECDSA_P384_SHA384_FIXED, Some(&SHA384)),
            Algorithm::ES512 => Self::Signature(&ECDSA_P521_SHA512_FIXED, Some(&SHA512)),
            Algorithm::EdDSA => Self::Signature(&ED25519, None),
            Algorithm::MlDsa44 => Self::Signature(&ML_DSA_44, None),
            Algorithm::MlDsa65 => Self::Signature(&ML_DSA_65, None),
            Algorithm::MlDsa87 => Self::Signature(&ML_DSA_87, None),
            Algorithm::HS256 => Self::Mac(HMAC_SHA256),
            Algorithm::HS384 => Self::Mac(HMAC_SHA384),
            Algorithm::HS512 => Self::Mac(HMAC_SHA512),
        }
    }
}

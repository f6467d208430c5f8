//! aws-lc-rs, the library that Portcullis uses.

use aws_lc_rs::{hmac, signature, signature::ParsedPublicKey, signature::VerificationAlgorithm};
use portcullis_testkit::{Algorithm, SigningKey};

use super::Verify;
use crate::issuer::SECRET;

pub fn verify(key: &SigningKey) -> Option<Verify> {
    if key.algorithm() == Algorithm::HS256 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
        return Some(Box::new(move |input, mac| hmac::verify(&key, input, mac).is_ok()));
    }
    let key = ParsedPublicKey::new(parameters(key.algorithm())?, key.public_der()).expect("a key");
    Some(Box::new(move |input, signature| key.verify_sig(input, signature).is_ok()))
}

fn parameters(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => return None,
    })
}

//! ring, which offers only verification that parses the key at each call.

use portcullis_testkit::{Algorithm, SigningKey};
use ring::{hmac, signature, signature::UnparsedPublicKey, signature::VerificationAlgorithm};

use super::{ED25519_POINT, P256_POINT, P384_POINT, RSA_2048, Verify, bare};
use crate::issuer::SECRET;

pub fn verify(key: &SigningKey) -> Option<Verify> {
    Some(match key.algorithm() {
        Algorithm::RS256 => public(&signature::RSA_PKCS1_2048_8192_SHA256, bare::<RSA_2048>(key)),
        Algorithm::RS384 => public(&signature::RSA_PKCS1_2048_8192_SHA384, bare::<RSA_2048>(key)),
        Algorithm::RS512 => public(&signature::RSA_PKCS1_2048_8192_SHA512, bare::<RSA_2048>(key)),
        Algorithm::PS256 => public(&signature::RSA_PSS_2048_8192_SHA256, bare::<RSA_2048>(key)),
        Algorithm::PS384 => public(&signature::RSA_PSS_2048_8192_SHA384, bare::<RSA_2048>(key)),
        Algorithm::PS512 => public(&signature::RSA_PSS_2048_8192_SHA512, bare::<RSA_2048>(key)),
        Algorithm::ES256 => public(&signature::ECDSA_P256_SHA256_FIXED, bare::<P256_POINT>(key)),
        Algorithm::ES384 => public(&signature::ECDSA_P384_SHA384_FIXED, bare::<P384_POINT>(key)),
        Algorithm::EdDSA => public(&signature::ED25519, bare::<ED25519_POINT>(key)),
        Algorithm::HS256 => secret(),
        _ => return None,
    })
}

fn public<const LENGTH: usize>(parameters: &'static dyn VerificationAlgorithm, key: [u8; LENGTH]) -> Verify {
    let key = UnparsedPublicKey::new(parameters, key);
    Box::new(move |input, signature| key.verify(input, signature).is_ok())
}

fn secret() -> Verify {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    Box::new(move |input, mac| hmac::verify(&key, input, mac).is_ok())
}

//! graviola.

use graviola::{
    hashing::{Sha256, Sha384, hmac::Hmac},
    signing::{
        ecdsa::{P256, P384, VerifyingKey as EcdsaKey},
        eddsa::Ed25519VerifyingKey,
        rsa::VerifyingKey as RsaKey,
    },
    util::is_cpu_supported,
};
use portcullis_testkit::{Algorithm, SigningKey};

use super::{ED25519_POINT, P256_POINT, P384_POINT, RSA_2048, Verify, bare};
use crate::issuer::SECRET;

pub fn verify(key: &SigningKey) -> Option<Verify> {
    if !is_cpu_supported() {
        return None;
    }
    Some(match key.algorithm() {
        Algorithm::RS256 => rsa(key, RsaKey::verify_pkcs1_sha256),
        Algorithm::RS384 => rsa(key, RsaKey::verify_pkcs1_sha384),
        Algorithm::RS512 => rsa(key, RsaKey::verify_pkcs1_sha512),
        Algorithm::PS256 => rsa(key, RsaKey::verify_pss_sha256),
        Algorithm::PS384 => rsa(key, RsaKey::verify_pss_sha384),
        Algorithm::PS512 => rsa(key, RsaKey::verify_pss_sha512),
        Algorithm::ES256 => p256(key),
        Algorithm::ES384 => p384(key),
        Algorithm::EdDSA => ed25519(key),
        Algorithm::HS256 => secret(),
        _ => return None,
    })
}

fn rsa(key: &SigningKey, verify: impl Fn(&RsaKey, &[u8], &[u8]) -> Result<(), graviola::Error> + 'static) -> Verify {
    let key = RsaKey::from_pkcs1_der(&bare::<RSA_2048>(key)).expect("a key");
    Box::new(move |input, signature| verify(&key, signature, input).is_ok())
}

fn p256(key: &SigningKey) -> Verify {
    let key = EcdsaKey::<P256>::from_x962_uncompressed(&bare::<P256_POINT>(key)).expect("a key");
    Box::new(move |input, signature| key.verify::<Sha256>(&[input], signature).is_ok())
}

fn p384(key: &SigningKey) -> Verify {
    let key = EcdsaKey::<P384>::from_x962_uncompressed(&bare::<P384_POINT>(key)).expect("a key");
    Box::new(move |input, signature| key.verify::<Sha384>(&[input], signature).is_ok())
}

fn ed25519(key: &SigningKey) -> Verify {
    let key = Ed25519VerifyingKey::from_bytes(&bare::<ED25519_POINT>(key)).expect("a key");
    Box::new(move |input, signature| key.verify(signature, input).is_ok())
}

fn secret() -> Verify {
    let keyed = Hmac::<Sha256>::new(SECRET);
    Box::new(move |input, mac| {
        let mut hmac = keyed.clone();
        hmac.update(input);
        hmac.verify(mac).is_ok()
    })
}

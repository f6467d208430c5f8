//! RustCrypto's curves and ed25519-dalek, in pure Rust. RustCrypto's RSA, a third as fast as the others, is left out.

use ed25519_dalek::VerifyingKey as Ed25519Key;
use p256::ecdsa::signature::Verifier;
use portcullis_testkit::{Algorithm, SigningKey};

use super::{ED25519_POINT, P256_POINT, P384_POINT, Verify, bare};

pub fn verify(key: &SigningKey) -> Option<Verify> {
    Some(match key.algorithm() {
        Algorithm::ES256 => by::<p256::ecdsa::Signature>(p256(key)),
        Algorithm::ES384 => by::<p384::ecdsa::Signature>(p384(key)),
        Algorithm::EdDSA => by::<ed25519_dalek::Signature>(ed25519(key)),
        _ => return None,
    })
}

fn by<S: for<'a> TryFrom<&'a [u8]> + 'static>(key: impl Verifier<S> + 'static) -> Verify {
    Box::new(move |input, signature| {
        S::try_from(signature).is_ok_and(|signature| key.verify(input, &signature).is_ok())
    })
}

fn p256(key: &SigningKey) -> p256::ecdsa::VerifyingKey {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&bare::<P256_POINT>(key)).expect("a key")
}

fn p384(key: &SigningKey) -> p384::ecdsa::VerifyingKey {
    p384::ecdsa::VerifyingKey::from_sec1_bytes(&bare::<P384_POINT>(key)).expect("a key")
}

fn ed25519(key: &SigningKey) -> Ed25519Key {
    Ed25519Key::from_bytes(&bare::<ED25519_POINT>(key)).expect("a key")
}

//! The attacker's keys: one for each algorithm in the process, never the server's.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::certificate;
use crate::algorithm::{Algorithm, Family};
use crate::encoding::pem;
use crate::key::SigningKey;
use crate::sync::lock;

static KEYS: Mutex<BTreeMap<Algorithm, SigningKey>> = Mutex::new(BTreeMap::new());

/// The attacker's key for an algorithm.
pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    let mut keys = lock(&KEYS);
    let generate = || SigningKey::generate(algorithm, "attacker");
    keys.entry(algorithm).or_insert_with(generate).clone()
}

/// The attacker's key for a certificate: an ES256 key in place of a secret.
pub(super) fn public_key(algorithm: Algorithm) -> SigningKey {
    match algorithm.family() {
        Family::Secret => key(Algorithm::ES256),
        _ => key(algorithm),
    }
}

/// The attacker's JWK with the real key's id.
pub(crate) fn jwk_posing_as(real: &SigningKey) -> Value {
    key(real.algorithm()).public_jwk_as(real.kid())
}

/// The attacker's self-signed certificate as DER.
pub(super) fn certificate_der(algorithm: Algorithm) -> Vec<u8> {
    certificate::self_signed(&public_key(algorithm), "attacker.example")
}

/// The attacker's self-signed certificate as PEM.
pub(crate) fn certificate_pem(algorithm: Algorithm) -> String {
    pem("CERTIFICATE", &certificate_der(algorithm))
}

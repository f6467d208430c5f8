use crate::algorithm::{Algorithm, Family};
use crate::der;
use crate::key::SigningKey;

/// Writes a self-signed X.509 certificate, version 1, for `key` (RFC 5280 section 4.1).
pub(super) fn self_signed(key: &SigningKey, common_name: &str) -> Vec<u8> {
    let name = name(common_name);
    let signed = der::sequence(&[
        &der::unsigned(&[1]),
        signature_algorithm(key.algorithm()),
        &name,
        &validity(),
        &name,
        &key.public_der(),
    ]);
    let signature = der::bit_string(&sign(key, &signed));
    der::sequence(&[&signed, signature_algorithm(key.algorithm()), &signature])
}

fn name(common_name: &str) -> Vec<u8> {
    let id_at_common_name = &[0x06, 3, 0x55, 4, 3];
    let text = der::value(0x0c, common_name.as_bytes());
    let attribute = der::sequence(&[id_at_common_name, &text]);
    der::sequence(&[&der::value(0x31, &attribute)])
}

/// The validity period: 2020 to the end of 2049, in UTC.
fn validity() -> Vec<u8> {
    let utc_time = |text: &str| der::value(0x17, text.as_bytes());
    der::sequence(&[&utc_time("200101000000Z"), &utc_time("491231235959Z")])
}

/// The `AlgorithmIdentifier` of the algorithm that [`sign`] uses.
fn signature_algorithm(algorithm: Algorithm) -> &'static [u8] {
    match algorithm.family() {
        Family::P256 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        Family::P384 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
        Family::P521 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
        Family::Ed25519 => &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70],
        Family::MlDsa44 => &[0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17],
        Family::MlDsa65 => &[0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18],
        Family::MlDsa87 => &[0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19],
        Family::Rsa | Family::Secret => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
    }
}

fn sign(key: &SigningKey, input: &[u8]) -> Vec<u8> {
    match key.algorithm().family() {
        Family::Rsa => key.sign_with(Algorithm::RS256, input),
        Family::P256 | Family::P384 | Family::P521 => der::ecdsa_signature(&key.sign(input)),
        _ => key.sign(input),
    }
}

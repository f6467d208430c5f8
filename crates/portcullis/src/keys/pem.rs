//! Public keys from PEM text (RFC 7468 section 13).

use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

use super::{KeyProblem, VerificationKey};
use crate::{
    algorithm::{Algorithm, KeyType},
    crypto::KeyMaterial,
};

/// The types that a PEM public key may have, in the order in which they are tried.
const TYPES: [KeyType; 5] = [KeyType::Rsa, KeyType::P256, KeyType::P384, KeyType::P521, KeyType::Ed25519];

/// Every `PUBLIC KEY` section of a PEM text; one key at least.
pub(crate) fn keys_from_pem(pem: &[u8]) -> Result<Vec<VerificationKey>, KeyProblem> {
    let sections: Result<Vec<_>, _> = SubjectPublicKeyInfoDer::pem_slice_iter(pem).collect();
    let sections = sections.map_err(|_| KeyProblem::NotPem)?;
    if sections.is_empty() {
        return Err(KeyProblem::NotPem);
    }
    sections.iter().map(|spki| key_from_spki(spki)).collect()
}

fn key_from_spki(spki: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let mut materials = TYPES.iter().map(|key_type| KeyMaterial::spki(spki, *key_type, &Algorithm::of(*key_type)));
    let material = materials.find_map(Result::ok).ok_or(KeyProblem::UnsupportedPem)?;
    Ok(VerificationKey::new(None, material))
}

//! Signatures and hashes: the only module that names the cryptographic libraries.
//!
//! AWS-LC does everything except the verification of Ed25519, where ed25519-dalek is faster; with the feature `fips`
//! AWS-LC does that, too. Keys are parsed once, here, into one verifier per algorithm. A signature that verified gives a
//! [`SignatureProof`], which no other module can make.

mod mac;
mod scheme;
mod seal;
mod signing;

pub(crate) use mac::{Digest, MacKey, sha256};
pub(crate) use seal::SealKey;
pub(crate) use signing::{AssertionKey, random_bytes, random_text};

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    hmac,
    rsa::{PublicEncryptingKey, PublicKey, PublicKeyComponents},
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};

use scheme::Scheme;

use crate::algorithm::{Algorithm, KeyType};

/// Evidence that a signature verified: only this file makes it.
pub(crate) struct SignatureProof(());

/// The reason that bytes are not a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidKey {
    /// The bytes are not those of a key of this type.
    Malformed(KeyType),
    /// An RSA modulus outside 2048 to 8192 bits.
    RsaSize { bits: usize },
    /// A secret shorter than the hash of its algorithm (RFC 7518 section 3.2).
    ShortSecret { bytes: usize },
}

/// A key, parsed and ready, for each algorithm that it may be used with.
pub(crate) struct KeyMaterial(Vec<(Algorithm, Ready)>);

enum Ready {
    /// A key with the hash of its algorithm, if messages are hashed separately.
    PublicKey(ParsedPublicKey, Option<&'static digest::Algorithm>),
    #[cfg(not(feature = "fips"))]
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Secret(Box<hmac::Key>),
}

impl KeyMaterial {
    /// An RSA key of 2048 to 8192 bits from its modulus and exponent, big-endian.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8], algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        let components = PublicKeyComponents { n: without_zeros(modulus), e: without_zeros(exponent) };
        match bits(components.n) {
            2048..=8192 => {}
            bits => return Err(InvalidKey::RsaSize { bits }),
        }
        let parsed = components
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| InvalidKey::Malformed(KeyType::Rsa))?;
        Self::spki(parsed.as_ref(), KeyType::Rsa, algorithms)
    }

    /// A key from its bare bytes: an uncompressed point `0x04 || x || y`, or the public key of RFC 8032 or FIPS 204.
    pub(crate) fn bare(bytes: &[u8], key_type: KeyType, algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        Self::public(bytes, key_type, algorithms)
    }

    /// A key of this type from a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    ///
    /// Bare bytes are refused, though the library accepts them: any 32 bytes, even a secret, may be a point of Ed25519.
    pub(crate) fn spki(spki: &[u8], key_type: KeyType, algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        const SEQUENCE: u8 = 0x30;
        if spki.first() != Some(&SEQUENCE) || key_type.member_bytes().is_some_and(|bare| spki.len() <= bare) {
            return Err(InvalidKey::Malformed(key_type));
        }
        if key_type == KeyType::Rsa {
            check_rsa(spki)?;
        }
        Self::public(spki, key_type, algorithms)
    }

    /// An RSA key from a DER `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(crate) fn rsa_public_key(der: &[u8], algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        let malformed = InvalidKey::Malformed(KeyType::Rsa);
        let key = PublicKey::from_der(der).map_err(|_| malformed)?;
        let spki = key.as_der().map_err(|_| malformed)?;
        Self::spki(spki.as_ref(), KeyType::Rsa, algorithms)
    }

    /// A secret for HMAC, with those of the algorithms for which it is long enough (RFC 7518 section 3.2).
    pub(crate) fn secret(secret: &[u8], algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        let ready = |algorithm: &Algorithm| {
            let Scheme::Mac(hash) = Scheme::of(*algorithm) else { return None };
            let long_enough = secret.len() >= hash.digest_algorithm().output_len();
            long_enough.then(|| (*algorithm, Ready::Secret(Box::new(hmac::Key::new(hash, secret)))))
        };
        let keys: Vec<_> = algorithms.iter().filter_map(ready).collect();
        if keys.is_empty() { Err(InvalidKey::ShortSecret { bytes: secret.len() }) } else { Ok(Self(keys)) }
    }

    fn public(bytes: &[u8], key_type: KeyType, algorithms: &[Algorithm]) -> Result<Self, InvalidKey> {
        let malformed = InvalidKey::Malformed(key_type);
        let parse = |algorithm: &Algorithm| {
            let Scheme::Signature(parameters, hash) = Scheme::of(*algorithm) else { return Err(malformed) };
            let key = ParsedPublicKey::new(parameters, bytes).map_err(|_| malformed)?;
            let is_ed25519 = key_type == KeyType::Ed25519;
            let ready = if is_ed25519 { Ready::ed25519(key, bytes)? } else { Ready::PublicKey(key, hash) };
            Ok((*algorithm, ready))
        };
        algorithms.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.0.iter().map(|(algorithm, _)| *algorithm)
    }

    /// Verifies a signature or a MAC; a key that is not bound to the algorithm verifies nothing.
    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Option<SignatureProof> {
        let (_, key) = self.0.iter().find(|(bound, _)| *bound == algorithm)?;
        let verified = match key {
            Ready::PublicKey(key, hash) => verify_signature(key, *hash, input, signature),
            #[cfg(not(feature = "fips"))]
            Ready::Ed25519(key) => verify_ed25519(key, input, signature),
            Ready::Secret(key) => hmac::verify(key, input, signature).is_ok(),
        };
        verified.then_some(SignatureProof(()))
    }
}

/// Hashes first and verifies the digest, which saves the library an allocation; the validated module (`fips`) hashes and
/// verifies in one call.
fn verify_signature(
    key: &ParsedPublicKey,
    hash: Option<&'static digest::Algorithm>,
    input: &[u8],
    signature: &[u8],
) -> bool {
    match hash.filter(|_| !cfg!(feature = "fips")) {
        Some(hash) => key.verify_digest_sig(&digest::digest(hash, input), signature).is_ok(),
        None => key.verify_sig(input, signature).is_ok(),
    }
}

impl Ready {
    /// An Ed25519 key that AWS-LC has parsed; the last 32 of the bytes are its point (RFC 8410 section 4).
    ///
    /// With a key of small order anyone can sign any message; the libraries accept it.
    fn ed25519(parsed: ParsedPublicKey, bytes: &[u8]) -> Result<Self, InvalidKey> {
        let point = bytes.last_chunk().and_then(|point| ed25519_dalek::VerifyingKey::from_bytes(point).ok());
        let key = point.filter(|key| !key.is_weak()).ok_or(InvalidKey::Malformed(KeyType::Ed25519))?;
        Ok(Self::the_faster(parsed, key))
    }

    #[cfg(not(feature = "fips"))]
    fn the_faster(_parsed: ParsedPublicKey, key: ed25519_dalek::VerifyingKey) -> Self {
        Self::Ed25519(Box::new(key))
    }

    #[cfg(feature = "fips")]
    fn the_faster(parsed: ParsedPublicKey, _key: ed25519_dalek::VerifyingKey) -> Self {
        Self::PublicKey(parsed, None)
    }
}

/// The check of RFC 8032 section 5.1.7 without the cofactor, as AWS-LC does it.
#[cfg(not(feature = "fips"))]
fn verify_ed25519(key: &ed25519_dalek::VerifyingKey, input: &[u8], signature: &[u8]) -> bool {
    use ed25519_dalek::Verifier;
    ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| key.verify(input, &signature).is_ok())
}

/// The bits of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// `ParsedPublicKey` leaves the size and the exponent to the first verification; this parser checks
/// them at once, so that a key that can never verify is known at import.
fn check_rsa(spki: &[u8]) -> Result<(), InvalidKey> {
    PublicEncryptingKey::from_der(spki).map(drop).map_err(|_| InvalidKey::Malformed(KeyType::Rsa))
}

#[cfg(test)]
mod tests;

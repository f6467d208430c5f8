//! Our own signatures, for client authentication (RFC 7523). No access token is ever signed.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    },
};

use crate::{algorithm::Algorithm, base64url};

/// A private key, and the algorithm that it signs by.
pub(crate) struct AssertionKey {
    pub(crate) algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl AssertionKey {
    /// A key from PKCS#8 DER (RFC 5958) and its algorithm; if none is named, the default for its type.
    pub(crate) fn from_pkcs8(der: &[u8], algorithm: Option<Algorithm>) -> Option<Self> {
        match algorithm {
            Some(algorithm) => Some(Self { algorithm, key: key(der, algorithm)? }),
            None => [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
                .into_iter()
                .find_map(|algorithm| Some(Self { algorithm, key: key(der, algorithm)? })),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Key::Ecdsa(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Key::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn key(der: &[u8], algorithm: Algorithm) -> Option<Key> {
    let rsa = |encoding| Some(Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).ok()?), encoding));
    let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
        Some(Key::Ecdsa(Box::new(EcdsaKeyPair::from_pkcs8(algorithm, der).ok()?)))
    };
    match algorithm {
        Algorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
        Algorithm::PS256 => rsa(&RSA_PSS_SHA256),
        Algorithm::ES256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDSA => Some(Key::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?))),
        _ => None,
    }
}

/// 128 random bits as text, for a unique identifier.
pub(crate) fn random_text() -> Option<String> {
    random_bytes::<16>().map(base64url::encode)
}

/// Bytes of the operating system's random generator.
pub(crate) fn random_bytes<const COUNT: usize>() -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::AsDer,
        rsa::KeySize,
        signature::{ECDSA_P384_SHA384_FIXED_SIGNING, KeyPair},
    };

    use super::*;
    use crate::{algorithm::KeyType, crypto::KeyMaterial};

    /// Asserts that a signature of the key verifies with its public part, for its own message only.
    fn signs(der: &[u8], algorithm: Algorithm, public: &KeyMaterial) {
        let key = AssertionKey::from_pkcs8(der, Some(algorithm)).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(public.verify(algorithm, b"message", &signature).is_some(), "{algorithm}");
        assert!(public.verify(algorithm, b"another", &signature).is_none(), "{algorithm}");
    }

    fn by_default(der: &[u8]) -> Option<Algorithm> {
        AssertionKey::from_pkcs8(der, None).map(|key| key.algorithm)
    }

    #[test]
    fn what_a_key_signs_verifies() {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(rsa.public_key()).unwrap();
        let rsa_algorithms = [Algorithm::RS256, Algorithm::PS256];
        let public = KeyMaterial::spki(spki.as_ref(), KeyType::Rsa, &rsa_algorithms).unwrap();
        rsa_algorithms.iter().for_each(|algorithm| signs(der.as_ref(), *algorithm, &public));
        assert_eq!(by_default(der.as_ref()), Some(Algorithm::RS256));
        assert!(AssertionKey::from_pkcs8(der.as_ref(), Some(Algorithm::ES256)).is_none());

        for (curve, algorithm, key_type) in [
            (&ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::ES256, KeyType::P256),
            (&ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::ES384, KeyType::P384),
        ] {
            let pair = EcdsaKeyPair::generate(curve).unwrap();
            let der = pair.to_pkcs8v1().unwrap();
            let public = KeyMaterial::bare(pair.public_key().as_ref(), key_type, &[algorithm]).unwrap();
            signs(der.as_ref(), algorithm, &public);
            assert_eq!(by_default(der.as_ref()), Some(algorithm));
        }

        let pair = Ed25519KeyPair::generate().unwrap();
        let der = pair.to_pkcs8().unwrap();
        let public = KeyMaterial::bare(pair.public_key().as_ref(), KeyType::Ed25519, &[Algorithm::EdDSA]).unwrap();
        signs(der.as_ref(), Algorithm::EdDSA, &public);
        assert_eq!(by_default(der.as_ref()), Some(Algorithm::EdDSA));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for der in [&b""[..], b"not a key", &[0x30, 0x00]] {
            assert_eq!(by_default(der), None);
        }
    }
}

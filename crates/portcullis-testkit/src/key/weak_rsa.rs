use aws_lc_rs::digest::{SHA256, digest};
use num_bigint::BigUint;

use crate::der;
use crate::encoding::from_base64url;

/// The length of the modulus in bytes.
const LEN: usize = 128;

const MODULUS: &str = "1Y9YwTeerpwCNYIa0eGxfKI-QHPTdbx3ZxQ-ggU3Lcdjt1q78YG22KGXpspvgKA4RYejYFAE_FLXt2pvgs6EBgJQZrlkYRRMBkBEXi-7Osl95XHaY24qFKBVQdsL1zEjy1pR_jzo0I_al4OdudWIKSMjBs0ZlqZRWzp_YAht3jU";
const PRIVATE_EXPONENT: &str = "VKsrdhdWG0YQ_iPh_DotwwsUATuqp7Ab6ss06RmmQckeeLBJeTuDQan3VRJHWMis5qwbEvFGuL8jdT2GjmbQIlRZ0iYa29knrVaU49VrTkTLaf2aCGJNGUWdU522S1HKqfSKrcUMb-H5qU96axhhXQIR4oUsMrPoHkUHVY2KYOE";
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

/// The start of a `DigestInfo` for SHA-256 (RFC 8017 section 9.2, note 1).
const SHA256_PREFIX: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];

/// An RSA key of 1,024 bits. It is public: cryptographic libraries make none that is so short.
pub(super) struct WeakRsa {
    modulus: BigUint,
    private_exponent: BigUint,
    /// The public key in the form of PKCS #1.
    public: Vec<u8>,
}

impl WeakRsa {
    pub(super) fn new() -> Self {
        let number = |text| from_base64url(text).unwrap_or_default();
        let modulus = number(MODULUS);
        Self {
            public: der::sequence(&[&der::unsigned(&modulus), &der::unsigned(&PUBLIC_EXPONENT)]),
            modulus: BigUint::from_bytes_be(&modulus),
            private_exponent: BigUint::from_bytes_be(&number(PRIVATE_EXPONENT)),
        }
    }

    pub(super) fn public_bytes(&self) -> &[u8] {
        &self.public
    }

    /// Signs with RS256 (RFC 8017 section 8.2.1).
    pub(super) fn sign(&self, input: &[u8]) -> Vec<u8> {
        let message = BigUint::from_bytes_be(&encode(input));
        let signature = message.modpow(&self.private_exponent, &self.modulus).to_bytes_be();
        let zeros = vec![0; LEN.saturating_sub(signature.len())];
        [zeros, signature].concat()
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
fn encode(input: &[u8]) -> Vec<u8> {
    let info = [SHA256_PREFIX.as_slice(), digest(&SHA256, input).as_ref()].concat();
    let padding = vec![0xff; LEN - 3 - info.len()];
    [&[0, 1], padding.as_slice(), &[0], &info].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_verifier_that_takes_short_keys_takes_the_signature() {
        let key = WeakRsa::new();
        let verifier = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key.public_bytes());
        assert!(verifier.verify(b"input", &key.sign(b"input")).is_ok());
    }
}

//! Signatures alone, by maintained libraries, each with a key parsed once if it can.

mod aws_lc;
mod graviola;
mod ring;
mod rust_crypto;

use std::hint::black_box;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_testkit::SigningKey;

use crate::{cell::Work, verify::each_by_turns};

/// A function that returns true if a signature is valid for an input.
pub type Verify = Box<dyn Fn(&[u8], &[u8]) -> bool>;

/// A library's verification and its name in the tables.
pub struct Library {
    pub name: &'static str,
    verify: Verify,
}

impl Library {
    fn new(name: &'static str, verify: Option<Verify>) -> Option<Self> {
        verify.map(|verify| Self { name, verify })
    }

    /// Verifies these signatures by turns, one a call.
    pub fn by_turns<'a>(&'a self, signed: &'a [Signed]) -> Work<'a> {
        each_by_turns(signed, |Signed { input, signature }| {
            assert!((self.verify)(black_box(input), black_box(signature)), "a good signature");
        })
    }
}

/// The libraries that support the key's algorithm.
pub fn libraries(key: &SigningKey) -> Vec<Library> {
    let all = [
        Library::new("raw: aws-lc-rs parsed key", aws_lc::verify(key)),
        Library::new("raw: ring", ring::verify(key)),
        Library::new("raw: graviola", graviola::verify(key)),
        Library::new("raw: RustCrypto or dalek", rust_crypto::verify(key)),
    ];
    all.into_iter().flatten().collect()
}

/// A token's signing input and signature.
pub struct Signed {
    input: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    pub fn of(token: &str) -> Self {
        let (input, signature) = token.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        Self { input: input.as_bytes().to_vec(), signature }
    }
}

/// The end of a `SubjectPublicKeyInfo`: the key alone, of the length in the type.
fn bare<const LENGTH: usize>(key: &SigningKey) -> [u8; LENGTH] {
    *key.public_der().last_chunk().expect("a key of that length")
}

/// The length of an `RSAPublicKey` (RFC 8017 appendix A.1.1) of 2048 bits with exponent 65537.
const RSA_2048: usize = 270;
const P256_POINT: usize = 65;
const P384_POINT: usize = 97;
const ED25519_POINT: usize = 32;

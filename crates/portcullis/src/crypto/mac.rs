//! SHA-256, which stands for tokens where they must not be readable, and the MAC of entries in a shared store.

use aws_lc_rs::{digest, hmac};

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    digest
}

/// A secret that entries are authenticated with (HMAC with SHA-256, RFC 2104).
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    /// The bytes of a MAC, and the minimum for a secret.
    pub(crate) const BYTES: usize = 32;

    /// A key, if the secret is long enough.
    pub(crate) fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Makes a key for one purpose out of this one.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &self.sign(purpose)))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Digest {
        let mut mac = Digest::default();
        mac.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        mac
    }

    pub(crate) fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.0, message, mac).is_ok()
    }
}

//! The seal of entries in a shared store: they are encrypted and authenticated.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use super::MacKey;

/// A secret that entries are sealed with (AES-256-GCM, NIST SP 800-38D).
///
/// Each entry has a key of its own, made from the secret and the entry's context, so that an entry opens nowhere else, and random
/// nonces never meet.
pub(crate) struct SealKey(MacKey);

impl SealKey {
    /// Makes the key for one purpose out of a secret.
    pub(crate) fn new(secret: &MacKey, purpose: &[u8]) -> Self {
        Self(secret.derive(purpose))
    }

    /// Seals a text for a context; none if the machine gives no random bytes.
    pub(crate) fn seal(&self, context: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = text.to_vec();
        let nonce = self.key_of(context)?.seal_in_place_append_tag(Aad::empty(), &mut sealed).ok()?;
        Some([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens an entry that was sealed for this context.
    pub(crate) fn open(&self, context: &[u8], entry: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = entry.split_at_checked(NONCE_LEN)?;
        let (nonce, mut sealed) = (Nonce::try_assume_unique_for_key(nonce).ok()?, sealed.to_vec());
        let opened = self.key_of(context)?.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
        sealed.truncate(opened);
        Some(sealed)
    }

    fn key_of(&self, context: &[u8]) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.0.sign(context)).ok()
    }
}

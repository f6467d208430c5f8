//! Answers that several processes share: the [`TokenStore`] trait, and the seal on what is kept there.

use std::{
    error::Error,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{runtime::Handle, time::timeout};

use crate::{
    crypto::{Digest, MacKey},
    telemetry,
    transport::{BoxError, BoxFuture},
};

/// How long a store may take: it is there to save time.
const STORE_TIMEOUT: Duration = Duration::from_millis(250);

/// How many bytes of an entry are its seal and its time.
const HEAD_BYTES: usize = MacKey::BYTES + size_of::<u64>();

/// A cache that several processes share: what an introspection told of a token.
///
/// Entries are sealed with a secret that the processes share, too
/// ([`IntrospectorBuilder::store`](crate::IntrospectorBuilder::store)), and judged again when they are read: who can write to
/// the store can make nobody pass. They are not encrypted: who can read it learns the claims of tokens, not the tokens.
/// A store that fails or takes longer than 250 ms is passed over.
///
/// # Example
///
/// ```
/// use std::{collections::HashMap, sync::Mutex, time::Duration};
/// use bytes::Bytes;
/// use portcullis::TokenStore;
///
/// #[derive(Default)]
/// struct Shared(Mutex<HashMap<String, Bytes>>);
///
/// type Error = Box<dyn std::error::Error + Send + Sync>;
///
/// impl TokenStore for Shared {
///     async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
///         Ok(self.0.lock().map_err(|_| "poisoned")?.get(key).cloned())
///     }
///
///     async fn set(&self, key: &str, entry: Bytes, _ttl: Duration) -> Result<(), Error> {
///         self.0.lock().map_err(|_| "poisoned")?.insert(key.to_owned(), entry);
///         Ok(())
///     }
/// }
/// ```
pub trait TokenStore: Send + Sync + 'static {
    /// The entry under this key, if there is one. A key is the SHA-256 of a token, 64 characters of lower-case hex.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being had.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, Box<dyn Error + Send + Sync>>> + Send;

    /// Keeps an entry, for so long at the most.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being kept.
    fn set(
        &self,
        key: &str,
        entry: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send;
}

/// [`TokenStore`] behind a pointer.
pub(super) trait AnyTokenStore: Send + Sync {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BoxError>>;
    fn set<'a>(&'a self, key: &'a str, entry: Bytes, ttl: Duration) -> BoxFuture<'a, Result<(), BoxError>>;
}

impl<S: TokenStore> AnyTokenStore for S {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BoxError>> {
        Box::pin(TokenStore::get(self, key))
    }

    fn set<'a>(&'a self, key: &'a str, entry: Bytes, ttl: Duration) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(TokenStore::set(self, key, entry, ttl))
    }
}

/// A store whose entries carry a seal: nothing else is believed.
#[derive(Clone)]
pub(super) struct SealedStore(Arc<Inner>);

struct Inner {
    store: Box<dyn AnyTokenStore>,
    key: MacKey,
    /// What answers are about: those to another question mean nothing here.
    context: String,
}

impl SealedStore {
    pub(super) fn new(store: Box<dyn AnyTokenStore>, key: MacKey, context: String) -> Self {
        Self(Arc::new(Inner { store, key, context }))
    }

    /// What is kept of this token, if it is ours and its time is not over.
    pub(super) async fn get(&self, token: &Digest, now: SystemTime) -> Option<(String, SystemTime)> {
        let read =
            timeout(STORE_TIMEOUT, self.0.store.get(&hex(token))).await.unwrap_or_else(|_| Err("no answer".into()));
        let entry = match read {
            Ok(entry) => entry?,
            Err(error) => {
                telemetry::token_store_failed("get", &error);
                return None;
            }
        };
        let opened = self.0.open(token, &entry);
        if opened.is_none() {
            telemetry::token_store_failed("get", &"the entry's seal is not ours".into());
        }
        opened.filter(|(_, until)| now < *until)
    }

    /// Keeps what was told of a token, without waiting for the store.
    pub(super) fn set(&self, token: Digest, text: &str, until: SystemTime, now: SystemTime) {
        let Ok(ttl) = until.duration_since(now) else { return };
        let (Ok(runtime), Some(entry)) = (Handle::try_current(), self.0.seal(&token, text, until)) else { return };
        let store = self.clone();
        runtime.spawn(async move {
            let written = timeout(STORE_TIMEOUT, store.0.store.set(&hex(&token), entry.into(), ttl)).await;
            if let Err(error) = written.unwrap_or_else(|_| Err("no answer".into())) {
                telemetry::token_store_failed("set", &error);
            }
        });
    }
}

impl Inner {
    /// An entry: the seal, the time in milliseconds since 1970, big-endian, and the text.
    fn seal(&self, token: &Digest, text: &str, until: SystemTime) -> Option<Vec<u8>> {
        let until = until.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
        let until = u64::try_from(until).ok()?.to_be_bytes();
        let mac = self.key.sign(&self.sealed(token, &until, text.as_bytes()));
        Some([&mac[..], &until, text.as_bytes()].concat())
    }

    fn open(&self, token: &Digest, entry: &[u8]) -> Option<(String, SystemTime)> {
        let (head, text) = entry.split_at_checked(HEAD_BYTES)?;
        let (mac, until) = head.split_at_checked(MacKey::BYTES)?;
        let until: &[u8; 8] = until.try_into().ok()?;
        if !self.key.verify(&self.sealed(token, until, text), mac) {
            return None;
        }
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::from_be_bytes(*until)))?;
        Some((String::from_utf8(text.to_vec()).ok()?, until))
    }

    /// What the seal is on: an entry is good for its token, its time and its question, and for no other.
    fn sealed(&self, token: &Digest, until: &[u8; 8], text: &[u8]) -> Vec<u8> {
        let context = self.context.as_bytes();
        let length = (context.len() as u64).to_be_bytes();
        [b"portcullis introspection 1".as_slice(), &length, context, token, until, text].concat()
    }
}

fn hex(digest: &Digest) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl TokenStore for Nothing {
        async fn get(&self, _key: &str) -> Result<Option<Bytes>, BoxError> {
            Ok(None)
        }

        async fn set(&self, _key: &str, _entry: Bytes, _ttl: Duration) -> Result<(), BoxError> {
            Ok(())
        }
    }

    fn store(secret: &[u8; 32], context: &str) -> SealedStore {
        SealedStore::new(Box::new(Nothing), MacKey::new(secret).unwrap(), context.to_owned())
    }

    const TOKEN: Digest = [1; 32];

    #[test]
    fn an_entry_opens_for_what_it_was_sealed_for_and_nothing_else() {
        let until = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let ours = store(&[7; 32], "a");
        let entry = ours.0.seal(&TOKEN, "text", until).unwrap();
        assert_eq!(ours.0.open(&TOKEN, &entry), Some(("text".into(), until)));
        assert_eq!(ours.0.open(&[2; 32], &entry), None, "another token");
        assert_eq!(store(&[8; 32], "a").0.open(&TOKEN, &entry), None, "another secret");
        assert_eq!(store(&[7; 32], "b").0.open(&TOKEN, &entry), None, "another question");
        for at in 0..entry.len() {
            let mut forged = entry.clone();
            forged[at] ^= 1;
            assert_eq!(ours.0.open(&TOKEN, &forged), None, "byte {at}");
            assert_eq!(ours.0.open(&TOKEN, &entry[..at]), None, "cut at {at}");
        }
        assert_eq!(ours.0.open(&TOKEN, b""), None);
    }

    #[test]
    fn a_short_secret_seals_nothing() {
        assert!(MacKey::new(&[7; 31]).is_none());
    }
}

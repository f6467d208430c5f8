//! Answers that several processes share: the [`TokenStore`] trait, and the seal of its entries.

use std::{
    error::Error,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::{Purpose, Question};
use crate::{
    crypto::{Digest, MacKey, SealKey, sha256},
    shared_store::{self, Warnings, in_time},
    telemetry,
    transport::{BoxError, BoxFuture},
};

/// The length of the times before the text of an entry, in bytes.
const TIMES_BYTES: usize = 2 * size_of::<u64>();

/// A cache of answers about tokens that several processes share: of introspection
/// ([`IntrospectorBuilder::store`](crate::IntrospectorBuilder::store)) and of token exchange
/// ([`ExchangerBuilder::store`](crate::ExchangerBuilder::store)).
///
/// Entries are sealed with a secret that the processes share, too, and judged again when they are read: write access to the
/// store lets no request pass. They are encrypted: read access shows neither tokens nor claims. A store that fails or takes longer
/// than 250 ms is ignored.
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
    /// Returns the entry under this key, if there is one.
    ///
    /// A key stands for a token and for the question that was asked about it (which server, as which client, …): it is
    /// the SHA-256 of both, 64 characters of lower-case hex.
    ///
    /// # Errors
    ///
    /// Any error of the store.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, Box<dyn Error + Send + Sync>>> + Send;

    /// Keeps an entry, for at most this time.
    ///
    /// # Errors
    ///
    /// Any error of the store.
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

/// A store of sealed entries: others are ignored.
#[derive(Clone)]
pub(super) struct SealedStore(Arc<Inner>);

struct Inner {
    purpose: &'static Versions,
    store: Box<dyn AnyTokenStore>,
    key: SealKey,
    warnings: Warnings,
}

/// The version of the rules for names and seals: entries of another version are never found.
struct Versions {
    name: &'static [u8],
    seal: &'static [u8],
}

const INTROSPECTIONS: Versions =
    Versions { name: b"portcullis introspection 4 name", seal: b"portcullis introspection 4 seal" };

const EXCHANGES: Versions = Versions { name: b"portcullis exchange 1 name", seal: b"portcullis exchange 1 seal" };

/// The server's answer about a token, its time, and the end of its use by the process that asked.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) at: SystemTime,
    pub(crate) until: SystemTime,
}

impl SealedStore {
    pub(super) fn new(purpose: Purpose, store: Box<dyn AnyTokenStore>, secret: &MacKey) -> Self {
        let purpose = match purpose {
            Purpose::Introspection => &INTROSPECTIONS,
            Purpose::Exchange => &EXCHANGES,
        };
        let key = SealKey::new(secret, purpose.seal);
        Self(Arc::new(Inner { purpose, store, key, warnings: Warnings::default() }))
    }

    /// The answer to this question about this token, if its seal is right; the caller checks its times.
    pub(super) async fn get(&self, question: &Question, token: &Digest, now: SystemTime) -> Option<Told> {
        let name = self.0.name(question, token);
        let entry = match in_time(|| self.0.store.get(&name)).await {
            Ok(entry) => entry?,
            Err(error) => {
                telemetry::token_store_failed("get", &error);
                return None;
            }
        };
        let opened = self.0.open(question, token, &entry);
        if opened.is_none() {
            telemetry::token_store_forged(self.0.warnings.is_due(now));
        }
        opened
    }

    /// Keeps an answer about a token, without waiting for the store.
    pub(super) fn set(&self, question: &Question, token: &Digest, text: &str, until: SystemTime, now: SystemTime) {
        let Ok(ttl) = until.duration_since(now) else { return };
        let (Ok(runtime), Some(entry)) = (Handle::try_current(), self.0.seal(question, token, text, [now, until]))
        else {
            return;
        };
        let (store, name) = (self.clone(), self.0.name(question, token));
        runtime.spawn(async move {
            if let Err(error) = in_time(|| store.0.store.set(&name, entry.into(), ttl)).await {
                telemetry::token_store_failed("set", &error);
            }
        });
    }
}

impl Inner {
    /// An entry: the time of the answer, the end of its use, and the text, sealed.
    fn seal(&self, question: &Question, token: &Digest, text: &str, times: [SystemTime; 2]) -> Option<Vec<u8>> {
        let [at, until] = times.map(milliseconds);
        self.key.seal(&context(question, token), &[&at?, &until?, text.as_bytes()].concat())
    }

    fn open(&self, question: &Question, token: &Digest, entry: &[u8]) -> Option<Told> {
        let opened = self.key.open(&context(question, token), entry)?;
        let (times, text) = opened.split_at_checked(TIMES_BYTES)?;
        let (at, until) = times.split_at_checked(size_of::<u64>())?;
        Some(Told { text: String::from_utf8(text.to_vec()).ok()?, at: time(at)?, until: time(until)? })
    }

    /// The key of an entry: answers to different questions about one token have different keys.
    fn name(&self, question: &Question, token: &Digest) -> String {
        shared_store::name(&sha256(&[self.purpose.name, question.bytes(), token].concat()))
    }
}

/// The place that an entry is sealed for: its question and its token.
fn context(question: &Question, token: &Digest) -> Vec<u8> {
    [question.bytes(), token].concat()
}

/// A time in milliseconds since 1970, big-endian.
fn milliseconds(time: SystemTime) -> Option<[u8; 8]> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
    Some(u64::try_from(since).ok()?.to_be_bytes())
}

fn time(milliseconds: &[u8]) -> Option<SystemTime> {
    let since = u64::from_be_bytes(milliseconds.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(since))
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

    fn store(secret: &[u8; 32]) -> SealedStore {
        SealedStore::new(Purpose::Introspection, Box::new(Nothing), &MacKey::new(secret).unwrap())
    }

    const TOKEN: Digest = [1; 32];

    #[test]
    fn an_entry_opens_for_what_it_was_sealed_for_and_nothing_else() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let until = at + Duration::from_secs(60);
        let (ours, asked) = (store(&[7; 32]), Question::of("a"));
        let entry = ours.0.seal(&asked, &TOKEN, "text", [at, until]).unwrap();
        assert_eq!(ours.0.open(&asked, &TOKEN, &entry), Some(Told { text: "text".into(), at, until }));
        assert_eq!(ours.0.open(&asked, &[2; 32], &entry), None, "another token");
        assert_eq!(store(&[8; 32]).0.open(&asked, &TOKEN, &entry), None, "another secret");
        assert_eq!(ours.0.open(&Question::of("b"), &TOKEN, &entry), None, "another question");
        for at in 0..entry.len() {
            let mut forged = entry.clone();
            forged[at] ^= 1;
            assert_eq!(ours.0.open(&asked, &TOKEN, &forged), None, "byte {at}");
            assert_eq!(ours.0.open(&asked, &TOKEN, &entry[..at]), None, "cut at {at}");
        }
        assert_eq!(ours.0.open(&asked, &TOKEN, b""), None);
        let exchanges = SealedStore::new(Purpose::Exchange, Box::new(Nothing), &MacKey::new(&[7; 32]).unwrap());
        assert_eq!(exchanges.0.open(&asked, &TOKEN, &entry), None, "another purpose");
        assert!(!entry.windows(4).any(|bytes| bytes == b"text"), "it is encrypted");
    }

    #[test]
    fn entries_of_other_questions_and_of_earlier_rules_are_not_met() {
        let (one, other) = (Question::of("a"), Question::of("b"));
        let ours = store(&[7; 32]).0;
        let exchanges = SealedStore::new(Purpose::Exchange, Box::new(Nothing), &MacKey::new(&[7; 32]).unwrap()).0;
        let names = [
            ours.name(&one, &TOKEN),
            ours.name(&other, &TOKEN),
            ours.name(&one, &[2; 32]),
            exchanges.name(&one, &TOKEN),
            shared_store::name(&TOKEN),
        ];
        for (at, name) in names.iter().enumerate() {
            assert_eq!(name.len(), 64);
            assert_eq!(names.iter().position(|other| other == name), Some(at), "{name}");
        }
    }

    #[test]
    fn a_short_secret_seals_nothing() {
        assert!(MacKey::new(&[7; 31]).is_none());
    }
}

//! The store that several gateways share: Redis or Valkey.
//!
//! It keeps answers about opaque tokens, and the names of DPoP proofs that were seen. Answers save time and decide nothing:
//! the library seals them, and judges them again when it reads them. A proof that is kept is a replay to all others. Either
//! way a request never waits long for a slow or absent store.
//!
//! - [`keeper`] connects, in the background, as often as it takes. It tries the connection every second, and at once
//!   after a failed command. Only a connection that it has tried is ever used.
//! - While there is none, [`RedisStore`] fails at once. While there is one, a command has 200 ms.
//!
//! The gateway's user needs `GETRANGE` and `SET` on `portcullis:introspection:*`, and `SET` on `portcullis:dpop:*`; in a
//! cluster `CLUSTER` and `PING`, too.

mod connection;
mod endpoint;
mod keeper;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use portcullis::{ReplayStore, TokenStore};
use tokio::{runtime::Handle, task::AbortHandle};

use self::{endpoint::Endpoint, keeper::Link};
use crate::config;

/// The time limit of a command: below the library's, so that the error is the store's.
const RESPONSE_TIME: Duration = Duration::from_millis(200);

/// The longest entry that is read: twice the library's default limit on an authorization server's answer. A client with
/// write access to the store can fill its memory, but not the gateway's.
const LONGEST_ENTRY: usize = 512 << 10;

/// The prefixes of the names of entries.
const ANSWERS: &str = "portcullis:introspection:";
const PROOFS: &str = "portcullis:dpop:";

/// The name of the entry that tries the connection.
const TRIAL: &str = "portcullis:introspection:trial";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A [`TokenStore`] and [`ReplayStore`] in Redis or Valkey, one server or a cluster. Clones share one connection.
#[derive(Debug, Clone)]
pub(crate) struct RedisStore {
    link: Arc<Link>,
    _keeper: Arc<Keeper>,
    entry_bytes: usize,
}

/// The task that keeps the connection; it ends with the last clone of the store.
#[derive(Debug)]
struct Keeper(AbortHandle);

/// The mistake in a `[store]`. No message has a URL in it, which may have a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is no URL.
    NoUrl,
    /// The URL with this number, from 1 on, is not one of Redis.
    Url { number: usize, reason: String },
    /// A URL has `#insecure`: an unchecked certificate protects nothing.
    Insecure { number: usize },
    /// There is a `ca_file` for a connection without TLS.
    AuthorityWithoutTls,
    /// `ca_file` has no readable certificate.
    Authority(String),
    /// The URLs do not make a cluster.
    Cluster(String),
    /// There is no runtime to connect in.
    NoRuntime,
}

/// The state of a store.
#[derive(Debug, Clone)]
pub(crate) struct StoreState(Arc<Link>);

impl RedisStore {
    /// Makes a store that begins to connect in the background, and goes on until the last clone is dropped.
    ///
    /// # Errors
    ///
    /// The mistake in the configuration; an unreachable server is no error.
    pub(crate) fn new(config: &config::Store) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(|_| StoreError::NoRuntime)?;
        let endpoint = Endpoint::new(config)?;
        let link = Arc::new(Link::default());
        let keeper = runtime.spawn(keeper::keep(endpoint, link.clone())).abort_handle();
        Ok(Self { link, _keeper: Arc::new(Keeper(keeper)), entry_bytes: LONGEST_ENTRY })
    }

    /// Returns the same store, which reads entries of answers of this length, too.
    pub(crate) fn for_answers_of(&self, answer_bytes: usize) -> Self {
        Self { entry_bytes: LONGEST_ENTRY.max(answer_bytes.saturating_mul(2)), ..self.clone() }
    }

    /// Returns the state of the store.
    pub(crate) fn state(&self) -> StoreState {
        StoreState(Arc::clone(&self.link))
    }
}

impl StoreState {
    /// Returns true if there is a connection that works.
    pub(crate) fn is_up(&self) -> bool {
        self.0.connection().is_ok()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TokenStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        let mut connection = self.link.connection()?;
        let read = connection.get(&[ANSWERS, key].concat(), self.entry_bytes).await;
        Ok(read.inspect_err(|_| self.link.doubt())?)
    }

    async fn set(&self, key: &str, entry: Bytes, ttl: Duration) -> Result<(), BoxError> {
        let mut connection = self.link.connection()?;
        let written = connection.set(&[ANSWERS, key].concat(), &entry, ttl).await;
        Ok(written.inspect_err(|_| self.link.doubt())?)
    }
}

impl ReplayStore for RedisStore {
    async fn keep_new(&self, id: &str, ttl: Duration) -> Result<bool, BoxError> {
        let mut connection = self.link.connection()?;
        let kept = connection.keep_new(&[PROOFS, id].concat(), ttl).await;
        Ok(kept.inspect_err(|_| self.link.doubt())?)
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoUrl => f.write_str("expected a URL of the store, got none"),
            Self::Url { number, reason } => {
                write!(f, "expected a URL of Redis, got another as URL {number} of the store: {reason}")
            }
            Self::Insecure { number } => write!(
                f,
                "URL {number} of the store has #insecure, which leaves certificates unchecked: name the server's \
                 authority in ca_file"
            ),
            Self::AuthorityWithoutTls => {
                f.write_str("expected a URL with TLS beside the store's ca_file, got one without: write rediss://")
            }
            Self::Authority(reason) => write!(f, "the store's ca_file cannot be used: {reason}"),
            Self::Cluster(reason) => write!(f, "the store's URLs do not make a cluster: {reason}"),
            Self::NoRuntime => f.write_str("expected a Tokio runtime to connect in, got none"),
        }
    }
}

impl std::error::Error for StoreError {}

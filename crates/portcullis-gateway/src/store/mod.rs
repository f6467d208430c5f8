//! What several gateways share: Redis or Valkey.
//!
//! A store saves time and decides nothing: entries are sealed by the library, which judges them again when it reads
//! them. So all that matters here is that a request never waits for a store that is slow or gone.
//!
//! - [`keeper`] connects, in the background, as often as it takes. It tries the connection every second, and at once
//!   when a command failed. Only a connection that it has tried is ever used.
//! - While there is none, [`RedisStore`] fails at once. While there is one, a command has 200 ms.
//!
//! The user that the gateway logs in as needs `GETRANGE` and `SET` on `portcullis:introspection:*`, in a cluster
//! `CLUSTER` and `PING` too.

mod connection;
mod endpoint;
mod keeper;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use portcullis::TokenStore;
use tokio::{runtime::Handle, task::AbortHandle};

use self::{endpoint::Endpoint, keeper::Link};
use crate::config;

/// How long a command may take: less than the library waits, so that the reason is ours to tell.
const RESPONSE_TIME: Duration = Duration::from_millis(200);

/// The longest entry that is read: twice what the library takes from an authorization server by default. Who can write to
/// the store can fill its memory, but not ours.
const LONGEST_ENTRY: usize = 512 << 10;

/// What the names of our entries begin with.
const PREFIX: &str = "portcullis:introspection:";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A [`TokenStore`] in Redis or Valkey, one server or a cluster.
#[derive(Debug)]
pub(crate) struct RedisStore {
    link: Arc<Link>,
    keeper: AbortHandle,
    entry_bytes: usize,
}

/// What is wrong with a `[store]`. No message has a URL in it: there may be a password in that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is no URL.
    NoUrl,
    /// The URL with this number, from 1 on, is none of Redis.
    Url { number: usize, reason: String },
    /// `#insecure` in a URL: a certificate that nobody checks protects nothing.
    Insecure { number: usize },
    /// `ca_file` for a connection without TLS.
    AuthorityWithoutTls,
    /// `ca_file` has no certificate that can be read.
    Authority(String),
    /// The URLs do not make a cluster.
    Cluster(String),
    /// There is no runtime to connect in.
    NoRuntime,
}

/// How a store is doing.
#[derive(Debug, Clone)]
pub(crate) struct StoreState(Arc<Link>);

impl RedisStore {
    /// A store that begins to connect in the background, and goes on for as long as it is kept.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration; a server that cannot be reached is no error.
    pub(crate) fn new(config: &config::Store) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(|_| StoreError::NoRuntime)?;
        let endpoint = Endpoint::new(config)?;
        let link = Arc::new(Link::default());
        let keeper = runtime.spawn(keeper::keep(endpoint, link.clone())).abort_handle();
        Ok(Self { link, keeper, entry_bytes: LONGEST_ENTRY })
    }

    /// Reads entries of answers that are so long, too.
    pub(crate) fn for_answers_of(mut self, answer_bytes: usize) -> Self {
        self.entry_bytes = LONGEST_ENTRY.max(2 * answer_bytes);
        self
    }

    /// What tells how it is doing.
    pub(crate) fn state(&self) -> StoreState {
        StoreState(Arc::clone(&self.link))
    }
}

impl StoreState {
    /// Whether there is a connection that works.
    pub(crate) fn is_up(&self) -> bool {
        self.0.connection().is_ok()
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl TokenStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        let mut connection = self.link.connection()?;
        let read = connection.get(&name(key), self.entry_bytes).await;
        Ok(read.inspect_err(|_| self.link.doubt())?)
    }

    async fn set(&self, key: &str, entry: Bytes, ttl: Duration) -> Result<(), BoxError> {
        let mut connection = self.link.connection()?;
        let written = connection.set(&name(key), &entry, ttl).await;
        Ok(written.inspect_err(|_| self.link.doubt())?)
    }
}

fn name(key: &str) -> String {
    [PREFIX, key].concat()
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoUrl => f.write_str("the store has no URL"),
            Self::Url { number, reason } => write!(f, "URL {number} of the store is none of Redis: {reason}"),
            Self::Insecure { number } => write!(
                f,
                "URL {number} of the store asks for certificates not to be checked; name the server's authority in ca_file"
            ),
            Self::AuthorityWithoutTls => {
                f.write_str("the store has a ca_file, but its URL does not ask for TLS: write rediss://")
            }
            Self::Authority(reason) => write!(f, "the store's ca_file cannot be used: {reason}"),
            Self::Cluster(reason) => write!(f, "the store's URLs do not make a cluster: {reason}"),
            Self::NoRuntime => f.write_str("a store needs a Tokio runtime to connect in"),
        }
    }
}

impl std::error::Error for StoreError {}

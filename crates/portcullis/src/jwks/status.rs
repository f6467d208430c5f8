//! How a key service is doing.

use std::time::Duration;

use crate::keys::{KeyWarning, SkippedKey};

/// How a [`JwksService`](crate::JwksService) is doing: for a readiness probe or a console.
///
/// # Example
///
/// ```
/// use portcullis::JwksService;
///
/// let status = JwksService::new("https://as.example.com/jwks")?.status();
/// assert_eq!(status.source.as_deref(), Some("https://as.example.com/jwks"));
/// assert!(status.keys.is_empty() && status.age.is_none(), "nothing was fetched yet");
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Default)]
pub struct JwksStatus {
    /// The endpoint or issuer, without credentials and query; none for local keys.
    pub source: Option<String>,
    /// The `kid` of each key in use.
    pub keys: Vec<Option<String>>,
    /// The keys of the set that are not used, and why.
    pub skipped: Vec<SkippedKey>,
    /// The oddities of keys that are used all the same.
    pub warnings: Vec<KeyWarning>,
    /// How long ago the set was fetched; none for local keys, or if there is no set.
    pub age: Option<Duration>,
    /// In what time it is fetched again; none for local keys.
    pub next_refresh: Option<Duration>,
    /// Failures since the last success.
    pub failures: u32,
    /// Why the last attempt failed, until one succeeds.
    pub last_error: Option<String>,
}

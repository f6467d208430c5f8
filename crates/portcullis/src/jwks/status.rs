//! The state of a key service.

use std::time::Duration;

use crate::keys::{KeyWarning, SkippedKey};

/// The state of a [`JwksService`](crate::JwksService): for a readiness probe or a console.
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
    /// The number of tenants in service, where each tenant of the issuer has keys of its own; `keys` and `age` are not told then.
    pub tenants: Option<usize>,
    /// The `kid` of each key in use.
    pub keys: Vec<Option<String>>,
    /// The unused keys of the set, with the reasons.
    pub skipped: Vec<SkippedKey>,
    /// The oddities of used keys.
    pub warnings: Vec<KeyWarning>,
    /// The time since the set was fetched; none for local keys, or without a set.
    pub age: Option<Duration>,
    /// The time until the set is fetched again; none for local keys.
    pub next_refresh: Option<Duration>,
    /// The number of failures since the last success.
    pub failures: u32,
    /// The reason why the last attempt failed; none after a success.
    pub last_error: Option<String>,
}

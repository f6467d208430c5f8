//! How an introspector is doing.

use std::time::Duration;

/// How an [`Introspector`](crate::Introspector) is doing: for a console.
///
/// # Example
///
/// ```
/// use portcullis::{ClientAuthentication, Introspector};
///
/// let client = ClientAuthentication::basic("my-api", "secret");
/// let status = Introspector::builder("https://as.example.com/introspect", client).build()?.status();
/// assert_eq!((status.failures, status.last_error), (0, None));
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Default)]
pub struct IntrospectorStatus {
    /// The endpoint, without credentials and query.
    pub endpoint: String,
    /// Failures since the last success: of the client that met most, or clients that met one, whichever are more.
    pub failures: u32,
    /// In what time it is asked again, if it is left alone after failures, whoever asks.
    pub retry_after: Option<Duration>,
    /// Why the last question failed, until one succeeds.
    pub last_error: Option<String>,
}

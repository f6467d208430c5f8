//! The state of an endpoint.

use std::time::Duration;

/// The state of the endpoint of an [`Introspector`](crate::Introspector) or [`Exchanger`](crate::Exchanger): for a console.
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
pub struct EndpointStatus {
    /// The endpoint, without credentials and query.
    pub endpoint: String,
    /// The number of failures since the last success: the most of one client, or the number of failing clients, whichever is
    /// larger.
    pub failures: u32,
    /// The time until questions are asked again; none without a pause for all clients.
    pub retry_after: Option<Duration>,
    /// The reason why the last question failed; none after a success.
    pub last_error: Option<String>,
}

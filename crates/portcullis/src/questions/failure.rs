//! The reason why a question has no answer.

use std::{fmt, time::Duration};

use http::StatusCode;

use crate::transport::{BodyTooLong, BoxError, with_causes};

/// The reason why there is no answer.
pub(crate) enum Failure {
    Timeout(Duration),
    Client(String),
    Status(StatusCode),
    /// The server does not know our credentials; `known_of_late` if it did a moment ago.
    Credentials {
        known_of_late: bool,
    },
    /// The server does not know our credentials, or the target of an exchange; `known_of_late` if it knew us a moment ago.
    CredentialsOrTarget {
        known_of_late: bool,
    },
    /// The server does not let us exchange tokens: its error code; `known_of_late` if it did a moment ago.
    Grant {
        error: &'static str,
        known_of_late: bool,
    },
    TooMany(Option<Duration>),
    Compressed,
    MediaType {
        expected: &'static str,
    },
    NotText,
    TooLarge {
        limit: usize,
    },
    NoAssertion,
    /// The issuer's metadata do not lead to the endpoint.
    Undiscovered(String),
}

impl Failure {
    pub(super) fn of_client(error: &BoxError) -> Self {
        match error.downcast_ref::<BodyTooLong>() {
            Some(BodyTooLong { limit }) => Self::TooLarge { limit: *limit },
            None => Self::Client(with_causes(error)),
        }
    }

    /// Tells whether any other token would have failed as well: only such failures count against the server.
    pub(super) fn is_the_servers(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Client(_) | Self::NoAssertion | Self::Undiscovered(_) => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::REQUEST_TIMEOUT,
            // If the server knew us a moment ago, the token may be the cause.
            Self::Credentials { known_of_late }
            | Self::CredentialsOrTarget { known_of_late }
            | Self::Grant { known_of_late, .. } => !known_of_late,
            // A 401 may be about our credentials or about the token. It is an answer all the same, and a quick one.
            Self::TooMany(_) | Self::Compressed | Self::MediaType { .. } | Self::NotText | Self::TooLarge { .. } => {
                false
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "no whole answer within {} s (`timeout`)", after.as_secs_f64()),
            Self::Client(error) => f.write_str(error),
            Self::Credentials { .. } => f.write_str(
                "expected status 200, got `invalid_client`: the server does not know this client by these credentials",
            ),
            Self::CredentialsOrTarget { .. } => f.write_str(
                "expected status 200, got `invalid_client`: the server does not know this client by these credentials, or knows \
                 no client by the name in `audience` (Keycloak)",
            ),
            Self::Grant { error, .. } => write!(
                f,
                "expected status 200, got `{error}`: the server does not let this client exchange tokens, so allow it there"
            ),
            Self::Status(StatusCode::UNAUTHORIZED) => f.write_str(
                "expected status 200, got 401 Unauthorized: the server does not know this client by these credentials, \
                 or it answers unknown tokens so",
            ),
            Self::Status(status) if status.is_redirection() => {
                write!(f, "expected status 200, got {status}: redirects are not followed, configure the final URL")
            }
            Self::TooMany(told) => {
                write!(f, "expected status 200, got 429 Too Many Requests")?;
                told.map_or(Ok(()), |told| write!(f, ", with a `Retry-After` of {} s", told.as_secs()))
            }
            Self::Compressed => f.write_str("expected an uncompressed answer, got a compressed one"),
            Self::Status(status) => write!(f, "expected status 200, got {status}"),
            Self::MediaType { expected } => write!(
                f,
                "expected an answer of the type {expected}, got another: configure the form that the server answers in"
            ),
            Self::NotText => f.write_str("expected an answer in UTF-8, got other bytes"),
            Self::TooLarge { limit } => {
                write!(f, "expected an answer of at most {limit} bytes (`max_answer_bytes`), got more")
            }
            Self::Undiscovered(why) => write!(f, "the endpoint is not known: {why}"),
            Self::NoAssertion => {
                f.write_str("the client's assertion could not be signed, or its credentials not encoded")
            }
        }
    }
}

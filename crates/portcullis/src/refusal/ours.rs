//! Blame: not the client. The keys could not be had, or the server is set up wrongly.

use std::{fmt, time::Duration};

/// Why there are no keys to judge a token with.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysFault {
    /// The key set cannot be had, and nothing usable is cached.
    Unavailable {
        /// When it is worth another try.
        retry_after: Duration,
    },
}

/// What is wrong with the server's own set-up.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationFault {
    /// An extractor stands behind no `Secure` layer.
    MissingLayer,
    /// The future was polled outside a tokio runtime, so no keys can be fetched.
    NoRuntime,
}

impl KeysFault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "keys_unavailable",
        }
    }
}

impl ConfigurationFault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::MissingLayer => "missing_layer",
            Self::NoRuntime => "no_runtime",
        }
    }
}

impl fmt::Display for KeysFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Unavailable { retry_after } = self;
        write!(f, "the issuer's keys cannot be had at the moment; next try in {} s", retry_after.as_secs())
    }
}

impl fmt::Display for ConfigurationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingLayer => "no Secure layer stands before this handler: add one to its route or router",
            Self::NoRuntime => "keys are fetched on a tokio runtime, and there is none here",
        })
    }
}

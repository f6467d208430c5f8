//! Blame: not the client. What is needed for a verdict could not be had, or the server is set up wrongly.

use std::{fmt, time::Duration};

/// What could not be had of the authorization server, so that nobody was judged.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnavailableFault {
    /// The key set cannot be had, and nothing usable is cached.
    Keys {
        /// The time at which it is worth another try.
        retry_after: Duration,
    },
    /// The key is unknown, and other unknown ids have used up the fetches that may be made to look for one.
    KeyFetches {
        /// The time at which it is worth another try.
        retry_after: Duration,
    },
    /// The introspection endpoint cannot be asked about an opaque token, or gave no answer that can be believed.
    Introspection {
        /// The time at which it is worth another try.
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

impl UnavailableFault {
    /// The time at which it is worth another try.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        let (Self::Keys { retry_after } | Self::KeyFetches { retry_after } | Self::Introspection { retry_after }) =
            self;
        retry_after
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Keys { .. } | Self::KeyFetches { .. } => "keys_unavailable",
            Self::Introspection { .. } => "introspection_unavailable",
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

impl fmt::Display for UnavailableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Keys { .. } => "the issuer's keys cannot be had",
            Self::KeyFetches { .. } => {
                "the key set has no key with the token's `kid`, and unknown ids have used up the fetches that look for new \
                 keys (5, and one more each 10 s): it cannot be told whether there is one"
            }
            Self::Introspection { .. } => "the issuer cannot be asked about the token",
        };
        write!(f, "{what} at the moment; next try in {} s", self.retry_after().as_secs())
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

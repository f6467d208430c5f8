//! Faults of servers: the authorization server is not available, or this server is misconfigured.

use std::{fmt, time::Duration};

/// The part of the authorization server that is not available, so that the token was not judged.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnavailableFault {
    /// The key set is not available, and no usable one is cached.
    Keys {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
    /// The key is unknown, and other unknown ids have used up the fetches that look for new keys.
    KeyFetches {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
    /// The keys of the tenant are unknown, and other unknown tenants have used up the fetches that look for new ones.
    TenantFetches {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
    /// The introspection endpoint cannot be asked about an opaque token, or its answer cannot be trusted.
    Introspection {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
    /// The shared store of used DPoP proofs cannot be asked, and is configured to be needed.
    ReplayStore {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
}

/// The mistake in this server's configuration.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationFault {
    /// An extractor is used without a `Secure` layer.
    MissingLayer,
    /// The future was polled outside a tokio runtime, so no keys can be fetched.
    NoRuntime,
}

impl UnavailableFault {
    /// The time to wait before the next try.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        let (Self::Keys { retry_after }
        | Self::KeyFetches { retry_after }
        | Self::TenantFetches { retry_after }
        | Self::Introspection { retry_after }
        | Self::ReplayStore { retry_after }) = self;
        retry_after
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Keys { .. } | Self::KeyFetches { .. } | Self::TenantFetches { .. } => "keys_unavailable",
            Self::Introspection { .. } => "introspection_unavailable",
            Self::ReplayStore { .. } => "replay_store_unavailable",
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
            Self::Keys { .. } => "the issuer's keys are not available",
            Self::KeyFetches { .. } => {
                "the key set has no key with the token's `kid`, and unknown ids have used up the fetches that look for new \
                 keys (5, and one more each 10 s): it cannot be told whether there is one"
            }
            Self::TenantFetches { .. } => {
                "the token is of an unknown tenant, and other unknown ones have used up the fetches that look for their keys (5, and \
                 one more each 10 s, unless `tenants` lists them): its keys cannot be looked up"
            }
            Self::Introspection { .. } => "the issuer cannot be asked about the token",
            Self::ReplayStore { .. } => "the shared store of used DPoP proofs cannot be asked",
        };
        write!(f, "{what} at the moment; next try in {} s", self.retry_after().as_secs())
    }
}

impl fmt::Display for ConfigurationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingLayer => {
                "expected a Secure layer before this handler, got none: add one to its route or router"
            }
            Self::NoRuntime => "expected a tokio runtime to fetch keys on, got none: run the server on tokio",
        })
    }
}

//! Faults of servers: the authorization server is not available, or this server is misconfigured.

use std::{fmt, time::Duration};

use super::CheckKind;

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
    /// The token exchange endpoint cannot be asked for a token of the upstream's.
    Exchange {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
    /// The token from the token exchange endpoint cannot be trusted, and is not handed on.
    ExchangeAnswer {
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigurationFault {
    /// An extractor is used without a `Secure` layer.
    MissingLayer,
    /// The future was polled outside a tokio runtime, so no keys can be fetched.
    NoRuntime,
    /// A handler asks for a token exchange by a name that no layer before it has.
    UnknownExchange {
        /// The names that the layer has.
        known: Vec<String>,
    },
    /// A rule of the layer is mistaken, so that no token can meet it.
    MistakenRule {
        /// The check that the rule asks for.
        check: CheckKind,
        /// The field of [`Rules`](crate::Rules), the expected value, the actual one, and the remedy.
        problem: String,
    },
}

impl UnavailableFault {
    /// The time to wait before the next try.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        let (Self::Keys { retry_after }
        | Self::KeyFetches { retry_after }
        | Self::TenantFetches { retry_after }
        | Self::Introspection { retry_after }
        | Self::Exchange { retry_after }
        | Self::ExchangeAnswer { retry_after }
        | Self::ReplayStore { retry_after }) = self;
        retry_after
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Keys { .. } | Self::KeyFetches { .. } | Self::TenantFetches { .. } => "keys_unavailable",
            Self::Introspection { .. } => "introspection_unavailable",
            Self::Exchange { .. } => "exchange_unavailable",
            Self::ExchangeAnswer { .. } => "exchange_unusable",
            Self::ReplayStore { .. } => "replay_store_unavailable",
        }
    }
}

impl ConfigurationFault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::MissingLayer => "missing_layer",
            Self::NoRuntime => "no_runtime",
            Self::UnknownExchange { .. } => "unknown_exchange",
            Self::MistakenRule { .. } => "mistaken_rule",
        }
    }

    pub(super) fn check(&self) -> CheckKind {
        match self {
            Self::MissingLayer | Self::NoRuntime => CheckKind::KeyFound,
            Self::UnknownExchange { .. } => CheckKind::Exchange,
            Self::MistakenRule { check, .. } => *check,
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
            Self::Exchange { .. } => "the authorization server cannot be asked for a token for the upstream",
            Self::ExchangeAnswer { .. } => "the authorization server's token for the upstream cannot be trusted",
            Self::ReplayStore { .. } => "the shared store of used DPoP proofs cannot be asked",
        };
        write!(f, "{what} at the moment; next try in {} s", self.retry_after().as_secs())
    }
}

impl fmt::Display for ConfigurationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLayer => {
                f.write_str("expected a Secure layer before this handler, got none: add one to its route or router")
            }
            Self::NoRuntime => {
                f.write_str("expected a tokio runtime to fetch keys on, got none: run the server on tokio")
            }
            Self::UnknownExchange { known } if known.is_empty() => {
                f.write_str("expected a layer with a token exchange, got one without: declare it by `Secure::exchange`")
            }
            Self::UnknownExchange { known } => {
                write!(f, "expected the name of a token exchange of the layer, one of {known:?}, got another")
            }
            Self::MistakenRule { problem, .. } => {
                write!(f, "expected rules that a token can meet, got a mistaken one: {problem}")
            }
        }
    }
}

//! The source of a key set.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use url::Url;

use super::metadata::IssuerMetadata;
use crate::{
    shown_url::shown,
    transport::{Destination, Reach},
};

/// The time for which a discovered URL is used.
const METADATA_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The source of a key set.
#[derive(Debug, Clone)]
pub(super) enum Endpoint {
    /// A URL from configuration.
    Fixed(Url),
    /// The `jwks_uri` of an issuer's metadata.
    Discovered(Issuer),
}

/// An authorization server by its issuer identifier: to the letter, and as a URL.
#[derive(Debug, Clone)]
pub(super) struct Issuer {
    pub(super) identifier: String,
    pub(super) url: Url,
}

/// A URL, with the allowed addresses and the permission to send credentials.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) url: Url,
    /// The allowed addresses; any for a configured URL.
    pub(crate) reach: Option<Reach>,
    /// True if the URL is configured, or of the same origin as a configured one: it may get credentials.
    pub(super) is_ours: bool,
}

/// The metadata of an issuer, and the addresses that they may lead to.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) metadata: Arc<IssuerMetadata>,
    pub(super) reach: Reach,
}

/// A discovered URL, and the time of its discovery.
#[derive(Debug, Clone)]
pub(super) struct Discovered {
    pub(super) keys: Place,
    pub(super) at: SystemTime,
    /// True once a later attempt than the one that discovered it has used it.
    pub(super) relied_on: bool,
}

impl Place {
    /// A URL from configuration.
    pub(crate) fn configured(url: Url) -> Self {
        Self { url, reach: None, is_ours: true }
    }
}

impl Endpoint {
    /// The server of the first request.
    pub(super) fn destination(&self) -> Destination {
        match self {
            Self::Fixed(url) => Destination::of(url),
            Self::Discovered(issuer) => Destination::of(&issuer.url),
        }
    }
}

impl Discovered {
    pub(super) fn is_current(&self, now: SystemTime) -> bool {
        now.duration_since(self.at).is_ok_and(|age| age < METADATA_AGE)
    }
}

/// The endpoint as logs name it: without credentials and query.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(url) => f.write_str(&shown(url)),
            Self::Discovered(issuer) => f.write_str(&shown(&issuer.url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    #[test]
    fn logs_show_neither_credentials_nor_query() {
        let url = Transport::Secure.url("https://user:secret@as.example.com/jwks?key=secret").unwrap();
        assert_eq!(Endpoint::Fixed(url).to_string(), "https://as.example.com/jwks");
    }
}

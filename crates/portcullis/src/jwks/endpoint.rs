//! Where a key set is fetched from.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use url::Url;

use crate::transport::{Reach, is_this_machine, shown};

/// How long a discovered URL is believed.
const METADATA_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a key set is fetched from.
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

/// A URL that is asked, and what may be told and trusted there.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) url: Url,
    /// The reach that it may have; any where it is from configuration.
    pub(super) reach: Option<Reach>,
    /// True if it is the operator's choice, or of the same origin: it may see credentials.
    pub(super) is_ours: bool,
}

/// A URL that was discovered, and when.
#[derive(Debug, Clone)]
pub(super) struct Discovered {
    pub(super) keys: Place,
    pub(super) at: SystemTime,
    /// Whether another attempt than the one that discovered it relies on it.
    pub(super) relied_on: bool,
}

impl Place {
    /// From configuration.
    pub(super) fn configured(url: Url) -> Self {
        Self { url, reach: None, is_ours: true }
    }
}

impl Endpoint {
    /// Whether it is fetched from this machine, past any proxy.
    pub(super) fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Fixed(url) => is_this_machine(url),
            Self::Discovered(issuer) => is_this_machine(&issuer.url),
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
    fn this_machine_is_asked_past_any_proxy() {
        for (url, expected) in
            [("http://localhost/", true), ("https://[::1]/", true), ("https://as.example.com/", false)]
        {
            assert_eq!(Endpoint::Fixed(Transport::Secure.url(url).unwrap()).is_on_this_machine(), expected, "{url}");
        }
    }

    #[test]
    fn logs_show_neither_credentials_nor_query() {
        let url = Transport::Secure.url("https://user:secret@as.example.com/jwks?key=secret").unwrap();
        assert_eq!(Endpoint::Fixed(url).to_string(), "https://as.example.com/jwks");
    }
}

//! Where a key set is fetched from.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use url::{Host, Url};

use crate::ConfigurationError;

/// How long a discovered URL is believed.
const METADATA_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Which URLs may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// https, and http to this machine.
    Secure,
    /// http to anywhere as well.
    AnyHttp,
}

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

/// A URL that was discovered, and when.
#[derive(Debug, Clone)]
pub(super) struct Discovered {
    pub(super) jwks_uri: Url,
    pub(super) at: SystemTime,
}

impl Transport {
    /// Reads a URL that may be fetched.
    pub(super) fn url(self, text: &str) -> Result<Url, ConfigurationError> {
        let url = Url::parse(text).map_err(|_| ConfigurationError::Url { url: text.to_owned() })?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self == Self::AnyHttp || is_this_machine(&url) => Ok(url),
            "http" => Err(ConfigurationError::InsecureUrl { url: shown(&url) }),
            _ => Err(ConfigurationError::Url { url: shown(&url) }),
        }
    }
}

#[cfg(feature = "reqwest")]
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

fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        let good = [
            "https://as.example.com/jwks",
            "http://localhost:1/jwks",
            "http://127.0.0.1/jwks",
            "http://127.1.2.3/jwks",
            "http://[::1]:80/jwks",
        ];
        let bad = [
            "http://as.example.com/jwks",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "as.example.com/jwks",
            "",
        ];
        for url in good {
            assert!(Transport::Secure.url(url).is_ok(), "{url}");
        }
        for url in bad {
            assert!(Transport::Secure.url(url).is_err(), "{url}");
        }
        assert!(Transport::AnyHttp.url("http://as.example.com/jwks").is_ok());
        assert!(Transport::AnyHttp.url("ftp://as.example.com/jwks").is_err());
    }

    #[cfg(feature = "reqwest")]
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

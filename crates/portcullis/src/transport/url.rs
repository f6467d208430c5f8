//! Which URLs may be asked, and how they are shown.

use url::{Host, Url};

use crate::ConfigurationError;

/// Which URLs may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// https, and http to this machine.
    Secure,
    /// http to anywhere as well.
    AnyHttp,
}

impl Transport {
    /// Reads a URL that may be asked.
    pub(crate) fn url(self, text: &str) -> Result<Url, ConfigurationError> {
        let url = Url::parse(text).map_err(|_| ConfigurationError::Url { url: text.to_owned() })?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self == Self::AnyHttp || is_this_machine(&url) => Ok(url),
            "http" => Err(ConfigurationError::InsecureUrl { url: shown(&url) }),
            _ => Err(ConfigurationError::Url { url: shown(&url) }),
        }
    }
}

/// The URL as logs name it: without credentials and query.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Whether the URL is of this machine, by its name or address.
pub(crate) fn is_this_machine(url: &Url) -> bool {
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
}

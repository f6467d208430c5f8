//! Allowed URLs.

use url::Url;

use crate::{configuration_error::ConfigurationError, loopback::is_this_machine, shown_url::without_secrets};

/// The URLs that requests may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// https, and http to this machine.
    Secure,
    /// http to any host as well.
    AnyHttp,
}

impl Transport {
    /// Reads an allowed URL.
    pub(crate) fn url(self, text: &str) -> Result<Url, ConfigurationError> {
        let url = Url::parse(text).map_err(|_| ConfigurationError::Url { url: without_secrets(text) })?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self == Self::AnyHttp || is_this_machine(&url) => Ok(url),
            "http" => Err(ConfigurationError::InsecureUrl { url: without_secrets(text) }),
            _ => Err(ConfigurationError::Url { url: without_secrets(text) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_url_is_told_without_what_may_be_secret() {
        let long = format!("{}…", "x".repeat(256));
        let table = [
            ("as.example.com/jwks", "as.example.com/jwks"),
            ("", ""),
            ("https://user:hunter2@host:port/jwks?key=hunter2", "https://host:port/jwks"),
            ("https://user:hunt@er2@host:port/#hunter2", "https://host:port/"),
            ("user:hunter2@host", "host"),
            ("ftp://user:hunter2@host/x?key=hunter2", "ftp://host/x"),
            ("\u{1b}[2J\nINFO\u{202e} all is well", "\u{fffd}[2J\u{fffd}INFO\u{fffd} all is well"),
            (&"x".repeat(1000), &long),
        ];
        for (text, expected) in table {
            let error = Transport::Secure.url(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("expected an absolute URL, such as https://as.example.com, got `{expected}`")
            );
        }
        let insecure = Transport::Secure.url("http://user:hunter2@as.example.com?key=hunter2").unwrap_err();
        assert!(insecure.to_string().contains("got `http://as.example.com`"), "{insecure}");
        let endless = format!("http://as.example.com/{}", "x".repeat(100_000));
        assert!(Transport::Secure.url(&endless).unwrap_err().to_string().len() < 600);
    }

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

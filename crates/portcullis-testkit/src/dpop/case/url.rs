//! Cases of `htu`.

use super::scene::{DpopAttempt, Scene};
use crate::dpop::proof::without_query;

/// The parts of a URL without query and fragment.
pub(super) struct Parts<'a> {
    scheme: &'a str,
    /// The host, with a port or without.
    authority: &'a str,
    /// The path, `/` at least.
    path: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let (scheme, rest) = without_query(url).split_once("://").unwrap_or(("https", "api.example.com/"));
        let path_at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        Self { scheme, authority, path: if path.is_empty() { "/" } else { path } }
    }

    pub(super) fn in_upper_case_scheme(&self) -> String {
        let Self { scheme, authority, path } = self;
        format!("{}://{authority}{path}", scheme.to_ascii_uppercase())
    }

    fn with_authority(&self, authority: &str) -> String {
        format!("{}://{authority}{}", self.scheme, self.path)
    }

    fn with_path(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }

    /// The host and the port with its colon, which may be empty.
    fn host_and_port(&self) -> (&'a str, &'a str) {
        // The colons of an IPv6 address are in brackets.
        let host_end = self.authority.rfind(']').unwrap_or_default();
        let port_at = self.authority.rfind(':').filter(|at| *at >= host_end);
        self.authority.split_at(port_at.unwrap_or(self.authority.len()))
    }

    /// The URL with this port, if it has none.
    fn with_implied_port(&self, port: &str) -> String {
        match self.host_and_port() {
            (host, "") => self.with_authority(&format!("{host}:{port}")),
            _ => self.with_authority(self.authority),
        }
    }

    fn default_port(&self) -> &'static str {
        if self.scheme.eq_ignore_ascii_case("http") { "80" } else { "443" }
    }
}

/// A request whose `htu` is this text, made of the URL's parts.
fn htu(scene: &Scene<'_>, text: impl FnOnce(&Parts<'_>) -> String) -> DpopAttempt {
    scene.with(|proof| proof.claim("htu", text(&Parts::of(scene.url))))
}

pub(super) fn missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("htu"))
}

pub(super) fn list(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.claim("htu", vec![without_query(scene.url)]))
}

pub(super) fn empty(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |_| String::new())
}

pub(super) fn relative(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.path.to_owned())
}

pub(super) fn with_query(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("{}?page=2&next=/a/../b", url.path)))
}

pub(super) fn with_fragment(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("{}#part", url.path)))
}

pub(super) fn upper_case_scheme(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.in_upper_case_scheme())
}

pub(super) fn upper_case_host(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_authority(&url.authority.to_ascii_uppercase()))
}

pub(super) fn default_port(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_implied_port(url.default_port()))
}

pub(super) fn empty_port(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_implied_port(""))
}

pub(super) fn percent_encoded(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| {
        let letter = url.path.chars().find(char::is_ascii_alphanumeric);
        let encode = |letter: char| url.path.replacen(letter, &format!("%{:02x}", u32::from(letter)), 1);
        url.with_path(&letter.map_or_else(|| url.path.to_owned(), encode))
    })
}

pub(super) fn dot_segments(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("/./other/..{}", url.path)))
}

pub(super) fn other_host(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_authority(&format!("attacker.example{}", url.host_and_port().1)))
}

pub(super) fn host_prefix(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| {
        let (host, port) = url.host_and_port();
        url.with_authority(&format!("{host}.attacker.example{port}"))
    })
}

pub(super) fn other_scheme(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| {
        let other = if url.scheme.eq_ignore_ascii_case("http") { "https" } else { "http" };
        format!("{other}://{}{}", url.authority, url.path)
    })
}

pub(super) fn other_port(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_authority(&format!("{}:1", url.host_and_port().0)))
}

pub(super) fn other_path(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path("/another/path"))
}

pub(super) fn trailing_slash(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("{}/", url.path)))
}

pub(super) fn encoded_slash(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("/other/..%2F{}", url.path.trim_start_matches('/'))))
}

pub(super) fn user_is_host(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_authority(&format!("{}@attacker.example", url.authority)))
}

pub(super) fn userinfo(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_authority(&format!("user@{}", url.authority)))
}

pub(super) fn backslashes(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&url.path.replace('/', "\\")))
}

pub(super) fn spaces(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| format!(" {} ", url.with_path(url.path)))
}

pub(super) fn tab(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| url.with_path(&format!("{}\t", url.path)))
}

pub(super) fn one_slash(scene: &Scene<'_>) -> DpopAttempt {
    htu(scene, |url| format!("{}:/{}{}", url.scheme, url.authority, url.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_its_parts() {
        let table = [
            ("https://api.example.com/notes?page=2", "https", "api.example.com", "", "/notes"),
            ("http://127.0.0.1:8080#top", "http", "127.0.0.1", ":8080", "/"),
            ("https://[::1]/a/b", "https", "[::1]", "", "/a/b"),
            ("https://[::1]:8443/a", "https", "[::1]", ":8443", "/a"),
        ];
        for (url, scheme, host, port, path) in table {
            let parts = Parts::of(url);
            assert_eq!((parts.scheme, parts.host_and_port(), parts.path), (scheme, (host, port), path), "{url}");
        }
    }
}

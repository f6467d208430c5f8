//! The URL of a request as its client used it: [`RequestUrl`], which `htu` has to name (RFC 9449 section 4.3).
//!
//! Two URLs are the same if they are after the normalisation of RFC 3986 sections 6.2.2 and 6.2.3: the case of scheme, host
//! and percent-encodings, encoded unreserved characters, dot segments, the default port, the empty path. A text that is no
//! URI is refused and never repaired, as browsers do.

use fluent_uri::Uri;

/// The schemes of HTTP (RFC 9110 section 4.2).
const SCHEMES: [&str; 2] = ["http", "https"];

/// A http or https URL, normalised, without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestUrl(String);

impl RequestUrl {
    /// Makes the URL of a request from its parts: the authority is a `Host` field's value, the path begins with `/` and may have a
    /// query.
    ///
    /// None if they do not make a URL.
    pub(crate) fn new(scheme: &str, authority: &str, path: &str) -> Option<Self> {
        // A delimiter would make a part of one component a part of the next one.
        if !is_http(scheme) || authority.contains(['/', '?', '#']) || !path.starts_with('/') || path.contains('#') {
            return None;
        }
        Self::parse(&[scheme, "://", authority, path].concat())
    }

    /// Reads an absolute http or https URL without userinfo; query and fragment do not count.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let uri = Uri::parse(url).ok()?;
        let authority = uri.authority()?;
        if !is_http(uri.scheme().as_str()) || authority.has_userinfo() || authority.host().is_empty() {
            return None;
        }
        let normal = uri.normalize();
        let path = if normal.path().is_empty() { "/" } else { normal.path().as_str() };
        let authority = normal.authority()?;
        Some(Self([normal.scheme().as_str(), "://", authority.as_str(), path].concat()))
    }

    /// Tells whether `htu` names this URL.
    pub(super) fn is_named_by(&self, htu: &str) -> bool {
        // Nearly always the two are the same to the letter.
        self.0 == htu || Self::parse(htu).is_some_and(|named| named == *self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_http(scheme: &str) -> bool {
    SCHEMES.iter().any(|http| http.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn normal(url: &str) -> Option<String> {
        RequestUrl::parse(url).map(|url| url.0)
    }

    #[test]
    fn a_url_is_normalised_and_never_repaired() {
        for (url, expected) in [
            ("https://api.example.com/orders", Some("https://api.example.com/orders")),
            ("https://api.example.com", Some("https://api.example.com/")),
            ("https://api.example.com?a=b", Some("https://api.example.com/")),
            ("HTTPS://API.Example.COM/Orders", Some("https://api.example.com/Orders")),
            ("https://api.example.com:443/", Some("https://api.example.com/")),
            ("https://api.example.com:/", Some("https://api.example.com/")),
            ("https://api.example.com:80/", Some("https://api.example.com:80/")),
            ("http://api.example.com:80/", Some("http://api.example.com/")),
            ("http://api.example.com:8443/", Some("http://api.example.com:8443/")),
            ("https://api.example.com/a?b=c#d", Some("https://api.example.com/a")),
            ("https://api.example.com/a#d?b", Some("https://api.example.com/a")),
            ("https://api.example.com/%7Ea%41%2d", Some("https://api.example.com/~aA-")),
            ("https://%61pi.example.com/", Some("https://api.example.com/")),
            ("https://api.example.com/%2f%3a%c3%a9", Some("https://api.example.com/%2F%3A%C3%A9")),
            ("https://api.example.com/a/./b/../c", Some("https://api.example.com/a/c")),
            ("https://api.example.com/a/%2e%2E/%2e/c", Some("https://api.example.com/c")),
            ("https://api.example.com/../../a", Some("https://api.example.com/a")),
            ("https://api.example.com/a/..", Some("https://api.example.com/")),
            // Empty segments count, and so does a slash at the end.
            ("https://api.example.com//a//b/", Some("https://api.example.com//a//b/")),
            ("https://api.example.com/!$&'()*+,;=:@", Some("https://api.example.com/!$&'()*+,;=:@")),
            ("https://[2001:DB8::0:1]:443/", Some("https://[2001:db8::1]/")),
            ("http://127.0.0.1:3000/a", Some("http://127.0.0.1:3000/a")),
            // Another scheme, a relative reference, no host.
            ("", None),
            ("/orders", None),
            ("//api.example.com/orders", None),
            ("api.example.com/orders", None),
            ("https:/orders", None),
            ("https:orders", None),
            ("https:///orders", None),
            ("https://:443/orders", None),
            ("ftp://api.example.com/", None),
            ("wss://api.example.com/", None),
            ("urn:example:a", None),
            // Userinfo.
            ("https://user@api.example.com/", None),
            ("https://user:secret@api.example.com/", None),
            ("https://@api.example.com/", None),
            // What a browser would repair.
            (" https://api.example.com/", None),
            ("https://api.example.com/ ", None),
            ("https://api.example.com/a b", None),
            ("https://api.example.com/a?b c", None),
            ("https://api.example.com/a#b c", None),
            ("https://api.example.com\\a", None),
            ("https:\\\\api.example.com\\a", None),
            ("https://api.example.com/a\tb", None),
            ("ht\ntps://api.example.com/", None),
            ("https://api.example.com/%", None),
            ("https://api.example.com/%4", None),
            ("https://api.example.com/%4x", None),
            ("https://api.example.com/é", None),
            ("https://bücher.example/", None),
            ("https://api.example.com/<a>", None),
            ("https://api.example.com/{id}", None),
            ("https://api.example.com/a|b", None),
            ("https://api.example.com/\"a\"", None),
            ("https://api.example.com:port/", None),
            ("https://[::1/", None),
            ("https://[fe80::1%25eth0]/", None),
            ("https://a, https://b", None),
        ] {
            assert_eq!(normal(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn the_parts_of_a_request_make_one_url_or_none() {
        for (scheme, authority, path, expected) in [
            ("https", "api.example.com", "/a?b=c", Some("https://api.example.com/a")),
            ("https", "API.example.com:443", "/./a", Some("https://api.example.com/a")),
            ("http", "[::1]:3000", "/", Some("http://[::1]:3000/")),
            ("https", "api.example.com", "//evil.example/a", Some("https://api.example.com//evil.example/a")),
            ("https", "api.example.com", "/a#b", None),
            ("https", "api.example.com", "a", None),
            ("https", "api.example.com", "", None),
            ("https", "api.example.com", "*", None),
            ("https", "api.example.com", "@evil.example/", None),
            ("https", "", "/a", None),
            ("https", "api.example.com/a", "/b", None),
            ("https", "api.example.com?", "/b", None),
            ("https", "api.example.com#", "/b", None),
            ("https", "user@api.example.com", "/b", None),
            ("https", "api.example.com, evil.example", "/b", None),
            ("https", "api.example.com ", "/b", None),
            ("https", "api.example.com:x", "/b", None),
            ("", "api.example.com", "/b", None),
            ("https://evil.example", "api.example.com", "/b", None),
            ("javascript", "api.example.com", "/b", None),
        ] {
            let url = RequestUrl::new(scheme, authority, path).map(|url| url.0);
            assert_eq!(url.as_deref(), expected, "{scheme} {authority} {path}");
        }
    }

    const PLAIN: &str = "https://[a-z][a-z0-9-]{0,9}(\\.[a-z]{2,5})?(:[1-9][0-9]{3})?(/([a-zA-Z0-9_~!$&'()*+,;=:@-]|%2F|%C3){1,8}){1,4}/?";

    /// Writes the same URL in another way, by choices for each character.
    fn respelled(url: &str, choices: &[u8]) -> String {
        let mut spelled = String::new();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        let mut choices = choices.iter().copied().cycle();
        let mut choose = move |of: u8| choices.next().is_some_and(|choice| choice % of == 0);
        let mut recased = |text: &str| -> String {
            text.chars().map(|letter| if choose(2) { letter.to_ascii_uppercase() } else { letter }).collect()
        };
        spelled.push_str(&recased(scheme));
        spelled.push_str("://");
        spelled.push_str(&recased(authority));
        if !authority.contains(':') && recased("a") == "A" {
            spelled.push_str(if recased("a") == "A" { ":443" } else { ":" });
        }
        let mut rest = path;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '/' if recased("a") == "A" => spelled.push_str(if recased("a") == "A" { "/./" } else { "/x/%2e%2E/" }),
                '%' => {
                    spelled.push('%');
                    spelled.push_str(&recased(&rest[..2]).replace('c', "C"));
                    rest = &rest[2..];
                }
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '~' if recased("a") == "A" => {
                    spelled.push_str(&recased(&format!("%{:02x}", character as u8)));
                }
                character => spelled.push(character),
            }
        }
        spelled
    }

    proptest! {
        #[test]
        fn each_way_to_write_a_url_names_it(url in PLAIN, choices in prop::collection::vec(any::<u8>(), 1..300)) {
            let wanted = RequestUrl::parse(&url).unwrap();
            prop_assert_eq!(wanted.as_str(), &url, "plain URLs are normal");
            let other = respelled(&url, &choices);
            prop_assert!(wanted.is_named_by(&other), "{}", other);
            for more in ["?a=%20b/c", "#d", "?", "#"] {
                let other = format!("{other}{more}");
                prop_assert!(wanted.is_named_by(&other), "{}", other);
            }
        }

        #[test]
        fn another_url_never_names_it(url in PLAIN, at in any::<prop::sample::Index>(), with in select(b"abAB09/-_~:.%@".to_vec())) {
            let mut other = url.clone().into_bytes();
            let at = at.index(other.len());
            other[at] = with;
            let other = String::from_utf8(other).unwrap();
            let is_named = RequestUrl::parse(&url).unwrap().is_named_by(&other);
            // A second reader: browsers' URLs, which leave encodings of unreserved characters as they are.
            let same = url::Url::parse(&url).ok() == url::Url::parse(&other).ok();
            prop_assert!(!is_named || same, "{} and {}", url, other);
        }

        #[test]
        fn a_normal_url_is_a_url_and_stays_as_it_is(url in "(https?://)?\\PC{0,30}|https://[ -~]{0,40}") {
            if let Some(normal) = RequestUrl::parse(&url) {
                prop_assert_eq!(RequestUrl::parse(normal.as_str()), Some(normal.clone()));
                prop_assert!(normal.is_named_by(&url));
            }
        }
    }
}

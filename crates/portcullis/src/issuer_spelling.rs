//! Issuers that are spelled in another way: they are compared to the letter (RFC 7519 section 4.1.1). URLs that are given for them.

/// The difference in spelling alone between two issuers, which counts; none if they are the same, or differ in more.
pub(crate) fn difference(expected: &str, actual: &str) -> Option<&'static str> {
    if expected == actual {
        return None;
    }
    if expected.trim() == actual.trim() {
        return Some("white space, which counts");
    }
    if expected.trim_end_matches('/') == actual.trim_end_matches('/') {
        return Some("a slash at its end, which counts");
    }
    if without_scheme(expected) == without_scheme(actual) {
        return Some("`http`, `https` or no scheme, which counts");
    }
    if loopback(expected).is_some_and(|rest| loopback(actual) == Some(rest)) {
        return Some("the name of this machine (`localhost`, `127.0.0.1`), which counts");
    }
    if expected.eq_ignore_ascii_case(actual) {
        return Some("upper and lower case, which counts");
    }
    None
}

/// The likely issuer, if a text is the URL of its metadata or keys: these have a segment `.well-known` (RFC 8615), and no issuer has.
///
/// It stands at the end of the issuer (OpenID Connect Discovery section 4), or between its host and path (RFC 8414 section 3).
pub(crate) fn issuer_of_document(text: &str) -> Option<String> {
    let url = text.split(['?', '#']).next().unwrap_or_default();
    let (before, after) = url.split_once("/.well-known")?;
    if after.is_empty() {
        return Some(before.to_owned());
    }
    let path = after.strip_prefix('/')?.split_once('/').map_or("", |(_, path)| path);
    let slash = if path.is_empty() { "" } else { "/" };
    Some([before, slash, path].concat())
}

fn without_scheme(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, rest)| rest)
}

/// The rest of an issuer that is on this machine, behind the host.
fn loopback(issuer: &str) -> Option<&str> {
    let (_, rest) = issuer.split_once("://")?;
    let rest = ["localhost", "127.0.0.1", "[::1]"].into_iter().find_map(|host| rest.strip_prefix(host))?;
    (rest.is_empty() || rest.starts_with([':', '/'])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_in_spelling_is_named_and_no_other() {
        let configured = "https://as.example/realms/a";
        let table = [
            ("https://as.example/realms/a", None),
            ("https://as.example/realms/a/", Some("slash")),
            ("http://as.example/realms/a", Some("http")),
            ("as.example/realms/a", Some("no scheme")),
            ("https://as.example/Realms/a", Some("case")),
            (" https://as.example/realms/a", Some("white space")),
            ("https://as.example/realms/b", None),
            ("https://other.example/realms/a", None),
            ("", None),
        ];
        for (actual, expected) in table {
            let found = difference(configured, actual);
            assert_eq!(found.is_some(), expected.is_some(), "{actual:?}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{actual:?}: {found:?}");
        }
        assert!(
            difference("http://localhost:1/a", "http://127.0.0.1:1/a").is_some_and(|found| found.contains("localhost"))
        );
    }
    #[test]
    fn the_url_of_a_document_is_told_from_an_issuer() {
        let issuer = Some("https://as.example");
        let of_realm = Some("https://as.example/realms/a");
        for (text, expected) in [
            ("https://as.example/.well-known/openid-configuration", issuer),
            ("https://as.example/.well-known/oauth-authorization-server", issuer),
            ("https://as.example/.well-known/jwks.json?a=b", issuer),
            ("https://as.example/.well-known", issuer),
            ("https://as.example/.well-known/", issuer),
            ("https://as.example/realms/a/.well-known/openid-configuration", of_realm),
            ("https://as.example/.well-known/oauth-authorization-server/realms/a", of_realm),
            ("https://as.example/{t}/.well-known/openid-configuration", Some("https://as.example/{t}")),
            ("https://as.example/.well-knowns/a", None),
            ("https://as.example/well-known/a", None),
            ("https://as.example/?a=/.well-known/a", None),
            ("https://as.example", None),
            ("", None),
        ] {
            assert_eq!(issuer_of_document(text).as_deref(), expected, "{text}");
        }
    }
}

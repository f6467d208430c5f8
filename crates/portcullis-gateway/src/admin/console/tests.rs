//! Who may ask for the console.
#![allow(clippy::unwrap_used, reason = "a test that fails says so")]

use super::*;

#[test]
fn a_name_of_somebody_else_is_no_way_to_the_console() {
    for (host, allowed) in [
        ("127.0.0.1:9081", true),
        ("[::1]:9081", true),
        ("localhost:9081", true),
        ("LOCALHOST", true),
        ("10.1.2.3", true),
        ("evil.example", false),
        ("127.0.0.1.evil.example:9081", false),
        ("localhost.evil.example", false),
        ("", false),
        ("user@127.0.0.1", true),
    ] {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        assert_eq!(is_asked_by_address(&headers, &Uri::from_static("/console")), allowed, "{host}");
        assert!(!is_asked_by_address(&headers, &"http://evil.example/console".parse().unwrap()), "{host}");
    }
    assert!(!is_asked_by_address(&HeaderMap::new(), &Uri::from_static("/console")));
}

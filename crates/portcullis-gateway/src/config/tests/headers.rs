//! `[[headers]]`: each kind of field, and each mistake on its line.

use super::*;

#[test]
fn each_kind_of_field_is_read() {
    let list = |separator: &str| Notation::List { separator: separator.into() };
    let claim = |notation| HeaderSource::Claim { claim: "sub".into(), notation };
    for (keys, expected) in [
        ("claim = \"sub\"", claim(Notation::Plain)),
        ("claim = \"sub\"\njson = true", claim(Notation::Json)),
        ("claim = \"sub\"\njson = false", claim(Notation::Plain)),
        ("claim = \"sub\"\nseparator = \",\"", claim(list(","))),
        ("claims = true", HeaderSource::Claims),
        ("scope = true", HeaderSource::Scope { separator: " ".into() }),
        ("scope = true\nseparator = \", \"", HeaderSource::Scope { separator: ", ".into() }),
        ("value = \"by portcullis\"", HeaderSource::Text(HeaderValue::from_static("by portcullis"))),
        ("anonymous = \"yes\"", HeaderSource::Nothing),
    ] {
        let config = good(&format!("{ISSUER}[[headers]]\nname = \"X\"\n{keys}"));
        assert_eq!(config.headers[0].source, expected, "{keys}");
        assert_eq!(config.headers[0].anonymous.is_some(), keys.starts_with("anonymous"), "{keys}");
    }
}

#[test]
fn a_mistake_in_a_field_is_shown_on_its_line() {
    for (keys, line, words) in [
        ("", 3, "`claims = true` for all of them"),
        ("claim = \"sub\"\nclaims = true", 6, "got several"),
        ("claim = \"sub\"\nvalue = \"a\"", 6, "got several"),
        ("claims = false", 5, "leave the key out"),
        ("claims = [\"sub\"]", 5, "`true` or `false`"),
        ("scope = \"read\"", 5, "`true` or `false`"),
        ("value = \"\"", 5, "got an empty one"),
        ("value = \" a\"", 5, "without spaces at its ends"),
        ("value = \"a\\r\\nb\"", 5, "visible ASCII"),
        ("value = \"\u{e9}\"", 5, "visible ASCII"),
        ("anonymous = \"a\\tb\"", 5, "visible ASCII"),
        ("claims = true\njson = true", 6, "expected no `json`"),
        ("value = \"a\"\nseparator = \",\"", 6, "expected no `separator`"),
        ("claim = \"sub\"\njson = true\nseparator = \",\"", 7, "got both"),
        ("claim = \"sub\"\nseparator = \"and\"", 6, "expected a separator"),
        ("claim = \"sub\"\nseparator = \"\"", 6, "got an empty one"),
        ("claim = \"sub\"\nseparator = \"\\n\"", 6, "expected a separator"),
    ] {
        let found = mistakes(&format!("{ISSUER}[[headers]]\nname = \"X\"\n{keys}"));
        assert!(matches!(&found[..], [(at, told)] if *at == line && told.contains(words)), "{keys}: {found:?}");
    }
}

#[test]
fn no_claim_is_told_in_a_field_by_which_requests_are_described() {
    for name in
        ["Cookie", "DPoP", "Origin", "Forwarded", "X-Forwarded-Uri", "X_Forwarded_Host", "X-Original-URL", "Mcp-Name"]
    {
        let found = mistakes(&format!("{ISSUER}[[headers]]\nname = \"{name}\"\nclaim = \"sub\""));
        assert!(matches!(&found[..], [(4, told)] if told.contains("described or judged")), "{name}: {found:?}");
    }
    for name in ["X-Forwarded-User", "X-Auth-Cookie"] {
        good(&format!("{ISSUER}[[headers]]\nname = \"{name}\"\nclaim = \"sub\""));
    }
}

#[test]
fn the_token_is_forwarded_unless_a_line_says_no() {
    let route = |lines: &str| format!("[[routes]]\npath = \"/a\"\n{lines}\n");
    for (top, route_keys, expected) in [
        ("", "", true),
        ("", "forward_authorization = false", false),
        ("forward_authorization = false\n", "", false),
        ("forward_authorization = false\n", "forward_authorization = true", true),
        ("forward_authorization = false\n", "public = true", false),
    ] {
        let config = good(&format!("{top}{ISSUER}{}", route(route_keys)));
        assert_eq!(config.routes[0].forward_authorization, expected, "{top}{route_keys}");
    }
    let found = mistakes(&format!("{ISSUER}{}", route("forward_authorization = \"no\"")));
    assert!(matches!(&found[..], [(5, told)] if told.contains("`true` or `false`")), "{found:?}");
}

//! Variables, and the keys of issuers about fetching and names.

use portcullis::ClaimRule;

use super::*;

#[test]
fn variables_stand_in_any_text() {
    // Cargo sets these two for tests.
    let version = env!("CARGO_PKG_VERSION");
    let text = "[[issuers]]\nissuer = \"https://as.example.com/${CARGO_PKG_VERSION}\"\naudience = [\"a-${CARGO_PKG_NAME}\"]\n\
                [[routes]]\npath = \"/a\"\nrealm = \"$${plain}\"\nclaims = [{ name = \"n\", value = \"${CARGO_PKG_NAME}\" }]";
    let config = good(text);
    assert_eq!(config.issuers[0].name, format!("https://as.example.com/{version}"));
    assert_eq!(config.issuers[0].rules.audience, ["a-portcullis-gateway"]);
    assert_eq!(config.routes[0].rules.realm.as_deref(), Some("${plain}"));
    assert_eq!(config.routes[0].rules.claims[0].value, Some("portcullis-gateway".into()));
}

#[test]
fn a_variable_that_is_not_there_is_shown_on_its_line_and_nothing_else_is() {
    for (value, words) in [
        ("${PORTCULLIS_TEST_NOT_SET}", "set `PORTCULLIS_TEST_NOT_SET`"),
        ("https://${PORTCULLIS_TEST_NOT_SET}/${CARGO_PKG_NAME}", "set `PORTCULLIS_TEST_NOT_SET`"),
        ("${}", "the name of a variable"),
        ("${ISSUER", "the name of a variable"),
        ("${ISSUER:-https://as.example.com}", "`$${` stands for `${`"),
    ] {
        let found = mistakes(&format!("unknown = 1\n[[issuers]]\nissuer = \"{value}\""));
        assert!(matches!(&found[..], [(3, told)] if told.contains(words)), "{value}: {found:?}");
    }
}

#[test]
fn the_keys_about_fetching_are_read_and_their_values_stay_hidden() {
    let config = good(&format!(
        "{ISSUER}max_age = \"1m\"\nmax_stale = \"0s\"\nrequest_fields = {{ \"X-Api-Key\" = \"hush-hush\", via = \"me\" }}"
    ));
    let fetching = &config.issuers[0].fetching;
    assert_eq!((fetching.max_age, fetching.max_stale), (Some(Duration::from_mins(1)), Some(Duration::ZERO)));
    let names: Vec<_> = fetching.request_fields.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
    assert_eq!(names, [("X-Api-Key", "hush-hush"), ("via", "me")]);
    assert!(!format!("{config:?}").contains("hush"));
    for (line, words) in [
        ("max_age = \"0s\"", "longer than zero"),
        ("max_stale = 5", "unit"),
        ("request_fields = \"X-Api-Key: hush\"", "write a table"),
        ("request_fields = { \"X Api\" = \"hush\" }", "the name of a header field"),
        ("request_fields = { \"X-Api\" = \"hush\\n\" }", "a value for a header field"),
        ("request_fields = { \"X-Api\" = 5 }", "expected a text"),
        (
            "jwks_file = \"keys.json\"\nmax_stale = \"1h\"\nalgorithms = [\"HS256\"]",
            "expected no `max_stale` with `jwks_file`",
        ),
    ] {
        let text = format!("{ISSUER}{line}");
        let found = mistakes(&text);
        assert!(matches!(&found[..], [(_, told)] if told.contains(words)), "{line}: {found:?}");
        assert!(!graphical(&read(&text).unwrap_err()).contains("hush"), "{line}");
    }
}

#[test]
fn an_issuer_without_a_name_needs_its_keys_and_has_no_other_beside_it() {
    let any = "dangerously_accept_any_issuer = true\n";
    let config = good(&format!("[[issuers]]\n{any}jwks_uri = \"https://as.example.com/jwks\"\naudience = \"a\""));
    assert_eq!((config.issuers[0].name.as_str(), &config.issuers[0].rules.issuer), ("any", &None));
    let keys = "jwks_uri = \"https://as.example.com/jwks\"\n";
    for (tables, line, words) in [
        (format!("[[issuers]]\n{any}"), 1, "`jwks_uri` or `jwks_file`"),
        (format!("[[issuers]]\n{any}{keys}issuer = \"https://as.example.com\""), 4, "expected no `issuer`"),
        (format!("[[issuers]]\n{any}{keys}trust_domain = \"example.org\""), 4, "expected no `trust_domain`"),
        (format!("[[issuers]]\n{any}{keys}audience = \"a\"\nrfc9068 = true"), 5, "expected no `rfc9068`"),
        (format!("[[issuers]]\n{any}{keys}{ISSUER}"), 2, "no other issuer beside"),
        (format!("[[issuers]]\ndangerously_accept_any_issuer = false\n{keys}"), 1, "`issuer` in this table"),
        (
            format!("[[issuers]]\ndangerously_accept_any_issuer = 1\n{keys}issuer = \"https://a\""),
            2,
            "`true` or `false`",
        ),
    ] {
        let found = mistakes(&tables);
        assert!(matches!(&found[..], [(at, told)] if *at == line && told.contains(words)), "{tables}: {found:?}");
    }
}

#[test]
fn jwts_may_be_introspected_too() {
    let with = |tokens: &str| {
        let keys = "endpoint = \"https://as.example.com/introspect\", authentication = \"none\"";
        format!("{ISSUER}introspection = {{ {keys}{tokens} }}")
    };
    for (tokens, expected) in [
        ("", IntrospectedTokens::Opaque),
        (", introspect = \"opaque\"", IntrospectedTokens::Opaque),
        (", introspect = \"all\"", IntrospectedTokens::All),
        (
            ", introspect = [{ name = \"sub\", absent = true }, { name = \"jti\", matches = \"trlt*\" }]",
            IntrospectedTokens::JwtsToo(vec![ClaimRule::absent("sub"), ClaimRule::matches("jti", "trlt*")]),
        ),
    ] {
        assert_eq!(good(&with(tokens)).issuers[0].introspection.clone().unwrap().tokens, expected);
    }
    for (tokens, words) in [
        (", introspect = \"al\"", "expected \"opaque\" or \"all\", got \"al\""),
        (
            ", introspect = true",
            "expected \"opaque\", \"all\", or an array of rules for the claims of JWTs, got a boolean",
        ),
        (", introspect = []", "expected something in `introspect`"),
        (", introspect = [\"sub\"]", "expected a table, got a text"),
        (", introspect = [{ absent = true }]", "expected `name`"),
        (", introspect = [{ name = \"sub\", absent = true, value = \"a\" }]", "expected at most one of"),
        (", introspect = [{ name = \"sub\", missing = true }]", "missing"),
    ] {
        let found = mistakes(&with(tokens));
        assert!(matches!(&found[..], [(3, told), ..] if told.contains(words)), "{tokens}: {found:?}");
    }
}

#[test]
fn introspection_may_need_no_credentials() {
    let with = |keys: &str| {
        format!(
            "{ISSUER}introspection = {{ endpoint = \"https://as.example.com/introspect\", authentication = \"none\"{keys} }}"
        )
    };
    let introspection = good(&with("")).issuers[0].introspection.clone().unwrap();
    assert_eq!((introspection.client, introspection.client_id.as_str()), (Client::None, ""));
    for (keys, words) in [
        (", client_id = \"c\"", "expected no `client_id`"),
        (", client_secret_file = \"secret\"", "leave `client_secret_file` out"),
    ] {
        let found = mistakes(&with(keys));
        assert!(matches!(&found[..], [(3, told)] if told.contains(words)), "{keys}: {found:?}");
    }
}

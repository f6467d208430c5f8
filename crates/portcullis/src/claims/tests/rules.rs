//! Issuer rules as data: their forms and errors.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    algorithm::Algorithm,
    claims::{IssuerRules, TokenCacheRules},
    configuration_error::ConfigurationError,
    token::Types,
};

fn read(rules: Value) -> Result<IssuerRules, String> {
    serde_json::from_value(rules).map_err(|error| error.to_string())
}

#[test]
fn rules_are_read_as_they_are_written() {
    let full = IssuerRules {
        issuer: Some("i".into()),
        tenant_claim: Some("t".into()),
        tenants: ["a".to_owned(), "b".to_owned()].into(),
        trust_domain: Some("d".into()),
        subjects: vec!["s".into(), "r:*".into()],
        audience: vec!["a".into(), "b".into()],
        algorithms: vec![Algorithm::ES256, Algorithm::EdDSA],
        types: Some(vec!["JOSE".into()]),
        or_no_type: true,
        rfc9068: true,
        leeway: Duration::from_millis(1_500),
        max_key_attempts: 3,
        max_token_bytes: Some(4_096),
        token_cache: TokenCacheRules { bytes: 1, tokens: 2, off: true },
        scope_claims: vec!["permissions".into()],
        max_token_lifetime: Some(Duration::from_secs(3_600)),
        max_token_age: Some(Duration::from_secs(600)),
        dangerously_accept_tokens_without_expiry: true,
        dangerously_accept_sender_constrained_tokens: true,
    };
    for rules in [IssuerRules::default(), full] {
        let written = serde_json::to_value(&rules).unwrap();
        assert_eq!(read(written.clone()).unwrap(), rules, "{written}");
    }
    assert_eq!(read(json!({})).unwrap(), IssuerRules::default());
}

#[test]
fn members_are_read_in_each_of_their_forms() {
    let expected = IssuerRules {
        audience: vec!["a".into()],
        leeway: Duration::from_secs(30),
        max_token_lifetime: Some(Duration::from_secs(3_600)),
        max_token_bytes: Some(8_192),
        token_cache: TokenCacheRules { bytes: 1 << 20, ..TokenCacheRules::default() },
        ..IssuerRules::default()
    };
    let table = [
        json!({ "audience": "a", "leeway": 30, "max_token_lifetime": 3600, "max_token_bytes": 8192,
            "token_cache": { "bytes": 1_048_576 } }),
        json!({ "audience": ["a"], "leeway": 30.0, "max_token_lifetime": 3600.0, "max_token_bytes": "8KiB",
            "token_cache": { "bytes": "1MiB" } }),
        json!({ "audience": ["a"], "leeway": "30s", "max_token_lifetime": "1h", "max_token_bytes": "8192B",
            "token_cache": { "bytes": "1024KiB" }, "issuer": null, "types": null }),
    ];
    for rules in table {
        assert_eq!(read(rules.clone()).unwrap(), expected, "{rules}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let table = [
        (json!({ "audiences": "a" }), "unknown field `audiences`, expected one of"),
        (json!({ "audience": 5 }), "expected a text or an array of texts"),
        (json!({ "audience": ["a", 5] }), "expected a string"),
        // One of none is none: read as no rule, it would let tokens for any audience pass.
        (json!({ "audience": [] }), "expected at least one text in `audience`, got none: leave it out to accept any"),
        (json!({ "algorithms": ["none"] }), "expected one of RS256"),
        (json!({ "leeway": "soon" }), r#"as "250ms", "5s", "2m" or "1h", got "soon""#),
        (json!({ "leeway": -1 }), "got -1"),
        (json!({ "leeway": null }), "expected a number of seconds"),
        (json!({ "max_token_lifetime": "5" }), "expected a number of seconds"),
        (json!({ "max_token_bytes": "1 MB of it" }), "expected a number of bytes"),
        (json!({ "rfc9068": "yes" }), "expected a boolean"),
        (json!({ "token_cache": { "size": 1 } }), "unknown field `size`"),
    ];
    for (rules, expected) in table {
        let error = read(rules.clone()).unwrap_err();
        assert!(error.contains(expected), "{rules}: {error}");
    }
}

#[test]
fn rules_that_cannot_be_met_are_refused_by_their_field() {
    let strict = |rules: Value| {
        let mut all = json!({ "issuer": "i", "audience": "a", "rfc9068": true });
        all.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
        all
    };
    let table = [
        (json!({ "issuer": "" }), "issuer", "got an empty one"),
        (json!({ "trust_domain": "" }), "trust_domain", "got \"\""),
        (json!({ "trust_domain": "Example.org" }), "trust_domain", "got \"Example.org\""),
        (json!({ "trust_domain": "spiffe://example.org/orders" }), "trust_domain", "lower-case"),
        (json!({ "trust_domain": "example.org", "issuer": "i" }), "trust_domain", "got both"),
        (json!({ "algorithms": [] }), "algorithms", "got none"),
        (json!({ "types": [] }), "types", "got none"),
        (json!({ "leeway": 300.5 }), "leeway", "got 5 min"),
        (json!({ "leeway": "1h" }), "leeway", "expected 5 min at the most, got 1 h"),
        (json!({ "max_key_attempts": 0 }), "max_key_attempts", "got 0"),
        (json!({ "max_token_bytes": 0 }), "max_token_bytes", "got 0"),
        (json!({ "scope_claims": [] }), "scope_claims", "got none"),
        (json!({ "scope_claims": ["scope", ""] }), "scope_claims", "an empty one"),
        (json!({ "max_token_lifetime": 0 }), "max_token_lifetime", "got zero"),
        (json!({ "max_token_age": 0 }), "max_token_age", "got zero"),
        (strict(json!({ "issuer": null })), "rfc9068", "expected `issuer`"),
        (json!({ "issuer": "i", "rfc9068": true }), "rfc9068", "expected an `audience`"),
        (json!({ "audience": "" }), "audience", "got an empty text"),
        (json!({ "scope_claims": ["/a~b", "scope"] }), "scope_claims", "expected a JSON Pointer"),
        (strict(json!({ "issuer": null, "trust_domain": "example.org" })), "rfc9068", "`trust_domain`"),
    ];
    for (rules, field, expected) in table {
        let error = read(rules.clone()).unwrap().check().unwrap_err();
        let ConfigurationError::Rule { field: actual, problem } = &error else { panic!("{error}") };
        assert_eq!(actual, field, "{rules}");
        assert!(problem.contains(expected), "{rules}: {problem}");
    }
    for good in [
        json!({}),
        json!({ "leeway": 300, "types": [], "or_no_type": true }),
        json!({ "issuer": "i", "audience": ["a", "b"], "rfc9068": true }),
        json!({ "trust_domain": "example.org" }),
        json!({ "trust_domain": "spiffe://example.org/" }),
        strict(json!({})),
    ] {
        assert!(read(good.clone()).unwrap().check().is_ok(), "{good}");
    }
}

#[test]
fn the_types_by_default_are_those_of_the_kind_of_token() {
    let names = |rules: Value| {
        let Types { accepted, absent } = read(rules).unwrap().header().types;
        (accepted.join(" "), absent)
    };
    let table = [
        (json!({}), ("JWT at+jwt", true)),
        (json!({ "rfc9068": true }), ("at+jwt", false)),
        (json!({ "rfc9068": true, "or_no_type": true }), ("at+jwt", true)),
        (json!({ "trust_domain": "example.org" }), ("JWT JOSE", true)),
        (json!({ "types": ["x"], "rfc9068": true }), ("x", false)),
        (json!({ "types": ["x"], "trust_domain": "example.org" }), ("x", false)),
        (json!({ "types": ["x"], "or_no_type": true }), ("x", true)),
    ];
    for (rules, (accepted, absent)) in table {
        assert_eq!(names(rules.clone()), (accepted.to_owned(), absent), "{rules}");
    }
}

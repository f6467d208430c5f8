//! The rules for registered claims, at their edges.

mod rules;

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Claims, GrantedScope, IssuerRules, SCOPE_CLAIMS, find};
use crate::{
    json,
    refusal::{Refusal, TokenFault},
};

const NOW: u64 = 1_700_000_000;

#[expect(clippy::needless_pass_by_value, reason = "made on the spot")]
fn object(value: Value) -> json::Object {
    json::object(value.to_string().into_bytes()).unwrap()
}

fn code(rules: &IssuerRules, claims: Value) -> &'static str {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    match rules.check_claims(&object(claims), now.into()) {
        Ok(_) => "passed",
        Err(fault) => Refusal::Token(fault).code(),
    }
}

#[test]
fn a_token_is_good_in_its_time_give_or_take_the_leeway() {
    let now = NOW as f64;
    let table = [
        (json!({ "exp": NOW + 1 }), "passed"),
        (json!({ "exp": NOW }), "passed"),
        (json!({ "exp": NOW - 4 }), "passed"),
        (json!({ "exp": now - 4.999 }), "passed"),
        (json!({ "exp": NOW - 5 }), "expired"),
        (json!({ "exp": 0 }), "expired"),
        (json!({ "exp": -1 }), "expired"),
        (json!({ "exp": -1e300 }), "expired"),
        (json!({ "exp": 1e300 }), "passed"),
        (json!({ "exp": u64::MAX }), "passed"),
        (json!({}), "missing_claim"),
        (json!({ "exp": null }), "malformed_claim"),
        (json!({ "exp": (NOW + 60).to_string() }), "malformed_claim"),
        (json!({ "exp": true }), "malformed_claim"),
        (json!({ "exp": [NOW + 60] }), "malformed_claim"),
        (json!({ "exp": NOW + 60, "nbf": NOW + 5 }), "passed"),
        (json!({ "exp": NOW + 60, "nbf": now + 5.001 }), "not_yet_valid"),
        (json!({ "exp": NOW + 60, "nbf": -5 }), "passed"),
        (json!({ "exp": NOW + 60, "nbf": "0" }), "malformed_claim"),
        (json!({ "exp": NOW + 60, "nbf": null }), "malformed_claim"),
        (json!({ "exp": NOW + 60, "iat": NOW + 5 }), "passed"),
        (json!({ "exp": NOW + 60, "iat": NOW + 6 }), "issued_in_future"),
        (json!({ "exp": NOW + 60, "iat": {} }), "malformed_claim"),
    ];
    for (claims, expected) in table {
        assert_eq!(code(&IssuerRules::default(), claims.clone()), expected, "{claims}");
    }
}

#[test]
fn a_claim_is_found_however_its_name_is_written_and_at_the_top_alone() {
    let rules = IssuerRules { issuer: Some("https://as.example.com".to_owned()), ..IssuerRules::default() };
    let good = format!(r#""exp":{},"iss":"https://as.example.com""#, NOW + 60);
    let table = [
        (format!("{{{good}}}"), "passed"),
        (format!(r#"{{{good},"n\u0062f":{}}}"#, NOW + 60), "not_yet_valid"),
        (format!(r#"{{"\u0065xp":{},"iss":"https://as.example.com"}}"#, NOW - 60), "expired"),
        (format!(r#"{{{good},"a":"nbf","nbf_":{0},"n":{0},"é":{0},"":{0},"bf":{{"nbf":{0}}}}}"#, NOW + 60), "passed"),
        (format!(r#"{{"a":[1,{{{good}}}],"b":{{{good}}}}}"#), "missing_claim"),
    ];
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    for (claims, expected) in table {
        let read = json::object(claims.clone().into_bytes()).unwrap();
        let code =
            rules.check_claims(&read, now.into()).map_or_else(|fault| Refusal::Token(fault).code(), |_| "passed");
        assert_eq!(code, expected, "{claims}");
    }
}

#[test]
fn without_leeway_a_token_ends_with_its_exp() {
    let rules = IssuerRules { leeway: Duration::ZERO, ..IssuerRules::default() };
    assert_eq!(code(&rules, json!({ "exp": NOW })), "expired");
    assert_eq!(code(&rules, json!({ "exp": NOW as f64 + 0.5 })), "passed");
    assert_eq!(code(&rules, json!({ "exp": NOW + 60, "nbf": NOW as f64 + 0.5 })), "not_yet_valid");
}

#[test]
fn an_accepted_token_without_expiry_still_may_not_have_a_strange_one() {
    let rules = IssuerRules { dangerously_accept_tokens_without_expiry: true, ..IssuerRules::default() };
    assert_eq!(code(&rules, json!({})), "passed");
    assert_eq!(code(&rules, json!({ "exp": "never" })), "malformed_claim");
    assert_eq!(code(&rules, json!({ "exp": NOW - 60 })), "expired");
}

#[test]
fn issuer_and_audience_are_compared_to_the_letter() {
    let rules = IssuerRules {
        issuer: Some("https://as.example".into()),
        audience: vec!["api".into(), "other".into()],
        ..IssuerRules::default()
    };
    let table = [
        (json!("https://as.example"), json!("api"), "passed"),
        (json!("https://as.example"), json!(["x", "other"]), "passed"),
        (json!("https://as.example/"), json!("api"), "wrong_issuer"),
        (json!("HTTPS://as.example"), json!("api"), "wrong_issuer"),
        (json!(["https://as.example"]), json!("api"), "malformed_claim"),
        (json!(null), json!("api"), "malformed_claim"),
        (json!("https://as.example"), json!("ap"), "wrong_audience"),
        (json!("https://as.example"), json!("api other"), "wrong_audience"),
        (json!("https://as.example"), json!(""), "wrong_audience"),
        (json!("https://as.example"), json!([]), "wrong_audience"),
        (json!("https://as.example"), json!(["api", 5]), "malformed_claim"),
        (json!("https://as.example"), json!({ "api": true }), "malformed_claim"),
        (json!("https://as.example"), json!(null), "malformed_claim"),
    ];
    for (iss, aud, expected) in table {
        let claims = json!({ "exp": NOW + 60, "iss": iss, "aud": aud });
        assert_eq!(code(&rules, claims.clone()), expected, "{claims}");
    }
    assert_eq!(code(&rules, json!({ "exp": NOW + 60, "aud": "api" })), "missing_claim");
    assert_eq!(code(&rules, json!({ "exp": NOW + 60, "iss": "https://as.example" })), "missing_claim");
}

#[test]
fn scopes_are_what_the_claims_grant() {
    let table = [
        (json!({ "scope": "a b" }), "a,b"),
        (json!({ "scope": " a  b " }), "a,b"),
        (json!({ "scope": "a\tb" }), "a\tb"),
        (json!({ "scope": "" }), ""),
        (json!({ "scope": ["a"] }), "a"),
        (json!({ "scope": ["a", "b"] }), "a,b"),
        (json!({ "scope": ["a b", "c"] }), "a b,c"),
        (json!({ "scope": [["a"], { "b": 1 }, 5, null] }), ""),
        (json!({ "scope": ["a"], "scp": ["b"] }), "a"),
        (json!({ "scope": [], "scp": ["b"] }), ""),
        (json!({ "scp": ["a b", "c"] }), "a b,c"),
        (json!({ "scope": null, "scp": "a" }), ""),
        (json!({ "scp": "a b" }), "a,b"),
        (json!({ "scp": ["a", "b"] }), "a,b"),
        (json!({ "scp": ["a", 5, ["b"]] }), "a"),
        (json!({ "scope": "a", "scp": "b" }), "a"),
        (json!({ "scp": { "a": true } }), ""),
        (json!({}), ""),
    ];
    for (claims, expected) in table {
        let granted = object(claims.clone());
        let granted = GrantedScope::of(&granted, &SCOPE_CLAIMS).values().collect::<Vec<_>>().join(",");
        assert_eq!(granted, expected, "{claims}");
    }
}

#[test]
fn a_claim_is_found_by_name_or_pointer() {
    let claims = object(json!({
        "a.b": 1, "https://x/y": 2, "": 3, "a": { "b": [10, { "c~d": 11, "e/f": 12, "": 13 }] }, "/a": 4,
    }));
    let table = [
        ("a.b", Some(json!(1))),
        ("https://x/y", Some(json!(2))),
        ("", Some(json!(3))),
        ("/a/b/0", Some(json!(10))),
        ("/a/b/1/c~0d", Some(json!(11))),
        ("/a/b/1/e~1f", Some(json!(12))),
        ("/a/b/1/", Some(json!(13))),
        ("/", Some(json!(3))),
        ("/~1a", Some(json!(4))),
        ("/https:~1~1x~1y", Some(json!(2))),
        ("/a/b/2", None),
        ("/a/b/-", None),
        ("/a/b/00", None),
        ("/x", None),
        ("toString", None),
    ];
    for (name, expected) in table {
        assert_eq!(find(&claims, name).map(json::Value::to_json), expected, "{name}");
    }
}

#[test]
fn a_newtype_reads_as_what_it_wraps() {
    #[derive(serde::Deserialize)]
    struct Wrapped(std::collections::HashMap<String, Value>);
    #[derive(serde::Deserialize)]
    struct Perhaps(Option<std::collections::HashMap<String, Value>>);
    let claims = Claims::new(object(json!({ "sub": "alice" })));
    assert_eq!(claims.typed::<Wrapped>().unwrap().0.0["sub"], "alice");
    assert!(claims.typed::<Perhaps>().unwrap().0.0.is_some());
}

#[test]
fn the_dynamic_form_is_shared_and_the_typed_one_read() {
    #[derive(serde::Deserialize)]
    struct Typed {
        sub: String,
    }
    let claims = Claims::new(object(json!({ "sub": "alice", "n": 1 })));
    let same: Claims = claims.typed().unwrap();
    assert!(std::ptr::eq(&*claims, &*same));
    assert_eq!(claims.typed::<Typed>().unwrap().sub, "alice");
    assert_eq!(Claims::new(object(json!({}))).typed::<Typed>().unwrap_err().code(), "required_claims");
    assert!(!format!("{claims:?}").contains("alice"));
}

#[test]
fn what_serde_json_reads_from_a_text_is_read() {
    #[derive(serde::Deserialize)]
    struct Typed {
        levels: std::collections::BTreeMap<u64, String>,
    }
    let claims = Claims::new(object(json!({ "levels": { "7": "gold" } })));
    assert_eq!(claims.typed::<Typed>().unwrap().levels[&7], "gold");
}

#[test]
fn an_access_token_of_rfc_9068_has_all_of_its_claims() {
    let rules = IssuerRules { rfc9068: true, ..IssuerRules::default() };
    let complete =
        json!({ "iss": "i", "exp": NOW + 60, "aud": "a", "sub": "s", "client_id": "c", "iat": NOW, "jti": "j" });
    assert_eq!(code(&rules, complete.clone()), "passed");
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let mut claims = complete.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(code(&rules, claims), "missing_claim", "{name}");
    }
}

#[test]
fn a_token_may_be_good_for_so_long_at_the_most() {
    let rules = IssuerRules { max_token_lifetime: Some(Duration::from_secs(3_600)), ..IssuerRules::default() };
    let table = [
        (json!({ "iat": NOW, "exp": NOW + 3_600 }), "passed"),
        (json!({ "iat": NOW, "exp": NOW as f64 + 3_600.5 }), "token_lifetime_too_long"),
        (json!({ "iat": NOW - 3_599, "exp": NOW + 2 }), "token_lifetime_too_long"),
        // No leeway: both times are by the issuer's clock.
        (json!({ "iat": NOW - 4, "exp": NOW + 3_597 }), "token_lifetime_too_long"),
        (json!({ "iat": -1e300, "exp": 1e300 }), "token_lifetime_too_long"),
        (json!({ "exp": NOW + 60 }), "missing_claim"),
        (json!({ "iat": NOW }), "missing_claim"),
        (json!({ "iat": NOW.to_string(), "exp": NOW + 60 }), "malformed_claim"),
        // Faults of the times themselves come first.
        (json!({ "iat": NOW - 7_200, "exp": NOW - 60 }), "expired"),
        (json!({ "iat": NOW + 60, "exp": NOW + 7_200 }), "issued_in_future"),
        (json!({ "iat": NOW + 4, "exp": NOW + 1 }), "passed"),
    ];
    for (claims, expected) in table {
        assert_eq!(code(&rules, claims.clone()), expected, "{claims}");
    }
    let endless = IssuerRules { dangerously_accept_tokens_without_expiry: true, ..rules };
    assert_eq!(
        code(&endless, json!({ "iat": NOW })),
        "missing_claim",
        "a token without an end has no bounded lifetime"
    );
    assert_eq!(code(&IssuerRules::default(), json!({ "exp": 1e300 })), "passed", "no bound by default");
}

#[test]
fn a_token_is_too_old_some_time_after_it_was_issued_however_long_it_is_good_for() {
    let rules = IssuerRules { max_token_age: Some(Duration::from_secs(60)), ..IssuerRules::default() };
    let table = [
        (json!({ "exp": NOW + 60, "iat": NOW }), "passed"),
        (json!({ "exp": NOW + 60, "iat": NOW - 64 }), "passed"),
        (json!({ "exp": NOW + 60, "iat": NOW - 65 }), "token_too_old"),
        (json!({ "exp": 1e300, "iat": -1e300 }), "token_too_old"),
        (json!({ "exp": NOW + 60, "iat": NOW + 60 }), "issued_in_future"),
        (json!({ "exp": NOW + 60 }), "missing_claim"),
    ];
    for (claims, expected) in table {
        assert_eq!(code(&rules, claims.clone()), expected, "{claims}");
    }
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let window = rules.check_claims(&object(json!({ "exp": NOW + 600, "iat": NOW })), at(NOW).into()).unwrap().window;
    assert!(window.contains(at(NOW + 64)) && !window.contains(at(NOW + 65)));
}

#[test]
fn the_scope_stands_in_the_first_of_the_claims_that_is_there() {
    let claims = object(json!({
        "permissions": ["read", "write"], "scope": "openid", "nothing": null, "realm": { "roles": ["admin"] }, "n": 5,
    }));
    let table: [(&[&str], &str); 8] = [
        (&["permissions", "scope"], "read,write"),
        (&["scope", "permissions"], "openid"),
        (&["missing", "permissions"], "read,write"),
        (&["nothing", "permissions"], ""),
        (&["n", "permissions"], ""),
        (&["/realm/roles"], "admin"),
        (&["/realm/groups", "scope"], "openid"),
        (&["missing"], ""),
    ];
    for (names, expected) in table {
        let rules =
            IssuerRules { scope_claims: names.iter().map(|name| (*name).to_owned()).collect(), ..Default::default() };
        let granted = rules.granted_scope(&claims).values().collect::<Vec<_>>().join(",");
        assert_eq!(granted, expected, "{names:?}");
    }
}

#[test]
fn each_check_is_a_row_and_the_first_that_fails_is_the_refusal() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let strict = IssuerRules {
        issuer: Some("i".into()),
        audience: vec!["a".into()],
        rfc9068: true,
        max_token_lifetime: Some(Duration::from_secs(60)),
        ..IssuerRules::default()
    };
    let good = json!({
        "iss": "i", "aud": "a", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "sub": "s", "client_id": "c", "jti": "j",
    });
    let spoilt = [
        json!({}),
        json!({ "exp": 0 }),
        json!({ "nbf": "x" }),
        json!({ "iat": NOW + 60 }),
        json!({ "exp": NOW + 61 }),
        json!({ "iss": "other", "aud": "other" }),
        json!({ "aud": "other", "cnf": {} }),
        json!({ "cnf": { "jkt": "x" } }),
    ];
    for rules in [IssuerRules::default(), strict] {
        for change in &spoilt {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let claims = object(claims);
            let rows = rules.claim_rows(&claims, now);
            assert!(rows.is_sorted_by_key(|row| row.kind), "in the order of an explanation");
            assert!(
                rows.iter().all(|row| row.result.is_ok() || row.expected.is_some()),
                "a check that fails was required"
            );
            let first = rows.into_iter().find_map(|row| row.result.err());
            assert_eq!(first, rules.check_claims(&claims, now.into()).err().map(Refusal::Token), "{change}");
        }
    }
}

#[test]
fn a_token_that_passed_is_judged_by_its_times_again() {
    let rules = IssuerRules { dangerously_accept_tokens_without_expiry: true, ..IssuerRules::default() };
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let table = [
        (json!({ "exp": NOW + 60 }), NOW + 64, true),
        (json!({ "exp": NOW + 60 }), NOW + 65, false),
        (json!({ "nbf": NOW }), NOW - 5, true),
        (json!({ "nbf": NOW }), NOW - 6, false),
        (json!({ "iat": NOW }), NOW - 6, false),
        (json!({}), 0, true),
    ];
    for (claims, now, expected) in table {
        let window = rules.check_claims(&object(claims.clone()), at(NOW).into()).unwrap().window;
        assert_eq!(window.contains(at(now)), expected, "{claims} at {now}");
    }
}

#[test]
fn how_far_a_time_is_off_is_told_and_never_overflows() {
    let fault = |claims: Value| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        IssuerRules::default().check_claims(&object(claims), now.into()).err()
    };
    let seconds = Duration::from_secs;
    let table = [
        (json!({ "exp": NOW - 5 }), TokenFault::Expired { ago: seconds(5) }),
        (json!({ "exp": NOW - 90 }), TokenFault::Expired { ago: seconds(90) }),
        (json!({ "exp": -1e300 }), TokenFault::Expired { ago: Duration::MAX }),
        (json!({ "exp": NOW + 60, "nbf": NOW + 30 }), TokenFault::NotYetValid { ahead: seconds(30) }),
        (json!({ "exp": 1e300, "nbf": 1e300 }), TokenFault::NotYetValid { ahead: Duration::MAX }),
        (json!({ "exp": 1e300, "iat": f64::MAX }), TokenFault::IssuedInFuture { ahead: Duration::MAX }),
        // Of several faults the first is reported: exp, nbf, iat.
        (json!({ "exp": NOW - 90, "nbf": "x", "iat": 1e300 }), TokenFault::Expired { ago: seconds(90) }),
    ];
    for (claims, expected) in table {
        assert_eq!(fault(claims.clone()), Some(expected), "{claims}");
    }
}

#[test]
fn claims_are_read_into_any_type_that_serde_can_read() {
    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Flat {
        sub: String,
        #[serde(default)]
        roles: Vec<String>,
        tenant: Option<u64>,
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, Value>,
    }
    #[derive(serde::Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Tagged {
        Person { sub: String },
        Machine,
    }

    let claims = Claims::new(object(json!({ "sub": "alice", "tenant": 7, "kind": "person", "n": [1] })));
    let flat = claims.typed::<Flat>().unwrap();
    assert_eq!((flat.sub.as_str(), flat.tenant, flat.roles.len()), ("alice", Some(7), 0));
    assert_eq!(flat.rest.keys().collect::<Vec<_>>(), ["kind", "n"]);
    assert!(matches!(&*claims.typed::<Tagged>().unwrap(), Tagged::Person { sub } if sub == "alice"));
    assert_eq!(claims.typed::<Value>().unwrap()["sub"], "alice");
    assert_eq!(claims.typed::<serde_json::Map<String, Value>>().unwrap()["tenant"], 7);
    assert!(claims.typed::<Vec<String>>().is_err());
    assert!(!matches!(claims.typed::<Tagged>().as_deref(), Ok(Tagged::Machine)));
}

#[test]
fn claims_are_serialised_as_they_stand() {
    let text = r#"{"sub":"a","iss":"b","aud":["c","d"],"ratio":0.5,"nested":{"z":null,"a":true}}"#;
    let claims = Claims::new(json::object(text.as_bytes().to_vec()).unwrap());
    assert_eq!(serde_json::to_string(&claims).unwrap(), text);
    let typed = claims.typed::<std::collections::BTreeMap<String, Value>>().unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), claims.root().to_json());
}

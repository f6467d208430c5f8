//! Equality of claims, where it is easy to get wrong; patterns, scope values, and the rules one after the other.

use std::{sync::Arc, time::SystemTime};

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use super::*;
use crate::{
    bearer::BearerToken,
    claims::{ClaimRules, Claims},
    json,
    keys::{ImportRules, KeySet, Origin},
    refusal::AccessFault,
    token,
};

#[expect(clippy::needless_pass_by_value, reason = "made on the spot")]
fn met(rule: Value, claim: Value) -> bool {
    let claims = json::object(json!({ "a": claim }).to_string().into_bytes()).unwrap();
    ClaimCheck::new(&ClaimRule::equals("a", rule)).is_met(&claims)
}

#[test]
fn numbers_compare_as_numbers_and_exactly() {
    let table = [
        (json!(1), json!(1.0), true),
        (json!(-0.0), json!(0), true),
        (json!(1), json!(1.5), false),
        (json!(1.5), json!(1.5), true),
        (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), false),
        (json!(u64::MAX), json!(u64::MAX), true),
        (json!(u64::MAX), json!(18_446_744_073_709_551_616.0), false),
        (json!(i64::MIN), json!(-9_223_372_036_854_775_808.0), true),
        (json!(1e300), json!(1e300), true),
        (json!(1e300), json!(1e301), false),
        (json!(1), json!("1"), false),
        (json!(1), json!(true), false),
        (json!(0), json!(null), false),
    ];
    for (rule, claim, expected) in table {
        assert_eq!(met(rule.clone(), claim.clone()), expected, "{rule} against {claim}");
    }
}

#[test]
fn arrays_match_by_an_element_or_whole_and_objects_whole() {
    let table = [
        (json!("x"), json!(["w", "x"]), true),
        (json!("x"), json!([["x"]]), false),
        (json!(["x"]), json!(["x"]), true),
        (json!(["x"]), json!([["x"]]), true),
        (json!(["x"]), json!("x"), false),
        (json!(["x", "y"]), json!(["y", "x"]), false),
        (json!([1]), json!([1.0]), true),
        (json!({ "b": 1 }), json!({ "b": 1.0 }), true),
        (json!({ "b": 1 }), json!({ "b": 1, "c": 2 }), false),
        (json!({ "b": 1 }), json!([{ "b": 1 }]), true),
        (json!({ "b": 1 }), json!({ "c": 1 }), false),
        (json!(null), json!(null), true),
        (json!(null), json!([null]), true),
        (json!(null), json!([]), false),
    ];
    for (rule, claim, expected) in table {
        assert_eq!(met(rule.clone(), claim.clone()), expected, "{rule} against {claim}");
    }
}

/// A token with these claims, which went the whole way.
fn verified(claims: &Value) -> VerifiedToken {
    let key = SigningKey::from_secret(Algorithm::HS256, "k", &[7; 32]);
    let text = TokenBuilder::new(&key, "i", SystemTime::UNIX_EPOCH).claims_json(&claims.to_string()).sign();
    let document = json!({ "keys": [key.public_jwk()] }).to_string().parse().unwrap();
    let keys = Arc::new(KeySet::import(&document, &ImportRules::of(Origin::Local)));
    let token = token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
    let signed = keys.candidates(token.header()).unwrap().verify(token, 8).unwrap();
    let rules = ClaimRules { without_expiry: true, ..ClaimRules::default() };
    rules.check(signed, SystemTime::UNIX_EPOCH).unwrap()
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn scope_values_match_whole_and_to_the_letter() {
    // What is granted; what is asked for, all of it and one of each group; what is told to be missing.
    type Row = (&'static str, &'static [&'static str], &'static [&'static [&'static str]], Option<&'static str>);
    let table: &[Row] = &[
        ("read write", &["read"], &[], None),
        ("read write", &["write", "read"], &[], None),
        ("", &[], &[], None),
        ("readwrite", &["read"], &[], Some("read")),
        ("read:all", &["read"], &[], Some("read")),
        ("read", &["read:all"], &[], Some("read:all")),
        ("Read", &["read"], &[], Some("read")),
        ("read,write", &["read"], &[], Some("read")),
        ("read\twrite", &["read"], &[], Some("read")),
        ("read\u{a0}write", &["read"], &[], Some("read")),
        ("", &["read"], &[], Some("read")),
        ("read", &["read", "write"], &[], Some("read write")),
        // A value with a space in it is no scope value, and is granted by none.
        ("a b", &["a b"], &[], Some("a b")),
        ("read", &[""], &[], Some("")),
        ("b", &[], &[&["a", "b"]], None),
        ("c", &[], &[&["a", "b"]], Some("a b")),
        ("a", &[], &[&["a", "b"], &["c"]], Some("a b c")),
        ("a c", &[], &[&["a", "b"], &["c"]], None),
        ("a", &["x"], &[&["a"]], Some("x a")),
        ("a", &[], &[&[]], Some("")),
    ];
    for (granted, all, any, missing) in table {
        let rules = Rules {
            scope: strings(all),
            any_scope: any.iter().map(|group| strings(group)).collect(),
            ..Rules::default()
        };
        let policy = Policy::new(&rules, Vec::new());
        let expected =
            missing.map(|required| Refusal::Access(AccessFault::InsufficientScope { required: required.to_owned() }));
        let refusal = policy.check(verified(&json!({ "scope": granted }))).err();
        assert_eq!(refusal, expected, "{granted:?} where all of {all:?} and one of each of {any:?} are asked for");
    }
}

#[test]
fn every_claim_rule_is_asked_and_the_first_that_fails_is_told() {
    let token = verified(&json!({
        "sub": "alice", "nothing": null, "roles": ["user", "admin"], "empty": [], "a": { "b": { "c": 1 } },
    }));
    let present = |name: &str| ClaimRule::present(name);
    let equals = |name: &str, value: Value| ClaimRule::equals(name, value);
    let table = [
        (vec![], None),
        (vec![present("sub"), present("nothing"), present("empty"), present("roles"), present("a")], None),
        (vec![equals("roles", json!("admin")), equals("/a/b/c", json!(1)), present("/roles/0")], None),
        // In express-oauth-jwt, the first rule for an array ended the loop.
        (vec![equals("roles", json!("admin")), equals("sub", json!("bob"))], Some("sub")),
        (vec![present("roles"), present("missing")], Some("missing")),
        (vec![equals("roles", json!("root")), equals("sub", json!("alice"))], Some("roles")),
        (vec![equals("/a/b/c", json!("1"))], Some("/a/b/c")),
        (vec![present("/a/b/d")], Some("/a/b/d")),
        (vec![equals("empty", json!(null))], Some("empty")),
        (vec![equals("missing", json!(null))], Some("missing")),
        (vec![present("SUB")], Some("SUB")),
        // Names that every JavaScript object answers to.
        (vec![present("toString")], Some("toString")),
        (vec![present("constructor")], Some("constructor")),
        (vec![present("__proto__")], Some("__proto__")),
        (vec![present("hasOwnProperty")], Some("hasOwnProperty")),
        (vec![present("/roles/length")], Some("/roles/length")),
    ];
    for (claims, failing) in table {
        let rules = Rules { claims: claims.clone(), ..Rules::default() };
        let policy = Policy::new(&rules, Vec::new());
        let expected = failing.map(|claim| Refusal::Access(AccessFault::RequiredClaims { claim: claim.to_owned() }));
        assert_eq!(policy.check(token.clone()).err(), expected, "{claims:?}");
    }
}

#[test]
fn a_claim_is_one_of_several_values_or_has_one_of_them() {
    let table = [
        (json!("eu"), true),
        (json!("us"), true),
        (json!(["uk", "us"]), true),
        (json!("uk"), false),
        (json!("EU"), false),
        (json!("eu,us"), false),
        (json!([]), false),
        (json!([["eu"]]), false),
        (json!({ "eu": true }), false),
        (json!(null), false),
        (json!(7), true),
        (json!(7.0), true),
        (json!("7"), false),
    ];
    let rule = ClaimRule::one_of("a", [json!("eu"), json!("us"), json!(7)]);
    for (claim, expected) in table {
        assert_eq!(is_met(&rule, &json!({ "a": claim })), expected, "{claim}");
    }
    assert!(!is_met(&rule, &json!({})));
    // Of no values nothing is one; it must not turn into a rule for presence.
    let of_none = ClaimRule::one_of("a", [Value::Null; 0]);
    assert!(!is_met(&of_none, &json!({ "a": "eu" })) && !is_met(&of_none, &json!({})));
}

fn is_met(rule: &ClaimRule, claims: &Value) -> bool {
    ClaimCheck::new(rule).is_met(&json::object(claims.to_string().into_bytes()).unwrap())
}

#[test]
fn a_pattern_matches_the_whole_text_and_a_star_any_run_of_characters() {
    let table = [
        ("repo:my-org/*", "repo:my-org/api", true),
        ("repo:my-org/*", "repo:my-org/", true),
        ("repo:my-org/*", "repo:my-org/a/b/c", true),
        ("repo:my-org/*", "repo:my-org", false),
        ("repo:my-org/*", "repo:my-org-evil/api", false),
        ("repo:my-org/*", "evil repo:my-org/api", false),
        ("repo:my-org/*", "REPO:my-org/api", false),
        ("repo:*:ref:refs/heads/main", "repo:a/b:ref:refs/heads/main", true),
        ("repo:*:ref:refs/heads/main", "repo:a/b:ref:refs/heads/main2", false),
        ("repo:*:ref:refs/heads/main", "repo:a/b:ref:refs/heads/x:ref:refs/heads/main", true),
        ("*", "", true),
        ("*", "anything\nat all", true),
        ("**", "", true),
        ("a", "a", true),
        ("a", "aa", false),
        ("", "", true),
        ("", "a", false),
        // The ends of the pattern must not share characters of the text.
        ("ab*b", "ab", false),
        ("ab*b", "abb", true),
        ("a*a", "a", false),
        ("a*b*c", "abc", true),
        ("a*b*c", "a-c", false),
        ("a*b*c", "acb", false),
        ("a*bc*c", "abcc", true),
        ("a*bc*c", "abc", false),
        ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aab", false),
        // No other character stands for more than itself.
        ("a.c", "abc", false),
        ("a?c", "abc", false),
        ("[ab]", "a", false),
        ("é*", "école", true),
        ("a\\*", "a\\b", true),
    ];
    for (pattern, text, expected) in table {
        let rule = ClaimRule::matches("a", pattern);
        assert_eq!(is_met(&rule, &json!({ "a": text })), expected, "{pattern} against {text}");
        assert_eq!(is_met(&rule, &json!({ "a": [1, text] })), expected, "{pattern} against an array with {text}");
    }
}

#[test]
fn a_pattern_is_for_texts_alone() {
    let rule = ClaimRule::matches("a", "*");
    for claim in
        [json!(null), json!(true), json!(1), json!({}), json!({ "a": "a" }), json!([]), json!([1, ["a"], null])]
    {
        assert!(!is_met(&rule, &json!({ "a": claim })), "{claim}");
    }
    assert!(!is_met(&rule, &json!({})));
}

#[test]
fn a_pattern_takes_linear_time_whatever_the_text() {
    // By backtracking, this would take longer than the universe has existed.
    let pattern = "a*".repeat(40) + "b";
    let text = "a".repeat(100_000);
    assert!(!is_met(&ClaimRule::matches("a", pattern), &json!({ "a": text })));
}

#[test]
fn a_forbidden_claim_is_refused_whatever_its_value_and_told_as_such() {
    let rules = Rules { claims: vec![ClaimRule::absent("act"), ClaimRule::absent("/a/b")], ..Rules::default() };
    let policy = Policy::new(&rules, Vec::new());
    let table = [
        (json!({}), None),
        (json!({ "a": {} }), None),
        (json!({ "a": "b" }), None),
        (json!({ "ACT": 1 }), None),
        (json!({ "act": {} }), Some("act")),
        (json!({ "act": null }), Some("act")),
        (json!({ "act": false }), Some("act")),
        (json!({ "act": "" }), Some("act")),
        (json!({ "\u{61}ct": "" }), Some("act")),
        (json!({ "a": { "b": null } }), Some("/a/b")),
    ];
    for (claims, failing) in table {
        let expected = failing.map(|claim| Refusal::Access(AccessFault::ForbiddenClaim { claim: claim.to_owned() }));
        assert_eq!(policy.check(verified(&claims)).err(), expected, "{claims}");
    }
}

#[test]
fn a_rule_with_two_conditions_is_met_by_no_token() {
    let mut rule = ClaimRule::equals("a", "x");
    rule.absent = true;
    for claims in [json!({ "a": "x" }), json!({ "a": "y" }), json!({})] {
        assert!(!is_met(&rule, &claims), "{claims}");
    }
}

#[test]
fn scope_values_imply_others_transitively() {
    let implied = [
        ("admin", &["orders:write", "users"][..]),
        ("orders:write", &["orders:read"]),
        // A circle: each of the two grants the other.
        ("one", &["other"]),
        ("other", &["one"]),
        ("self", &["self"]),
        ("odd", &["a b", ""]),
        ("", &["empty"]),
        ("a b", &["spaced"]),
    ];
    let implied: std::collections::BTreeMap<String, Vec<String>> =
        implied.iter().map(|(value, values)| ((*value).to_owned(), strings(values))).collect();
    let table = [
        ("orders:write", "orders:read", true),
        ("admin", "orders:read", true),
        ("admin", "users", true),
        ("orders:read", "orders:write", false),
        ("users", "admin", false),
        ("one", "other", true),
        ("other", "one", true),
        ("one other", "self", false),
        ("self", "self", true),
        ("orders", "orders:read", false),
        ("ORDERS:WRITE", "orders:read", false),
        // What is no scope value is granted by none, and grants none.
        ("odd", "a b", false),
        ("odd", "", false),
        ("", "empty", false),
        ("a b", "spaced", false),
        ("a b", "a", true),
    ];
    for (granted, asked, expected) in table {
        for (scope, any_scope) in [(strings(&[asked]), vec![]), (vec![], vec![strings(&["never", asked])])] {
            let rules = Rules { scope, any_scope, implied_scopes: implied.clone(), ..Rules::default() };
            let policy = Policy::new(&rules, Vec::new());
            match policy.check(verified(&json!({ "scope": granted }))) {
                Ok(token) => assert!(expected && policy.has_scope(&token, asked), "{granted} passed for {asked}"),
                Err(refusal) => {
                    assert!(!expected, "{granted} was refused for {asked}");
                    // What is asked for is named, not what would grant it.
                    let named = if rules.scope.is_empty() { format!("never {asked}") } else { asked.to_owned() };
                    assert_eq!(refusal, Refusal::Access(AccessFault::InsufficientScope { required: named }));
                }
            }
        }
        let open = Policy::new(&Rules { implied_scopes: implied.clone(), ..Rules::default() }, Vec::new());
        let token = open.check(verified(&json!({ "scope": granted }))).unwrap();
        assert_eq!(open.has_scope(&token, asked), expected, "{granted} for {asked}");
    }
}

#[test]
fn rules_of_ones_own_are_asked_last_and_their_name_is_the_code() {
    let adult = |claims: &Claims| claims.get("age").and_then(json::Value::as_u64).is_some_and(|age| age >= 18);
    let own = vec![
        OwnRule::new("not_of_age", adult).unwrap(),
        OwnRule::new("banned_2", |claims| !claims.contains_key("banned")).unwrap(),
    ];
    let rules = Rules { scope: strings(&["read"]), claims: vec![ClaimRule::present("sub")], ..Rules::default() };
    let policy = Policy::new(&rules, own);
    let table = [
        (json!({ "scope": "read", "sub": "a", "age": 18 }), None),
        (json!({ "scope": "read", "sub": "a", "age": 17, "banned": 1 }), Some("not_of_age")),
        (json!({ "scope": "read", "sub": "a", "age": "18" }), Some("not_of_age")),
        (json!({ "scope": "read", "sub": "a", "age": 18, "banned": 1 }), Some("banned_2")),
        (json!({ "scope": "read", "age": 17 }), Some("required_claims")),
        (json!({ "sub": "a", "age": 17 }), Some("insufficient_scope")),
    ];
    for (claims, code) in table {
        let refusal = policy.check(verified(&claims)).err();
        assert_eq!(refusal.as_ref().map(Refusal::code), code, "{claims}");
    }
}

#[test]
fn names_of_rules_are_codes_that_no_other_refusal_has() {
    let long = "a".repeat(65).leak();
    for name in [
        "",
        "_a",
        "1a",
        "A",
        "ageLimit",
        "age-limit",
        "age limit",
        "âge",
        "a\nb",
        "a.b",
        long,
        "expired",
        "required_claims",
    ] {
        let error = OwnRule::new(name, |_| true).unwrap_err().to_string();
        assert!(error.starts_with("`rule`: expected a name"), "{error}");
    }
    for name in ["a", "age_limit", "a1_", &long[1..]] {
        assert!(OwnRule::new(name, |_| true).is_ok(), "{name}");
    }
}

#[test]
fn rules_are_written_as_they_are_read() {
    let all = json!({
        "realm": "r",
        "scope": ["a"],
        "any_scope": [["b", "c"], ["d"]],
        "claims": [
            { "name": "a" },
            { "name": "b", "value": null },
            { "name": "c", "one_of": [1, "x"] },
            { "name": "/d/e", "matches": "x*" },
            { "name": "f", "absent": true },
        ],
        "implied_scopes": { "a": ["b", "c"] },
        "optional": true,
        "report_only": true,
        "invalid_token_status": 401,
        "problem_json": true,
        "max_token_bytes": 100,
    });
    let rules: Rules = serde_json::from_value(all.clone()).unwrap();
    rules.check().unwrap();
    assert_eq!(serde_json::to_value(&rules).unwrap(), all.clone());
    let without_value = json!({ "name": "b" });
    assert_eq!(rules.claims[1], ClaimRule::equals("b", Value::Null));
    assert_ne!(rules.claims[1], serde_json::from_value(without_value).unwrap());
    // Nothing that is left out is asked for, and the defaults can be read, too.
    let default = serde_json::to_value(Rules::default()).unwrap();
    for empty in [json!({}), default] {
        assert_eq!(serde_json::from_value::<Rules>(empty).unwrap(), Rules::default());
    }
    let one_group: Rules = serde_json::from_value(json!({ "any_scope": ["a", "b"] })).unwrap();
    assert_eq!(one_group.any_scope, [strings(&["a", "b"])]);
}

#[test]
fn rules_that_cannot_be_meant_are_not_read() {
    let table = [
        (json!({ "scopes": [] }), "unknown field `scopes`"),
        (json!({ "scope": "a b" }), "expected a sequence"),
        (json!({ "any_scope": [] }), "expected at least one scope value in `any_scope`, got none"),
        (json!({ "any_scope": "a" }), "expected an array of scope values"),
        (json!({ "any_scope": ["a", ["b"]] }), "expected an array of scope values"),
        (json!({ "invalid_token_status": 400 }), "expected 401 or 403, got 400"),
        (json!({ "invalid_token_status": "401" }), "expected u16"),
        (json!({ "claims": ["sub"] }), "expected struct"),
        (json!({ "claims": [{}] }), "missing field `name`"),
        (json!({ "claims": [{ "name": "" }] }), "expected a claim's name or a JSON Pointer"),
        (json!({ "claims": [{ "name": "/a~b" }] }), "write `~` as `~0`"),
        (json!({ "claims": [{ "name": "a", "values": [] }] }), "unknown field `values`"),
        (json!({ "claims": [{ "name": "a", "one_of": [] }] }), "expected at least one value, got none"),
        (json!({ "claims": [{ "name": "a", "one_of": "x" }] }), "expected a sequence"),
        (json!({ "claims": [{ "name": "a", "matches": "" }] }), "write `*` for any text"),
        (json!({ "claims": [{ "name": "a", "value": 1, "absent": true }] }), "expected at most one of"),
        (json!({ "claims": [{ "name": "a", "value": 1, "one_of": [1] }] }), "expected at most one of"),
        (json!({ "claims": [{ "name": "a", "value": null, "matches": "x" }] }), "expected at most one of"),
        (json!({ "implied_scopes": { "a": "b" } }), "expected a sequence"),
        (json!({ "max_token_bytes": -1 }), "expected usize"),
    ];
    for (rules, problem) in table {
        let error = serde_json::from_value::<Rules>(rules.clone()).unwrap_err().to_string();
        assert!(error.contains(problem), "{rules}: {error}");
    }
}

#[test]
fn the_check_of_rules_names_the_field_and_says_what_to_do() {
    let scope = |values: &[&str]| Rules { scope: strings(values), ..Rules::default() };
    let claims = |rule: ClaimRule| Rules { claims: vec![ClaimRule::present("a"), rule], ..Rules::default() };
    let implied = |value: &str, implied: &[&str]| Rules {
        implied_scopes: [(value.to_owned(), strings(implied))].into(),
        ..Rules::default()
    };
    let any = |groups: &[&[&str]]| Rules {
        any_scope: groups.iter().map(|group| strings(group)).collect(),
        ..Rules::default()
    };
    let both = ClaimRule { absent: true, ..ClaimRule::matches("b", "*") };
    let table = [
        (
            scope(&["a", "b c"]),
            "`scope[1]`: expected one scope value, got \"b c\": write each value in quotes of its own",
        ),
        (scope(&[""]), "`scope[0]`: expected one scope value, got \"\": "),
        (scope(&["a\"b"]), "`scope[0]`: expected one scope value"),
        (scope(&["é"]), "`scope[0]`: expected one scope value"),
        (any(&[&["a"], &[]]), "`any_scope[1]`: expected at least one scope value, got none: leave the group out"),
        (any(&[&["a", "b\tc"]]), "`any_scope[0][1]`: expected one scope value"),
        (
            claims(ClaimRule::present("")),
            "`claims[1].name`: expected a claim's name or a JSON Pointer, got an empty text",
        ),
        (claims(ClaimRule::present("/~")), "`claims[1].name`: expected a JSON Pointer"),
        (claims(ClaimRule::one_of("b", [Value::Null; 0])), "`claims[1].one_of`: expected at least one value, got none"),
        (claims(ClaimRule::matches("b", "")), "`claims[1].matches`: expected a pattern, got an empty text"),
        (claims(both), "`claims[1]`: expected at most one of `value`, `one_of`, `matches` and `absent`, got several"),
        (implied("a b", &["c"]), "`implied_scopes`: expected one scope value, got \"a b\""),
        (implied("a", &["c", "d e"]), "`implied_scopes.\"a\"[1]`: expected one scope value, got \"d e\""),
        (Rules { max_token_bytes: Some(0), ..Rules::default() }, "`max_token_bytes`: expected at least 1 byte, got 0"),
    ];
    for (rules, problem) in table {
        let error = rules.check().unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
}

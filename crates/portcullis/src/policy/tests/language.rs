//! Tests of one of several values, patterns, absence, implied scopes and the application's own rules.

use serde_json::{Value, json};

use super::*;
use crate::claims::{Claims, is_scope_value};

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
    // No claim is one of no values; the rule must not turn into one for presence.
    let of_none = ClaimRule::one_of("a", [Value::Null; 0]);
    assert!(!is_met(&of_none, &json!({ "a": "eu" })) && !is_met(&of_none, &json!({})));
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
        // An empty pattern is a mistake.
        ("", "", false),
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
        // No other character is special.
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
    // With backtracking, this would take practically forever.
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
        assert_eq!(policy.check(proven(&claims), |_| None).err(), expected, "{claims}");
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
fn a_rule_that_is_mistaken_is_met_by_no_token() {
    let mistaken =
        [ClaimRule::absent(""), ClaimRule::absent("/act~2"), ClaimRule::absent("/act~"), ClaimRule::present("")];
    for rule in mistaken {
        for claims in [json!({}), json!({ "": 1, "act~2": 1, "act~": 1, "act": null }), json!({ "act": {} })] {
            assert!(!is_met(&rule, &claims), "{rule:?}: {claims}");
        }
    }
}

#[test]
fn scope_values_imply_others_transitively() {
    let implied = [
        ("admin", &["orders:write", "users"][..]),
        ("orders:write", &["orders:read"]),
        // A cycle: each of the two implies the other.
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
        // A text that is not a scope value is never granted, and grants nothing.
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
            match policy.check(proven(&json!({ "scope": granted })), |_| None) {
                Ok(token) => assert!(expected && policy.has_scope(&token, asked), "{granted} passed for {asked}"),
                Err(Refusal::Configuration(_)) => {
                    assert!(!is_scope_value(asked), "{granted} was refused for {asked} as for a mistake");
                }
                Err(refusal) => {
                    assert!(!expected, "{granted} was refused for {asked}");
                    // The refusal names the required value, not one that implies it.
                    let named = if rules.scope.is_empty() { format!("never {asked}") } else { asked.to_owned() };
                    assert_eq!(refusal, Refusal::Access(AccessFault::InsufficientScope { required: named }));
                }
            }
        }
        let open = Policy::new(&Rules { implied_scopes: implied.clone(), ..Rules::default() }, Vec::new());
        let token = open.check(proven(&json!({ "scope": granted })), |_| None).unwrap();
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
        let refusal = policy.check(proven(&claims), |_| None).err();
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

/// Tells whether a pattern matches, by the simplest algorithm.
fn matches_plainly(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        ([b'*', rest @ ..], text) => (0..=text.len()).any(|skipped| matches_plainly(rest, &text[skipped..])),
        ([first, rest @ ..], [character, others @ ..]) => first == character && matches_plainly(rest, others),
        (_, []) => false,
    }
}

proptest::proptest! {
    #[test]
    fn a_pattern_matches_what_its_definition_says(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
        let expected = matches_plainly(pattern.as_bytes(), text.as_bytes());
        proptest::prop_assert_eq!(is_met(&ClaimRule::matches("a", pattern), &json!({ "a": text })), expected);
    }
}

//! Rules as data: their forms, and the errors of invalid ones.

use serde_json::{Value, json};

use super::strings;
use crate::policy::{ClaimRule, Rules};

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
        "acr": ["urn:example:mfa"],
        "max_age": 300,
        "dpop": "required",
        "sender_constrained": true,
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
    // Omitted members require nothing, and the defaults can be read, too.
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
        (json!({ "scope": "a b" }), "invalid type: string \"a b\", expected an array of scope values in `scope`"),
        (json!({ "scope": null }), "expected an array of scope values in `scope`"),
        (json!({ "acr": "a" }), "expected an array of authentication contexts in `acr`"),
        (json!({ "claims": "sub" }), "expected an array of rules for claims in `claims`"),
        (json!({ "any_scope": [] }), "expected at least one scope value in `any_scope`, got none"),
        (json!({ "any_scope": "a" }), "expected an array of scope values in `any_scope`"),
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
        // Read as no condition, it would turn into a rule for presence.
        (json!({ "claims": [{ "name": "a", "one_of": null }] }), "expected a sequence"),
        (json!({ "claims": [{ "name": "a", "matches": null }] }), "expected a string"),
        (json!({ "claims": [{ "name": "a", "absent": null }] }), "expected a boolean"),
        (json!({ "claims": [{ "name": "a", "matches": "" }] }), "write `*` for any text"),
        (json!({ "claims": [{ "name": "a", "value": 1e22 }] }), "expected a number of at most 64 bits"),
        (
            json!({ "claims": [{ "name": "a", "one_of": [1, [{ "b": -1e300 }]] }] }),
            "expected a number of at most 64 bits",
        ),
        (json!({ "claims": [{ "name": "a", "value": 1, "absent": true }] }), "expected at most one of"),
        (json!({ "claims": [{ "name": "a", "value": 1, "one_of": [1] }] }), "expected at most one of"),
        (json!({ "claims": [{ "name": "a", "value": null, "matches": "x" }] }), "expected at most one of"),
        (json!({ "implied_scopes": { "a": "b" } }), "expected a sequence"),
        (json!({ "max_token_bytes": -1 }), "expected a number of bytes"),
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

#[test]
fn the_example_of_the_readme_is_good() {
    let page = include_str!("../../../../../README.md");
    let examples: Vec<_> = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let rules: Rules = serde_json::from_str(example).unwrap();
        rules.check().unwrap();
        assert_ne!(rules, Rules::default());
    }
}

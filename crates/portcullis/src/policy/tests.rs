//! Tests of the policy: equality of claims, scope values, and several rules together.

mod data;
mod language;
mod step_up;

use std::{sync::Arc, time::SystemTime};

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use super::*;
use crate::{
    bearer::BearerToken,
    claims::IssuerRules,
    json,
    keys::{ImportRules, KeySet, Origin},
    proof::{DpopUse, Possession, PossessionRules, Sender},
    refusal::AccessFault,
    token,
};

#[expect(clippy::needless_pass_by_value, reason = "made on the spot")]
fn met(rule: Value, claim: Value) -> bool {
    let claims = json::object(json!({ "a": claim }).to_string().into_bytes()).unwrap();
    ClaimCheck::new(&ClaimRule::equals("a", rule)).is_met(&claims)
}

fn is_met(rule: &ClaimRule, claims: &Value) -> bool {
    ClaimCheck::new(rule).is_met(&json::object(claims.to_string().into_bytes()).unwrap())
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
        (json!(-4_503_599_627_370_497_i64), json!(-4_503_599_627_370_497.0), true),
        (json!(4_503_599_627_370_496.5), json!(4_503_599_627_370_496.5), true),
        (json!(1), json!("1"), false),
        (json!(1), json!(true), false),
        (json!(0), json!(null), false),
    ];
    for (rule, claim, expected) in table {
        assert_eq!(met(rule.clone(), claim.clone()), expected, "{rule} against {claim}");
    }
}

#[test]
fn numbers_that_are_rounded_to_the_same_one_are_not_equal() {
    let met = |rule: &str, claim: &str| {
        let claims = json::object(format!("{{\"a\":{claim}}}").into_bytes()).unwrap();
        ClaimCheck::new(&ClaimRule::equals("a", serde_json::from_str::<Value>(rule).unwrap())).is_met(&claims)
    };
    for (rule, claim, expected) in [
        ("1000", "1e3", true),
        ("0.1", "0.10", true),
        ("0.1", "0.10000000000000000001", false),
        ("0", "1e-400", false),
        ("9007199254740992", "9007199254740993.0", false),
        ("18446744073709551615", "18446744073709551616", false),
        // A rule with such a number is refused where it is read, and met by no claim.
        ("12345678901234567890123", "12345678901234567890123", false),
        ("12345678901234567890123", "12345678901234567890124", false),
        ("[12345678901234567890123]", "[12345678901234568000000]", false),
    ] {
        assert_eq!(met(rule, claim), expected, "{rule} against {claim}");
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

/// A token with these claims that was signed and verified.
fn proven(claims: &Value) -> ProvenToken {
    let key = SigningKey::from_secret(Algorithm::HS256, "k", &[7; 32]);
    let text = TokenBuilder::new(&key, "i", SystemTime::UNIX_EPOCH).claims_json(&claims.to_string()).sign();
    let document = json!({ "keys": [key.public_jwk()] }).to_string().parse().unwrap();
    let keys = Arc::new(KeySet::import(&document, &ImportRules::of(Origin::Local)));
    let token = token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
    let signed = keys.candidates(token.header()).unwrap().verify(token, 8).unwrap();
    let rules = IssuerRules { dangerously_accept_tokens_without_expiry: true, ..IssuerRules::default() };
    let token = Arc::new(rules).accept(signed, SystemTime::UNIX_EPOCH).unwrap();
    let possession = PossessionRules { dpop: DpopUse::Off, sender_constrained: false };
    match possession.check(token, Sender::UNKNOWN, None) {
        Ok(Possession::Proven(token)) => token,
        _ => panic!("a bearer token"),
    }
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn scope_values_match_whole_and_to_the_letter() {
    // The granted scope; the required values; the groups of which one value is required; the scope that the refusal names.
    type Row = (&'static str, &'static [&'static str], &'static [&'static [&'static str]], Option<&'static str>);
    const MISTAKEN: &str = "no token can meet it";
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
        // A value with a space in it is not a scope value, and is never granted: the rule is mistaken.
        ("a b", &["a b"], &[], Some(MISTAKEN)),
        ("read", &[""], &[], Some(MISTAKEN)),
        ("a", &[], &[&["a b", ""]], Some(MISTAKEN)),
        ("a", &[], &[&["a b", "a"]], None),
        ("b", &[], &[&["a b", "a"]], Some("a b a")),
        ("b", &[], &[&["a", "b"]], None),
        ("c", &[], &[&["a", "b"]], Some("a b")),
        ("a", &[], &[&["a", "b"], &["c"]], Some("a b c")),
        ("a c", &[], &[&["a", "b"], &["c"]], None),
        ("a", &["x"], &[&["a"]], Some("x a")),
        ("a", &[], &[&[]], Some(MISTAKEN)),
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
        let refusal = policy.check(proven(&json!({ "scope": granted })), |_| None).err();
        if *missing == Some(MISTAKEN) {
            assert_eq!(refusal.map(|refusal| refusal.code()), Some("mistaken_rule"), "{all:?} and {any:?}");
            continue;
        }
        assert_eq!(refusal, expected, "{granted:?} where all of {all:?} and one of each of {any:?} are required");
    }
}

#[test]
fn every_claim_rule_is_asked_and_the_first_that_fails_is_told() {
    let claims = json!({
        "sub": "alice", "nothing": null, "roles": ["user", "admin"], "empty": [], "a": { "b": { "c": 1 } },
    });
    let present = |name: &str| ClaimRule::present(name);
    let equals = |name: &str, value: Value| ClaimRule::equals(name, value);
    let table = [
        (vec![], None),
        (vec![present("sub"), present("nothing"), present("empty"), present("roles"), present("a")], None),
        (vec![equals("roles", json!("admin")), equals("/a/b/c", json!(1)), present("/roles/0")], None),
        // express-oauth-jwt stopped at the first rule for an array.
        (vec![equals("roles", json!("admin")), equals("sub", json!("bob"))], Some("sub")),
        (vec![present("roles"), present("missing")], Some("missing")),
        (vec![equals("roles", json!("root")), equals("sub", json!("alice"))], Some("roles")),
        (vec![equals("/a/b/c", json!("1"))], Some("/a/b/c")),
        (vec![present("/a/b/d")], Some("/a/b/d")),
        (vec![equals("empty", json!(null))], Some("empty")),
        (vec![equals("missing", json!(null))], Some("missing")),
        (vec![present("SUB")], Some("SUB")),
        // Names of properties that every JavaScript object has.
        (vec![present("toString")], Some("toString")),
        (vec![present("constructor")], Some("constructor")),
        (vec![present("__proto__")], Some("__proto__")),
        (vec![present("hasOwnProperty")], Some("hasOwnProperty")),
        (vec![present("/roles/length")], Some("/roles/length")),
    ];
    for (rules, failing) in table {
        let policy = Policy::new(&Rules { claims: rules.clone(), ..Rules::default() }, Vec::new());
        let expected = failing.map(|claim| Refusal::Access(AccessFault::RequiredClaims { claim: claim.to_owned() }));
        assert_eq!(policy.check(proven(&claims), |_| None).err(), expected, "{rules:?}");
    }
}

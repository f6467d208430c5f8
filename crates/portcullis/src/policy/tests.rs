//! Equality of claims, where it is easy to get wrong; the rules themselves are tested over HTTP.

use serde_json::{Value, json};

use super::*;
use crate::token::Object;

fn met(rule: Value, claim: Value) -> bool {
    let mut claims = Object::new();
    claims.insert("a".into(), claim);
    ClaimRule::equals("a", rule).is_met(&claims)
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

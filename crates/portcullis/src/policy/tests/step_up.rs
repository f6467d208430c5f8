//! Tests of the user's authentication: its kind and its age (RFC 9470).

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

/// Thirty minutes after the first second of 1970, at which tokens of these tests are verified.
const NOW: Duration = Duration::from_secs(30 * 60);

fn check(rules: &Rules, claims: &Value, now: Option<SystemTime>) -> Result<(), Refusal> {
    Policy::new(rules, Vec::new()).check(proven(claims), |_| now).map(drop)
}

fn step_up(acr: &[&str], max_age: Option<u64>) -> Rules {
    Rules { acr: strings(acr), max_age: max_age.map(Duration::from_secs), ..Rules::default() }
}

fn refused(rules: &Rules, is_too_old: bool) -> Option<Refusal> {
    let (acr_values, max_age) = (rules.acr.clone(), rules.max_age);
    Some(Refusal::Access(AccessFault::InsufficientUserAuthentication { acr_values, max_age, is_too_old }))
}

#[test]
fn acr_is_one_of_the_values_to_the_letter() {
    let rules = step_up(&["urn:example:mfa", "phr"], None);
    let table = [
        (json!("urn:example:mfa"), true),
        (json!("phr"), true),
        (json!("PHR"), false),
        (json!("phr "), false),
        (json!("urn:example:mfa phr"), false),
        (json!("phrh"), false),
        (json!(""), false),
        (json!(null), false),
        (json!(["phr"]), false),
        (json!({ "phr": true }), false),
        (json!(1), false),
    ];
    for (acr, passes) in table {
        let expected = if passes { None } else { refused(&rules, false) };
        assert_eq!(check(&rules, &json!({ "acr": acr }), None).err(), expected, "{acr}");
    }
    assert_eq!(check(&rules, &json!({ "amr": ["mfa"] }), None).err(), refused(&rules, false), "no acr at all");
    assert_eq!(check(&step_up(&[], None), &json!({ "acr": 7 }), None), Ok(()), "where none is asked for, any passes");
}

#[test]
fn the_time_since_the_authentication_is_within_the_limit_and_the_leeway() {
    // The leeway is 5 s by default.
    let rules = step_up(&[], Some(60));
    let now = 30 * 60;
    let table = [
        (json!(now), true),
        (json!(now - 60), true),
        (json!(now - 65), true),
        (json!(f64::from(now) - 64.5), true),
        (json!(f64::from(now) - 65.5), false),
        (json!(now - 66), false),
        (json!(0), false),
        (json!(-1), false),
        (json!(-1e300), false),
        // The issuer's clock may be ahead by the leeway; a time to come would stay recent for ever.
        (json!(now + 5), true),
        (json!(now + 6), false),
        (json!(1e300), false),
        (json!(now * 1000), false),
        (json!(now.to_string()), false),
        (json!("1970-01-01T00:30:00Z"), false),
        (json!(null), false),
        (json!(true), false),
        (json!([now]), false),
        (json!({}), false),
    ];
    let time = SystemTime::UNIX_EPOCH + NOW;
    for (auth_time, passes) in table {
        let expected = if passes { None } else { refused(&rules, true) };
        let claims = json!({ "auth_time": auth_time, "iat": 0 });
        assert_eq!(check(&rules, &claims, Some(time)).err(), expected, "{auth_time}");
    }
    assert_eq!(check(&rules, &json!({ "iat": 0 }), Some(time)).err(), refused(&rules, true), "no auth_time at all");
    assert_eq!(check(&rules, &json!({ "auth_time": now }), None).err(), refused(&rules, true), "an unknown time");
    let long = step_up(&[], Some(u64::MAX));
    assert_eq!(check(&long, &json!({ "auth_time": -1e300 }), Some(time)).err(), refused(&long, true));
}

#[test]
fn the_clock_is_read_only_for_a_limit_of_the_age() {
    let policy = Policy::new(&step_up(&["phr"], None), Vec::new());
    let unread = policy.check(proven(&json!({ "acr": "phr" })), |_| panic!("read"));
    assert!(unread.is_ok());
}

#[test]
fn the_authentication_is_checked_first_and_told_whole() {
    let rules = Rules { scope: strings(&["write"]), ..step_up(&["phr"], Some(60)) };
    let time = SystemTime::UNIX_EPOCH + NOW;
    let good = json!({ "acr": "phr", "auth_time": 30 * 60 });
    let missing = check(&rules, &good, Some(time)).unwrap_err();
    assert_eq!(missing.code(), "insufficient_scope");
    for (claims, is_too_old) in [
        (json!({}), false),
        (json!({ "acr": "phr" }), true),
        (json!({ "auth_time": 30 * 60, "scope": "write" }), false),
    ] {
        assert_eq!(check(&rules, &claims, Some(time)).err(), refused(&rules, is_too_old), "{claims}");
    }
}

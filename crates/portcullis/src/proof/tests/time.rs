//! The time of a proof: `iat`, within its window.

use super::*;

#[test]
fn a_proof_was_made_lately() {
    let bench = Bench::new(Signing::ES256);
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let now = NOW as f64;
    for (iat, expected) in [
        (json!(NOW), "good"),
        (json!(NOW - 299), "good"),
        (json!(now - 299.5), "good"),
        (json!(NOW - 300), "dpop_too_old"),
        (json!(now - 300.5), "dpop_too_old"),
        (json!(NOW + 10), "good"),
        (json!(now + 9.75), "good"),
        (json!(now + 10.25), "dpop_ahead"),
        (json!(NOW + 11), "dpop_ahead"),
        // Milliseconds, a common mistake.
        (json!(NOW * 1000), "dpop_ahead"),
        (json!(0), "dpop_too_old"),
        (json!(-1), "dpop_too_old"),
        (json!(-1e300), "dpop_too_old"),
        (json!(1e300), "dpop_ahead"),
        (json!(NOW.to_string()), "malformed_dpop_proof"),
        (json!(""), "malformed_dpop_proof"),
    ] {
        let proof = bench.proof(&json!({}), &json!({ "iat": iat }));
        assert_eq!(code(bench.judge(&proof)), expected, "{iat}");
    }
}

#[test]
fn the_window_is_configurable() {
    let rules = DpopRules { max_age: Duration::from_secs(60), leeway: Duration::ZERO, ..DpopRules::default() };
    let bench = Bench { rules, ..Bench::new(Signing::ES256) };
    for (iat, expected) in [(NOW, "good"), (NOW + 1, "dpop_ahead"), (NOW - 59, "good"), (NOW - 60, "dpop_too_old")] {
        let verdict = bench.judge(&bench.proof(&json!({}), &json!({ "iat": iat })));
        if let Ok(proof) = &verdict {
            let made = SystemTime::UNIX_EPOCH + Duration::from_secs(iat);
            assert_eq!((proof.time.made, proof.time.until), (made, made + Duration::from_secs(60)));
        }
        assert_eq!(code(verdict), expected, "{iat}");
    }
}

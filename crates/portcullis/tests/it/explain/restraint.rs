//! A report causes no more requests than a verdict, trusts no unverified claim, and is safe to show.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{CheckKind, Explanation, JwksService, Secure, Verifier};
use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, Endpoint};
use serde_json::{Value, json};

use super::{AUDIENCE, check};
use crate::support::{Setup, by, explain_request};

fn fresh(setup: &Setup) -> Verifier {
    let jwks = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri())).build().unwrap();
    Verifier::builder(jwks).issuer(setup.server.issuer()).audience(AUDIENCE).build().unwrap()
}

#[tokio::test]
async fn it_fetches_no_more_than_verification_would() {
    let setup = Setup::new().await;
    let fetches = || setup.server.requests(Endpoint::Jwks);
    for attack in Attack::ALL {
        let token = setup.server.hostile(*attack);
        let before = fetches();
        drop(fresh(&setup).verify(&token).await);
        let by_verifying = fetches() - before;
        fresh(&setup).explain(&token, setup.clock.now()).await;
        assert_eq!(fetches() - before - by_verifying, by_verifying, "{attack}");
    }
    assert_eq!(setup.server.requests(Endpoint::Attacker), 0, "no URL in a token is followed");
}

#[tokio::test]
async fn forged_kids_cause_no_more_fetches_here() {
    let setup = Setup::new().await;
    let verifier = fresh(&setup);
    for number in 0..100 {
        let token = setup.server.token().kid(format!("forged-{number}")).sign();
        verifier.explain(&token, setup.clock.now()).await;
    }
    assert!(setup.server.requests(Endpoint::Jwks) <= 6, "{}", setup.server.requests(Endpoint::Jwks));
}

#[tokio::test]
async fn past_a_failure_keys_are_used_and_not_even_refreshed() {
    let setup = Setup::new().await;
    let verifier = fresh(&setup);
    verifier.verify(&setup.server.token().sign()).await.unwrap();
    setup.clock.advance(Duration::from_secs(3_600));
    let wrong = setup.server.token().typ("dpop+jwt").sign();
    let explanation = verifier.explain(&wrong, setup.clock.now()).await;
    assert_eq!(explanation.first_failure().unwrap().kind, CheckKind::Type);
    assert_eq!(check(&explanation, CheckKind::Signature).outcome.name(), "passed");
    assert!(explanation.vouched);
    tokio::task::yield_now().await;
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn past_a_failure_the_rest_is_judged_as_far_as_it_can_be() {
    let setup = Setup::new().await;
    let verifier = fresh(&setup);
    let token = setup.server.token().issued_at(setup.clock.now() - Duration::from_secs(900));
    let token = token.expired_for(Duration::from_secs(600)).audience("other").sign();
    let explanation = verifier.explain(&token, setup.clock.now()).await;
    let failed: Vec<_> = explanation.checks.iter().filter(|check| check.has_failed()).map(|check| check.kind).collect();
    assert_eq!(failed, [CheckKind::Expiry, CheckKind::Audience]);
    assert_eq!(explanation.refusal().unwrap().code(), "expired");
}

/// The checks whose facts are measured and not claimed.
const MEASURED: [CheckKind; 4] = [CheckKind::Credentials, CheckKind::Size, CheckKind::Characters, CheckKind::Segments];

#[tokio::test]
async fn nothing_is_vouched_for_that_no_signature_vouches_for() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let setup = Setup::with(|server| server.algorithm(algorithm), |jwks| jwks).await;
        let verifier = fresh(&setup);
        for attack in Attack::ALL {
            let explanation = verifier.explain(&setup.server.hostile(*attack), setup.clock.now()).await;
            let signature = explanation.checks.iter().find(|check| check.kind == CheckKind::Signature);
            let is_signed = signature.is_some_and(|check| check.outcome.name() == "passed");
            assert_eq!(explanation.vouched, is_signed, "{attack}");
            for check in explanation.checks.iter().filter(|check| !MEASURED.contains(&check.kind)) {
                let vouched = check.actual.as_ref().is_some_and(|fact| fact.vouched);
                assert!(is_signed || !vouched, "{attack}: {check:?}");
            }
        }
    }
}

/// All texts of a report, besides header and claims.
fn texts(explanation: &Explanation) -> impl Iterator<Item = &str> {
    explanation.checks.iter().flat_map(|check| {
        let actual = check.actual.as_ref().map(|fact| fact.text.as_str());
        [check.expected.as_deref(), actual, check.hint.as_deref()].into_iter().flatten()
    })
}

#[tokio::test]
async fn hostile_text_steers_nothing_and_is_cut() {
    let setup = Setup::new().await;
    let hostile = "\x1b[2J\x1b]0;x\x07\u{202e}\u{9b}31m\r\n";
    let (huge, by) = ("x".repeat(8_000), "https://evil.example/");
    let verifier = fresh(&setup);
    let secure = Secure::new(verifier.clone()).scope(["read"]).claim_value("tenant", 7);
    for text in [hostile, &huge] {
        let token = || setup.server.token();
        let tokens = [
            token().issuer(format!("{by}{text}")),
            token().audience(text),
            token().audience(json!([text, text])),
            token().typ(text),
            token().kid(text),
            token().header("alg", text),
            token().scope(text),
            token().scope("read").claim("tenant", json!({ text: text })),
            token().scope("read").claim(text, json!({ "tenant": 7 })),
            token().claim("exp", text),
        ];
        for token in tokens {
            let field = [b"Bearer ", token.sign().as_bytes()].concat();
            let explanation = explain_request(&secure, &[&field], setup.clock.now()).await;
            assert!(explanation.refusal().is_some());
            for text in texts(&explanation) {
                assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
                assert!(text.chars().count() <= 512, "{text}");
            }
            for fact in explanation.checks.iter().filter_map(|check| check.actual.as_ref()) {
                assert!(fact.text.chars().count() <= 256, "{}", fact.text);
            }
        }
    }
    for field in [b"Bearer \x1b[2J".as_slice(), b"Bearer \xff\xfe", "Bearer \u{202e}".as_bytes()] {
        let explanation = explain_request(&secure, &[field], setup.clock.now()).await;
        assert!(texts(&explanation).all(|text| !text.contains(|c: char| c.is_control() || c == '\u{202e}')));
    }
}

#[tokio::test]
async fn the_report_as_data_has_a_stable_shape() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let verifier = Verifier::builder(jwks).issuer(server.issuer()).audience("other").build().unwrap();
    let secure = Secure::new(verifier).scope(["read"]);
    let token = server.token().scope("read").sign();
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let field = format!("Bearer {token}");
    let report = serde_json::to_value(explain_request(&secure, &[field.as_bytes()], now).await).unwrap();
    assert_eq!(keys(&report), ["checks", "claims", "code", "header", "now", "reason", "verdict", "vouched"]);
    assert_eq!(report["verdict"], "refused");
    assert_eq!(report["code"], "issued_in_future");
    assert_eq!(report["now"], "2001-09-09T01:46:40Z");
    assert_eq!(report["vouched"], true);
    assert_eq!(report["header"]["typ"], "at+jwt");
    assert_eq!(report["claims"]["sub"], "alice");
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        let members = ["actual", "check", "code", "expected", "hint", "outcome", "reference", "title"];
        assert_eq!(keys(check), members);
        assert!(
            ["passed", "failed", "not_reached", "not_asked", "not_checked"]
                .contains(&check["outcome"].as_str().unwrap())
        );
    }
    let audience = checks.iter().find(|check| check["check"] == "audience").unwrap();
    assert_eq!(audience["code"], "wrong_audience");
    assert_eq!(audience["expected"], "other");
    assert_eq!(audience["actual"], json!({ "text": AUDIENCE, "vouched": true }));
    assert_eq!(audience["reference"], "RFC 7519 section 4.1.3");
    assert!(!report.to_string().contains(&token), "the token itself is not in it");
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn names_of_checks_are_distinct_and_in_snake_case() {
    let names: BTreeSet<_> = CheckKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), CheckKind::ALL.len());
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')), "{names:?}");
    assert!(CheckKind::ALL.is_sorted(), "in the order in which verification makes them");
}

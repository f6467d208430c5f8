//! Verdicts that a door keeps itself: how long they hold, and the events that end them.

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use http::Method;
use portcullis::{ClientAuthentication, Introspector, Judging, Presented, Secure, Verifier, epoch};
use portcullis_testkit::Endpoint;
use serde_json::json;

use crate::support::Setup;

/// Judges a token until keys are there, and returns the time until which the verdict holds, from now on.
async fn held_for(setup: &Setup, secure: &Secure, token: &str) -> Option<Duration> {
    let field = format!("Bearer {token}");
    let fields: [(&str, &[u8]); 1] = [("authorization", field.as_bytes())];
    let verdict = match secure.judge(&Presented::new(&fields).request(Method::GET.as_str(), "/")) {
        Judging::Done(verdict) => verdict,
        Judging::Waits(pending) => pending.await,
    };
    let admitted = verdict.outcome.unwrap();
    let until: SystemTime = secure.holds_until(admitted.access()?)?;
    Some(until.duration_since(setup.clock.now()).unwrap_or_default())
}

/// An endpoint that introspects, and an opaque token for a minute.
fn introspecting(setup: &Setup, keep_for: Duration) -> (Secure, String) {
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let endpoint = format!("{}/introspect", setup.server.issuer());
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&endpoint, client).keep_for(keep_for).clock(move || clock.now());
    let verifier = Verifier::builder(setup.jwks.clone());
    let secure = Secure::new(verifier.introspection(introspector.build().unwrap()).build().unwrap());
    (secure, setup.server.issue_opaque(setup.server.token().expires_in(Duration::from_secs(60))))
}

#[tokio::test]
async fn a_verdict_holds_as_long_as_its_token_and_its_keys_are_fresh() {
    let setup = Setup::with(|server| server, |jwks| jwks.max_age(Duration::from_secs(1000))).await;
    let verifier = || Verifier::builder(setup.jwks.clone()).leeway(Duration::ZERO);
    let secure = Secure::new(verifier().build().unwrap());
    let short = setup.server.token().expires_in(Duration::from_secs(60)).sign();
    let long = setup.server.token().expires_in(Duration::from_secs(5000)).sign();
    assert_eq!(held_for(&setup, &secure, &short).await, Some(Duration::from_secs(60)));
    let due = held_for(&setup, &secure, &long).await.unwrap();
    assert!((800..=900).contains(&due.as_secs()), "a refresh is due in {due:?}");
    let lenient = Secure::new(verifier().leeway(Duration::from_secs(30)).build().unwrap());
    assert_eq!(held_for(&setup, &lenient, &short).await, Some(Duration::from_secs(90)));
    let young = Secure::new(verifier().max_token_age(Duration::from_secs(20)).build().unwrap());
    assert_eq!(held_for(&setup, &young, &short).await, Some(Duration::from_secs(20)));
}

#[tokio::test]
async fn a_verdict_by_an_answer_holds_no_longer_than_the_answer_may_be_kept() {
    for (keep_for, expected) in [(0, None), (1, Some(1)), (2, Some(2)), (10, Some(10)), (600, Some(65))] {
        let setup = Setup::new().await;
        let (secure, token) = introspecting(&setup, Duration::from_secs(keep_for));
        let held = held_for(&setup, &secure, &token).await;
        assert_eq!(held, expected.map(Duration::from_secs), "keep_for {keep_for}");
    }
}

#[tokio::test]
async fn a_refused_token_that_is_invalidated_is_asked_about_again() {
    let setup = Setup::new().await;
    let (secure, token) = introspecting(&setup, Duration::from_secs(60));
    let verifier = secure.verifier().clone();
    let opaque = "not-issued-yet";
    assert_eq!(verifier.verify(opaque).await.unwrap_err().code(), "inactive_token");
    let asked = setup.server.requests(Endpoint::Introspection);
    assert_eq!(verifier.verify(opaque).await.unwrap_err().code(), "inactive_token");
    assert_eq!(setup.server.requests(Endpoint::Introspection), asked, "the refusal is remembered");
    verifier.invalidate(opaque);
    assert_eq!(verifier.verify(opaque).await.unwrap_err().code(), "inactive_token");
    assert_eq!(setup.server.requests(Endpoint::Introspection), asked + 1);
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_verdict_that_depends_on_the_request_or_the_time_does_not_hold() {
    let setup = Setup::new().await;
    let auth_time = setup.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let token = setup.server.token().claim("auth_time", json!(auth_time)).claim("acr", json!("mfa")).sign();
    let secure = || Secure::new(setup.jwks.clone());
    let table = [
        ("no rule", secure(), true),
        ("scope, claims and acr", secure().claim("sub").acr(["mfa"]), true),
        ("max_age", secure().max_age(Duration::from_secs(60)), false),
        ("a rule of its own", secure().rule("own", |_| true).unwrap(), false),
        ("DPoP", secure().dpop(portcullis::Dpop::allowed()), false),
    ];
    for (name, secure, holds) in table {
        assert_eq!(held_for(&setup, &secure, &token).await.is_some(), holds, "{name}");
    }
}

#[tokio::test]
async fn other_keys_and_a_removed_token_begin_another_epoch() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    setup.jwks.prefetch().await.unwrap();
    let epoch = epoch();
    let mut last = epoch.load(Ordering::Acquire);
    let mut is_new = || std::mem::replace(&mut last, epoch.load(Ordering::Acquire)) != epoch.load(Ordering::Acquire);
    verifier.invalidate("a token");
    assert!(is_new(), "invalidate");
    setup.server.rotate();
    setup.jwks.refresh().await.unwrap();
    assert!(is_new(), "a rotation");
}

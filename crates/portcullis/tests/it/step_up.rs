//! Step-up (RFC 9470) at the doors: the user's authentication has to be of a kind, and recent.

use std::time::{Duration, SystemTime};

use axum::{Router, routing::get};
use http::StatusCode;
use portcullis::{
    CheckKind, ClientAuthentication, ConfigurationError, Introspector, ProtectedResource, Rules, Secure, Verifier,
};
use serde_json::{Value, json};

use crate::support::{Answer, Setup, answer, app, bearer, explain_request};

const TOO_WEAK: &str = r#"Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="urn:example:mfa phr", max_age="60""#;
const TOO_OLD: &str = r#"Bearer error="insufficient_user_authentication", error_description="More recent authentication is required", acr_values="urn:example:mfa phr", max_age="60""#;

fn rules() -> Rules {
    serde_json::from_value(json!({ "acr": ["urn:example:mfa", "phr"], "max_age": "1m" })).unwrap()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// The answer of tower, axum and actix-web, which have to be the same.
async fn at_each_door(secure: &Secure, token: &str) -> Answer {
    let axum = answer(&app(secure.clone()), bearer(token)).await;
    #[cfg(feature = "actix")]
    {
        let app = actix_web::App::new().wrap(secure.clone()).route("/", actix_web::web::get().to(|| async { "alice" }));
        let field = format!("Bearer {token}");
        let actix = crate::actix::answer!(app, &[("authorization", &*field)]);
        assert_eq!((actix.status, actix.challenge()), (axum.status, axum.challenge()));
    }
    axum
}

#[tokio::test]
async fn hostile_times_and_kinds_pass_at_no_door() {
    let setup = Setup::new().await;
    setup.jwks.prefetch().await.unwrap();
    let secure = Secure::new(setup.jwks.clone()).rules(rules()).unwrap();
    let now = seconds(setup.clock.now());
    let table: &[(Value, Value, Option<&str>)] = &[
        (json!("phr"), json!(now), None),
        (json!("urn:example:mfa"), json!(now - 65), None),
        (json!("phr"), json!(now + 5), None),
        (json!("phr"), json!(now - 66), Some(TOO_OLD)),
        (json!("phr"), json!(now + 6), Some(TOO_OLD)),
        (json!("phr"), json!(-5), Some(TOO_OLD)),
        (json!("phr"), json!(now.to_string()), Some(TOO_OLD)),
        (json!("phr"), json!(1e308), Some(TOO_OLD)),
        (json!("phr"), json!([now]), Some(TOO_OLD)),
        (json!("phr"), Value::Null, Some(TOO_OLD)),
        (json!(["phr"]), json!(now), Some(TOO_WEAK)),
        (json!("PHR"), json!(now), Some(TOO_WEAK)),
        (json!("phr urn:example:mfa"), json!(now), Some(TOO_WEAK)),
        (json!(""), json!(now), Some(TOO_WEAK)),
        (Value::Null, json!(0), Some(TOO_WEAK)),
    ];
    for (acr, auth_time, challenge) in table {
        let token = setup.server.token().claim("acr", acr.clone()).claim("auth_time", auth_time.clone()).sign();
        let answer = at_each_door(&secure, &token).await;
        let status = if challenge.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!((answer.status, answer.challenge()), (status, *challenge), "{acr} {auth_time}");
    }
    let without = at_each_door(&secure, &setup.server.token().claim("acr", "phr").sign()).await;
    assert_eq!(without.challenge(), Some(TOO_OLD), "no auth_time at all");
    let without = at_each_door(&secure, &setup.server.token().claim("auth_time", now).sign()).await;
    assert_eq!(without.challenge(), Some(TOO_WEAK), "no acr at all");
}

#[tokio::test]
async fn a_cached_token_grows_old_between_two_requests() {
    let setup = Setup::new().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&setup.server.url("/introspect"), client).clock(move || clock.now());
    let verifier = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let verifier = verifier.introspection(introspector.build().unwrap()).build().unwrap();
    let app = app(Secure::new(verifier.clone()).max_age(Duration::from_secs(60)));
    let token = || setup.server.token().claim("auth_time", seconds(setup.clock.now()));
    for token in [token().sign(), setup.server.issue_opaque(token())] {
        let status = async || answer(&app, bearer(&token)).await.status;
        assert_eq!(status().await, StatusCode::OK);
        setup.clock.advance(Duration::from_secs(4));
        assert_eq!(status().await, StatusCode::OK, "from the cache");
        assert!(verifier.token_cache_size().tokens + verifier.opaque_cache_size().tokens > 0);
        setup.clock.advance(Duration::from_secs(62));
        assert_eq!(status().await, StatusCode::UNAUTHORIZED);
        setup.clock.rewind(Duration::from_secs(66));
        verifier.invalidate(&token);
    }
}

#[tokio::test]
async fn an_explanation_has_a_row_for_each_and_says_what_to_do() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).rules(rules()).unwrap().scope(["read"]);
    let now = setup.clock.now();
    let token = |claims: Value| {
        let token = setup.server.token();
        claims.as_object().unwrap().iter().fold(token, |token, (name, value)| token.claim(name, value.clone())).sign()
    };
    let at = seconds(now);
    let table = [
        (json!({}), CheckKind::Acr, "have the issuer write `acr`"),
        (json!({ "acr": ["phr"] }), CheckKind::Acr, "has to be one string"),
        (json!({ "acr": "pwd" }), CheckKind::Acr, "`acr_values`"),
        (json!({ "acr": "phr" }), CheckKind::MaxAge, "have the issuer write `auth_time`"),
        (json!({ "acr": "phr", "auth_time": "now" }), CheckKind::MaxAge, "a number of seconds"),
        (json!({ "acr": "phr", "auth_time": at - 600 }), CheckKind::MaxAge, "authenticate again"),
        (json!({ "acr": "phr", "auth_time": at }), CheckKind::Scope, "grants no scope"),
    ];
    for (claims, kind, hint) in table {
        let explanation =
            explain_request(&secure, &[format!("Bearer {}", token(claims.clone())).as_bytes()], now).await;
        let failed = explanation.first_failure().unwrap();
        assert_eq!(failed.kind, kind, "{claims}");
        assert!(failed.hint.as_deref().unwrap_or_default().contains(hint), "{claims}: {:?}", failed.hint);
    }
    let good = token(json!({ "acr": "phr", "auth_time": at - 30, "scope": "read" }));
    let explanation = explain_request(&secure, &[format!("Bearer {good}").as_bytes()], now).await;
    let row = |kind: CheckKind| explanation.checks.iter().find(|check| check.kind == kind).unwrap();
    assert_eq!(explanation.verdict(), "passed");
    assert_eq!(row(CheckKind::Acr).expected.as_deref(), Some("one of urn:example:mfa, phr"));
    assert_eq!(row(CheckKind::MaxAge).expected.as_deref(), Some("auth_time at most 60 s ago, give or take 5 s"));
    assert!(row(CheckKind::MaxAge).actual.as_ref().unwrap().text.ends_with("30 s ago"));
}

#[tokio::test]
async fn one_challenge_tells_the_client_of_a_resource_all_that_it_has_to_ask_for() {
    let setup = Setup::new().await;
    let issuer = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let resource = ProtectedResource::new("https://api.example.com").issuer(issuer);
    let secure = Secure::protecting(resource).unwrap().scope(["write"]).acr(["phr"]);
    let app = secure.protect(Router::new().route("/", get(|| async { "written" })));
    let refused = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let expected = r#", acr_values="phr", scope="write", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    assert!(refused.challenge().unwrap().ends_with(expected), "{:?}", refused.challenge());
    let stepped_up = setup.server.token().claim("acr", "phr").scope("write").sign();
    assert_eq!(answer(&app, bearer(&stepped_up)).await.body, "written");
}

#[test]
fn rules_that_no_challenge_can_name_are_refused() {
    let table = [
        (json!({ "acr": ["a", "b c"] }), "`acr[1]`: expected one authentication context"),
        (json!({ "acr": [""] }), "`acr[0]`"),
        (json!({ "acr": ["a\"b"] }), "`acr[0]`"),
        (json!({ "acr": ["a\r\nb"] }), "`acr[0]`"),
        (json!({ "max_age": 0 }), "`max_age`: expected 1 s or more"),
        (json!({ "max_age": "900ms" }), "`max_age`: expected 1 s or more"),
    ];
    for (rules, expected) in table {
        let rules: Rules = serde_json::from_value(rules).unwrap();
        let error: ConfigurationError = rules.check().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let negative = serde_json::from_value::<Rules>(json!({ "max_age": -1 }));
    assert!(negative.is_err());
}

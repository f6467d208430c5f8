//! The refusal table, row by row, over HTTP.

use std::time::Duration;

use http::StatusCode;
use portcullis::{InvalidTokenStatus, JwksService, Secure};
use portcullis_testkit::{Endpoint, Fault};

use crate::support::{Setup, answer, app, bearer, by, request};

#[tokio::test]
pub(crate) async fn a_request_without_a_token_is_challenged_without_an_error() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).realm("r"));
    let table: &[&[(&str, &str)]] = &[
        &[],
        &[("authorization", "Basic YTpi")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer  ")],
        &[("authorization", "DPoP abc")],
        &[("x-token", "abc")],
    ];
    for fields in table {
        let answer = answer(&app, request(fields)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{fields:?}");
        assert_eq!(answer.challenge(), Some(r#"Bearer realm="r""#), "{fields:?}");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
pub(crate) async fn a_request_with_two_authorization_fields_is_invalid() {
    let setup = Setup::new().await;
    let token = format!("Bearer {}", setup.server.token().sign());
    let answer = answer(&setup.app(), request(&[("authorization", &token), ("authorization", &token)])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let expected =
        r#"Bearer error="invalid_request", error_description="The request carries more than one access token""#;
    assert_eq!(answer.challenge(), Some(expected));
}

#[tokio::test]
pub(crate) async fn a_bad_token_is_refused_with_403_or_401_as_configured() {
    let setup = Setup::new().await;
    let expired = setup.server.token().expired_for(Duration::from_secs(60)).sign();
    for (secure, status) in [
        (Secure::new(setup.jwks.clone()), StatusCode::FORBIDDEN),
        (
            Secure::new(setup.jwks.clone()).invalid_token_status(InvalidTokenStatus::Unauthorized),
            StatusCode::UNAUTHORIZED,
        ),
        (Secure::new(setup.jwks.clone()).invalid_token_status(InvalidTokenStatus::Forbidden), StatusCode::FORBIDDEN),
    ] {
        let answer = answer(&app(secure.realm("my-realm")), bearer(&expired)).await;
        assert_eq!(answer.status, status);
        let expected = r#"Bearer realm="my-realm", error="invalid_token", error_description="Token has expired""#;
        assert_eq!(answer.challenge(), Some(expected));
    }
}

#[tokio::test]
pub(crate) async fn a_missing_scope_names_the_scope() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone())
        .invalid_token_status(InvalidTokenStatus::Unauthorized)
        .scope(["a", "b"])
        .any_scope(["c", "d"]));
    let answer = answer(&app, bearer(&setup.server.token().scope("a").sign())).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let expected = concat!(
        r#"Bearer error="insufficient_scope", error_description="Token is missing some required scope values", "#,
        r#"scope="a b c d""#
    );
    assert_eq!(answer.challenge(), Some(expected));
}

#[tokio::test]
pub(crate) async fn a_missing_claim_is_an_invalid_token() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).claim("role"));
    let answer = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let expected = r#"Bearer error="invalid_token", error_description="Token is missing some required claims""#;
    assert_eq!(answer.challenge(), Some(expected));
}

#[tokio::test]
pub(crate) async fn without_keys_the_token_is_not_judged() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Status(500));
    let answer = answer(&setup.app(), bearer(&setup.server.token().sign())).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.challenge(), None);
    let retry_after: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&retry_after));
}

#[tokio::test]
pub(crate) async fn a_refusal_tells_nothing_of_our_insides() {
    let setup = Setup::new().await;
    let secret = setup.server.issuer().trim_start_matches("http://").to_owned();
    setup.server.fault(Endpoint::Jwks, Fault::Status(500));
    let app = app(Secure::new(setup.jwks.clone()).problem_json());
    let answer = answer(&app, bearer(&setup.server.token().sign())).await;
    let told = format!("{:?}{}", answer.headers, answer.body);
    assert!(!told.contains(&secret), "{told}");
    assert!(!told.contains("500"), "{told}");
}

#[tokio::test]
pub(crate) async fn problem_details_carry_the_code() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).problem_json().scope(["read"]));
    let answer = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let expected = serde_json::json!({
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "Token is missing some required scope values",
        "code": "insufficient_scope",
    });
    assert_eq!(problem, expected);
}

#[tokio::test]
pub(crate) async fn a_realm_cannot_break_out_of_its_quotes() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).realm("a\"b\\c\r\nSet-Cookie: x"));
    let answer = answer(&app, request(&[])).await;
    assert_eq!(answer.challenge(), Some(r#"Bearer realm="a\"b\\c  Set-Cookie: x""#));
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[test]
pub(crate) fn no_status_that_lets_a_client_believe_it_passed_can_be_set() {
    for status in [0, 200, 204, 302, 400, 402, 404, 500, u16::MAX] {
        let error = InvalidTokenStatus::try_from(status).unwrap_err().to_string();
        assert_eq!(error, format!("`invalid_token_status`: expected 401 or 403, got {status}"));
        assert!(serde_json::from_value::<InvalidTokenStatus>(status.into()).is_err(), "{status}");
    }
    for status in [401, 403] {
        let read: InvalidTokenStatus = serde_json::from_value(status.into()).unwrap();
        assert_eq!(u16::from(read), status);
        assert_eq!(serde_json::to_value(read).unwrap(), status);
    }
}

#[tokio::test]
pub(crate) async fn a_token_beyond_the_limit_is_refused_before_it_is_read() {
    let setup = Setup::new().await;
    let token = setup.server.token().claim("padding", "x".repeat(2000)).sign();
    let (small, large) = (token.len() - 1, token.len());
    for (max, status) in [(small, StatusCode::FORBIDDEN), (large, StatusCode::OK)] {
        let app = app(Secure::new(setup.jwks.clone()).max_token_bytes(max).problem_json());
        assert_eq!(answer(&app, bearer(&token)).await.status, status, "{max}");
    }
    let default = answer(&setup.app(), bearer(&"a".repeat(16 * 1024 + 1))).await;
    assert!(default.challenge().unwrap().contains("Token is too large"));
}

#[tokio::test]
pub(crate) async fn outside_of_a_runtime_the_builder_works_and_nothing_panics() {
    let clock = portcullis_testkit::TestClock::new();
    assert!(!by(&clock, JwksService::builder("http://127.0.0.1:1/jwks")).build().unwrap().ready());
}

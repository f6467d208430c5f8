//! Answers in the forms of real servers, and the bounds of accepted ones.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Response;
use portcullis::{IntrospectionForm, Secure};
use portcullis_testkit::{Endpoint, Fault};
use serde_json::json;

use super::{Answer, Canned, Shared, asked, failures::alone, introspector, opaque, verdict, verifier};
use crate::support::{Setup, app};

/// The verdict on an opaque token with this JSON answer.
async fn told(setup: &Setup, body: &str) -> (u16, String) {
    let client = Canned { media_type: "application/json", body: body.to_owned() };
    let introspector = introspector(setup, IntrospectionForm::Json).http_client(client).build().unwrap();
    verdict(&app(Secure::new(verifier(setup, introspector)).problem_json()), "opaque").await
}

#[tokio::test]
async fn answers_are_understood_where_they_leave_no_doubt() {
    let setup = Setup::new().await;
    let issuer = setup.server.issuer();
    let later = setup.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 600;
    let aud = r#""aud":"https://api.example.com""#;
    for (answer, expected) in [
        // django-oauth-toolkit, Hydra, IdentityServer, Keycloak, Okta, Spring Authorization Server
        (format!(r#"{{"active":true,"scope":"read","exp":{later},"client_id":"a","username":"b",{aud}}}"#), (200, "")),
        (format!(r#"{{"active":true,"token_type":"Bearer","token_use":"access_token","ext":{{}},{aud}}}"#), (200, "")),
        (format!(r#"{{"active":true,"scope":["a","b"],"iss":"{issuer}",{aud}}}"#), (200, "")),
        (r#"{"active":true,"typ":"Bearer","aud":["account","https://api.example.com"]}"#.into(), (200, "")),
        (format!(r#"{{"active":true,"uid":"1","device_id":"2","exp":{later}.0,{aud}}}"#), (200, "")),
        // Oddities
        (format!("\u{feff}{{\"active\":true,{aud}}}\r\n"), (200, "")),
        (format!(r#"{{"active":true,"exp":"{later}","iat":"1",{aud}}}"#), (200, "")),
        (format!(r#"{{"active":true,"exp":"1",{aud}}}"#), (403, "expired")),
        (format!(r#"{{"active":true,"nbf":"{later}",{aud}}}"#), (403, "not_yet_valid")),
        (format!(r#"{{"active":true,"exp":"tomorrow",{aud}}}"#), (403, "malformed_claim")),
        (format!(r#"{{"active":true,"exp":null,"iss":null,"token_type":null,{aud}}}"#), (200, "")),
        (r#"{"active":true,"aud":null}"#.into(), (403, "missing_claim")),
        (format!(r#"{{"active":true,"iss":"{issuer}/",{aud}}}"#), (200, "")),
        (format!(r#"{{"active":true,"iss":"{issuer}//",{aud}}}"#), (403, "wrong_issuer")),
        (format!(r#"{{"active":true,"iss":"{issuer}/other",{aud}}}"#), (403, "wrong_issuer")),
        // Doubt
        (format!(r#"{{"active":"true",{aud}}}"#), (503, "introspection_unavailable")),
        (format!(r#"{{"active":null,{aud}}}"#), (503, "introspection_unavailable")),
        (format!(r#"{{"active":1,{aud}}}"#), (503, "introspection_unavailable")),
    ] {
        let verdict = told(&setup, &answer).await;
        assert_eq!(verdict, (expected.0, expected.1.to_owned()), "{answer}");
    }
}

#[tokio::test]
async fn the_type_of_an_answer_counts_whatever_its_parameters() {
    for (form, media_type, passes) in [
        (IntrospectionForm::Json, "application/json;charset=UTF-8", true),
        (IntrospectionForm::Json, "Application/JSON ; charset=\"utf-8\"", true),
        (IntrospectionForm::Jwt, "application/token-introspection+jwt; charset=utf-8", true),
        (IntrospectionForm::Jwt, "APPLICATION/TOKEN-INTROSPECTION+JWT;charset=utf-8", true),
        (IntrospectionForm::Phantom, "application/jwt;charset=utf-8", true),
        (IntrospectionForm::Json, "application/json, text/html", false),
        (IntrospectionForm::Json, "application/jsonp", false),
        (IntrospectionForm::Json, "text/plain", false),
    ] {
        let setup = Setup::new().await;
        let members = json!({ "active": true, "sub": "alice", "aud": "https://api.example.com" });
        let body = match form {
            IntrospectionForm::Json => members.to_string(),
            IntrospectionForm::Phantom => setup.server.token().sign(),
            _ => {
                let answer = setup.server.token().typ("token-introspection+jwt").audience("test-client");
                answer.without_claim("exp").claim("token_introspection", members).sign()
            }
        };
        let client = Canned { media_type, body: format!("{body}\n") };
        let introspector = introspector(&setup, form).http_client(client).build().unwrap();
        let app = app(Secure::new(verifier(&setup, introspector)).problem_json());
        assert_eq!(verdict(&app, "opaque").await.0 == 200, passes, "{form:?} {media_type}");
    }
}

#[tokio::test]
async fn a_signed_answer_is_made_when_it_is_asked_for() {
    let setup = Setup::new().await;
    let now = setup.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let year = 365 * 24 * 3600;
    let members = json!({ "active": true, "sub": "alice", "aud": "https://api.example.com" });
    for (iat, allowed, passes) in [
        (json!(now), 60, true),
        (json!(now - 60), 60, true),
        // The leeway of the verifier is 5 s.
        (json!(now - 65), 60, true),
        (json!(now - 66), 60, false),
        (json!(now - year), 60, false),
        (json!(now - year), u64::MAX, true),
        (json!(now - 10), 0, false),
        (json!(now + 5), 60, true),
        (json!(now + 10), 60, false),
        (json!(now.to_string()), 60, false),
        (json!(-1), 60, false),
        (json!(1e300), 60, false),
        (json!(null), 60, false),
    ] {
        let answer = setup.server.token().typ("token-introspection+jwt").audience("test-client");
        let answer = answer.without_claim("exp").claim("iat", iat.clone());
        let body = answer.claim("token_introspection", members.clone()).sign();
        let client = Canned { media_type: "application/token-introspection+jwt", body };
        let introspector = introspector(&setup, IntrospectionForm::Jwt).http_client(client);
        let introspector = introspector.max_answer_age(Duration::from_secs(allowed)).build().unwrap();
        let app = app(Secure::new(verifier(&setup, introspector.clone())).problem_json());
        let expected = if passes { (200, String::new()) } else { (503, "introspection_unavailable".into()) };
        assert_eq!(verdict(&app, "opaque").await, expected, "{iat} {allowed}");
        let told = introspector.status().last_error.unwrap_or_default();
        assert!(passes || !told.is_empty(), "{iat} {allowed}");
    }
}

#[tokio::test]
async fn a_shared_answer_was_new_when_it_was_told() {
    let setup = Setup::new().await;
    let shared = Shared::default();
    let of = || {
        let introspector = introspector(&setup, IntrospectionForm::Jwt).store(shared.clone(), &[7; 32]);
        let introspector = introspector.keep_for(Duration::from_secs(240)).build().unwrap();
        app(Secure::new(verifier(&setup, introspector)).problem_json())
    };
    let token = opaque(&setup);
    assert_eq!(verdict(&of(), &token).await.0, 200);
    shared.until_it_has(1).await;
    setup.clock.advance(Duration::from_secs(200));
    assert_eq!((verdict(&of(), &token).await.0, asked(&setup)), (200, 1));
}

#[tokio::test]
async fn what_is_read_of_an_answer_is_bounded_and_the_bound_is_named() {
    let setup = Setup::new().await;
    let token = opaque(&setup);
    for (fault, named) in [
        (Fault::HugeBody(300 << 10), "`max_answer_bytes`"),
        (Fault::EndlessBody, "`max_answer_bytes`"),
        (Fault::Hang, "`timeout`"),
        (Fault::Status(302), "redirects are not followed"),
    ] {
        let introspector = introspector(&setup, IntrospectionForm::Json).timeout(Duration::from_millis(500));
        let introspector = introspector.build().unwrap();
        let app = app(Secure::new(verifier(&setup, introspector.clone())).problem_json());
        setup.server.fault(Endpoint::Introspection, fault.clone());
        assert_eq!(verdict(&app, &token).await.0, 503, "{fault:?}");
        let told = introspector.status().last_error.unwrap();
        assert!(told.contains(named), "{fault:?}: {told}");
        setup.server.heal(Endpoint::Introspection);
        assert_eq!(verdict(&app, &token).await.0, 200, "{fault:?}");
    }
    let small = introspector(&setup, IntrospectionForm::Json).max_answer_bytes(10).build().unwrap();
    let app = app(Secure::new(verifier(&setup, small.clone())).problem_json());
    assert_eq!(verdict(&app, &token).await.0, 503);
    assert_eq!(
        small.status().last_error.unwrap(),
        "expected an answer of at most 10 bytes (`max_answer_bytes`), got more"
    );
}

/// Answers with a compressed body, and records the request.
#[derive(Clone, Default)]
struct Compressed(Arc<Mutex<http::HeaderMap>>);

impl portcullis::HttpClient for Compressed {
    async fn send(&self, request: portcullis::HttpRequest) -> Answer {
        *self.0.lock().unwrap() = request.request.headers().clone();
        let answer = Response::builder().header("content-type", "application/json").header("content-encoding", "gzip");
        Ok(answer.body(b"\x1f\x8b\x08\0\0\0\0\0".as_slice().into())?)
    }
}

#[tokio::test]
async fn we_name_ourselves_and_take_no_compressed_answer() {
    let client = Compressed::default();
    let introspector = alone().http_client(client.clone()).build().unwrap();
    let app = app(Secure::new(introspector.clone()).problem_json());
    assert_eq!(verdict(&app, "opaque").await.0, 503);
    assert!(introspector.status().last_error.unwrap().contains("compressed"));
    let fields = client.0.lock().unwrap().clone();
    assert_eq!(fields["user-agent"], format!("portcullis/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(fields.get("accept-encoding"), None);
}

#[tokio::test]
async fn limits_are_options() {
    let setup = Setup::new().await;
    let forgetful = introspector(&setup, IntrospectionForm::Json).remember_refusals(1).build().unwrap();
    let app = app(Secure::new(verifier(&setup, forgetful)).problem_json());
    for _ in 0..2 {
        for token in ["never-issued-1", "never-issued-2"] {
            assert_eq!(verdict(&app, token).await, (403, "inactive_token".into()));
        }
    }
    assert_eq!(asked(&setup), 4, "the younger displaces the older");
}

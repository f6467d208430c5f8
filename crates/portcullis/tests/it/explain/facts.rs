//! The facts in a row: enough to see the fault and its cause.

use std::time::{Duration, UNIX_EPOCH};

use portcullis::{CheckKind, Secure, Verifier};
use serde_json::{Value, json};

use super::{actual, check};
use crate::support::{Setup, explain_request, judge};

#[tokio::test]
async fn a_text_in_the_place_of_a_number_has_its_quotes() {
    let setup = Setup::new().await;
    let verifier = Verifier::from(setup.jwks.clone());
    let table = [
        ("exp", json!("1700000000"), CheckKind::Expiry, r#""1700000000""#),
        ("nbf", json!("1700000000"), CheckKind::NotBefore, r#""1700000000""#),
        ("iat", json!("2026-11-24T10:00:00Z"), CheckKind::IssuedAt, r#""2026-11-24T10:00:00Z""#),
        ("exp", json!(["1700000000"]), CheckKind::Expiry, r#"["1700000000"]"#),
        ("exp", json!(null), CheckKind::Expiry, "null"),
    ];
    for (claim, value, kind, expected) in table {
        let token = setup.server.token().claim(claim, value.clone()).sign();
        let explanation = verifier.explain(&token, setup.clock.now()).await;
        assert_eq!(check(&explanation, kind).code(), Some("malformed_claim"), "{claim}: {value}");
        assert_eq!(actual(&explanation, kind), expected, "{claim}: {value}");
        let reason = explanation.refusal().unwrap().to_string();
        assert!(reason.contains(&format!("`{claim}`")) && reason.contains("number"), "{reason}");
    }
    let secure = Secure::new(verifier).claim_value("level", 7);
    for (value, expected) in [(json!("7"), r#""7""#), (json!(8), "8"), (json!(["7"]), r#"["7"]"#)] {
        let field = format!("Bearer {}", setup.server.token().claim("level", value).sign());
        let explanation = explain_request(&secure, &[field.as_bytes()], setup.clock.now()).await;
        assert_eq!(actual(&explanation, CheckKind::Claim), expected);
    }
}

#[tokio::test]
async fn a_time_is_told_as_a_time_or_not_at_all() {
    let setup = Setup::new().await;
    let verifier = Verifier::from(setup.jwks.clone());
    let after = |seconds| Some(UNIX_EPOCH + Duration::from_secs_f64(seconds));
    for (value, expected) in [
        (json!(1_700_000_000), after(1_700_000_000.0)),
        (json!(1_700_000_000.5), after(1_700_000_000.5)),
        (json!(0), after(0.0)),
        (json!(-1), None),
        (json!(1e300), None),
        (json!("1700000000"), None),
        (json!(null), None),
    ] {
        let claims = [("iat", CheckKind::IssuedAt), ("nbf", CheckKind::NotBefore), ("exp", CheckKind::Expiry)];
        for (claim, kind) in claims {
            let token = setup.server.token().claim(claim, value.clone()).sign();
            let explanation = verifier.explain(&token, setup.clock.now()).await;
            assert_eq!(explanation.time(kind), expected, "{claim}: {value}");
        }
    }
    let explanation = verifier.explain(&setup.server.token().sign(), setup.clock.now()).await;
    assert_eq!(explanation.time(CheckKind::Issuer), None);
    assert_eq!(verifier.explain("opaque", setup.clock.now()).await.time(CheckKind::Expiry), None);
}

#[tokio::test]
async fn the_member_that_an_issuer_writes_wrongly_is_named() {
    let setup = Setup::new().await;
    let verifier = Verifier::from(setup.jwks.clone());
    let token = || setup.server.token();
    let twice = |claims: &str| token().claims_json(claims).sign();
    let header = |header: &str| token().header_json(header).sign();
    let table = [
        (token().header("kid", 7).sign(), CheckKind::HeaderMembers, "malformed_header", "`kid`", "kid: 7"),
        (token().header("kid", json!(null)).sign(), CheckKind::HeaderMembers, "malformed_header", "`kid`", "kid: null"),
        (
            token().header("typ", json!(["JWT"])).sign(),
            CheckKind::HeaderMembers,
            "malformed_header",
            "`typ`",
            r#"typ: ["JWT"]"#,
        ),
        (token().kid("x".repeat(600)).sign(), CheckKind::HeaderMembers, "malformed_header", "512 bytes", "kid: \"xxx"),
        (token().without_header("alg").sign(), CheckKind::HeaderMembers, "malformed_header", "`alg`", "alg: not there"),
        (
            header(r#"{"alg":"RS256","kid":"secret-1","kid":"secret-2"}"#),
            CheckKind::HeaderJson,
            "duplicate_member",
            "`kid` twice",
            "`kid` twice",
        ),
        (
            twice(r#"{"exp":9999999999,"client_id":"secret-1","client_id":"secret-2"}"#),
            CheckKind::PayloadJson,
            "duplicate_member",
            "`client_id` twice",
            "`client_id` twice",
        ),
        (
            twice(r#"{"exp":9999999999,"users":{"secret-1":1,"secret-1":2}}"#),
            CheckKind::PayloadJson,
            "duplicate_member",
            "within `users`",
            "a member twice within `users`",
        ),
    ];
    for (token, kind, code, named, came) in table {
        let explanation = verifier.explain(&token, setup.clock.now()).await;
        let refusal = explanation.refusal().unwrap();
        assert_eq!((check(&explanation, kind).code(), refusal.code()), (Some(code), code));
        assert!(actual(&explanation, kind).starts_with(came), "{}", actual(&explanation, kind));
        let reason = refusal.to_string();
        assert!(reason.contains(named) && !reason.contains("secret"), "{reason}");
        assert!(!refusal.description().contains('`'), "a client learns nothing about the token's claims");
        assert_eq!(verifier.verify(&token).await.as_ref().err(), Some(refusal));
    }
}

#[tokio::test]
async fn a_limit_is_named_with_what_sets_it() {
    let setup = Setup::new().await;
    let builder = || Verifier::builder(setup.jwks.clone());
    let big = setup.server.token().claim("groups", vec![Value::from("x".repeat(100)); 200]).sign();
    let default = builder().build().unwrap();
    let refusal = default.verify(&big).await.unwrap_err();
    assert_eq!(refusal.code(), "token_too_large");
    assert!(refusal.to_string().contains("16384 bytes (max_token_bytes)"), "{refusal}");
    let explanation = default.explain(&big, setup.clock.now()).await;
    assert_eq!(explanation.refusal(), Some(&refusal));
    let expected = check(&explanation, CheckKind::Size).expected.clone().unwrap();
    assert!(expected.contains("16384") && expected.contains("max_token_bytes"), "{expected}");

    let wider = builder().max_token_bytes(64 << 10).build().unwrap();
    assert!(wider.verify(&big).await.is_ok());
    assert_eq!(wider.explain(&big, setup.clock.now()).await.refusal(), None);
    let field = format!("Bearer {big}");
    let judged = |secure: Secure| {
        let field = field.clone();
        async move { judge(&secure, &[field.as_bytes()]).await.map(drop).map_err(|refusal| refusal.code()) }
    };
    assert_eq!(judged(Secure::new(wider.clone())).await, Ok(()), "a layer has the limit of its verifier");
    assert_eq!(judged(Secure::new(wider).max_token_bytes(1 << 10)).await, Err("token_too_large"));
    assert_eq!(judged(Secure::new(default)).await, Err("token_too_large"));

    let deep = format!(r#"{{"exp":9999999999,"deep":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let refusal = builder().build().unwrap().verify(&setup.server.token().claims_json(&deep).sign()).await.unwrap_err();
    assert!(refusal.to_string().contains("32 levels"), "{refusal}");
}

//! Each kind of refusal and its response.

use std::{collections::HashSet, time::Duration};

use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::*;
use crate::refusal::{
    CheckKind, ConfigurationFault, JsonFault, MemberName, Part, TokenFault, UnavailableFault, Unverified,
};

fn insufficient_user_authentication(is_too_old: bool) -> Refusal {
    let (acr_values, max_age) = (vec!["urn:a".into(), "b".into()], Some(Duration::from_millis(90_500)));
    Refusal::Access(AccessFault::InsufficientUserAuthentication { acr_values, max_age, is_too_old })
}

fn refusals() -> Vec<(Refusal, u16, Option<&'static str>, &'static str)> {
    let unverified = || Unverified::new("whatever");
    let second = Duration::from_secs(1);
    let token = |fault, code| (Refusal::Token(fault), 403, Some("invalid_token"), code);
    let mut all = vec![
        (Refusal::Request(RequestFault::NoCredentials), 401, None, "no_credentials"),
        (Refusal::Request(RequestFault::OtherScheme), 401, None, "other_scheme"),
        (Refusal::Request(RequestFault::EmptyToken), 401, None, "empty_token"),
        (Refusal::Request(RequestFault::SeveralTokens), 400, Some("invalid_request"), "several_tokens"),
        (
            Refusal::Access(AccessFault::InsufficientScope { required: "a b".into() }),
            403,
            Some("insufficient_scope"),
            "insufficient_scope",
        ),
        (
            insufficient_user_authentication(true),
            401,
            Some("insufficient_user_authentication"),
            "insufficient_user_authentication",
        ),
        (
            Refusal::Access(AccessFault::RequiredClaims { claim: "a".into() }),
            403,
            Some("invalid_token"),
            "required_claims",
        ),
        (
            Refusal::Access(AccessFault::ForbiddenClaim { claim: "a".into() }),
            403,
            Some("invalid_token"),
            "forbidden_claim",
        ),
        (Refusal::Access(AccessFault::OwnRule { name: "not_of_age" }), 403, Some("invalid_token"), "not_of_age"),
        (Refusal::Unavailable(UnavailableFault::Keys { retry_after: second }), 503, None, "keys_unavailable"),
        (
            Refusal::Unavailable(UnavailableFault::Introspection { retry_after: second }),
            503,
            None,
            "introspection_unavailable",
        ),
        (Refusal::Unavailable(UnavailableFault::Exchange { retry_after: second }), 503, None, "exchange_unavailable"),
        (
            Refusal::Unavailable(UnavailableFault::ExchangeAnswer { retry_after: second }),
            503,
            None,
            "exchange_unusable",
        ),
        (
            Refusal::Configuration(ConfigurationFault::UnknownExchange { known: Vec::new() }),
            500,
            None,
            "unknown_exchange",
        ),
        (
            Refusal::Configuration(ConfigurationFault::MistakenRule {
                check: CheckKind::Scope,
                problem: "`scope[0]`: internal".into(),
            }),
            500,
            None,
            "mistaken_rule",
        ),
        (Refusal::Configuration(ConfigurationFault::MissingLayer), 500, None, "missing_layer"),
        (Refusal::Configuration(ConfigurationFault::NoRuntime), 500, None, "no_runtime"),
    ];
    all.extend([
        token(TokenFault::TooLarge { limit: 1, actual: 2 }, "token_too_large"),
        token(TokenFault::Characters, "malformed_token"),
        token(TokenFault::Encrypted, "encrypted_token"),
        token(TokenFault::Segments { actual: 2 }, "malformed_token_parts"),
        token(TokenFault::Base64(Part::Signature), "malformed_base64"),
        token(TokenFault::Json(Part::Header, JsonFault::Syntax), "malformed_json"),
        token(
            TokenFault::Json(
                Part::Header,
                JsonFault::DuplicateMember { name: MemberName::new("sub"), is_within: false },
            ),
            "duplicate_member",
        ),
        token(TokenFault::Json(Part::Payload, JsonFault::TooDeep), "nested_too_deep"),
        token(TokenFault::Header { member: "kid", expected: "a string" }, "malformed_header"),
        token(TokenFault::Critical, "critical_header"),
        token(TokenFault::Algorithm { actual: unverified() }, "algorithm_not_allowed"),
        token(TokenFault::Type { actual: unverified() }, "wrong_type"),
        token(TokenFault::UnknownKey { kid: Some(unverified()) }, "unknown_key"),
        token(TokenFault::KeyMismatch { algorithm: "ES256" }, "key_mismatch"),
        token(TokenFault::Signature, "bad_signature"),
        token(TokenFault::Expired { ago: second }, "expired"),
        token(TokenFault::NotYetValid { ahead: second }, "not_yet_valid"),
        token(TokenFault::IssuedInFuture { ahead: second }, "issued_in_future"),
        token(TokenFault::MissingClaim { name: "exp" }, "missing_claim"),
        token(TokenFault::MalformedClaim { name: "exp", expected: "a number" }, "malformed_claim"),
        token(TokenFault::Issuer { expected: [].into(), actual: unverified() }, "wrong_issuer"),
        token(TokenFault::Audience { expected: vec!["api".into()] }, "wrong_audience"),
    ]);
    let unproven = |fault, code| (Refusal::Token(fault), 401, Some("invalid_token"), code);
    all.extend([
        unproven(TokenFault::SenderConstrained, "sender_constrained_token"),
        unproven(TokenFault::UnsupportedConfirmation, "unsupported_confirmation"),
        unproven(TokenFault::Unbound, "unbound_token"),
        unproven(TokenFault::DpopRequired, "dpop_required"),
        unproven(TokenFault::SenderConstraintRequired, "sender_constraint_required"),
        unproven(TokenFault::WrongCertificate, "wrong_certificate"),
    ]);
    all
}

#[test]
fn each_refusal_has_its_status_its_error_and_its_own_stable_code() {
    let challenge = Challenge { realm: Some("r".into()), ..Challenge::default() };
    let mut codes = HashSet::new();
    let exchange_refused = Refusal::Access(AccessFault::ExchangeRefused { error: "access_denied" });
    let response = challenge.response(&exchange_refused);
    assert_eq!((response.status().as_u16(), exchange_refused.code()), (403, "exchange_refused"));
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    for (refusal, status, error, code) in refusals() {
        assert_eq!(refusal.code(), code);
        assert!(codes.insert(code), "{code} means two things");
        assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        let response = challenge.response(&refusal);
        assert_eq!(response.status().as_u16(), status, "{code}");
        assert!(response.body().is_empty());
        let field = response.headers().get(WWW_AUTHENTICATE).map(|field| field.to_str().unwrap());
        match (status, error) {
            (500 | 503, _) => assert_eq!(field, None, "{code}"),
            (_, None) => assert_eq!(field, Some("Bearer realm=\"r\""), "{code}"),
            (_, Some(error)) => {
                let start = format!("Bearer realm=\"r\", error=\"{error}\", error_description=\"");
                assert!(field.is_some_and(|field| field.starts_with(&start)), "{code}: {field:?}");
            }
        }
    }
}

#[test]
fn every_code_stands_in_the_documentation_with_its_status() {
    let page = include_str!("../refusal/mod.rs");
    // The code of a rule of one's own is its name.
    for (_, status, error, code) in refusals().into_iter().filter(|(.., code)| *code != "not_of_age") {
        let star = if error == Some("invalid_token") && status == 403 { "*" } else { "" };
        assert!(page.contains(&format!("//! | `{code}` | {status}{star} | ")), "{code}");
    }
}

#[test]
fn no_text_repeats_a_value_or_starts_with_a_capital_where_it_is_for_logs() {
    for (refusal, ..) in refusals() {
        let (log, client) = (refusal.to_string(), refusal.description());
        assert!(!log.contains("whatever") && !format!("{refusal:?}").contains("whatever"), "{log}");
        assert!(log.starts_with(char::is_lowercase) || log.starts_with("Bearer"), "{log}");
        assert!(client.is_ascii() && !client.contains(['"', '\\']), "{client}: RFC 6750 section 3");
    }
}

#[test]
fn the_status_for_a_bad_token_is_configured_and_for_a_missing_scope_is_not() {
    let challenge = Challenge { invalid_token_status: InvalidTokenStatus::Unauthorized, ..Challenge::default() };
    for (refusal, status, error, code) in refusals() {
        let expected = if error == Some("invalid_token") { 401 } else { status };
        assert_eq!(challenge.response(&refusal).status().as_u16(), expected, "{code}");
    }
}

#[test]
fn a_client_is_told_to_come_back_in_a_second_at_least() {
    for (millis, expected) in [(0, "1"), (200, "1"), (1000, "1"), (2900, "3"), (60_000, "60")] {
        let refusal = Refusal::Unavailable(UnavailableFault::Keys { retry_after: Duration::from_millis(millis) });
        assert_eq!(Challenge::default().response(&refusal).headers()[RETRY_AFTER], expected);
    }
}

#[test]
fn a_realm_is_a_quoted_string_whatever_is_in_it() {
    let table = [
        ("plain", "Bearer realm=\"plain\""),
        ("", "Bearer realm=\"\""),
        ("a\"b\\c", r#"Bearer realm="a\"b\\c""#),
        ("a\r\nX: y\0\u{7f}", "Bearer realm=\"a  X: y  \""),
        ("é, \", x=\"", "Bearer realm=\"é, \\\", x=\\\"\""),
    ];
    for (realm, expected) in table {
        let challenge = Challenge { realm: Some(realm.into()), ..Challenge::default() };
        let response = challenge.response(&Refusal::Request(RequestFault::NoCredentials));
        assert_eq!(response.headers()[WWW_AUTHENTICATE].as_bytes(), expected.as_bytes());
    }
}

#[test]
fn the_fields_read_to_the_letter_as_the_rfcs_have_them() {
    let (with_realm, without) =
        (Challenge { realm: Some("my realm".into()), ..Challenge::default() }, Challenge::default());
    let scope = |required: &str| Refusal::Access(AccessFault::InsufficientScope { required: required.into() });
    let table = [
        (Refusal::Request(RequestFault::EmptyToken), ""),
        (
            Refusal::Request(RequestFault::SeveralTokens),
            r#"error="invalid_request", error_description="The request carries more than one access token""#,
        ),
        (
            Refusal::Token(TokenFault::Signature),
            r#"error="invalid_token", error_description="Token signature is invalid""#,
        ),
        (
            Refusal::Access(AccessFault::RequiredClaims { claim: "secret_claim".into() }),
            r#"error="invalid_token", error_description="Token is missing some required claims""#,
        ),
        (
            scope("read write"),
            r#"error="insufficient_scope", error_description="Token is missing some required scope values", scope="read write""#,
        ),
        (
            scope("a\"b\r\n\\"),
            r#"error="insufficient_scope", error_description="Token is missing some required scope values", scope="a\"b  \\""#,
        ),
        // RFC 9470 section 3: seconds are whole, and texts as in its examples.
        (
            insufficient_user_authentication(false),
            r#"error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="urn:a b", max_age="90""#,
        ),
        (
            insufficient_user_authentication(true),
            r#"error="insufficient_user_authentication", error_description="More recent authentication is required", acr_values="urn:a b", max_age="90""#,
        ),
        (
            Refusal::Access(AccessFault::InsufficientUserAuthentication {
                acr_values: Vec::new(),
                max_age: Some(Duration::from_secs(5)),
                is_too_old: true,
            }),
            r#"error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="5""#,
        ),
    ];
    for (refusal, parameters) in table {
        let (comma, space) = if parameters.is_empty() { ("", "") } else { (", ", " ") };
        for (challenge, expected) in [
            (&with_realm, format!("Bearer realm=\"my realm\"{comma}{parameters}")),
            (&without, format!("Bearer{space}{parameters}")),
        ] {
            let response = challenge.response(&refusal);
            let fields: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
            assert_eq!(fields, [expected.as_str()], "{refusal:?}");
            assert!(!response.headers().contains_key(RETRY_AFTER), "{refusal:?}");
        }
    }
}

#[test]
fn the_client_of_a_protected_resource_is_told_its_scope_and_its_document() {
    const METADATA: &str = r#"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    let url = "https://api.example.com/.well-known/oauth-protected-resource";
    let challenge = |realm: Option<&str>, scope: &[&str]| {
        let told = Some(Arc::new(Told::new(url, scope.iter().copied())));
        Challenge { realm: realm.map(str::to_owned), told, ..Challenge::default() }
    };
    let field = |challenge: &Challenge, refusal: &Refusal| {
        let response = challenge.response(refusal);
        response.headers().get(WWW_AUTHENTICATE).map(|field| field.to_str().unwrap().to_owned())
    };
    let none = Refusal::Request(RequestFault::NoCredentials);
    let plain = challenge(None, &[]);
    assert_eq!(field(&plain, &none), Some(format!("Bearer {METADATA}")));
    let full = challenge(Some("r"), &["a", "b", "a"]);
    assert_eq!(field(&full, &none), Some(format!(r#"Bearer realm="r", scope="a b", {METADATA}"#)));
    let scope = Refusal::Access(AccessFault::InsufficientScope { required: "c b".into() });
    let missing = "Token is missing some required scope values";
    assert_eq!(
        field(&full, &scope),
        Some(format!(
            r#"Bearer realm="r", error="insufficient_scope", error_description="{missing}", scope="a b c", {METADATA}"#
        )),
        "all that the layer and the handler need, each once"
    );
    for (refusal, status, error, code) in refusals() {
        let told = field(&full, &refusal);
        match (status, error) {
            (500 | 503, _) => assert_eq!(told, None, "{code}"),
            // The request has to be mended, and no other token would do so.
            (400, _) => assert!(!told.unwrap().contains("resource_metadata"), "{code}"),
            (_, _) => {
                let told = told.unwrap();
                assert!(told.contains(r#", scope="a b"#) && told.ends_with(METADATA), "{code}: {told}");
            }
        }
    }
}

#[test]
fn problem_details_repeat_the_status_and_the_code_and_nothing_else() {
    for invalid_token_status in [InvalidTokenStatus::Forbidden, InvalidTokenStatus::Unauthorized] {
        let challenge = Challenge { problem_json: true, invalid_token_status, ..Challenge::default() };
        for (refusal, _, _, code) in refusals() {
            let response = challenge.response(&refusal);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            let expected = json!({
                "type": "about:blank",
                "title": response.status().canonical_reason().unwrap(),
                "status": response.status().as_u16(),
                "detail": refusal.description(),
                "code": code,
            });
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body, expected, "{code}");
        }
    }
}

use std::time::{Duration, UNIX_EPOCH};

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{Token, decode};

const NOW: i64 = 1_750_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn builder() -> TokenBuilder {
    let now = UNIX_EPOCH + Duration::from_secs(1_750_000_000);
    let key = SigningKey::generate(Algorithm::EdDSA, "my-key");
    TokenBuilder::new(&key, "https://issuer.example", now)
}

#[test]
fn a_token_is_good_by_default() {
    let mut token = Token::read(&builder().sign());
    assert_eq!(token.header, json!({ "alg": "EdDSA", "kid": "my-key", "typ": "at+jwt" }));
    let jti = token.claims["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 22);
    let expected = json!({
        "iss": "https://issuer.example",
        "sub": "alice",
        "client_id": "test-client",
        "aud": "https://api.example.com",
        "iat": NOW,
        "exp": NOW + 300,
        "jti": null,
    });
    assert_eq!(token.claims, expected);
}

#[test]
fn each_token_has_its_own_id() {
    let [one, other] = [builder(), builder()].map(|b| Token::read(&b.sign()).claims);
    assert_ne!(one["jti"], other["jti"]);
}

#[test]
fn every_part_can_be_changed() {
    let table: Vec<(&str, TokenBuilder, Value)> = vec![
        ("sub", builder().subject("bob"), "bob".into()),
        ("aud", builder().audience(vec!["a", "b"]), json!(["a", "b"])),
        ("iss", builder().issuer("x"), "x".into()),
        ("scope", builder().scope("read write"), "read write".into()),
        ("roles", builder().claim("roles", vec!["r"]), json!(["r"])),
        ("jti", builder().without_claim("jti"), Value::Null),
        ("exp", builder().expires_in(MINUTE), Value::from(NOW + 60)),
        ("exp", builder().expired_for(MINUTE), Value::from(NOW - 60)),
        ("nbf", builder().not_before_in(MINUTE), Value::from(NOW + 60)),
        ("iat", builder().issued_at(UNIX_EPOCH + MINUTE), json!(60)),
    ];
    for (claim, builder, value) in table {
        let claims = Token::read(&builder.sign()).claims;
        assert_eq!(claims[claim], value, "{claim}");
    }
}

#[test]
fn every_header_member_can_be_changed() {
    let table: Vec<(&str, TokenBuilder, Value)> = vec![
        ("typ", builder().typ("JWT"), "JWT".into()),
        ("typ", builder().without_header("typ"), Value::Null),
        ("kid", builder().kid("other"), "other".into()),
        ("x", builder().header("x", 5), json!(5)),
        ("alg", builder().signed_with(Algorithm::Ed25519), "Ed25519".into()),
    ];
    for (member, builder, value) in table {
        let header = Token::read(&builder.sign()).header;
        assert_eq!(header[member], value, "{member}");
    }
}

#[test]
fn raw_text_is_taken_as_it_is() {
    let token = builder().header_json(r#"{ "alg":"EdDSA" }"#).claims_json(r#"{"a":1,"a":2}"#).sign();
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(decode(parts[0]), br#"{ "alg":"EdDSA" }"#);
    assert_eq!(decode(parts[1]), br#"{"a":1,"a":2}"#);

    let token = builder().payload_bytes(vec![0xff, 0]).sign();
    assert_eq!(decode(token.split('.').nth(1).unwrap()), [0xff, 0]);
}

//! Tests of parsing, and of the promise that only the exact bytes verify.

mod forged;

use std::{sync::Arc, time::SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_testkit::{Algorithm as Signing, SigningKey, TokenBuilder};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    algorithm::Algorithm,
    claims::IssuerRules,
    keys::{ImportRules, JwkSet, KeySet, Origin},
};

fn code(text: &str) -> &'static str {
    match BearerToken::bare(text.as_bytes(), 100_000).and_then(parse) {
        Ok(_) => "parsed",
        Err(refusal) => refusal.code(),
    }
}

fn compact(header: &str, payload: &str, signature: &str) -> String {
    format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn a_token_has_exactly_three_strict_parts() {
    let (header, payload) = (r#"{"alg":"ES256"}"#, r#"{"sub":"alice"}"#);
    let good = compact(header, payload, "AAAA");
    let parts: Vec<_> = good.split('.').collect();
    let (h, p) = (parts[0], parts[1]);
    let table = [
        (good.clone(), "parsed"),
        (compact(header, payload, ""), "parsed"),
        (String::from("."), "malformed_token_parts"),
        (h.to_owned(), "malformed_token_parts"),
        (format!("{h}.{p}"), "malformed_token_parts"),
        (format!("{good}.AAAA"), "malformed_token_parts"),
        (format!("{h}.{p}.A.A.A"), "encrypted_token"),
        (format!("{good}.A.A.A"), "malformed_token_parts"),
        (format!(".{p}.AAAA"), "malformed_json"),
        (format!("{h}..AAAA"), "malformed_json"),
        ("..".to_owned(), "malformed_json"),
        // The last character of each part carries bits that decoding would drop.
        (compact(header, payload, "AB"), "malformed_base64"),
        (format!("{h}.{}.AAAA", URL_SAFE_NO_PAD.encode("{}").replace("e30", "e31")), "malformed_base64"),
        (compact(header, payload, "A"), "malformed_base64"),
        (compact(header, payload, "AA+/"), "malformed_base64"),
        (compact(header, payload, "AA=="), "malformed_base64"),
        (compact(header, payload, "AA~A"), "malformed_base64"),
        (compact(header, payload, "AA\nA"), "malformed_token"),
        (compact("no JSON", payload, "AAAA"), "malformed_json"),
        (compact("[]", payload, "AAAA"), "malformed_json"),
        (compact(header, "5", "AAAA"), "malformed_json"),
        (compact(header, "{}{}", "AAAA"), "malformed_json"),
        (compact(header, r#"{"a":{"b":1,"b":2}}"#, "AAAA"), "duplicate_member"),
        (compact(r#"{"alg":"ES256","alg":"ES256"}"#, payload, "AAAA"), "duplicate_member"),
    ];
    for (text, expected) in table {
        assert_eq!(code(&text), expected, "{text}");
    }
}

#[test]
fn a_header_says_what_it_may_and_nothing_in_it_is_followed() {
    let table = [
        (json!({ "alg": "ES256" }), "parsed"),
        (json!({}), "malformed_header"),
        (json!({ "alg": 256 }), "malformed_header"),
        (json!({ "alg": null }), "malformed_header"),
        (json!({ "alg": "none" }), "algorithm_not_allowed"),
        (json!({ "alg": "nOnE" }), "algorithm_not_allowed"),
        (json!({ "alg": "" }), "algorithm_not_allowed"),
        (json!({ "alg": "es256" }), "algorithm_not_allowed"),
        (json!({ "alg": "ES256 " }), "algorithm_not_allowed"),
        (json!({ "alg": "XX999" }), "algorithm_not_allowed"),
        (json!({ "alg": "ES256", "kid": "a" }), "parsed"),
        (json!({ "alg": "ES256", "kid": "" }), "parsed"),
        (json!({ "alg": "ES256", "kid": "x".repeat(512) }), "parsed"),
        (json!({ "alg": "ES256", "kid": "x".repeat(513) }), "malformed_header"),
        (json!({ "alg": "ES256", "kid": 7 }), "malformed_header"),
        (json!({ "alg": "ES256", "kid": null }), "malformed_header"),
        (json!({ "alg": "ES256", "kid": ["a"] }), "malformed_header"),
        (json!({ "alg": "ES256", "kid": { "a": 1 } }), "malformed_header"),
        (json!({ "alg": "ES256", "typ": 7 }), "malformed_header"),
        (json!({ "alg": "ES256", "crit": ["exp"] }), "critical_header"),
        (json!({ "alg": "ES256", "crit": [] }), "critical_header"),
        (json!({ "alg": "ES256", "crit": null }), "critical_header"),
        (json!({ "alg": "ES256", "b64": true }), "parsed"),
        (json!({ "alg": "ES256", "b64": false }), "malformed_header"),
        (json!({ "alg": "ES256", "b64": "true" }), "malformed_header"),
        (json!({ "alg": "ES256", "jwk": 5, "jku": 5, "x5u": 5, "x5c": 5, "cty": 5, "zip": 5 }), "parsed"),
    ];
    for (header, expected) in table {
        assert_eq!(code(&compact(&header.to_string(), "{}", "AAAA")), expected, "{header}");
    }
}

fn read_header(header: &serde_json::Value) -> Header {
    Header::from_object(b"", &json::object(header.to_string().into_bytes()).unwrap()).unwrap()
}

#[test]
fn types_are_compared_without_case_and_prefix() {
    let default = IssuerRules::default().header();
    let own =
        HeaderRules { types: Types { accepted: vec!["application/my+jwt".into()], absent: false }, ..default.clone() };
    let table = [
        (None, true, false),
        (Some("JWT"), true, false),
        (Some("jwt"), true, false),
        (Some("at+jwt"), true, false),
        (Some("AT+JWT"), true, false),
        (Some("application/at+jwt"), true, false),
        (Some("Application/AT+jwt"), true, false),
        (Some("application/jwt"), true, false),
        (Some("my+jwt"), false, true),
        (Some("application/MY+jwt"), false, true),
        (Some(""), false, false),
        (Some("application/"), false, false),
        (Some("application/application/at+jwt"), false, false),
        (Some("at+jwt;v=1"), false, false),
        (Some(" at+jwt"), false, false),
        (Some("dpop+jwt"), false, false),
        (Some("logout+jwt"), false, false),
        (Some("text/at+jwt"), false, false),
    ];
    for (typ, by_default, by_own) in table {
        let mut header = json!({ "alg": "ES256" });
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        let header = read_header(&header);
        let accepted = (default.check(&header).is_ok(), own.check(&header).is_ok());
        assert_eq!(accepted, (by_default, by_own), "{typ:?}");
    }
}

#[test]
fn an_algorithm_has_to_be_on_the_list() {
    let rules =
        |algorithms: &[Algorithm]| HeaderRules { algorithms: algorithms.to_vec(), ..IssuerRules::default().header() };
    let header = |alg: &str| read_header(&json!({ "alg": alg }));
    assert!(rules(Algorithm::ASYMMETRIC).check(&header("Ed25519")).is_ok());
    assert!(rules(Algorithm::ASYMMETRIC).check(&header("HS256")).is_err());
    assert!(rules(&[Algorithm::HS256]).check(&header("HS256")).is_ok());
    assert!(rules(&[Algorithm::RS256]).check(&header("PS256")).is_err());
    assert!(rules(&[]).check(&header("RS256")).is_err());
}

/// The example of RFC 7515 appendix A.3.
#[test]
fn the_es256_example_of_rfc_7515_verifies() {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let signed = verify(token, &[jwk], Origin::Remote).unwrap();
    assert_eq!(signed.claims.get("iss").unwrap(), "joe");
}

/// The example of RFC 7515 appendix A.1.
#[test]
fn the_hs256_example_of_rfc_7515_verifies() {
    let jwk = json!({
        "kty": "oct",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    });
    let token = concat!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert!(verify(token, std::slice::from_ref(&jwk), Origin::Local).is_some());
    assert!(verify(token, &[jwk], Origin::Remote).is_none());
}

fn verify<'a>(text: &'a str, keys: &[serde_json::Value], origin: Origin) -> Option<SignedToken<'a>> {
    let document: JwkSet = json!({ "keys": keys }).to_string().parse().ok()?;
    let token = parse(BearerToken::bare(text.as_bytes(), 100_000).ok()?).ok()?;
    let keys = Arc::new(KeySet::import(&document, &ImportRules::of(origin))).candidates(token.header()).ok()?;
    keys.verify(token, 8).ok()
}

/// A change to a text.
#[derive(Debug, Clone)]
enum Change {
    Replace(usize, u8),
    Insert(usize, u8),
    Delete(usize),
    Swap(usize, usize),
    Cut(usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let character = prop_oneof![proptest::char::range(' ', '~').prop_map(|c| c as u8), any::<u8>()];
        prop_oneof![
            (any::<usize>(), character.clone()).prop_map(|(at, byte)| Self::Replace(at, byte)),
            (any::<usize>(), character).prop_map(|(at, byte)| Self::Insert(at, byte)),
            any::<usize>().prop_map(Self::Delete),
            (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Self::Swap(a, b)),
            any::<usize>().prop_map(Self::Cut),
        ]
    }

    fn apply(&self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        let length = bytes.len();
        match *self {
            Self::Replace(at, byte) => bytes[at % length] = byte,
            Self::Insert(at, byte) => bytes.insert(at % (length + 1), byte),
            Self::Delete(at) => {
                bytes.remove(at % length);
            }
            Self::Swap(a, b) => bytes.swap(a % length, b % length),
            Self::Cut(at) => bytes.truncate(at % length),
        }
        bytes
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[ -~]{0,100}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(token) = BearerToken::bare(input, 200) {
                let _ = parse(token);
            }
            let _ = crate::bearer::parse(input, crate::bearer::CredentialRules { max_bytes: 200, dpop: true });
            let _ = json::object(input.to_vec());
            let _ = JwkSet::from_slice(input);
        }
    }

    #[test]
    fn a_token_is_accepted_only_if_its_exact_bytes_verify(change in Change::any(), signing in 0..3_usize) {
        let signed: &Vec<(String, serde_json::Value)> = {
            use std::sync::OnceLock;
            static SIGNED: OnceLock<Vec<(String, serde_json::Value)>> = OnceLock::new();
            SIGNED.get_or_init(|| {
                let key = |algorithm| SigningKey::generate(algorithm, "k");
                let keys = [key(Signing::ES256), key(Signing::EdDSA), key(Signing::RS256)];
                let token = |key: &SigningKey| TokenBuilder::new(key, "https://as.example", SystemTime::UNIX_EPOCH).sign();
                keys.iter().map(|key| (token(key), key.public_jwk())).collect()
            })
        };
        let (text, jwk) = &signed[signing];
        prop_assert!(verify(text, std::slice::from_ref(jwk), Origin::Remote).is_some());
        let changed = change.apply(text);
        if changed != text.as_bytes() {
            let accepted = std::str::from_utf8(&changed).is_ok_and(|changed| {
                verify(changed, std::slice::from_ref(jwk), Origin::Remote).is_some()
            });
            prop_assert!(!accepted, "{change:?}");
        }
    }
}

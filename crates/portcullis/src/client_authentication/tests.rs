//! The credentials in a request, by each method.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use http::Request;
use serde_json::Value;

use super::*;
use crate::{algorithm::KeyType, crypto::KeyMaterial};

const AUDIENCE: &str = "https://as.example.com";

/// The `Authorization` field and the form of a request by this client, made at second 1,000.
fn sent(client: &ClientAuthentication) -> (Option<String>, Vec<(String, String)>) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let mut form = form_urlencoded::Serializer::new(String::new());
    let request = client.apply(Request::post(AUDIENCE), &mut form, AUDIENCE, now).unwrap().body(()).unwrap();
    let field = request.headers().get(AUTHORIZATION);
    assert!(field.is_none_or(HeaderValue::is_sensitive), "{client:?}");
    let field = field.map(|value| value.to_str().unwrap().to_owned());
    (field, form_urlencoded::parse(form.finish().as_bytes()).into_owned().collect())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn credentials_stand_where_the_method_says() {
    for (client, method, field, form) in [
        (
            ClientAuthentication::basic("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"),
            "client_secret_basic",
            // RFC 6749 section 2.3.1.
            Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
            pairs(&[]),
        ),
        (
            ClientAuthentication::basic("a:b", "c d&e"),
            "client_secret_basic",
            // `a%3Ab:c+d%26e`
            Some("Basic YSUzQWI6YytkJTI2ZQ=="),
            pairs(&[]),
        ),
        (
            ClientAuthentication::post("a", "c d&e"),
            "client_secret_post",
            None,
            pairs(&[("client_id", "a"), ("client_secret", "c d&e")]),
        ),
        (ClientAuthentication::tls("a"), "tls_client_auth", None, pairs(&[("client_id", "a")])),
    ] {
        assert_eq!(client.method(), method);
        assert_eq!(sent(&client), (field.map(str::to_owned), form), "{client:?}");
    }
}

#[test]
fn an_assertion_is_signed_and_speaks_for_the_client_alone() {
    let (pair, client) = key_client(Some("key-1"));
    let (field, form) = sent(&client);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let [("client_id", "my-api"), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", jwt)] = form[..]
    else {
        panic!("got {form:?}")
    };
    assert_eq!(field, None);

    let (input, signature) = jwt.rsplit_once('.').unwrap();
    let public = KeyMaterial::bare(pair.public_key().as_ref(), KeyType::Ed25519, &[Algorithm::EdDSA]).ok().unwrap();
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    assert!(public.verify(Algorithm::EdDSA, input.as_bytes(), &signature).is_some());

    let (header, claims) = input.split_once('.').unwrap();
    assert_eq!(decoded(header), json!({ "alg": "EdDSA", "typ": "JWT", "kid": "key-1" }));
    let mut claims = decoded(claims);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(claims, json!({ "iss": "my-api", "sub": "my-api", "aud": AUDIENCE, "iat": 1000, "exp": 1060 }));
    assert!(jti.as_str().unwrap().len() >= 22, "expected 128 bits, got {jti}");
}

#[test]
fn no_two_assertions_have_the_same_id() {
    let (_, client) = key_client(None);
    assert_ne!(sent(&client), sent(&client));
}

#[test]
fn a_text_that_is_no_private_key_or_signs_by_another_algorithm_is_refused() {
    let pem = pem(&Ed25519KeyPair::generate().unwrap());
    let public = pem.replace("PRIVATE", "PUBLIC");
    for (pem, algorithm) in
        [("", None), ("secret", None), (&public, None), (&pem, Some(Algorithm::RS256)), (&pem, Some(Algorithm::HS256))]
    {
        let error = ClientAuthentication::private_key_jwt("my-api", pem, None, algorithm).unwrap_err();
        assert!(matches!(error, ConfigurationError::PrivateKey), "{algorithm:?}: {error}");
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    let clients = [ClientAuthentication::basic("a", "hunter2"), ClientAuthentication::post("a", "hunter2")];
    for client in clients {
        let shown = format!("{client:?}");
        assert!(shown.contains(client.method()) && !shown.contains("hunter"), "{shown}");
    }
}

fn key_client(kid: Option<&str>) -> (Ed25519KeyPair, ClientAuthentication) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let client = ClientAuthentication::private_key_jwt("my-api", &pem(&pair), kid, None).unwrap();
    (pair, client)
}

fn pem(pair: &Ed25519KeyPair) -> String {
    let der = base64_simd::STANDARD.encode_to_string(pair.to_pkcs8().unwrap());
    format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&base64url::decode(part.as_bytes()).unwrap()).unwrap()
}

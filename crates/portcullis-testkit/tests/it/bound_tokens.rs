//! The token endpoint issues tokens that are bound to the key of a DPoP proof (RFC 9449 section 5).

use std::time::Duration;

use portcullis_testkit::{Algorithm, AuthorizationServer, DpopCase, DpopClient, ProofBuilder, SigningKey, TestClock};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Token, client, get_json};

const FORM: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("client_id", "test-client"), ("client_secret", "test-secret")];

async fn server() -> (AuthorizationServer, TestClock) {
    let clock = TestClock::new();
    let server = AuthorizationServer::builder().algorithm(Algorithm::ES256).clock(clock.clone()).start().await;
    (server.unwrap(), clock)
}

async fn post(server: &AuthorizationServer, proofs: &[&str], more: &[(&str, &str)]) -> Response {
    let mut request = client().post(server.url("/token")).form(&[&FORM, more].concat());
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    request.send().await.unwrap()
}

async fn error(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json::<Value>().await.unwrap()["error"].clone())
}

#[tokio::test]
async fn a_proof_of_any_algorithm_binds_the_token_to_its_key() {
    let (server, clock) = server().await;
    for &algorithm in Algorithm::ALL.iter().filter(|algorithm| !algorithm.name().starts_with("HS")) {
        let client = DpopClient::new(algorithm).with_clock(clock.clone());
        let proof = client.proof("POST", &server.url("/token")).sign();
        let answer: Value = post(&server, &[&proof], &[]).await.json().await.unwrap();
        assert_eq!(answer["token_type"], "DPoP", "{algorithm}");
        let token = Token::read(answer["access_token"].as_str().unwrap());
        assert_eq!(token.claims["cnf"], json!({ "jkt": client.thumbprint() }), "{algorithm}");
    }
}

#[tokio::test]
async fn introspection_tells_the_key_of_an_opaque_token() {
    let (server, clock) = server().await;
    let bound_to = DpopClient::new(Algorithm::ES256).with_clock(clock);
    let proof = bound_to.proof("POST", &server.url("/token")).sign();
    let answer: Value = post(&server, &[&proof], &[("token_format", "opaque")]).await.json().await.unwrap();
    let form = [("token", answer["access_token"].as_str().unwrap())];
    let request = client().post(server.url("/introspect")).basic_auth("test-client", Some("test-secret"));
    let told: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("DPoP")));
    assert_eq!(told["cnf"], json!({ "jkt": bound_to.thumbprint() }));
}

#[tokio::test]
async fn a_bad_proof_gets_no_token() {
    let (server, clock) = server().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(clock);
    let other = SigningKey::generate(Algorithm::ES256, "other");
    let table: [fn(ProofBuilder) -> ProofBuilder; 8] = [
        |proof| proof.header("typ", "JWT"),
        |proof| proof.header("alg", "none"),
        |proof| proof.without_header("jwk"),
        |proof| proof.claim("htm", "GET"),
        |proof| proof.claim("htu", "https://other.example/token"),
        |proof| proof.claim("iat", 0),
        |proof| proof.without_claim("iat"),
        |proof| proof.jti(""),
    ];
    let proof = || client.proof("POST", &server.url("/token"));
    let mut bad: Vec<String> = table.iter().map(|change| change(proof()).sign()).collect();
    bad.push(proof().signed_by(&other).sign());
    bad.push("not-a-jwt".to_owned());
    for proof in bad {
        assert_eq!(error(post(&server, &[&proof], &[]).await).await, (400, json!("invalid_dpop_proof")), "{proof}");
    }
    let two = [proof().sign(), proof().sign()];
    assert_eq!(error(post(&server, &[&two[0], &two[1]], &[]).await).await.1, "invalid_dpop_proof");
    assert_eq!(post(&server, &[&two[0]], &[]).await.status(), 200);
    assert_eq!(error(post(&server, &[&two[0]], &[]).await).await.1, "invalid_dpop_proof", "a replay");
}

#[tokio::test]
async fn hostile_keys_get_no_token() {
    let (server, clock) = server().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(clock);
    let cases = [
        DpopCase::SymmetricKey,
        DpopCase::AlgorithmConfusion,
        DpopCase::JwkPrivate,
        DpopCase::JwkOffCurve,
        DpopCase::JwkRsa1024,
        DpopCase::FlippedSignatureBit,
    ];
    for case in cases {
        let attempt = client.attempt(case, "POST", &server.url("/token"), &server.token());
        let (_, proof) = attempt.fields().iter().find(|(name, _)| *name == "dpop").unwrap();
        assert_eq!(error(post(&server, &[proof], &[]).await).await.1, "invalid_dpop_proof", "{case}");
    }
}

#[tokio::test]
async fn nonces_are_demanded_if_the_server_says_so() {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256).dpop_nonces(true);
    let server = builder.start().await.unwrap();
    let client = DpopClient::new(Algorithm::ES256);
    let proof = |client: &DpopClient| client.proof("POST", &server.url("/token")).sign();

    let asked = post(&server, &[&proof(&client)], &[]).await;
    let nonce = asked.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    assert_eq!(error(asked).await, (400, json!("use_dpop_nonce")));
    let client = client.with_nonce(nonce.as_str());
    let granted = post(&server, &[&proof(&client)], &[]).await;
    assert_eq!((granted.status().as_u16(), granted.headers()["dpop-nonce"].to_str().unwrap()), (200, nonce.as_str()));

    let renewed = server.renew_dpop_nonce();
    assert_eq!(error(post(&server, &[&proof(&client)], &[]).await).await.1, "use_dpop_nonce");
    assert_eq!(post(&server, &[&proof(&client.with_nonce(renewed))], &[]).await.status(), 200);
    assert_eq!(post(&server, &[], &[]).await.status(), 200, "a request without a proof gets a bearer token");
}

#[tokio::test]
async fn the_time_of_a_proof_is_held_against_the_servers_clock() {
    let (server, clock) = server().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(clock.clone());
    let proof = client.proof("POST", &server.url("/token")).sign();
    clock.advance(Duration::from_secs(301));
    assert_eq!(error(post(&server, &[&proof], &[]).await).await.1, "invalid_dpop_proof");
}

#[tokio::test]
async fn the_metadata_tell_of_proofs_and_certificates() {
    let (server, _) = server().await;
    let document = get_json(server.url("/.well-known/openid-configuration")).await;
    let algorithms = document["dpop_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("ES256")) && !algorithms.contains(&json!("HS256")));
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], false);
}

//! Tokens of SPIFFE workloads: no `iss`, `typ: "JOSE"`, keys for `jwt-svid`.

use portcullis::{JwksService, Verifier};
use portcullis_testkit::{Algorithm, AuthorizationServer, SigningKey, TokenBuilder};
use serde_json::{Value, json};

const DOMAIN: &str = "example.org";
const AUDIENCE: &str = "https://api.example.org";

fn bundle(key: &SigningKey) -> Value {
    let mut jwk = key.public_jwk();
    jwk["use"] = "jwt-svid".into();
    jwk.as_object_mut().unwrap().remove("alg");
    json!({ "keys": [{ "use": "x509-svid", "kty": "EC" }, jwk], "spiffe_sequence": 7, "spiffe_refresh_hint": 300 })
}

/// A JWT-SVID in SPIRE's form.
fn svid(key: &SigningKey, subject: &str) -> TokenBuilder {
    let token =
        TokenBuilder::new(key, "nobody", std::time::SystemTime::now()).subject(subject).audience(json!([AUDIENCE]));
    token.typ("JOSE").without_claim("iss").without_claim("client_id").without_claim("jti")
}

async fn code(verifier: &Verifier, token: TokenBuilder) -> &'static str {
    verifier.verify(&token.sign()).await.map_or_else(|refusal| refusal.code(), |_| "passes")
}

#[tokio::test]
async fn a_jwt_svid_is_verified_where_its_trust_domain_is_configured() {
    let server = AuthorizationServer::builder().algorithm(Algorithm::ES256).start().await.unwrap();
    let key = server.signing_key();
    server.set_jwks(Some(bundle(&key)));
    let keys = || JwksService::builder(&server.jwks_uri()).key_uses(["jwt-svid"]).build().unwrap();
    let verifier = Verifier::jwt_svid(keys(), DOMAIN, AUDIENCE).build().unwrap();
    let workload = "spiffe://example.org/ns/prod/sa/orders";
    let table = [
        (svid(&key, workload), "passes"),
        (svid(&key, workload).typ("JWT"), "passes"),
        (svid(&key, workload).without_header("typ"), "passes"),
        (svid(&key, workload).issuer("https://oidc.example.org"), "passes"),
        (svid(&key, workload).typ("at+jwt"), "wrong_type"),
        (svid(&key, workload).audience("https://other.example"), "wrong_audience"),
        (svid(&key, workload).without_claim("aud"), "missing_claim"),
        (svid(&key, workload).without_claim("exp"), "missing_claim"),
        (svid(&key, workload).without_claim("sub"), "wrong_issuer"),
        (svid(&key, workload).claim("sub", json!([workload])), "wrong_issuer"),
        (svid(&key, "spiffe://example.org"), "wrong_issuer"),
        (svid(&key, "spiffe://example.org/"), "wrong_issuer"),
        (svid(&key, "spiffe://example.org.evil.test/orders"), "wrong_issuer"),
        (svid(&key, "spiffe://example.org:8443/orders"), "wrong_issuer"),
        (svid(&key, "spiffe://a@example.org/orders"), "wrong_issuer"),
        (svid(&key, "spiffe://evil.test/example.org/orders"), "wrong_issuer"),
        (svid(&key, "SPIFFE://example.org/orders"), "wrong_issuer"),
        (svid(&key, "spiffe://EXAMPLE.org/orders"), "wrong_issuer"),
        (svid(&key, " spiffe://example.org/orders"), "wrong_issuer"),
        // The trust domain as issuer does not make the subject one of its workloads.
        (svid(&key, "alice").issuer("spiffe://example.org"), "wrong_issuer"),
        (svid(&SigningKey::generate(Algorithm::ES256, key.kid()), workload), "bad_signature"),
    ];
    for (token, expected) in table {
        assert_eq!(code(&verifier, token.clone()).await, expected, "{:?}", Value::from(token));
    }
    let default = Verifier::jwt_svid(JwksService::new(&server.jwks_uri()).unwrap(), DOMAIN, AUDIENCE).build().unwrap();
    assert_eq!(code(&default, svid(&key, workload)).await, "keys_unavailable", "the use has to be allowed by name");
    let from_file = JwksService::from_text_for(bundle(&key).to_string(), ["jwt-svid"]).unwrap();
    let from_file = Verifier::jwt_svid(from_file, DOMAIN, AUDIENCE).build().unwrap();
    assert_eq!(code(&from_file, svid(&key, workload)).await, "passes");
}

#[tokio::test]
async fn a_trust_domain_stands_beside_issuers_and_neither_takes_the_others_tokens() {
    let server = AuthorizationServer::start().await;
    let (one, two) = (SigningKey::generate(Algorithm::ES256, "k"), SigningKey::generate(Algorithm::ES256, "k"));
    let of = |key: &SigningKey| JwksService::from_text_for(bundle(key).to_string(), ["jwt-svid"]).unwrap();
    let verifier = Verifier::any_of([
        Verifier::builder(JwksService::new(&server.jwks_uri()).unwrap()).issuer(server.issuer()),
        Verifier::jwt_svid(of(&one), "one.example", AUDIENCE),
        Verifier::jwt_svid(of(&two), "spiffe://two.example/", AUDIENCE),
    ])
    .unwrap();
    let table = [
        (server.token(), "passes"),
        (svid(&one, "spiffe://one.example/a"), "passes"),
        (svid(&two, "spiffe://two.example/a"), "passes"),
        (svid(&one, "spiffe://one.example/a").issuer("https://spire.example"), "passes"),
        (svid(&one, "spiffe://two.example/a"), "bad_signature"),
        (svid(&one, "spiffe://one.example/a").issuer("spiffe://two.example"), "bad_signature"),
        (svid(&two, "spiffe://one.example/a").issuer("spiffe://two.example"), "wrong_issuer"),
        (svid(&one, "spiffe://one.example/a").issuer(server.issuer()).typ("JWT"), "unknown_key"),
        (svid(&one, "spiffe://three.example/a"), "missing_claim"),
        (server.token().subject("spiffe://one.example/a"), "passes"),
        (server.token().subject("spiffe://one.example/a").without_claim("iss"), "wrong_type"),
        (server.token().subject("spiffe://one.example/a").without_claim("iss").typ("JWT"), "unknown_key"),
    ];
    for (row, (token, expected)) in table.into_iter().enumerate() {
        assert_eq!(code(&verifier, token).await, expected, "row {row}");
    }
}

#[tokio::test]
async fn explain_agrees_and_says_what_is_expected() {
    let key = SigningKey::generate(Algorithm::ES256, "k");
    let keys = JwksService::from_text_for(bundle(&key).to_string(), ["jwt-svid"]).unwrap();
    let verifier = Verifier::jwt_svid(keys, DOMAIN, AUDIENCE).build().unwrap();
    let now = std::time::SystemTime::now();
    for subject in ["spiffe://example.org/a", "spiffe://evil.test/a"] {
        let token = svid(&key, subject).sign();
        let explained = verifier.explain(&token, now).await;
        assert_eq!(explained.refusal(), verifier.verify(&token).await.err().as_ref(), "{subject}");
    }
    let explained = verifier.explain(&svid(&key, "spiffe://evil.test/a").sign(), now).await;
    assert!(explained.first_failure().unwrap().hint.as_ref().unwrap().contains("trust domain"));
}

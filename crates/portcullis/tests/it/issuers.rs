//! Several issuers behind one verifier.

use portcullis::{Algorithm, ConfigurationError, JwksService, Verifier, VerifierBuilder};
use portcullis_testkit::{Algorithm as Signing, AuthorizationServer, Endpoint, Fault, TokenBuilder};

async fn server(algorithm: Signing) -> AuthorizationServer {
    AuthorizationServer::builder().algorithm(algorithm).start().await.unwrap()
}

fn branch(server: &AuthorizationServer) -> VerifierBuilder {
    Verifier::builder(JwksService::new(&server.jwks_uri()).unwrap()).issuer(server.issuer())
}

#[tokio::test]
async fn each_issuer_has_its_own_keys_audience_and_algorithms() {
    let (a, b) = (server(Signing::RS256).await, server(Signing::ES256).await);
    let verifier = Verifier::any_of([
        branch(&a).audience("api-a").algorithms([Algorithm::RS256]),
        branch(&b).audience("api-b").algorithms([Algorithm::ES256]),
    ])
    .unwrap();
    let by = |signer: &AuthorizationServer, issuer: &AuthorizationServer, audience: &str| {
        signer.token().issuer(issuer.issuer()).audience(audience).sign()
    };
    let table = [
        (by(&a, &a, "api-a"), Ok(())),
        (by(&b, &b, "api-b"), Ok(())),
        (by(&a, &a, "api-b"), Err("wrong_audience")),
        (by(&b, &b, "api-a"), Err("wrong_audience")),
        // A token of one issuer that names the other is judged by the other's rules and keys.
        (by(&a, &b, "api-b"), Err("algorithm_not_allowed")),
        (by(&b, &a, "api-a"), Err("algorithm_not_allowed")),
        (a.token().issuer("https://else.example").sign(), Err("wrong_issuer")),
        (a.token().issuer(format!("{}/", a.issuer())).sign(), Err("wrong_issuer")),
        (a.token().without_claim("iss").sign(), Err("missing_claim")),
        (a.token().claim("iss", 5).sign(), Err("malformed_claim")),
        (a.token().claim("iss", serde_json::json!([a.issuer()])).sign(), Err("malformed_claim")),
    ];
    for (index, (token, expected)) in table.iter().enumerate() {
        let verdict = verifier.verify(token).await;
        assert_eq!(verdict.map(|_| ()).map_err(|refusal| refusal.code()), *expected, "row {index}");
    }
}

#[tokio::test]
async fn a_key_of_one_issuer_never_verifies_a_token_of_another() {
    let (a, b) = (server(Signing::RS256).await, server(Signing::RS256).await);
    let verifier = Verifier::any_of([branch(&a), branch(&b)]).unwrap();
    // Both number their keys alike: only the other has this one.
    b.rotate();
    let stolen_name = TokenBuilder::new(&b.signing_key(), a.issuer(), a.now());
    let refusal = verifier.verify(&stolen_name.sign()).await.unwrap_err();
    assert_eq!(refusal.code(), "unknown_key");
    let same_kid = TokenBuilder::new(&b.signing_key(), a.issuer(), a.now()).kid(a.signing_key().kid());
    assert_eq!(verifier.verify(&same_kid.sign()).await.unwrap_err().code(), "bad_signature");
}

#[tokio::test]
async fn one_issuer_that_is_down_is_no_matter_to_the_other() {
    let (up, down) = (server(Signing::RS256).await, server(Signing::RS256).await);
    down.fault(Endpoint::Jwks, Fault::Status(500));
    let verifier = Verifier::any_of([branch(&up), branch(&down)]).unwrap();
    assert_eq!(verifier.verify(&down.token().sign()).await.unwrap_err().code(), "keys_unavailable");
    verifier.verify(&up.token().sign()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_issuer_causes_no_fetch() {
    let known = server(Signing::RS256).await;
    let verifier = Verifier::any_of([branch(&known)]).unwrap();
    verifier.verify(&known.token().issuer("https://else.example").sign()).await.unwrap_err();
    assert_eq!(known.requests(Endpoint::Jwks), 0);
}

#[tokio::test]
async fn issuers_have_to_be_told_apart() {
    let server = server(Signing::RS256).await;
    let unnamed = || Verifier::builder(JwksService::new(&server.jwks_uri()).unwrap());
    assert!(matches!(Verifier::any_of([]).unwrap_err(), ConfigurationError::NoIssuer));
    assert!(matches!(Verifier::any_of([unnamed()]).unwrap_err(), ConfigurationError::UnnamedIssuer));
    let twice = Verifier::any_of([branch(&server), branch(&server)]).unwrap_err();
    assert!(matches!(twice, ConfigurationError::DuplicateIssuer { .. }));
}

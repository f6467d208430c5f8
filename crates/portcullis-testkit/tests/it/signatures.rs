use portcullis_testkit::{Algorithm, AuthorizationServer, SigningKey, TokenBuilder};
use serde_json::json;

use crate::support::{Token, get_json, verifies};

#[tokio::test]
async fn tokens_of_every_algorithm_verify_against_the_published_keys() {
    let server = AuthorizationServer::builder().algorithms(Algorithm::ALL.iter().copied()).start().await.unwrap();
    let keys = get_json(server.jwks_uri()).await;

    for &algorithm in Algorithm::ALL {
        let token = Token::read(&server.token_with(algorithm).sign());
        assert_eq!(token.header["alg"], algorithm.name());
        assert!(token.verifies(&keys), "{algorithm}");
    }
}

#[test]
fn a_key_signs_by_other_algorithms_of_its_family() {
    let key = SigningKey::generate(Algorithm::RS256, "rsa");
    let keys = json!({ "keys": [key.public_jwk()] });
    for algorithm in [Algorithm::RS512, Algorithm::PS256, Algorithm::PS384] {
        let token = TokenBuilder::new(&key, "https://i.example", std::time::SystemTime::now());
        let token = Token::read(&token.signed_with(algorithm).sign());
        assert_eq!(token.header["alg"], algorithm.name());
        assert!(token.verifies(&keys), "{algorithm}");
    }
}

#[test]
fn jwks_have_the_parameters_of_their_type() {
    let table = [
        (Algorithm::PS256, "RSA", None, &["n", "e"][..]),
        (Algorithm::ES256, "EC", Some("P-256"), &["x", "y"]),
        (Algorithm::ES512, "EC", Some("P-521"), &["x", "y"]),
        (Algorithm::EdDSA, "OKP", Some("Ed25519"), &["x"]),
        (Algorithm::MlDsa65, "AKP", None, &["pub"]),
        (Algorithm::HS512, "oct", None, &["k"]),
    ];
    for (algorithm, kty, crv, parameters) in table {
        let jwk = SigningKey::generate(algorithm, "my-key").public_jwk();
        assert_eq!(jwk["kty"], kty);
        assert_eq!(jwk["kid"], "my-key");
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk.get("crv").and_then(|crv| crv.as_str()), crv);
        for name in parameters {
            assert!(jwk[name].is_string(), "{algorithm} {name}");
        }
        for private in ["d", "p", "q", "priv"] {
            assert!(jwk.get(private).is_none(), "{algorithm} {private}");
        }
    }
}

#[test]
fn a_given_secret_signs() {
    let key = SigningKey::from_secret(Algorithm::HS256, "k", b"a secret of some length");
    let signature = key.sign(b"input");
    assert!(verifies(&key.public_jwk(), "HS256", b"input", &signature));
    assert_eq!(key.public_jwk()["k"], "YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg");
}

#[test]
fn the_public_key_has_a_pem_form() {
    let pem = SigningKey::generate(Algorithm::RS256, "k").public_pem();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq"));
    assert!(pem.ends_with("\n-----END PUBLIC KEY-----\n"));
}

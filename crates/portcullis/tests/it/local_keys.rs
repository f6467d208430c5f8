//! Keys from configuration.

use std::time::SystemTime;

use portcullis::{Algorithm, ConfigurationError, JwksService, Verifier};
use portcullis_testkit::{Algorithm as Signing, SigningKey, TokenBuilder};
use serde_json::json;

use crate::metrics::Log;

const SECRET: &[u8] = b"a secret of thirty-two bytes, or more";

fn token(key: &SigningKey) -> String {
    TokenBuilder::new(key, "https://as.example", SystemTime::now()).sign()
}

#[tokio::test]
async fn a_jwk_set_a_pem_text_and_files_of_both_verify() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [
        Signing::RS256,
        Signing::PS512,
        Signing::ES256,
        Signing::ES384,
        Signing::ES512,
        Signing::EdDSA,
        Signing::MlDsa44,
        Signing::MlDsa65,
        Signing::MlDsa87,
    ] {
        let key = SigningKey::generate(algorithm, "k1");
        let set = json!({ "keys": [key.public_jwk()] }).to_string();
        let (json_file, pem_file) = (folder.path().join("keys.json"), folder.path().join("key.pem"));
        std::fs::write(&json_file, &set).unwrap();
        std::fs::write(&pem_file, key.public_pem()).unwrap();
        let services = [
            JwksService::from_json(&set),
            JwksService::from_pem(&key.public_pem()),
            JwksService::from_file(&json_file),
            JwksService::from_file(&pem_file),
        ];
        for service in services {
            let verifier = Verifier::from(service.unwrap());
            verifier.verify(&token(&key)).await.unwrap();
            let other = SigningKey::generate(algorithm, "k1");
            assert_eq!(verifier.verify(&token(&other)).await.unwrap_err().code(), "bad_signature");
        }
    }
}

#[tokio::test]
async fn a_secret_works_only_where_its_algorithm_is_named() {
    let key = SigningKey::from_secret(Signing::HS256, "k1", SECRET);
    let service = || JwksService::from_secret(SECRET).unwrap();
    let by_default = Verifier::from(service()).verify(&token(&key)).await.unwrap_err();
    assert_eq!(by_default.code(), "algorithm_not_allowed");
    let named = Verifier::builder(service()).algorithms([Algorithm::HS256]).build().unwrap();
    named.verify(&token(&key)).await.unwrap();
    let forged = SigningKey::from_secret(Signing::HS256, "k1", b"another secret of thirty-two bytes or so");
    assert_eq!(named.verify(&token(&forged)).await.unwrap_err().code(), "bad_signature");
}

#[tokio::test]
async fn an_oct_key_of_a_local_set_is_a_secret_too() {
    let key = SigningKey::from_secret(Signing::HS256, "k1", SECRET);
    let set = json!({ "keys": [key.public_jwk()] }).to_string();
    let verifier = Verifier::builder(JwksService::from_json(&set).unwrap()).algorithms([Algorithm::HS256]);
    verifier.build().unwrap().verify(&token(&key)).await.unwrap();
}

#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    let rsa = SigningKey::generate(Signing::RS256, "k1");
    let verifier = Verifier::builder(JwksService::from_pem(&rsa.public_pem()).unwrap())
        .algorithms([Algorithm::RS256, Algorithm::HS256])
        .build()
        .unwrap();
    verifier.verify(&token(&rsa)).await.unwrap();
    let confused = SigningKey::from_secret(Signing::HS256, "k1", rsa.public_pem().as_bytes());
    assert_eq!(verifier.verify(&token(&confused)).await.unwrap_err().code(), "key_mismatch");
}

#[test]
fn what_is_wrong_with_local_keys_is_told_at_once() {
    let table = [
        (JwksService::from_json("no JSON"), "JWK Set"),
        (JwksService::from_json("{}"), "JWK Set"),
        (JwksService::from_json(r#"{"keys":[]}"#), "usable key"),
        (JwksService::from_json(r#"{"keys":[{"kty":"quantum","kid":"q"}]}"#), "\"q\""),
        (JwksService::from_pem("no PEM"), "PUBLIC KEY"),
        (JwksService::from_secret(&[0; 31]), "31 bytes"),
        (JwksService::from_file("/nowhere/keys.json"), "cannot read the file /nowhere/keys.json: No such file"),
    ];
    for (service, text) in table {
        let error = service.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn a_verifier_that_could_accept_nothing_or_too_much_is_not_built() {
    let builder = || Verifier::builder(JwksService::from_secret(SECRET).unwrap()).algorithms([Algorithm::HS256]);
    assert!(
        matches!(builder().algorithms([]).build().unwrap_err(), ConfigurationError::Rule { field, .. } if field == "algorithms")
    );
    let five_minutes = std::time::Duration::from_secs(300);
    assert!(builder().leeway(five_minutes).build().is_ok());
    let more = builder().leeway(five_minutes + std::time::Duration::from_nanos(1)).build();
    assert!(matches!(more.unwrap_err(), ConfigurationError::Rule { field, .. } if field == "leeway"));
}

#[test]
fn keys_that_are_for_none_of_the_algorithms_are_told_with_the_remedy() {
    use Algorithm::{ES256, HS256, HS384, HS512, RS256};
    let secret = |bytes: usize| JwksService::from_secret(&vec![7; bytes]).unwrap();
    let pem = |algorithm| JwksService::from_pem(&SigningKey::generate(algorithm, "k").public_pem()).unwrap();
    let fetched = || JwksService::new("https://as.example.com/jwks").unwrap();
    let discovered = |issuer| JwksService::discover(issuer).build().unwrap();
    let (issuer, template) = ("https://as.example.com", "https://as.example.com/{tenant}");
    let table: [(_, Option<&[Algorithm]>, &[&str]); 8] = [
        (fetched(), Some(&[HS256]), &["since the keys are fetched, got HS256 alone", "`JwksService::from_secret`"]),
        (discovered(issuer), Some(&[HS256, HS512]), &["got HS256, HS512 alone"]),
        (discovered(template), Some(&[HS256]), &["since the keys are fetched"]),
        (secret(32), None, &["of the keys (HS256), got those with public keys alone", "name HS256 in `algorithms`"]),
        (secret(64), Some(&[RS256, ES256]), &["(HS256, HS384, HS512), got RS256, ES256 alone", "name HS256"]),
        (secret(32), Some(&[HS512, HS384]), &["(HS256), got HS512, HS384 alone", "64 for HS512"]),
        (pem(Signing::ES256), Some(&[RS256]), &["(ES256), got RS256 alone", "name one of them"]),
        (pem(Signing::RS256), Some(&[HS256]), &["RS256, RS384", "got HS256 alone"]),
    ];
    for (keys, algorithms, words) in table {
        let is_of_tenants = keys.status().tenants.is_some();
        let builder = || {
            let builder = Verifier::builder(keys.clone()).issuer(if is_of_tenants { template } else { issuer });
            let builder = if is_of_tenants { builder.tenant_claim("tid") } else { builder };
            match algorithms {
                Some(algorithms) => builder.algorithms(algorithms.iter().copied()),
                None => builder,
            }
        };
        for error in [builder().build().unwrap_err(), Verifier::any_of([builder()]).unwrap_err()] {
            assert!(matches!(&error, ConfigurationError::Rule { field, .. } if field == "algorithms"), "{error}");
            words.iter().for_each(|word| assert!(error.to_string().contains(word), "{word} is not in: {error}"));
        }
    }
    // Some token can pass: by another algorithm, by introspection, or by keys that are looked up elsewhere.
    let opaque = || {
        let client = portcullis::ClientAuthentication::basic("api", "secret");
        portcullis::Introspector::builder("https://as.example.com/introspect", client).build().unwrap()
    };
    for good in [
        Verifier::builder(fetched()).algorithms([HS256, ES256]),
        Verifier::builder(secret(32)).algorithms([HS512, HS256]),
        Verifier::builder(secret(32)).algorithms([RS256, HS256]),
        Verifier::builder(fetched()).algorithms([HS256]).introspection(opaque()),
        Verifier::builder(secret(32)).introspection(opaque()),
        Verifier::builder(JwksService::empty()).algorithms([HS256]),
        Verifier::builder(secret(32)).with_any_keys(),
    ] {
        good.build().unwrap();
    }
    // Where no error can be returned, the log has it.
    let log = Log::of(tracing::Level::INFO, |_| drop(Verifier::from(secret(32))));
    assert!(log.text().contains("ERROR portcullis: a rule is mistaken"), "{}", log.text());
    assert!(log.text().contains("name HS256"), "{}", log.text());
}

//! Every class of hostile token that the test kit knows is refused, for its own reason.

use portcullis::{JwksService, Refusal, Verifier};
use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, Endpoint};

const AUDIENCE: &str = "https://api.example.com";

/// The expected code for each class, from a verifier with issuer and audience.
fn expected(attack: Attack) -> &'static str {
    match attack {
        Attack::AlgNone | Attack::AlgNoneMixedCase | Attack::UnknownAlgorithm => "algorithm_not_allowed",
        Attack::AlgorithmConfusion | Attack::AlgorithmConfusionDer => "algorithm_not_allowed",
        Attack::EmbeddedJwk | Attack::JwkSetUrl | Attack::X509Url | Attack::X509Chain => "bad_signature",
        Attack::CriticalHeader | Attack::UnencodedPayload => "critical_header",
        Attack::UnencodedPayloadWithoutCrit | Attack::KidNotAString | Attack::HugeKid => "malformed_header",
        Attack::HeaderAlgMissing => "malformed_header",
        Attack::DuplicateHeaderMember | Attack::DuplicateClaim | Attack::DuplicateNestedClaim => "duplicate_member",
        Attack::TrailingBits | Attack::StandardAlphabet => "malformed_base64",
        Attack::PaddedBase64 | Attack::WhitespaceInToken => "malformed_token",
        Attack::FlippedSignatureBit | Attack::FlippedPayloadBit | Attack::TruncatedSignature => "bad_signature",
        Attack::EmptySignature | Attack::ZeroSignature | Attack::DerSignature => "bad_signature",
        Attack::WrongCurve | Attack::ForgedKey => "bad_signature",
        Attack::UnknownKey | Attack::KidTraversal => "unknown_key",
        Attack::Expired | Attack::NegativeExpiry => "expired",
        Attack::NotYetValid => "not_yet_valid",
        Attack::IssuedInFuture => "issued_in_future",
        Attack::MissingExpiry | Attack::MissingIssuer | Attack::MissingAudience => "missing_claim",
        Attack::ExpiryAsString => "malformed_claim",
        Attack::WrongIssuer | Attack::IssuerPrefix => "wrong_issuer",
        Attack::WrongAudience | Attack::IdToken => "wrong_audience",
        Attack::DpopProof | Attack::LogoutToken => "wrong_type",
        Attack::DpopBound | Attack::CertificateBound | Attack::DoublyBound => "sender_constrained_token",
        Attack::UnknownConfirmation => "unsupported_confirmation",
        Attack::NullConfirmation | Attack::EmptyConfirmation | Attack::ConfirmationList => "malformed_claim",
        Attack::NullThumbprint | Attack::ShortThumbprint => "malformed_claim",
        Attack::Jwe => "encrypted_token",
        Attack::TwoParts | Attack::FourParts => "malformed_token_parts",
        Attack::Oversized => "token_too_large",
        Attack::DeepJson => "token_too_large",
        Attack::InvalidUtf8 | Attack::NotAnObject | Attack::HeaderNotJson | Attack::PayloadNotJson => "malformed_json",
        Attack::ExpiryInfinite => "malformed_json",
        other => panic!("{other} is not in the table: add the expected code"),
    }
}

/// Further codes for attacks that need a key of a certain type: with another key, the key itself is refused.
fn also_good(attack: Attack, algorithm: Algorithm) -> &'static [&'static str] {
    match (attack, algorithm) {
        (Attack::DerSignature | Attack::WrongCurve, _) => &["key_mismatch"],
        (Attack::PaddedBase64, _) => &["malformed_base64", "malformed_token"],
        _ => &[],
    }
}

#[tokio::test]
pub(crate) async fn every_class_of_hostile_token_is_refused_for_its_own_reason() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::MlDsa44] {
        let server = AuthorizationServer::builder().algorithm(algorithm).start().await.unwrap();
        let jwks = JwksService::new(&server.jwks_uri()).unwrap();
        let verifier = Verifier::builder(jwks).issuer(server.issuer()).audience(AUDIENCE).build().unwrap();
        verifier.verify(&server.token().sign()).await.unwrap();
        for attack in Attack::ALL {
            let refusal = verifier.verify(&server.hostile(*attack)).await.expect_err(attack.name());
            let code = refusal.code();
            let good = code == expected(*attack) || also_good(*attack, algorithm).contains(&code);
            assert!(good, "{attack} with {algorithm:?}: {code}, expected {}", expected(*attack));
            assert!(matches!(refusal, Refusal::Token(_)), "{attack}");
        }
        assert_eq!(server.requests(Endpoint::Attacker), 0, "no URL in a token is followed");
    }
}

#[test]
fn every_class_is_named_in_the_security_page() {
    let page = include_str!("../../../../SECURITY.md");
    for attack in Attack::ALL {
        assert!(page.contains(&format!("`{attack}`")), "{attack} is not in SECURITY.md");
    }
}

#[tokio::test]
pub(crate) async fn the_simple_verifier_refuses_all_but_those_that_it_was_not_told_about() {
    let server = AuthorizationServer::start().await;
    let verifier = Verifier::from(JwksService::new(&server.jwks_uri()).unwrap());
    for attack in Attack::ALL {
        let needs_issuer = [Attack::WrongIssuer, Attack::IssuerPrefix, Attack::MissingIssuer].contains(attack);
        let needs_audience = [Attack::WrongAudience, Attack::MissingAudience, Attack::IdToken].contains(attack);
        let passed = verifier.verify(&server.hostile(*attack)).await.is_ok();
        assert_eq!(passed, needs_issuer || needs_audience, "{attack}");
    }
}

#[tokio::test]
pub(crate) async fn the_strict_verifier_refuses_all_and_tells_an_id_token_by_its_type() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let verifier = Verifier::rfc9068(jwks, server.issuer(), AUDIENCE).build().unwrap();
    verifier.verify(&server.token().sign()).await.unwrap();
    for attack in Attack::ALL {
        assert!(verifier.verify(&server.hostile(*attack)).await.is_err(), "{attack}");
    }
    let id_token = server.hostile(Attack::IdToken);
    assert_eq!(verifier.verify(&id_token).await.unwrap_err().code(), "wrong_type");
}

#[tokio::test]
pub(crate) async fn deep_json_is_refused_for_its_depth_where_the_size_allows_it() {
    let server = AuthorizationServer::start().await;
    let verifier = Verifier::from(JwksService::new(&server.jwks_uri()).unwrap());
    let deep = format!(r#"{{"exp":9999999999,"deep":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let refusal = verifier.verify(&server.token().claims_json(&deep).sign()).await.unwrap_err();
    assert_eq!(refusal.code(), "nested_too_deep");
}

#[tokio::test]
pub(crate) async fn no_refusal_repeats_what_a_token_says() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let verifier = Verifier::builder(jwks).issuer(server.issuer()).audience(AUDIENCE).build().unwrap();
    let secret = "do-not-tell";
    let tokens = [
        server.token().issuer(secret).sign(),
        server.token().audience(secret).sign(),
        server.token().typ(secret).sign(),
        server.token().kid(secret).sign(),
        server.token().header("alg", secret).sign(),
        server.token().claim("exp", secret).sign(),
    ];
    for token in tokens {
        let refusal = verifier.verify(&token).await.unwrap_err();
        for text in [refusal.to_string(), format!("{refusal:?}"), refusal.description().to_owned()] {
            assert!(!text.contains(secret), "{text}");
            assert!(!text.contains(&token), "{text}");
        }
    }
}

//! The settings of a verifier.

use std::time::Duration;

use portcullis::{Verifier, VerifierBuilder};

use crate::support::Setup;

const AUDIENCE: &str = "https://api.example.com";

async fn code(verifier: VerifierBuilder, token: portcullis_testkit::TokenBuilder) -> &'static str {
    match verifier.build().unwrap().verify(&token.sign()).await {
        Ok(_) => "passed",
        Err(refusal) => refusal.code(),
    }
}

#[tokio::test]
async fn audience_type_and_leeway_are_kept() {
    let setup = Setup::new().await;
    let builder = || Verifier::builder(setup.jwks.clone());
    let token = || setup.server.token();
    let seconds = Duration::from_secs;
    let table = [
        (builder().audience(AUDIENCE), token(), "passed"),
        (builder().audience("other").audience(AUDIENCE), token(), "passed"),
        (builder().audience("other"), token(), "wrong_audience"),
        (builder().audience(AUDIENCE), token().audience(serde_json::json!(["x", AUDIENCE])), "passed"),
        (builder().audience(AUDIENCE), token().without_claim("aud"), "missing_claim"),
        (builder().issuer(setup.server.issuer()), token(), "passed"),
        (builder().issuer("https://else.example"), token(), "wrong_issuer"),
        (builder(), token().typ("JWT"), "passed"),
        (builder(), token().without_header("typ"), "passed"),
        (builder(), token().typ("id_token+jwt"), "wrong_type"),
        (builder().types(["at+jwt"]), token().typ("application/AT+JWT"), "passed"),
        (builder().types(["at+jwt"]), token().typ("JWT"), "wrong_type"),
        (builder().types(["at+jwt"]), token().without_header("typ"), "wrong_type"),
        (builder().types(["my+jwt"]), token().typ("my+jwt"), "passed"),
        (builder().types(["JWT", "JOSE"]), token().typ("JOSE"), "passed"),
        (builder().types(["at+jwt"]).or_no_type(), token(), "passed"),
        (builder().types(["at+jwt"]).or_no_type(), token().without_header("typ"), "passed"),
        (builder().or_no_type().types(["at+jwt"]), token().without_header("typ"), "passed"),
        (builder().types(["at+jwt"]).or_no_type(), token().typ("JWT"), "wrong_type"),
        (builder().types(["at+jwt"]).or_no_type(), token().typ(""), "wrong_type"),
        (builder().types(["none"]), token().without_header("typ"), "wrong_type"),
        (builder().or_no_type(), token().typ("id_token+jwt"), "wrong_type"),
        (builder(), token().expired_for(seconds(4)), "passed"),
        (builder(), token().expired_for(seconds(5)), "expired"),
        (builder().leeway(seconds(0)), token().expired_for(seconds(0)), "expired"),
        (builder().leeway(seconds(300)), token().expired_for(seconds(299)), "passed"),
        (builder(), token().not_before_in(seconds(5)), "passed"),
        (builder(), token().not_before_in(seconds(6)), "not_yet_valid"),
        (builder(), token().without_claim("exp"), "missing_claim"),
        (builder().dangerously_accept_tokens_without_expiry(), token().without_claim("exp"), "passed"),
        (builder().dangerously_accept_tokens_without_expiry(), token().expired_for(seconds(60)), "expired"),
    ];
    for (row, (verifier, token, expected)) in table.into_iter().enumerate() {
        assert_eq!(code(verifier, token).await, expected, "row {row}");
    }
}

#[tokio::test]
async fn the_strict_verifier_asks_for_every_claim_of_rfc_9068() {
    let setup = Setup::new().await;
    let strict = || Verifier::rfc9068(setup.jwks.clone(), setup.server.issuer(), AUDIENCE);
    assert_eq!(code(strict(), setup.server.token()).await, "passed");
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let without = setup.server.token().without_claim(claim);
        assert_eq!(code(strict(), without).await, "missing_claim", "{claim}");
    }
    assert_eq!(code(strict(), setup.server.token().typ("JWT")).await, "wrong_type");
    assert_eq!(code(strict(), setup.server.token().without_header("typ")).await, "wrong_type");
    let untyped = || strict().or_no_type();
    assert_eq!(code(untyped(), setup.server.token().without_header("typ")).await, "passed");
    assert_eq!(code(untyped(), setup.server.token().without_header("typ").without_claim("jti")).await, "missing_claim");
    assert_eq!(code(untyped(), setup.server.token().typ("JWT")).await, "wrong_type");
}

#[tokio::test]
async fn a_token_expires_by_the_clock() {
    let setup = Setup::new().await;
    let verifier = Verifier::from(setup.jwks.clone());
    let token = setup.server.token().expires_in(Duration::from_secs(60)).sign();
    verifier.verify(&token).await.unwrap();
    setup.clock.advance(Duration::from_secs(64));
    verifier.verify(&token).await.unwrap();
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(verifier.verify(&token).await.unwrap_err().code(), "expired");
}

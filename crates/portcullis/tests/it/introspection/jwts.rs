//! JWTs that only their server can judge: which are introspected, and which are not.

use std::time::Duration;

use portcullis::{
    CheckKind, ClaimRule, ClientAuthentication, ConfigurationError, IntrospectedTokens, IntrospectionForm,
    Introspector, Outcome, Secure, Verifier,
};
use portcullis_testkit::{Algorithm, AuthorizationServer, SigningKey, TokenBuilder};
use serde_json::json;

use super::{Canned, asked, introspector, opaque, verdict, verifier};
use crate::support::{Setup, app};

fn introspecting(setup: &Setup, tokens: IntrospectedTokens) -> Verifier {
    verifier(setup, introspector(setup, IntrospectionForm::Json).introspect(tokens).build().unwrap())
}

fn without_subject() -> IntrospectedTokens {
    IntrospectedTokens::JwtsToo(vec![ClaimRule::absent("sub"), ClaimRule::matches("jti", "light:*")])
}

#[tokio::test]
async fn all_tokens_are_introspected_once() {
    let setup = Setup::new().await;
    let app = app(Secure::new(introspecting(&setup, IntrospectedTokens::All)).problem_json());
    let token = setup.server.token().sign();
    for _ in 0..3 {
        assert_eq!(verdict(&app, &token).await.0, 200);
    }
    assert_eq!(asked(&setup), 1);
    assert_eq!(verdict(&app, &opaque(&setup)).await.0, 200);
    assert_eq!(asked(&setup), 2);
    // A revoked JWT passes for as long as its answer is kept.
    setup.server.revoke(&token);
    assert_eq!(verdict(&app, &token).await.0, 200);
    setup.clock.advance(Duration::from_secs(61));
    assert_eq!(verdict(&app, &token).await, (403, "inactive_token".into()));
}

#[tokio::test]
async fn jwts_that_meet_a_rule_are_introspected_and_no_others() {
    let setup = Setup::new().await;
    let app = app(Secure::new(introspecting(&setup, without_subject())).problem_json());
    let forger = SigningKey::generate(Algorithm::RS256, "forged");
    let forged = || TokenBuilder::new(&forger, setup.server.issuer(), setup.clock.now());
    let token = || setup.server.token();
    for (token, questions, expected) in [
        (token().sign(), 0, (200, "")),
        (token().without_claim("sub").sign(), 1, (200, "")),
        (token().claim("jti", "light:1").sign(), 1, (200, "")),
        (token().claim("jti", "other").sign(), 0, (200, "")),
        // What chooses the judge proves nothing.
        (forged().without_claim("sub").sign(), 1, (403, "inactive_token")),
        (forged().sign(), 0, (403, "unknown_key")),
        (token().without_claim("sub").audience("another-api").sign(), 1, (403, "wrong_audience")),
        // A token of another issuer is not given away, and one that cannot be read is nobody's.
        (token().without_claim("sub").issuer("https://elsewhere.example").sign(), 0, (403, "wrong_issuer")),
        (token().without_claim("sub").without_claim("iss").sign(), 0, (403, "missing_claim")),
        (format!("{}.e30x.AAAA", token().sign().split('.').next().unwrap()), 0, (403, "malformed_json")),
    ] {
        let before = asked(&setup);
        let verdict = verdict(&app, &token).await;
        assert_eq!(
            (verdict.0, verdict.1.as_str(), asked(&setup) - before),
            (expected.0, expected.1, questions),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_jwt_with_a_signature_for_others_passes_by_the_answer_alone() {
    let setup = Setup::new().await;
    let answer =
        json!({ "active": true, "sub": "alice", "iss": setup.server.issuer(), "aud": "https://api.example.com" });
    let client = Canned { media_type: "application/json", body: answer.to_string() };
    let introspector = introspector(&setup, IntrospectionForm::Json).introspect(IntrospectedTokens::All);
    let app = app(Secure::new(verifier(&setup, introspector.http_client(client).build().unwrap())).problem_json());
    let unknown = SigningKey::generate(Algorithm::ES256, "of-the-org");
    assert_eq!(
        verdict(
            &app,
            &TokenBuilder::new(&unknown, setup.server.issuer(), setup.clock.now())
                .typ("application/okta-internal-at+jwt")
                .sign()
        )
        .await
        .0,
        200
    );
}

#[tokio::test]
async fn with_several_issuers_each_token_goes_to_its_own() {
    let setup = Setup::new().await;
    let other = AuthorizationServer::start().await;
    let clock = setup.clock.clone();
    let introspector =
        introspector(&setup, IntrospectionForm::Json).introspect(IntrospectedTokens::All).build().unwrap();
    let named = |issuer: &str, jwks| Verifier::builder(jwks).issuer(issuer).audience("https://api.example.com");
    let jwks = portcullis::JwksService::builder(&other.jwks_uri()).clock(move || clock.now()).build().unwrap();
    let verifier = Verifier::any_of([
        named(setup.server.issuer(), setup.jwks.clone()).introspection(introspector),
        named(other.issuer(), jwks),
    ])
    .unwrap();
    let app = app(Secure::new(verifier).problem_json());
    assert_eq!(verdict(&app, &setup.server.token().sign()).await.0, 200);
    assert_eq!(asked(&setup), 1);
    assert_eq!(verdict(&app, &other.token().issued_at(setup.clock.now()).sign()).await.0, 200);
    assert_eq!(asked(&setup), 1, "the other issuer's JWT is verified by its keys");
}

#[tokio::test]
async fn an_explanation_tells_that_a_jwt_was_introspected() {
    let setup = Setup::new().await;
    let verifier = introspecting(&setup, without_subject());
    for (token, is_introspected) in
        [(setup.server.token().sign(), false), (setup.server.token().without_claim("sub").sign(), true)]
    {
        let explained = verifier.explain(&token, setup.clock.now()).await;
        let introspection = explained.checks.iter().find(|check| check.kind == CheckKind::Introspection);
        assert_eq!(introspection.is_some(), is_introspected, "{explained:?}");
        assert!(explained.checks.iter().all(|check| !matches!(check.outcome, Outcome::Failed(_))), "{explained:?}");
    }
}

#[test]
fn rules_with_mistakes_are_told() {
    let built = |tokens| {
        let client = ClientAuthentication::basic("my-api", "secret");
        Introspector::builder("https://as.example.com/introspect", client).introspect(tokens).build().map(drop)
    };
    for (rules, expected) in [
        (vec![], "`introspect`: expected at least one rule for the claims of JWTs, got none"),
        (vec![ClaimRule::present("sub"), ClaimRule::present("")], "introspect[1].name"),
    ] {
        let error: ConfigurationError = built(IntrospectedTokens::JwtsToo(rules)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

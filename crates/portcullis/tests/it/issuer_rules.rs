//! The rules for an issuer's tokens, as data; the scope from another claim; a bound on the lifetime of tokens.

use std::time::Duration;

use portcullis::{CheckKind, ClientAuthentication, Introspector, IssuerRules, Outcome, Presented, Secure, Verifier};
use portcullis_testkit::TokenBuilder;
use serde_json::{Value, json};

use crate::support::{Setup, answer, app, bearer};

fn verifier(setup: &Setup, rules: Value) -> Verifier {
    let rules: IssuerRules = serde_json::from_value(rules).unwrap();
    Verifier::builder(setup.jwks.clone()).rules(rules).build().unwrap()
}

#[tokio::test]
async fn rules_as_data_are_those_of_the_builder() {
    let setup = Setup::new().await;
    let (issuer, audience) = (setup.server.issuer(), "https://api.example.com");
    let token = || setup.server.token();
    let built = Verifier::builder(setup.jwks.clone()).issuer(issuer).audience(audience).leeway(Duration::ZERO);
    let as_data = json!({ "issuer": issuer, "audience": audience, "leeway": 0 });
    let strict = json!({ "issuer": issuer, "audience": audience, "rfc9068": true });
    let pairs = [
        (built.build().unwrap(), verifier(&setup, as_data)),
        (Verifier::rfc9068(setup.jwks.clone(), issuer, audience).build().unwrap(), verifier(&setup, strict)),
    ];
    let tokens: Vec<TokenBuilder> = vec![
        token(),
        token().issuer("https://evil.example"),
        token().audience(json!("other")),
        token().typ("JWT"),
        token().without_claim("jti"),
        token().expired_for(Duration::from_secs(1)),
        token().claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
    ];
    for (one, other) in &pairs {
        for (row, token) in tokens.iter().enumerate() {
            let text = token.clone().sign();
            let (one, other) = (one.verify(&text).await.err(), other.verify(&text).await.err());
            assert_eq!(one, other, "row {row}");
        }
    }
}

#[tokio::test]
async fn only_the_subjects_of_an_issuer_pass() {
    let setup = Setup::new().await;
    let rules = json!({ "issuer": setup.server.issuer(), "subjects": ["repo:my-org/*:ref:refs/heads/main", "alice"] });
    let verifier = verifier(&setup, rules);
    for (subject, passes) in [
        (json!("alice"), true),
        (json!("repo:my-org/api:ref:refs/heads/main"), true),
        (json!("repo:my-org/a/b:ref:refs/heads/main"), true),
        (json!("repo:my-org/:ref:refs/heads/main"), true),
        (json!("Alice"), false),
        (json!("alice2"), false),
        (json!("repo:my-org-evil/api:ref:refs/heads/main"), false),
        (json!("repo:my-org/api:ref:refs/heads/main2"), false),
        (json!("xrepo:my-org/api:ref:refs/heads/main"), false),
        (json!("repo:my-org/api:ref:refs/heads/dev"), false),
        (json!(["alice"]), false),
        (json!(5), false),
        (json!(null), false),
    ] {
        let token = setup.server.token().claim("sub", subject.clone()).sign();
        let verified = verifier.verify(&token).await;
        assert_eq!(
            verified.as_ref().err().map(|refusal| refusal.code()),
            (!passes).then_some("wrong_subject"),
            "{subject}"
        );
        let explained = verifier.explain(&token, setup.clock.now()).await;
        let check = explained.checks.iter().find(|check| check.kind == CheckKind::Subject).unwrap();
        assert_eq!(check.outcome == Outcome::Passed, passes, "{subject}: {check:?}");
    }
    let without = setup.server.token().without_claim("sub").sign();
    assert_eq!(verifier.verify(&without).await.unwrap_err().code(), "wrong_subject");
}

#[tokio::test]
async fn a_verifier_is_not_built_with_rules_that_cannot_be_met() {
    let setup = Setup::new().await;
    let build = |rules: Value| {
        let rules: IssuerRules = serde_json::from_value(rules).unwrap();
        Verifier::builder(setup.jwks.clone()).rules(rules).build().unwrap_err().to_string()
    };
    assert_eq!(
        build(json!({ "leeway": "10m" })),
        "`leeway`: expected 5 min at the most, got 10 min: set the clocks instead"
    );
    assert!(build(json!({ "rfc9068": true, "audience": "a" })).starts_with("`rfc9068`: expected `issuer`"));
}

#[tokio::test]
async fn the_scope_is_taken_from_the_claim_that_is_named() {
    let setup = Setup::new().await;
    let auth0 = verifier(&setup, json!({ "scope_claims": ["permissions", "scope"] }));
    let keycloak = verifier(&setup, json!({ "scope_claims": ["/realm_access/roles"] }));
    let plain = verifier(&setup, json!({}));
    let token = |claims: Value| {
        let claims = claims.as_object().unwrap().clone().into_iter();
        let token = setup.server.token().without_claim("scope");
        claims.fold(token, |token, (name, value)| token.claim(name, value)).sign()
    };
    let permissions = json!({ "permissions": ["read:orders"], "scope": "openid" });
    let roles = json!({ "realm_access": { "roles": ["read:orders"] }, "scope": "openid" });
    let table = [
        (&auth0, permissions.clone(), 200),
        (&auth0, json!({ "scope": "read:orders" }), 200),
        // The first present claim counts, not a later one.
        (&auth0, json!({ "permissions": [], "scope": "read:orders" }), 403),
        (&auth0, json!({ "permissions": null, "scope": "read:orders" }), 403),
        (&auth0, json!({ "permissions": ["read:orders other"] }), 403),
        (&keycloak, roles.clone(), 200),
        (&keycloak, json!({ "scope": "read:orders" }), 403),
        (&plain, permissions.clone(), 403),
        (&plain, roles, 403),
    ];
    for (row, (verifier, claims, status)) in table.into_iter().enumerate() {
        let secure = Secure::new(verifier.clone()).scope(["read:orders"]);
        let token = token(claims);
        assert_eq!(answer(&app(secure.clone()), bearer(&token)).await.status, status, "row {row}");
        let field = format!("Bearer {token}");
        let fields: [(&str, &[u8]); 1] = [("authorization", field.as_bytes())];
        let explained = secure.explain(&Presented::new(&fields), setup.clock.now()).await;
        assert_eq!(explained.refusal().is_none(), status == 200, "row {row}");
    }
    let verified = auth0.verify(&token(permissions)).await.unwrap();
    assert_eq!(verified.scopes().collect::<Vec<_>>(), ["read:orders"]);
    assert!(verified.has_scope("read:orders") && !verified.has_scope("openid"));
}

#[tokio::test]
async fn a_token_that_is_good_for_too_long_is_refused_and_told_so() {
    let setup = Setup::new().await;
    let verifier = verifier(&setup, json!({ "max_token_lifetime": "1h" }));
    let hour = Duration::from_secs(3_600);
    let token = || setup.server.token();
    let table = [
        (token().expires_in(hour), "passed", Some("1 h")),
        (token().expires_in(hour + Duration::from_secs(1)), "token_lifetime_too_long", Some("1 h 1 s")),
        (token().expires_in(24 * 365 * hour), "token_lifetime_too_long", Some("365 d")),
        (token().without_claim("iat"), "missing_claim", Some("not told")),
        (token().without_claim("exp"), "missing_claim", Some("not told")),
    ];
    for (token, expected, shown) in table {
        let text = token.sign();
        let verdict = verifier.verify(&text).await;
        assert_eq!(verdict.as_ref().map_or_else(|refusal| refusal.code(), |_| "passed"), expected);
        let explained = verifier.explain(&text, setup.clock.now()).await;
        assert_eq!(explained.refusal(), verdict.err().as_ref());
        let row = explained.checks.iter().find(|check| check.kind == CheckKind::Lifetime).unwrap();
        assert_eq!(row.expected.as_deref(), Some("from iat to exp 1 h at the most"));
        assert_eq!(row.actual.as_ref().map(|actual| actual.text.as_str()), shown);
    }
    let explained = Verifier::from(setup.jwks.clone()).explain(&token().sign(), setup.clock.now()).await;
    let row = explained.checks.iter().find(|check| check.kind == CheckKind::Lifetime).unwrap();
    assert_eq!(row.outcome, Outcome::NotAsked);

    let refused = answer(&app(Secure::new(verifier)), bearer(&token().expires_in(2 * hour).sign())).await;
    assert_eq!(
        refused.challenge(),
        Some(r#"Bearer error="invalid_token", error_description="Token is good for too long""#),
        "neither the bound nor the time is told to the client"
    );
}

#[tokio::test]
async fn a_token_that_was_issued_too_long_ago_is_refused_and_told_so_also_if_it_is_known() {
    let setup = Setup::new().await;
    let verifier = verifier(&setup, json!({ "max_token_age": "10m" }));
    let app = app(Secure::new(verifier.clone()));
    let token = setup.server.token().issued_at(setup.clock.now()).expires_in(Duration::from_secs(86_400)).sign();
    assert_eq!(answer(&app, bearer(&token)).await.status, 200);
    setup.clock.advance(Duration::from_secs(604));
    assert_eq!(answer(&app, bearer(&token)).await.status, 200, "within the leeway, and cached");
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(
        answer(&app, bearer(&token)).await.challenge(),
        Some(r#"Bearer error="invalid_token", error_description="Token was issued too long ago""#)
    );
    let explained = verifier.explain(&token, setup.clock.now()).await;
    let row = explained.checks.iter().find(|check| check.kind == CheckKind::Age).unwrap();
    assert_eq!(row.code(), Some("token_too_old"));
    assert_eq!(row.expected.as_deref(), Some("at most 10 min ago, give or take 5 s"));
    let undated = setup.server.token().without_claim("iat").sign();
    assert_eq!(verifier.verify(&undated).await.unwrap_err().code(), "missing_claim");
}

#[tokio::test]
async fn an_introspected_token_is_held_to_its_lifetime_and_scope_claims_too() {
    let setup = Setup::new().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client);
    let introspector = introspector.clock(move || clock.now()).build().unwrap();
    let rules = json!({ "max_token_lifetime": 3_600, "scope_claims": ["permissions"] });
    let rules: IssuerRules = serde_json::from_value(rules).unwrap();
    let verifier = Verifier::builder(setup.jwks.clone()).rules(rules).introspection(introspector).build().unwrap();
    let hour = Duration::from_secs(3_600);
    let token = || setup.server.token().claim("permissions", json!(["read"]));
    let good = setup.server.issue_opaque(token().expires_in(hour));
    assert!(verifier.verify(&good).await.unwrap().has_scope("read"));
    let long = setup.server.issue_opaque(token().expires_in(2 * hour));
    assert_eq!(verifier.verify(&long).await.unwrap_err().code(), "token_lifetime_too_long");
    let untold = setup.server.issue_opaque(token().without_claim("iat"));
    assert_eq!(verifier.verify(&untold).await.unwrap_err().code(), "missing_claim");
}

//! Made-up tenants, and more tenants than there is room for.

use std::time::Duration;

use portcullis::{
    JwksService,
    refusal::{Refusal, UnavailableFault},
};
use portcullis_testkit::TokenBuilder;

use super::{DAY, Setup, code};
use crate::support::by;

/// Tokens of tenants that do not exist, signed with a key that is nobody's.
fn made_up(setup: &Setup, count: usize) -> impl Iterator<Item = TokenBuilder> {
    let key = setup.server.key("acme");
    (0..count).map(move |number| setup.server.token_by(&key, &format!("made-up-{number}")))
}

#[tokio::test]
async fn ten_thousand_made_up_tenants_cost_a_few_fetches_and_displace_none() {
    let setup = Setup::new(["acme", "globex"]).await;
    let jwks = setup.jwks();
    let (server, verifier) = (&setup.server, setup.with_jwks(&jwks).build().unwrap());
    let good = server.token("acme").sign();
    verifier.verify(&good).await.unwrap();
    let before = server.all_requests();
    let mut codes = Vec::new();
    for (number, token) in made_up(&setup, 10_000).enumerate() {
        codes.push(code(&verifier, token).await);
        if number % 100 == 0 {
            verifier.verify(&good).await.unwrap();
            assert_eq!(code(&verifier, server.token("acme")).await, "passes", "a new token of a good tenant");
        }
    }
    assert!(codes.iter().all(|code| *code == "keys_unavailable"));
    // Each of five tenants is asked for the two forms of its metadata.
    assert_eq!(server.all_requests() - before, 5 * 2);
    assert_eq!(jwks.status().tenants, Some(1));

    // Beyond the budget it is told apart, and when to come again.
    let refusal = verifier.verify(&server.token("globex").sign()).await.unwrap_err();
    let Refusal::Unavailable(UnavailableFault::TenantFetches { retry_after }) = refusal else { panic!("{refusal:?}") };
    assert_eq!(retry_after, Duration::from_secs(10));
    setup.clock.advance(retry_after);
    assert_eq!(code(&verifier, server.token("globex")).await, "passes");
    assert_eq!(jwks.status().tenants, Some(2));
}

#[tokio::test]
async fn a_listed_tenant_needs_no_budget() {
    let setup = Setup::new(["acme", "globex"]).await;
    let jwks = setup.jwks();
    let open = setup.with_jwks(&jwks).build().unwrap();
    let listed = setup.with_jwks(&jwks).tenants(["globex"]).build().unwrap();
    for token in made_up(&setup, 20) {
        assert_eq!(code(&open, token).await, "keys_unavailable");
    }
    assert_eq!(code(&open, setup.server.token("acme")).await, "keys_unavailable");
    assert_eq!(code(&listed, setup.server.token("globex")).await, "passes");
    assert_eq!(code(&open, setup.server.token("globex")).await, "passes", "the keys are shared");
    for token in made_up(&setup, 20) {
        assert_eq!(code(&listed, token).await, "wrong_issuer");
    }
}

#[tokio::test]
async fn tenants_that_prove_themselves_use_up_no_budget() {
    let names: Vec<_> = (0..50).map(|number| format!("tenant-{number}")).collect();
    let setup = Setup::new(names.clone()).await;
    let verifier = setup.verifier().build().unwrap();
    for name in &names {
        assert_eq!(code(&verifier, setup.server.token(name)).await, "passes", "{name}");
    }
}

#[tokio::test]
async fn a_signature_alone_does_not_prove_a_tenant() {
    let names: Vec<_> = (0..20).map(|number| format!("tenant-{number}")).collect();
    let setup = Setup::new(names.clone()).await;
    let jwks = setup.jwks();
    let verifier = setup.with_jwks(&jwks).audience("https://api.example.com").build().unwrap();
    // Anyone can have a tenant, and tokens of it for an API of its own.
    for name in &names {
        let other = setup.server.token(name).audience("https://mine.example");
        let expected = ["wrong_audience", "keys_unavailable"];
        assert!(expected.contains(&code(&verifier, other).await), "{name}");
    }
    assert_eq!(jwks.status().tenants, Some(0));
    assert_eq!(setup.server.all_requests(), 5 * 2);
}

#[tokio::test]
async fn many_first_requests_of_a_tenant_share_its_fetch() {
    let setup = Setup::new(["acme"]).await;
    let verifier = setup.verifier().build().unwrap();
    let requests = (0..200).map(|_| {
        let (verifier, token) = (verifier.clone(), setup.server.token("acme").sign());
        tokio::spawn(async move { verifier.verify(&token).await.map(drop) })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap().unwrap();
    }
    assert_eq!(setup.server.requests("acme"), 2);
}

#[tokio::test]
async fn forged_kids_of_a_tenant_on_trial_cost_no_further_fetch() {
    let setup = Setup::new(["acme"]).await;
    let verifier = setup.verifier().build().unwrap();
    for number in 0..1_000 {
        let forged = setup.server.token("acme").kid(format!("forged-{number}"));
        assert_ne!(code(&verifier, forged).await, "passes");
    }
    assert_eq!(setup.server.requests("acme"), 2);
    assert_eq!(code(&verifier, setup.server.token("acme")).await, "passes");
}

#[tokio::test]
async fn beyond_the_limit_the_tenant_that_is_not_used_leaves() {
    let names: Vec<_> = (0..6).map(|number| format!("tenant-{number}")).collect();
    let setup = Setup::new(names.clone()).await;
    let builder = by(&setup.clock, JwksService::discover(&setup.server.template())).max_tenants(3);
    let jwks = builder.build().unwrap();
    let verifier = setup.with_jwks(&jwks).build().unwrap();
    let busy = setup.server.token("tenant-0").sign();
    let left = setup.server.token("tenant-1").sign();
    verifier.verify(&left).await.unwrap();
    for name in &names {
        // Its cached token counts as use.
        verifier.verify(&busy).await.unwrap();
        assert_eq!(code(&verifier, setup.server.token(name)).await, "passes", "{name}");
    }
    assert_eq!(jwks.status().tenants, Some(3));
    let before = setup.server.all_requests();
    verifier.verify(&busy).await.unwrap();
    assert_eq!(code(&verifier, setup.server.token("tenant-0")).await, "passes");
    assert_eq!(setup.server.all_requests(), before, "it stayed in");
    // A cached token does not outlive the keys of its tenant: they are fetched anew.
    verifier.verify(&left).await.unwrap();
    assert_eq!(setup.server.all_requests(), before + 2);
}

#[tokio::test]
async fn a_tenant_without_tokens_for_a_day_leaves() {
    let setup = Setup::new(["acme", "globex", "initech", "hooli"]).await;
    let jwks = setup.jwks();
    let verifier = setup.with_jwks(&jwks).build().unwrap();
    let day = async |tenants: &[&str]| {
        for tenant in tenants {
            assert_eq!(code(&verifier, setup.server.token(tenant)).await, "passes", "{tenant}");
        }
        setup.clock.advance(DAY);
        jwks.status().tenants.unwrap()
    };
    assert_eq!(day(&["acme", "globex"]).await, 2);
    // A new tenant is the occasion to look who was there since the last one.
    assert_eq!(day(&["acme", "initech"]).await, 3);
    assert_eq!(day(&["acme", "hooli"]).await, 2, "acme and hooli");
    let before = setup.server.requests("globex");
    assert_eq!(day(&["globex"]).await, 1);
    assert_eq!(setup.server.requests("globex"), before + 2, "it comes back like a new one");
}

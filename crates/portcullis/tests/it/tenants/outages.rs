//! Servers of tenants that fail under load: no request of another tenant is lost, and none passes wrongly.

use std::time::Duration;

use portcullis::{JwksService, Verifier};
use portcullis_testkit::TokenBuilder;

use super::{Setup, code};
use crate::support::by;

/// A verifier that waits a short time for keys.
fn impatient(setup: &Setup) -> Verifier {
    let jwks = by(&setup.clock, JwksService::discover(&setup.server.template())).timeout(Duration::from_millis(200));
    setup.with_jwks(&jwks.build().unwrap()).build().unwrap()
}

/// Sends tokens of `acme`, cached and new, and forged ones, while `fail` happens.
async fn under_load(setup: &Setup, verifier: &Verifier, fail: impl Future<Output = ()>) {
    let cached = setup.server.token("acme").sign();
    verifier.verify(&cached).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = |number: usize| {
        let (verifier, cached, stopped) = (verifier.clone(), cached.clone(), stopped.clone());
        let new: Vec<_> = (0..50).map(|_| setup.server.token("acme").sign()).collect();
        let forged = setup.server.token_by(&setup.server.key("globex"), "acme").kid(setup.server.key("acme").kid());
        let forged = forged.sign();
        tokio::spawn(async move {
            let mut sent = 0;
            while !*stopped.borrow() || sent < 100 {
                verifier.verify(&cached).await.unwrap();
                verifier.verify(&new[(number + sent) % new.len()]).await.unwrap();
                assert_eq!(verifier.verify(&forged).await.unwrap_err().code(), "bad_signature");
                sent += 1;
                tokio::task::yield_now().await;
            }
        })
    };
    let load: Vec<_> = (0..4).map(load).collect();
    tokio::task::yield_now().await;
    fail.await;
    stop.send_replace(true);
    for requests in load {
        requests.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_hangs_or_fails_under_load_loses_no_request_of_another() {
    let setup = Setup::new(["acme", "globex", "initech"]).await;
    let verifier = impatient(&setup);
    let ask = async |token: TokenBuilder| code(&verifier, token).await;
    under_load(&setup, &verifier, async {
        for _ in 0..3 {
            setup.server.hang("globex");
            setup.server.fault("initech", 502);
            for tenant in ["globex", "initech"] {
                assert_eq!(ask(setup.server.token(tenant)).await, "keys_unavailable");
            }
        }
        setup.server.heal("globex");
        setup.clock.advance(Duration::from_secs(60));
        assert_eq!(ask(setup.server.token("globex")).await, "passes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_of_all_tenants_killed_under_load_loses_no_token_of_known_ones() {
    let setup = Setup::new(["acme", "globex"]).await;
    let verifier = impatient(&setup);
    under_load(&setup, &verifier, async {
        setup.server.stop().await;
        // Keys are due for a refresh, and stay in use.
        setup.clock.advance(Duration::from_secs(240));
        for _ in 0..3 {
            assert_eq!(code(&verifier, setup.server.token("globex")).await, "keys_unavailable");
        }
    })
    .await;
}

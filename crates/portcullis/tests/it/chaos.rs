//! Everything at once: good and hostile requests while the issuer rotates its keys and its endpoint fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use http::StatusCode;
use portcullis::{Secure, Verifier};
use portcullis_testkit::{Algorithm, Attack, Endpoint, Fault};

use crate::support::{Setup, answer, app, bearer, request};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sends good, hostile and empty requests in turn.
async fn client(app: Router, good: String, hostile: Arc<Vec<(Attack, String)>>, first: usize) {
    for turn in first..first + 300 {
        let (attack, token) = &hostile[turn % hostile.len()];
        assert_eq!(answer(&app, bearer(&good)).await.status, StatusCode::OK, "a good token by a known key");
        assert_ne!(answer(&app, bearer(token)).await.status, StatusCode::OK, "{attack}");
        assert_eq!(answer(&app, request(&[])).await.status, StatusCode::UNAUTHORIZED);
    }
}

/// Rotates keys, breaks the endpoint and moves the clock, until the clients are done.
async fn havoc(setup: &Setup, done: &AtomicBool) {
    let faults = [
        Fault::Status(500),
        Fault::Hang,
        Fault::NotJson,
        Fault::CutOff,
        Fault::EndlessBody,
        Fault::Refuse,
        Fault::Redirect("http://127.0.0.1:1/".into()),
    ];
    for (turn, fault) in faults.iter().cycle().enumerate() {
        // Bounded, so that the set stays small and no hostile token grows into its time.
        if turn < 200 {
            setup.server.rotate();
            setup.clock.advance(Duration::from_secs(10));
        }
        setup.server.fault(Endpoint::Jwks, fault.clone());
        let newest = setup.server.token().expires_in(DAY).sign();
        tokio::task::yield_now().await;
        setup.server.heal(Endpoint::Jwks);
        let _ = setup.jwks.refresh().await;
        if done.load(Ordering::Relaxed) {
            // At the end the newest key is known.
            setup.jwks.refresh().await.unwrap();
            assert_eq!(answer(&setup.app(), bearer(&newest)).await.status, StatusCode::OK);
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_bad_token_passes_and_no_good_one_is_lost_whatever_happens_to_the_issuer() {
    let setup = Setup::with(|server| server.algorithm(Algorithm::ES256), |jwks| jwks).await;
    setup.jwks.prefetch().await.unwrap();
    let verifier =
        Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).audience("https://api.example.com");
    let app = app(Secure::new(verifier.build().unwrap()));
    let good = setup.server.token().expires_in(DAY).sign();
    let hostile = Attack::ALL.iter().map(|attack| (*attack, setup.server.hostile(*attack))).collect();
    let hostile = Arc::new(hostile);
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..4).map(|first| tokio::spawn(client(app.clone(), good.clone(), Arc::clone(&hostile), first * 17))).collect();
    let ended = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            for client in clients {
                client.await.unwrap();
            }
            done.store(true, Ordering::Relaxed);
        }
    });
    havoc(&setup, &done).await;
    ended.await.unwrap();
}

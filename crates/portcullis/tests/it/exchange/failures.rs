//! Failures and refusals of the server, and the fate of requests without an answer.

use std::time::Duration;

use axum::Router;
use metrics_util::debugging::DebuggingRecorder;
use portcullis::{ClientAuthentication, Exchanger};
use portcullis_testkit::{Algorithm, Endpoint, ExchangeFault, Fault};

use super::{INVENTORY, app, asked, claims, exchanger, issuer, refused, unavailable, unusable, verdict};
use crate::{
    metrics::Metrics,
    support::{Setup, answer, bearer},
};

#[tokio::test]
async fn a_server_that_fails_refuses_nobody_and_no_request_goes_on_without_a_token() {
    for fault in [Fault::Status(500), Fault::Status(503), Fault::CutOff, Fault::Refuse] {
        let setup = Setup::new().await;
        let app = app(&setup, &exchanger(&setup).build().unwrap());
        let known = setup.server.token().subject("known").sign();
        assert_eq!(verdict(&app, &known).await.0, 200);
        let new = setup.server.token().sign();
        setup.server.fault(Endpoint::Token, fault.clone());
        for _ in 0..10 {
            assert_eq!(verdict(&app, &new).await, unavailable(), "{fault:?}");
        }
        assert_eq!(asked(&setup), 6, "{fault:?}: after five failures it is not asked");
        assert!(answer(&app, bearer(&new)).await.headers.contains_key("retry-after"));
        assert_eq!(verdict(&app, &known).await.0, 200, "{fault:?}: a kept token still counts");
        setup.server.heal(Endpoint::Token);
        setup.clock.advance(Duration::from_secs(2));
        assert_eq!(verdict(&app, &new).await.0, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_for_longer_than_the_time_limit() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).timeout(Duration::from_millis(100)).build().unwrap();
    let app = app(&setup, &exchanger);
    setup.server.fault(Endpoint::Token, Fault::Hang);
    let token = setup.server.token().sign();
    let verdicts = async {
        for _ in 0..7 {
            assert_eq!(verdict(&app, &token).await, unavailable());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), verdicts).await.unwrap();
    assert_eq!((asked(&setup), exchanger.status().failures), (5, 5));
    setup.server.heal(Endpoint::Token);
    setup.clock.advance(Duration::from_secs(2));
    assert_eq!(verdict(&app, &token).await.0, 200);
}

#[tokio::test]
async fn answers_in_no_form_are_not_believed() {
    let json = |body: &str| Fault::Body { content_type: "application/json".into(), body: body.into() };
    for fault in [
        Fault::NotJson,
        Fault::HugeBody(1 << 20),
        Fault::Status(400),
        Fault::Status(404),
        Fault::Redirect("http://127.0.0.1:1/".into()),
        json("[]"),
        json("{}"),
        json(r#"{"access_token":["a"],"token_type":"Bearer"}"#),
        json(r#"{"error":"invalid_grant"}"#),
        Fault::Body { content_type: "text/html".into(), body: "{}".into() },
    ] {
        let setup = Setup::new().await;
        let exchanger = exchanger(&setup).build().unwrap();
        let app = app(&setup, &exchanger);
        setup.server.fault(Endpoint::Token, fault.clone());
        let token = setup.server.token().sign();
        for _ in 0..7 {
            assert_eq!(verdict(&app, &token).await, unusable(), "{fault:?}");
        }
        assert_eq!((asked(&setup), exchanger.status().failures), (7, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_servers_is_told_with_its_code_and_remembered_for_seconds() {
    let of_token = [
        "invalid_grant",
        "invalid_request",
        "invalid_target",
        "invalid_scope",
        "access_denied",
        "consent_required",
        "interaction_required",
        "login_required",
    ];
    for error in of_token {
        let setup = Setup::new().await;
        let exchanger = exchanger(&setup).build().unwrap();
        let app = app(&setup, &exchanger);
        setup.server.exchange_fault(Some(ExchangeFault::Refused(error)));
        let token = setup.server.token().sign();
        for _ in 0..7 {
            assert_eq!(verdict(&app, &token).await, refused("exchange_refused"), "{error}");
        }
        let told = answer(&app, bearer(&token)).await;
        assert!(!told.body.contains(error) && !told.headers.contains_key("www-authenticate"), "{}", told.body);
        assert_eq!((asked(&setup), exchanger.status().failures), (1, 0), "{error}");
        setup.server.exchange_fault(None);
        setup.clock.advance(Duration::from_secs(6));
        assert_eq!(verdict(&app, &token).await.0, 200, "{error}");
    }
}

#[tokio::test]
async fn a_refusal_of_this_server_is_no_refusal_of_the_client() {
    for (error, expected, failures) in [
        ("unauthorized_client", unavailable(), 5),
        ("unsupported_grant_type", unavailable(), 5),
        ("something_else", unusable(), 0),
    ] {
        let setup = Setup::new().await;
        let exchanger = exchanger(&setup).build().unwrap();
        let app = app(&setup, &exchanger);
        setup.server.exchange_fault(Some(ExchangeFault::Refused(error)));
        for _ in 0..7 {
            assert_eq!(verdict(&app, &setup.server.token().sign()).await, expected, "{error}");
        }
        assert_eq!(exchanger.status().failures, failures, "{error}");
    }
    let setup = Setup::new().await;
    let client = ClientAuthentication::basic("test-client", "another");
    let endpoint = format!("{}/token", setup.server.issuer());
    let stranger = Exchanger::builder(&endpoint, client, issuer(&setup)).build().unwrap();
    let app = app(&setup, &stranger);
    assert_eq!(verdict(&app, &setup.server.token().sign()).await, unavailable());
    let told = stranger.status().last_error.unwrap();
    for words in ["`invalid_client`", "these credentials", "in `audience`"] {
        assert!(told.contains(words), "{words} is not in: {told}");
    }
}

/// Some servers refuse this client by the token that it sends, as of another organization.
#[tokio::test]
async fn a_refusal_of_this_server_shuts_nobody_out_while_others_are_served() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).build().unwrap();
    let app = app(&setup, &exchanger);
    for error in ["unauthorized_client", "unsupported_grant_type", "invalid_client"] {
        setup.server.exchange_fault(None);
        assert_eq!(verdict(&app, &setup.server.token().subject(error).sign()).await.0, 200, "{error}");
        setup.server.exchange_fault(Some(ExchangeFault::Refused(error)));
        for _ in 0..7 {
            assert_eq!(verdict(&app, &setup.server.token().sign()).await, unusable(), "{error}");
        }
        assert_eq!(exchanger.status().failures, 0, "{error}");
    }
}

#[test]
fn each_exchange_is_counted_by_its_outcome() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let app = app(&setup, &exchanger(&setup).build().unwrap());
            let token = setup.server.token().sign();
            verdict(&app, &token).await;
            verdict(&app, &token).await;
            for fault in [ExchangeFault::OtherAudience, ExchangeFault::Refused("access_denied")] {
                setup.server.exchange_fault(Some(fault));
                verdict(&app, &setup.server.token().sign()).await;
            }
            setup.server.fault(Endpoint::Token, Fault::Status(500));
            verdict(&app, &setup.server.token().sign()).await;
        });
    });
    let metrics = Metrics::read(metrics.snapshot());
    for outcome in ["issued", "unusable", "refused", "failed"] {
        assert_eq!(metrics.sum("portcullis_exchanges_total", Some(("outcome", outcome))), 1.0, "{outcome}");
    }
}

/// Sends requests with a kept token and with new ones in turn; returns the number of new ones that passed.
async fn client(app: Router, known: String, exchanged: String, new: Vec<String>) -> usize {
    let mut passed = 0;
    for token in &new {
        assert_eq!(verdict(&app, &known).await, (200, exchanged.clone()), "a kept token");
        match verdict(&app, token).await {
            (200, token) => {
                assert_eq!(claims(&token)["aud"], INVENTORY);
                passed += 1;
            }
            other => assert_eq!(other, unavailable()),
        }
    }
    passed
}

/// The server is killed while requests go on: none with a kept token is lost, and none goes on with a wrong one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_costs_no_request_with_a_kept_token() {
    let setup = Setup::with(|server| server.algorithm(Algorithm::ES256), |jwks| jwks).await;
    setup.jwks.prefetch().await.unwrap();
    let app = app(&setup, &exchanger(&setup).timeout(Duration::from_millis(500)).build().unwrap());
    let token = |subject: String| setup.server.token().subject(subject).expires_in(Duration::from_secs(3600)).sign();
    let known = token("known".into());
    let (_, exchanged) = verdict(&app, &known).await;
    for round in 0..4 {
        setup.server.reset_requests();
        let clients: Vec<_> = (0..8)
            .map(|client_number| {
                let new = (0..20).map(|number| token(format!("{round}-{client_number}-{number}"))).collect();
                tokio::spawn(client(app.clone(), known.clone(), exchanged.clone(), new))
            })
            .collect();
        // In the middle of the load.
        setup.server.wait_for_requests(Endpoint::Token, 20).await;
        setup.server.stop().await;
        let mut passed = 0;
        for client in clients {
            passed += client.await.unwrap();
        }
        assert!((1..160).contains(&passed), "some before, and not all: {passed}");
        setup.server.restart().await.unwrap();
        setup.clock.advance(Duration::from_secs(60));
        assert_eq!(verdict(&app, &token(format!("back-{round}"))).await.0, 200);
    }
}

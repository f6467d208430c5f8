//! Requests that wait: for keys, and for the authorization server's answer about an opaque token.

use std::{net::SocketAddr, task::Poll, time::Duration};

use actix_web::{
    App, HttpMessage,
    body::to_bytes,
    dev::Service,
    test::{call_service, init_service},
    web,
};
use portcullis::{ClientAddress, ClientAuthentication, Introspector, JwksService, Secure, Verifier, names::steps};
use portcullis_testkit::{Endpoint, Fault};

use super::{answer, read, request, who};
use crate::{
    steps::{once, steps_to},
    support::Setup,
};

fn field(setup: &Setup) -> String {
    format!("Bearer {}", setup.server.token().sign())
}

fn introspecting(setup: &Setup) -> Secure {
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client);
    Secure::new(Verifier::from(introspector.clock(move || clock.now()).build().unwrap()))
}

#[tokio::test]
async fn many_that_wait_in_one_worker_cause_one_fetch_and_a_rotation_another() {
    let setup = Setup::new().await;
    let app = init_service(App::new().wrap(Secure::new(setup.jwks.clone())).route("/", web::get().to(who))).await;
    for fetches in 1..=2 {
        let field = field(&setup);
        let call = async || {
            let response = call_service(&app, request("/", &[("authorization", &field)]).to_request()).await;
            read(response).await.body
        };
        let bodies = tokio::join!(call(), call(), call(), call());
        assert_eq!(bodies, ("alice".into(), "alice".into(), "alice".into(), "alice".into()));
        assert_eq!(setup.server.requests(Endpoint::Jwks), fetches);
        setup.server.rotate();
        setup.clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_request_takes_each_step_once_whether_it_waits_or_not() {
    let setup = Setup::new().await;
    let app = init_service(App::new().wrap(Secure::new(setup.jwks.clone())).route("/", web::get().to(who))).await;
    let field = field(&setup);
    let taken = async || {
        let request = request("/", &[("authorization", &field)]).to_request();
        steps_to(async { read(call_service(&app, request).await).await }).await
    };
    assert_eq!(
        taken().await,
        once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN]),
        "it waits for keys"
    );
    assert_eq!(taken().await, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN]), "a known token");
}

#[tokio::test]
async fn the_body_of_a_request_that_waits_reaches_the_handler_whole() {
    let setup = Setup::new().await;
    let app = App::new()
        .wrap(Secure::new(setup.jwks.clone()))
        .route("/", web::post().to(|body: web::Bytes| async move { body.len().to_string() }));
    let app = init_service(app).await;
    let request = request("/", &[("authorization", &field(&setup))]).method(actix_web::http::Method::POST);
    let response = call_service(&app, request.set_payload(vec![b'x'; 100_000]).to_request()).await;
    assert_eq!(to_bytes(response.into_body()).await.ok().unwrap(), "100000");
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_waits_leaves_the_others_their_keys() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    let app = init_service(App::new().wrap(Secure::new(setup.jwks.clone())).route("/", web::get().to(who))).await;
    let field = field(&setup);
    let ask = || app.call(request("/", &[("authorization", &field)]).to_request());
    let (mut gone, mut stays) = (Box::pin(ask()), Box::pin(ask()));
    std::future::poll_fn(|cx| {
        assert!(gone.as_mut().poll(cx).is_pending() && stays.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    setup.server.wait_for_requests(Endpoint::Jwks, 1).await;
    drop(gone);
    setup.server.heal(Endpoint::Jwks);
    assert_eq!(read(stays.await.unwrap()).await.body, "alice");
}

#[tokio::test]
async fn opaque_tokens_are_introspected() {
    let setup = Setup::new().await;
    let secure = introspecting(&setup).problem_json();
    let opaque = format!("Bearer {}", setup.server.issue_opaque(setup.server.token().subject("bob")));
    let app = || App::new().wrap(secure.clone()).route("/", web::get().to(who));
    for _ in 0..2 {
        assert_eq!(answer!(app(), &[("authorization", &opaque)]).body, "bob");
        let refused = answer!(app(), &[("authorization", "Bearer never-issued")]);
        assert!(refused.status == 403 && refused.body.contains("inactive_token"), "{}", refused.body);
    }
    assert_eq!(setup.server.requests(Endpoint::Introspection), 2, "both answers are kept");
}

#[tokio::test]
async fn a_client_whose_tokens_fail_is_told_apart_by_the_address_in_the_extensions() {
    let setup = Setup::new().await;
    let secure = introspecting(&setup);
    let app = App::new().wrap(secure).route("/", web::get().to(who)).wrap_fn(|request, service| {
        if let Some(peer) = request.peer_addr() {
            request.extensions_mut().insert(ClientAddress::from(peer.ip()));
        }
        service.call(request)
    });
    let app = init_service(app).await;
    let status = async |token: &str, address: &str| {
        let request = request("/", &[("authorization", &format!("Bearer {token}"))]);
        let peer: SocketAddr = address.parse().unwrap();
        call_service(&app, request.peer_addr(peer).to_request()).await.status().as_u16()
    };
    setup.server.fault(Endpoint::Introspection, Fault::Status(500));
    for number in 0..10 {
        assert_eq!(status(&format!("made-up-{number}"), "192.0.2.1:1").await, 503);
    }
    setup.server.heal(Endpoint::Introspection);
    let good = setup.server.issue_opaque(setup.server.token());
    assert_eq!(status(&good, "192.0.2.1:2").await, 503, "shut for the client that failed");
    assert_eq!(status(&good, "198.51.100.7:1").await, 200, "and for nobody else");
}

#[tokio::test]
async fn the_middleware_can_go_to_every_worker() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    let secure = Secure::new(JwksService::new("http://127.0.0.1:1/jwks").unwrap());
    check(&secure);
    check(&move || App::new().wrap(secure.clone()).route("/", web::get().to(who)));
}

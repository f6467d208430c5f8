//! The use of a token that another process left in the store.

use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use portcullis::{Secure, Target};
use portcullis_testkit::{Endpoint, ExchangeFault, Fault};

use super::{app, asked, exchanger, issuer, unusable, verdict};
use crate::{introspection::Shared, support::Setup};

fn process(setup: &Setup, shared: &Shared, secret: u8) -> Router {
    app(setup, &exchanger(setup).store(shared.clone(), &[secret; 32]).build().unwrap())
}

#[tokio::test]
async fn another_process_uses_the_token_and_nobody_else_can_read_it() {
    let (setup, shared) = (Setup::new().await, Shared::default());
    let token = setup.server.token().sign();
    let (_, exchanged) = verdict(&process(&setup, &shared, 7), &token).await;
    shared.until_it_has(1).await;
    assert_eq!(verdict(&process(&setup, &shared, 7), &token).await, (200, exchanged.clone()));
    assert_eq!(asked(&setup), 1);
    let bytes = shared.bytes();
    for part in exchanged.split('.').chain(token.split('.')) {
        assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()), "the store shows a token");
    }
    // A process with another secret does not know what it says.
    assert_eq!(verdict(&process(&setup, &shared, 8), &token).await.0, 200);
    assert_eq!(asked(&setup), 2);
}

#[tokio::test]
async fn a_forged_entry_or_one_for_another_target_is_none() {
    let (setup, shared) = (Setup::new().await, Shared::default());
    let token = setup.server.token().sign();
    shared.forge(Bytes::from_static(&[1; 200]));
    assert_eq!(verdict(&process(&setup, &shared, 7), &token).await.0, 200);
    shared.until_it_has(1).await;
    assert_eq!(asked(&setup), 1);
    let exchanger = exchanger(&setup).store(shared.clone(), &[7; 32]).build().unwrap();
    for (number, target) in [
        (2, Target::audience("billing")),
        (3, Target::resource("https://inventory.example.com")),
        (4, Target::audience("https://inventory.example.com")),
    ] {
        let secure = Secure::new(issuer(&setup).build().unwrap()).exchange("inventory", &exchanger, target).unwrap();
        let app = Router::new().route("/", axum::routing::get(super::exchanged)).layer(secure.problem_json());
        assert_eq!(verdict(&app, &token).await.0, 200);
        assert_eq!(asked(&setup), number);
    }
}

#[tokio::test]
async fn an_entry_is_judged_anew_and_a_wrong_token_is_never_shared() {
    let (setup, shared) = (Setup::new().await, Shared::default());
    setup.server.exchange_fault(Some(ExchangeFault::OtherAudience));
    let token = setup.server.token().sign();
    assert_eq!(verdict(&process(&setup, &shared, 7), &token).await, unusable());
    assert!(shared.bytes().is_empty());
    // A process that is more patient shares a token that another one does not take.
    setup.server.exchange_fault(Some(ExchangeFault::LongerLived));
    let patient =
        exchanger(&setup).may_outlive(Duration::from_secs(3600)).store(shared.clone(), &[7; 32]).build().unwrap();
    assert_eq!(verdict(&app(&setup, &patient), &token).await.0, 200);
    shared.until_it_has(1).await;
    assert_eq!(verdict(&process(&setup, &shared, 7), &token).await, unusable());
    assert_eq!(asked(&setup), 3);
}

/// Routes of a gateway and its reloads make a layer each.
#[tokio::test]
async fn layers_with_one_target_share_what_is_kept() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).build().unwrap();
    let (one, other) = (app(&setup, &exchanger), app(&setup, &exchanger));
    let token = setup.server.token().sign();
    let (first, second) = (verdict(&one, &token).await, verdict(&other, &token).await);
    assert_eq!((first.0, &first, asked(&setup)), (200, &second, 1));
    setup.server.fault(Endpoint::Token, Fault::Status(500));
    for app in [&one, &other, &app(&setup, &exchanger)] {
        assert_eq!(verdict(app, &token).await, first);
    }
}

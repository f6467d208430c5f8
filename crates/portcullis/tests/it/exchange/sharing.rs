//! The use of a token that another process left in the store.

use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use portcullis::{Secure, Target};
use portcullis_testkit::ExchangeFault;

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

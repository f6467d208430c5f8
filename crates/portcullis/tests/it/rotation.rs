//! Rotation of keys.

use std::time::Duration;

use http::StatusCode;
use portcullis_testkit::Endpoint;

use crate::support::{Setup, answer, bearer};

#[tokio::test]
pub(crate) async fn a_rotation_is_picked_up_by_the_first_token_with_the_new_kid() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    let old = setup.server.token().sign();
    setup.server.rotate();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::OK, "the old key is still published");
    assert_eq!(setup.server.requests(Endpoint::Jwks), 2);
}

#[tokio::test]
pub(crate) async fn a_key_that_leaves_the_set_stops_verifying() {
    let setup = Setup::new().await;
    let app = setup.app();
    let old = setup.server.token().sign();
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::OK);
    setup.server.rotate_and_withdraw();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    let refused = answer(&app, bearer(&old)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.challenge().unwrap().contains("unknown key"));
}

#[tokio::test]
pub(crate) async fn a_withdrawal_is_noticed_by_the_scheduled_refresh() {
    let setup = Setup::new().await;
    let app = setup.app();
    let old = setup.server.token().expires_in(Duration::from_secs(3600)).sign();
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::OK);
    setup.server.rotate_and_withdraw();
    setup.clock.advance(Duration::from_secs(5 * 60));
    // This request still reads the old snapshot, and finds that a refresh is due.
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::OK);
    setup.jwks.refresh().await.unwrap();
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
pub(crate) async fn a_refresh_is_revalidated_by_etag_and_keeps_the_keys() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.jwks.refresh().await.unwrap();
    let headers = setup.server.last_request_headers(Endpoint::Jwks).unwrap();
    assert!(headers.contains_key("if-none-match"));
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.server.rotate_and_withdraw();
    setup.jwks.refresh().await.unwrap();
    assert_eq!(setup.status(&app).await, StatusCode::OK, "a changed set is not mistaken for the old one");
    assert_eq!(setup.server.requests(Endpoint::Jwks), 3);
}

#[tokio::test]
pub(crate) async fn the_age_that_the_endpoint_allows_is_kept() {
    let hour = Duration::from_secs(60 * 60);
    let setup = Setup::with(|server| server.jwks_max_age(hour), |jwks| jwks).await;
    setup.jwks.prefetch().await.unwrap();
    let next = setup.jwks.status().next_refresh.unwrap();
    assert!((hour.mul_f64(0.8)..=hour.mul_f64(0.9)).contains(&next), "{next:?}");
}

#[tokio::test]
pub(crate) async fn the_schedule_refreshes_without_any_request() {
    let setup = Setup::with(|server| server, |jwks| jwks.clock(std::time::SystemTime::now)).await;
    setup.jwks.prefetch().await.unwrap();
    let kid = setup.server.rotate_and_withdraw().kid().to_owned();
    // Without requests, the schedule wakes by tokio's clock, and reads the time from its own.
    let start = tokio::time::Instant::now();
    let began = std::time::SystemTime::now();
    drop(setup.jwks);
    let by_tokio = portcullis::JwksService::builder(&setup.server.jwks_uri()).clock(move || began + start.elapsed());
    let jwks = by_tokio.build().unwrap();
    jwks.prefetch().await.unwrap();
    assert_eq!(jwks.status().keys, [Some(kid)]);
    let kid = setup.server.rotate_and_withdraw().kid().to_owned();
    let seen = setup.server.requests(Endpoint::Jwks);
    tokio::time::pause();
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(30)).await;
    }
    tokio::time::resume();
    setup.server.wait_for_requests(Endpoint::Jwks, seen + 1).await;
    jwks.refresh().await.unwrap();
    assert_eq!(jwks.status().keys, [Some(kid)]);
}

#[tokio::test]
pub(crate) async fn an_outage_at_the_start_ends_without_any_request() {
    let server = portcullis_testkit::AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, portcullis_testkit::Fault::Status(500));
    let (start, began) = (tokio::time::Instant::now(), std::time::SystemTime::now());
    let by_tokio = portcullis::JwksService::builder(&server.jwks_uri()).clock(move || began + start.elapsed());
    let jwks = by_tokio.build().unwrap();
    jwks.prefetch().await.unwrap_err();
    server.heal(Endpoint::Jwks);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3)).await;
    tokio::time::resume();
    server.wait_for_requests(Endpoint::Jwks, 2).await;
    jwks.prefetch().await.unwrap();
    assert_eq!(server.requests(Endpoint::Jwks), 2, "the schedule fetched");
}

/// Answers with one key, from memory.
struct Canned(String);

impl portcullis::HttpClient for Canned {
    async fn send(
        &self,
        _request: portcullis::HttpRequest,
    ) -> Result<http::Response<bytes::Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(http::Response::new(self.0.clone().into()))
    }
}

#[tokio::test]
pub(crate) async fn a_dropped_service_leaves_no_task_behind() {
    let key = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "k1");
    let canned = Canned(serde_json::json!({ "keys": [key.public_jwk()] }).to_string());
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let jwks = portcullis::JwksService::builder("http://127.0.0.1:1/jwks").http_client(canned).build().unwrap();
    jwks.prefetch().await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before + 1, "the schedule");
    let clone = jwks.clone();
    drop(jwks);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before + 1, "a handle is left");
    drop(clone);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before);
}

#[tokio::test]
pub(crate) async fn a_dropped_service_asks_no_more() {
    let setup = Setup::new().await;
    setup.jwks.prefetch().await.unwrap();
    let seen = setup.server.requests(Endpoint::Jwks);
    let Setup { server, jwks, clock } = setup;
    drop(jwks);
    clock.advance(Duration::from_secs(3600));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    tokio::task::yield_now().await;
    assert_eq!(server.requests(Endpoint::Jwks), seen);
}

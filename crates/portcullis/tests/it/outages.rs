//! An authorization server that is down, slow, or answers nonsense.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use portcullis::{HttpClient, HttpRequest, InMemoryCache, JwkSet, JwksCache, JwksService};
use portcullis_testkit::{Endpoint, Fault, TokenBuilder};

use crate::support::{Setup, answer, app, bearer, by};

type Error = Box<dyn std::error::Error + Send + Sync>;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
pub(crate) async fn down_at_the_start_the_service_starts_says_so_and_recovers() {
    let setup = Setup::new().await;
    setup.server.stop().await;
    let app = setup.app();
    let down = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.headers.contains_key("retry-after"));
    assert!(!setup.jwks.ready());
    assert!(setup.jwks.status().last_error.is_some());

    setup.server.restart().await.unwrap();
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE, "not before the backoff ends");
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    assert!(setup.jwks.ready());
    assert_eq!(setup.jwks.status().last_error, None);
}

#[tokio::test]
pub(crate) async fn down_later_the_keys_go_on_working_up_to_max_stale() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.server.stop().await;
    for hours in [1, 6, 12, 4] {
        setup.clock.advance(Duration::from_secs(hours * 3600));
        assert_eq!(setup.status(&app).await, StatusCode::OK);
        let _down = setup.jwks.refresh().await.unwrap_err();
    }
    setup.clock.advance(Duration::from_secs(3600) - Duration::from_secs(1));
    assert_eq!(setup.status(&app).await, StatusCode::OK, "a second before max-stale");
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!setup.jwks.ready());
    setup.server.restart().await.unwrap();
    setup.clock.advance(Duration::from_secs(60));
    assert_eq!(setup.status(&app).await, StatusCode::OK);
}

#[tokio::test]
pub(crate) async fn an_unknown_kid_during_an_outage_is_not_called_a_bad_token() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.server.rotate();
    setup.server.fault(Endpoint::Jwks, Fault::Status(503));
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
    setup.server.heal(Endpoint::Jwks);
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(setup.status(&app).await, StatusCode::OK);
}

#[tokio::test]
pub(crate) async fn while_the_endpoint_hangs_requests_with_known_keys_do_not_wait() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    setup.clock.advance(Duration::from_secs(10 * 60));
    let seen = setup.server.requests(Endpoint::Jwks);
    for _ in 0..100 {
        assert_eq!(setup.status(&app).await, StatusCode::OK);
    }
    setup.server.wait_for_requests(Endpoint::Jwks, seen + 1).await;
    assert_eq!(setup.server.requests(Endpoint::Jwks), seen + 1, "one refresh, behind them");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn no_request_waits_longer_than_the_timeout() {
    let timeout = Duration::from_secs(3);
    let builder = || JwksService::builder("http://127.0.0.1:1/jwks").timeout(timeout);
    let key = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "k1");
    let token = TokenBuilder::new(&key, "https://as.example", std::time::SystemTime::now()).sign();
    for (name, jwks) in [
        ("the client hangs", builder().http_client(Hangs).build().unwrap()),
        ("the cache hangs, too", builder().cache(Broken::Hangs).http_client(Hangs).build().unwrap()),
    ] {
        let start = tokio::time::Instant::now();
        let refusal = portcullis::Verifier::from(jwks.clone()).verify(&token).await.unwrap_err();
        assert_eq!(refusal.code(), "keys_unavailable", "{name}");
        assert!(start.elapsed() <= timeout + Duration::from_millis(2), "{name}: {:?}", start.elapsed());
        assert!(jwks.status().last_error.unwrap().contains("within 3 s"), "{name}");
    }
}

#[tokio::test]
pub(crate) async fn failures_back_off() {
    let setup = Setup::new().await;
    let app = setup.app();
    setup.server.fault(Endpoint::Jwks, Fault::Status(500));
    for _ in 0..100 {
        assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
    for _ in 0..600 {
        setup.clock.advance(Duration::from_secs(1));
        setup.status(&app).await;
    }
    let fetches = setup.server.requests(Endpoint::Jwks);
    assert!((10..40).contains(&fetches), "{fetches} fetches in ten minutes");
}

#[tokio::test]
pub(crate) async fn nonsense_from_the_endpoint_keeps_the_keys_at_hand() {
    let faults = [
        ("status", Fault::Status(500), "500"),
        ("not found", Fault::Status(404), "404"),
        ("redirect", Fault::Redirect("http://127.0.0.1:1/".into()), "redirects are not followed"),
        ("cut off", Fault::CutOff, ""),
        ("refused", Fault::Refuse, ""),
        ("not JSON", Fault::NotJson, "JWK Set"),
        ("10 MB", Fault::HugeBody(10_000_000), "expected at most"),
        ("endless", Fault::EndlessBody, "expected at most"),
        ("another document", Fault::Body { content_type: "application/json".into(), body: "{}".into() }, "JWK Set"),
        ("keys is no array", Fault::Body { content_type: "a/b".into(), body: r#"{"keys":{}}"#.into() }, "JWK Set"),
        ("an unasked 304", Fault::Status(304), "304"),
    ];
    for (name, fault, text) in faults {
        let setup = Setup::with(|server| server.etag(false), |jwks| jwks).await;
        let app = setup.app();
        assert_eq!(setup.status(&app).await, StatusCode::OK, "{name}");
        setup.server.fault(Endpoint::Jwks, fault);
        let error = setup.jwks.refresh().await.expect_err(name).to_string();
        assert!(error.contains(text), "{name}: {error}");
        assert_eq!(setup.status(&app).await, StatusCode::OK, "{name}");
        assert!(setup.jwks.ready(), "{name}");
    }
}

#[tokio::test]
pub(crate) async fn a_cache_outlives_the_process() {
    let shared = Shared::default();
    let setup = Setup::with(|server| server, |jwks| jwks.cache(shared.clone())).await;
    assert_eq!(setup.status(&setup.app()).await, StatusCode::OK);
    setup.server.stop().await;

    let restarted = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri()).cache(shared)).build().unwrap();
    let app = app(portcullis::Secure::new(restarted.clone()));
    assert_eq!(setup.status(&app).await, StatusCode::OK, "the endpoint is down, the cache is not");
    setup.clock.advance(DAY);
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE, "a cached set ages from its fetch");
}

#[tokio::test]
async fn a_cached_set_ages_from_the_last_answer_that_it_has_not_changed() {
    let shared = Shared::default();
    let setup = Setup::with(|server| server, |jwks| jwks.cache(shared.clone())).await;
    setup.jwks.prefetch().await.unwrap();
    setup.clock.advance(DAY - Duration::from_secs(60));
    setup.jwks.refresh().await.unwrap();
    setup.server.stop().await;

    setup.clock.advance(Duration::from_secs(120));
    let restarted = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri()).cache(shared)).build().unwrap();
    restarted.prefetch().await.unwrap();
}

#[tokio::test]
async fn keys_that_the_issuer_has_withdrawn_are_not_found_in_the_cache() {
    let shared = Shared::default();
    let setup = Setup::with(|server| server.etag(false), |jwks| jwks.cache(shared.clone())).await;
    setup.jwks.prefetch().await.unwrap();
    setup
        .server
        .fault(Endpoint::Jwks, Fault::Body { content_type: "application/json".into(), body: r#"{"keys":[]}"#.into() });
    setup.jwks.refresh().await.unwrap_err();
    setup.server.stop().await;
    let restarted = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri()).cache(shared)).build().unwrap();
    restarted.prefetch().await.unwrap_err();
}

#[tokio::test]
async fn a_cached_set_is_enough_to_be_ready_and_a_refresh_asks_the_endpoint_all_the_same() {
    let shared = Shared::default();
    let setup = Setup::with(|server| server, |jwks| jwks.cache(shared.clone())).await;
    setup.jwks.prefetch().await.unwrap();
    let restarted = || by(&setup.clock, JwksService::builder(&setup.server.jwks_uri()).cache(shared.clone())).build();
    let seen = setup.server.requests(Endpoint::Jwks);
    restarted().unwrap().refresh().await.unwrap();
    assert_eq!(setup.server.requests(Endpoint::Jwks), seen + 1);
    setup.server.stop().await;
    restarted().unwrap().prefetch().await.unwrap();
    restarted().unwrap().refresh().await.unwrap_err();
}

#[tokio::test]
pub(crate) async fn a_rotation_while_the_process_was_down_is_picked_up_all_the_same() {
    let shared = Shared::default();
    let setup = Setup::with(|server| server, |jwks| jwks.cache(shared.clone())).await;
    assert_eq!(setup.status(&setup.app()).await, StatusCode::OK);
    setup.server.rotate_and_withdraw();
    let restarted = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri()).cache(shared)).build().unwrap();
    assert_eq!(setup.status(&app(portcullis::Secure::new(restarted))).await, StatusCode::OK);
}

#[tokio::test]
pub(crate) async fn a_cache_that_fails_hangs_or_lies_harms_nothing() {
    for cache in [Broken::Fails, Broken::Hangs, Broken::Empty, Broken::Stale] {
        let setup = Setup::with(|server| server, |jwks| jwks.cache(cache)).await;
        assert_eq!(setup.status(&setup.app()).await, StatusCode::OK, "{cache:?}");
    }
}

#[tokio::test]
pub(crate) async fn a_client_that_panics_is_an_outage_and_no_more() {
    let calls = Arc::new(AtomicUsize::new(0));
    let setup = Setup::with(|server| server, |jwks| jwks.http_client(Panics(Arc::clone(&calls)))).await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
    setup.clock.advance(Duration::from_secs(60));
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(calls.load(Ordering::Relaxed), 2, "the next attempt is made");
}

#[tokio::test]
pub(crate) async fn a_client_that_ignores_the_limit_does_not_get_past_it() {
    let setup = Setup::with(|server| server, |jwks| jwks.http_client(Huge)).await;
    assert_eq!(setup.status(&setup.app()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(setup.jwks.status().last_error.unwrap().contains("expected at most"));
}

#[tokio::test]
pub(crate) async fn a_clock_that_jumps_neither_stops_nor_storms_the_refresh() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    setup.clock.rewind(Duration::from_secs(3600));
    for _ in 0..50 {
        assert_eq!(setup.status(&app).await, StatusCode::OK);
    }
    setup.jwks.refresh().await.unwrap();
    assert!(setup.server.requests(Endpoint::Jwks) <= 3);
    assert_eq!(setup.jwks.status().age, Some(Duration::ZERO));
}

#[test]
fn a_runtime_that_ends_during_a_fetch_leaves_the_service_usable() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let serving = runtime();
    let setup = serving.block_on(Setup::new());
    let app = setup.app();
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    let short = runtime();
    short.block_on(async {
        let (app, token) = (app.clone(), setup.server.token().sign());
        tokio::spawn(async move { answer(&app, bearer(&token)).await });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    });
    drop(short);
    setup.server.heal(Endpoint::Jwks);
    setup.clock.advance(Duration::from_secs(60));
    assert_eq!(serving.block_on(setup.status(&app)), StatusCode::OK);
}

/// A cache that two services share.
#[derive(Clone, Default)]
struct Shared(Arc<InMemoryCache>);

impl JwksCache for Shared {
    async fn get(&self) -> Result<Option<JwkSet>, Error> {
        self.0.get().await
    }

    async fn set(&self, set: JwkSet) -> Result<(), Error> {
        self.0.set(set).await
    }
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    Fails,
    Hangs,
    /// Returns a set without keys.
    Empty,
    /// Returns a set of the year 1970, with a key that is not the issuer's.
    Stale,
}

impl JwksCache for Broken {
    async fn get(&self) -> Result<Option<JwkSet>, Error> {
        let empty: JwkSet = r#"{"keys":[]}"#.parse()?;
        match self {
            Self::Fails => Err("broken".into()),
            Self::Hangs => std::future::pending().await,
            Self::Empty => Ok(Some(empty)),
            Self::Stale => {
                let key = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "old");
                let set: JwkSet = serde_json::json!({ "keys": [key.public_jwk()] }).to_string().parse()?;
                Ok(Some(set.with_fetched_at(std::time::SystemTime::UNIX_EPOCH)))
            }
        }
    }

    async fn set(&self, _set: JwkSet) -> Result<(), Error> {
        match self {
            Self::Hangs => std::future::pending().await,
            _ => Err("broken".into()),
        }
    }
}

/// A URL may contain a password, or a key in its query.
#[tokio::test]
async fn no_error_shows_what_may_be_secret_in_a_url() {
    let nobody = "http://user:hunter2@127.0.0.1:1/nobody?key=hunter3";
    let jwks = JwksService::new(nobody).unwrap();
    let discovered = JwksService::discover(nobody).build().unwrap();
    let client = portcullis::ClientAuthentication::basic("a", "b");
    let introspector = portcullis::Introspector::builder(nobody, client).build().unwrap();
    assert!(portcullis::Verifier::from(introspector.clone()).verify("opaque").await.is_err());
    let texts = [
        jwks.prefetch().await.unwrap_err().to_string(),
        discovered.prefetch().await.unwrap_err().to_string(),
        format!("{:?} {jwks:?}", jwks.status()),
        format!("{:?} {introspector:?}", introspector.status()),
        JwksService::new("https://user:hunter2@host:port/?key=hunter3").unwrap_err().to_string(),
    ];
    for text in texts {
        assert!(!text.contains("hunter"), "{text}");
    }
}

/// An issuer's text may end up in a log.
#[tokio::test]
async fn a_jwks_uri_that_is_none_steers_no_terminal_and_fills_no_log() {
    let server = portcullis_testkit::AuthorizationServer::start().await;
    let long = "x".repeat(100_000);
    for uri in [
        "\u{1b}[2Jall is well\nINFO",
        &long,
        &format!("http://as.example.com/{long}"),
        &format!("https://10.0.0.1/{long}"),
    ] {
        let body = serde_json::json!({ "issuer": server.issuer(), "jwks_uri": uri }).to_string();
        server.fault(Endpoint::OpenIdConfiguration, Fault::Body { content_type: "application/json".into(), body });
        let error = JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap_err().to_string();
        assert!(error.len() < 2_000 && !error.contains(char::is_control), "{error}");
    }
}

struct Panics(Arc<AtomicUsize>);

impl HttpClient for Panics {
    async fn send(&self, _request: HttpRequest) -> Result<http::Response<Bytes>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("a bug in a client")
    }
}

struct Hangs;

impl HttpClient for Hangs {
    async fn send(&self, _request: HttpRequest) -> Result<http::Response<Bytes>, Error> {
        std::future::pending().await
    }
}

struct Huge;

impl HttpClient for Huge {
    async fn send(&self, request: HttpRequest) -> Result<http::Response<Bytes>, Error> {
        Ok(http::Response::new(vec![b' '; request.max_body_bytes + 1].into()))
    }
}

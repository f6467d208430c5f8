//! The pages, over a socket.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so")]

use std::sync::Mutex;

use reqwest::Client;

use super::*;
use crate::{
    listener::{Drain, DrainTrigger, Listener},
    telemetry::recorder,
};

#[derive(Default)]
struct Gateway(Mutex<Readiness>);

impl Observed for Gateway {
    fn readiness(&self) -> Readiness {
        self.0.lock().unwrap().clone()
    }

    fn status(&self) -> Value {
        json!({ "version": "0.1.0" })
    }

    fn refresh_gauges(&self) {
        metrics::gauge!("portcullis_gateway_store_up").set(1.0);
    }
}

/// Serves the pages until the trigger is dropped.
async fn serve(gateway: Arc<Gateway>) -> (String, DrainTrigger) {
    let recorder = recorder();
    let admin = Admin::new(gateway, recorder.handle(), None);
    let (trigger, drain) = Drain::new();
    let listener = Listener::bind(&crate::listener::tests::plain(), &crate::listener::tests::limits()).await.unwrap();
    let base = format!("http://{}", listener.address());
    tokio::spawn(listener.serve(move |_| admin.clone(), drain));
    (base, trigger)
}

#[tokio::test]
async fn every_page_has_its_kind_and_is_not_kept() {
    let (base, _trigger) = serve(Arc::default()).await;
    for (path, kind, part) in [
        ("/", "text/plain; charset=utf-8", "/readyz"),
        ("/healthz", "text/plain; charset=utf-8", "ok"),
        ("/readyz", "application/json", "\"ready\":true"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", ""),
        ("/status?pretty", "application/json", "\"version\": \"0.1.0\""),
    ] {
        let response = reqwest::get(format!("{base}{path}")).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{path}");
        let body = response.text().await.unwrap();
        assert!(body.contains(part), "{path}: {body}");
    }
}

#[tokio::test]
async fn head_is_get_without_content_and_all_else_is_refused() {
    let (base, _trigger) = serve(Arc::default()).await;
    let client = Client::new();
    let head = client.head(format!("{base}/healthz")).send().await.unwrap();
    assert_eq!((head.status(), &head.headers()[CONTENT_LENGTH]), (StatusCode::OK, &HeaderValue::from_static("2")));
    assert!(head.bytes().await.unwrap().is_empty());
    // The same connection still works.
    assert_eq!(client.get(format!("{base}/healthz")).send().await.unwrap().text().await.unwrap(), "ok");

    let post = client.post(format!("{base}/status")).body("x").send().await.unwrap();
    assert_eq!(
        (post.status(), &post.headers()[ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET, HEAD"))
    );
    for path in ["/nothing", "/healthz/", "//metrics", "/%73tatus"] {
        assert_eq!(reqwest::get(format!("{base}{path}")).await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let gateway = Arc::new(Gateway::default());
    let (base, _trigger) = serve(Arc::clone(&gateway)).await;
    for (draining, lacking, status) in
        [(false, vec![], 200), (true, vec![], 503), (false, vec!["https://as.example.com"], 503)]
    {
        let lacking: Vec<String> = lacking.into_iter().map(str::to_owned).collect();
        *gateway.0.lock().unwrap() = Readiness { draining, issuers_without_keys: lacking.clone() };
        let response = reqwest::get(format!("{base}/readyz")).await.unwrap();
        assert_eq!(response.status(), status);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body, json!({ "ready": status == 200, "draining": draining, "issuers_without_keys": lacking }));
        // Not ready is not dead.
        assert_eq!(reqwest::get(format!("{base}/healthz")).await.unwrap().status(), 200);
    }
}

#[test]
fn gauges_are_set_before_metrics_are_read() {
    let recorder = recorder();
    let admin = Admin::new(Arc::new(Gateway::default()), recorder.handle(), None);
    let body = metrics::with_local_recorder(&recorder, || {
        let response = admin.answer(&Method::GET, "/metrics");
        http_body_util::BodyExt::collect(response.into_body())
    });
    let body = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(body).unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("portcullis_gateway_store_up 1"), "{body:?}");
}

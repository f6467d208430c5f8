//! The client's URL, which a DPoP proof is held against: nested routers, and the words of proxies.

use std::net::IpAddr;

use axum::{Router, body::Body, routing::get};
use http::Request;
use portcullis::{ConnectionPeer, Dpop, Secure};
use portcullis_testkit::{Algorithm, DpopClient};

use crate::support::{Answer, Setup, answer};

/// A client with a bound token.
struct Client {
    setup: Setup,
    dpop: DpopClient,
    token: String,
}

impl Client {
    async fn new() -> Self {
        let setup = Setup::new().await;
        let dpop = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
        let token = setup.server.token().bound_to_key(dpop.thumbprint()).sign();
        Self { setup, dpop, token }
    }

    fn secure(&self, dpop: Dpop) -> Secure {
        Secure::new(self.setup.jwks.clone()).dpop(dpop).problem_json()
    }

    /// Sends a request with a proof for this URL; returns `pass`, or the code.
    async fn send(&self, app: &Router, request: http::request::Builder, url: &str) -> String {
        let fields = self.dpop.fields("GET", url, &self.token);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
        code(&answer(app, request.body(Body::empty()).unwrap()).await)
    }
}

fn code(answer: &Answer) -> String {
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.status == 200 { "pass".to_owned() } else { problem["code"].as_str().unwrap_or_default().to_owned() }
}

#[tokio::test]
async fn a_proof_is_for_the_whole_path_also_in_nested_routers() {
    let client = Client::new().await;
    let routes = || Router::new().route("/orders/{id}", get(|| async { "order" }));
    let inside =
        Router::new().nest("/v1", Router::new().nest("/shop", routes().layer(client.secure(Dpop::required()))));
    let between =
        Router::new().nest("/v1", Router::new().nest("/shop", routes()).layer(client.secure(Dpop::required())));
    let outside =
        Router::new().nest("/v1", Router::new().nest("/shop", routes())).layer(client.secure(Dpop::required()));
    let public = Dpop::required().public_url("https://api.example.com").unwrap();
    let public = Router::new().nest("/v1", Router::new().nest("/shop", routes().layer(client.secure(public))));
    for (name, app) in [("inside", inside), ("between", between), ("outside", outside), ("public", public)] {
        for (url, expected) in [
            ("https://api.example.com/v1/shop/orders/1", "pass"),
            ("https://api.example.com/v1/shop/orders/1?x=1", "pass"),
            ("https://api.example.com/shop/orders/1", "dpop_url"),
            ("https://api.example.com/orders/1", "dpop_url"),
        ] {
            let request = Request::get("/v1/shop/orders/1?x=1").header("host", "api.example.com");
            assert_eq!(client.send(&app, request, url).await, expected, "{name}: {url}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_tells_scheme_and_host_and_nobody_else_does() {
    let client = Client::new().await;
    let trusting = Dpop::required().forwarded_from(|peer: IpAddr| peer.is_loopback());
    let (https, http) = ("https://api.example.com/", "http://api.example.com/");
    let inner = "https://inner.example/";
    let proxy = Some("127.0.0.1");
    for (peer, fields, url, expected) in [
        (proxy, &[("x-forwarded-host", "api.example.com"), ("x-forwarded-proto", "https")][..], https, "pass"),
        (proxy, &[("x-forwarded-host", "api.example.com"), ("x-forwarded-proto", "http")], http, "pass"),
        (proxy, &[("x-forwarded-host", "api.example.com"), ("x-forwarded-proto", "http")], https, "dpop_url"),
        (Some("::ffff:127.0.0.1"), &[("forwarded", "host=api.example.com;proto=http")], http, "pass"),
        (proxy, &[("forwarded", "proto=https")], inner, "pass"),
        (proxy, &[], inner, "pass"),
        (proxy, &[("forwarded", "host=api.example.com, host=evil.example")], https, "dpop_url_unknown"),
        (proxy, &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")], inner, "dpop_url_unknown"),
        (proxy, &[("x-forwarded-proto", "https, http")], inner, "dpop_url_unknown"),
        (
            proxy,
            &[("x-forwarded-host", "api.example.com"), ("forwarded", "host=evil.example")],
            https,
            "dpop_url_unknown",
        ),
        (proxy, &[("x-forwarded-host", "api.example.com/x?")], https, "dpop_url_unknown"),
        (Some("192.0.2.7"), &[("x-forwarded-host", "api.example.com")], https, "dpop_url"),
        (Some("192.0.2.7"), &[("forwarded", "malformed")], inner, "pass"),
        (None, &[("x-forwarded-host", "api.example.com")], https, "dpop_url"),
        (None, &[("x-forwarded-host", "api.example.com")], inner, "pass"),
    ] {
        let app = Router::new().route("/", get(|| async { "made" })).layer(client.secure(trusting.clone()));
        let request =
            fields.iter().fold(Request::get("/").header("host", "inner.example"), |request, (name, value)| {
                request.header(*name, *value)
            });
        let request = match peer {
            Some(peer) => request.extension(ConnectionPeer(peer.parse().unwrap())),
            None => request,
        };
        assert_eq!(client.send(&app, request, url).await, expected, "{peer:?} {fields:?} {url}");
    }
    let public = trusting.public_url("https://public.example").unwrap();
    let app = Router::new().route("/", get(|| async { "made" })).layer(client.secure(public));
    let request = Request::get("/")
        .header("x-forwarded-host", "api.example.com")
        .extension(ConnectionPeer([127, 0, 0, 1].into()));
    assert_eq!(client.send(&app, request, "https://public.example/").await, "pass", "the public URL comes first");
}

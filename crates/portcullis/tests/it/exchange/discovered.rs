//! The token endpoint that an issuer's metadata name.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use axum::Router;
use bytes::Bytes;
use http::Response;
use portcullis::{
    ClientAuthentication, Exchanger, HttpClient, HttpRequest, Introspector, JwksService, PeerAddress, Secure, Verifier,
    VerifierBuilder,
};
use portcullis_testkit::{Endpoint, Fault};
use serde_json::{Value, json};

use super::{app_with, asked, claims, unavailable, verdict};
use crate::support::{Setup, by};

fn client() -> ClientAuthentication {
    ClientAuthentication::basic("test-client", "test-secret")
}

fn discovering(setup: &Setup) -> VerifierBuilder {
    let keys = by(&setup.clock, JwksService::discover(setup.server.issuer())).build().unwrap();
    Verifier::builder(keys).issuer(setup.server.issuer())
}

/// An app by one service of keys, and its exchanger.
fn scene(rules: VerifierBuilder, secure: Secure) -> (Router, Exchanger) {
    let exchanger = Exchanger::discover(client(), rules).build().unwrap();
    (app_with(secure, &exchanger), exchanger)
}

#[tokio::test]
async fn the_metadata_of_the_issuer_lead_to_the_endpoint() {
    let setup = Setup::new().await;
    let secure = Secure::new(discovering(&setup).build().unwrap());
    let (app, exchanger) = scene(discovering(&setup), secure);
    let issuer = setup.server.issuer();
    assert_eq!(exchanger.status().endpoint, format!("the token endpoint of {issuer}/"));
    let (status, token) = verdict(&app, &setup.server.token().subject("alice").sign()).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(claims(&token)["sub"], "alice");
    assert_eq!(exchanger.status().endpoint, format!("{issuer}/token"));
    // It stays known while the keys cannot be fetched.
    setup.server.fault(Endpoint::Jwks, Fault::Status(500));
    setup.server.fault(Endpoint::OpenIdConfiguration, Fault::Status(500));
    setup.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(verdict(&app, &setup.server.token().subject("bob").sign()).await.0, 200);
    assert_eq!(asked(&setup), 2);
}

/// Tokens that are introspected need no keys, so that nothing else has fetched the metadata.
#[tokio::test]
async fn until_the_metadata_are_there_nothing_is_exchanged() {
    let setup = Setup::new().await;
    let issuer = setup.server.issuer();
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&format!("{issuer}/introspect"), client()).clock(move || clock.now());
    let rules = || discovering(&setup).introspection(introspector.build().unwrap());
    let rules = rules();
    let verifier = discovering(&setup).introspection({
        let clock = setup.clock.clone();
        let introspector = Introspector::builder(&format!("{issuer}/introspect"), client()).clock(move || clock.now());
        introspector.build().unwrap()
    });
    let (app, exchanger) = scene(rules, Secure::new(verifier.build().unwrap()));
    for endpoint in [Endpoint::OpenIdConfiguration, Endpoint::OAuthMetadata] {
        setup.server.fault(endpoint, Fault::Status(500));
    }
    let token = setup.server.issue_opaque(setup.server.token());
    assert_eq!(verdict(&app, &token).await, unavailable());
    let told = exchanger.status().last_error.unwrap();
    assert!(told.starts_with("the endpoint is not known: "), "{told}");
    assert_eq!((exchanger.status().failures, asked(&setup)), (1, 0));
    setup.server.heal_all();
    assert_eq!(verdict(&app, &token).await.0, 200);
    assert_eq!((exchanger.status().failures, asked(&setup)), (0, 1));
}

#[test]
fn keys_of_nobody_or_of_another_lead_nowhere() {
    let fixed = JwksService::new("https://as.example.com/jwks").unwrap();
    let other = JwksService::discover("https://other.example.com").build().unwrap();
    for (keys, words) in [(fixed, "`endpoint`: expected the URL of the token endpoint"), (other, "of another issuer")] {
        let rules = Verifier::builder(keys).issuer("https://as.example.com");
        let error = Exchanger::discover(client(), rules).build().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// An issuer outside, with one document for all its URLs; it notes the URL of each request, and whether it may lead to this machine.
#[derive(Clone)]
struct Outside {
    metadata: Value,
    asked: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Outside {
    fn with(further: &Value) -> Self {
        let mut metadata = json!({ "issuer": "https://as.example.com", "jwks_uri": "https://as.example.com/jwks" });
        metadata.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        Self { metadata, asked: Arc::default() }
    }
}

impl HttpClient for Outside {
    async fn send(&self, asked: HttpRequest) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let here: IpAddr = [127, 0, 0, 1].into();
        let url = asked.request.uri().to_string();
        self.asked.lock().unwrap().push((url, asked.may_connect_to(here)));
        let mut response = Response::new(self.metadata.to_string().into());
        response.extensions_mut().insert(PeerAddress([203, 0, 113, 7].into()));
        Ok(response)
    }
}

/// The URLs that get the token of a client of this issuer.
async fn shown_to(outside: &Outside, client: ClientAuthentication) -> Vec<(String, bool)> {
    let setup = Setup::new().await;
    // Keys may be fetched in the clear here, and tokens may not be shown so.
    let keys = JwksService::discover("https://as.example.com").http_client(outside.clone()).dangerously_allow_http();
    let rules = Verifier::builder(by(&setup.clock, keys).build().unwrap()).issuer("https://as.example.com");
    let exchanger = Exchanger::discover(client, rules)
        .http_client(outside.clone())
        .subject_issuer(setup.server.issuer())
        .build()
        .unwrap();
    let verifier = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).build().unwrap();
    let app = app_with(Secure::new(verifier), &exchanger);
    assert_eq!(verdict(&app, &setup.server.token().sign()).await.0, 503);
    let asked = outside.asked.lock().unwrap().clone();
    asked.into_iter().filter(|(url, _)| !url.contains("/.well-known/") && !url.ends_with("/jwks")).collect()
}

#[tokio::test]
async fn metadata_lead_no_token_into_our_network_or_into_the_clear() {
    for endpoint in [
        json!(null),
        json!(["https://as.example.com/token"]),
        json!("http://as.example.com/token"),
        json!("http://127.0.0.1/token"),
        json!("https://127.0.0.1/token"),
        json!("https://localhost/token"),
        json!("https://169.254.169.254/token"),
        json!("https://[fd00:ec2::254]/token"),
        json!("https://10.0.0.5/token"),
        json!("file:///token"),
        json!("token"),
    ] {
        let outside = Outside::with(&json!({ "token_endpoint": endpoint }));
        assert_eq!(shown_to(&outside, client()).await, [], "{endpoint}");
    }
    // A name is asked, and the client must not connect to this machine.
    let outside = Outside::with(&json!({ "token_endpoint": "https://login.example.com/token" }));
    assert_eq!(shown_to(&outside, client()).await, [("https://login.example.com/token".to_owned(), false)]);
}

/// RFC 8705 section 5.
#[tokio::test]
async fn a_client_with_a_certificate_is_led_to_the_endpoint_for_certificates() {
    let outside = Outside::with(&json!({
        "token_endpoint": "https://as.example.com/token",
        "mtls_endpoint_aliases": { "token_endpoint": "https://mtls.example.com/token" },
    }));
    for (client, url) in [
        (ClientAuthentication::tls("orders-api"), "https://mtls.example.com/token"),
        (client(), "https://as.example.com/token"),
    ] {
        outside.asked.lock().unwrap().clear();
        assert_eq!(shown_to(&outside, client).await, [(url.to_owned(), false)]);
    }
}

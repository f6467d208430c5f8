//! Tokens of a certified third-party authorization server, through a real axum server over TCP.
//!
//! `cargo xtask test` installs the server's packages and puts their folder into `PORTCULLIS_OIDC_PROVIDER`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test that cannot go on fails"
)]

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{Router, routing::get};
use portcullis::{
    AccessRejection, Algorithm, Claims, ClientAuthentication, ExchangedToken, Exchanger, IntrospectionForm,
    Introspector, IntrospectorBuilder, Presented, Secure, Target, Verifier,
};
use serde_json::Value;

const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// A running oidc-provider; it ends with its standard input, when this test ends.
struct OidcProvider {
    process: Child,
    issuer: String,
    control: String,
    /// The private keys of clients that have one, as PEM, by algorithm.
    keys: Value,
    client: reqwest::Client,
}

impl OidcProvider {
    fn start() -> Self {
        let folder = std::env::var_os("PORTCULLIS_OIDC_PROVIDER").map(PathBuf::from);
        let folder =
            folder.expect("PORTCULLIS_OIDC_PROVIDER names no folder: run `cargo xtask test`, which sets it up");
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the server says where it listens");
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let (issuer, control, keys) = (text("issuer"), text("control"), ready["keys"].clone());
        Self { process, issuer, control, keys, client: reqwest::Client::new() }
    }

    async fn token(&self, algorithm: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", &resource(algorithm)), ("scope", scope)];
        let request = self.client.post(format!("{}/token", self.issuer)).basic_auth("test-client", Some("test-secret"));
        let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// Revokes an opaque token (RFC 7009).
    async fn revoke(&self, token: &str) {
        let url = format!("{}/token/revocation", self.issuer);
        let request = self.client.post(url).basic_auth("test-client", Some("test-secret"));
        assert!(request.form(&[("token", token)]).send().await.unwrap().status().is_success());
    }

    /// Asks about opaque tokens as this client.
    fn introspector(&self, client: ClientAuthentication, form: IntrospectionForm) -> IntrospectorBuilder {
        Introspector::builder(&format!("{}/token/introspection", self.issuer), client).form(form)
    }

    /// The client that signs assertions by this algorithm.
    fn key_client(&self, algorithm: Algorithm) -> ClientAuthentication {
        let pem = self.keys[algorithm.name()].as_str().unwrap();
        let id = format!("gateway-{algorithm}");
        ClientAuthentication::private_key_jwt(id, pem, Some("client-key"), Some(algorithm)).unwrap()
    }

    fn opaque_verifier(&self, introspector: Introspector) -> Verifier {
        let verifier = Verifier::discover(&self.issuer).unwrap().audience(resource("opaque"));
        verifier.introspection(introspector).build().unwrap()
    }

    async fn rotate(&self, keep: bool) {
        let url = format!("{}/rotate?keep={keep}", self.control);
        assert!(self.client.post(url).send().await.unwrap().status().is_success());
    }

    async fn requests(&self, what: &str) -> u64 {
        let url = format!("{}/counts", self.control);
        let counts: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        counts[what].as_u64().unwrap()
    }

    fn verifier(&self) -> Verifier {
        let builder = Verifier::discover(&self.issuer).unwrap();
        let builder = ALGORITHMS.iter().fold(builder, |builder, algorithm| builder.audience(resource(algorithm)));
        builder.algorithms([Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]).build().unwrap()
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn resource(algorithm: &str) -> String {
    format!("https://api.example.com/{algorithm}")
}

/// A resource server on a free port.
async fn serve(secure: Secure) -> SocketAddr {
    let who =
        |claims: Claims| async move { claims.get("client_id").map(|claim| claim.to_string()).unwrap_or_default() };
    let reader = get(who).layer(secure.clone().scope(["read"]));
    let app = Router::new().route("/", get(who)).route("/read", reader).layer(secure);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn status(address: SocketAddr, path: &str, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("http://{address}{path}")).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn its_tokens_pass_whatever_they_are_signed_with() {
    let provider = OidcProvider::start();
    let api = serve(Secure::new(provider.verifier())).await;
    for algorithm in ALGORITHMS {
        let token = provider.token(algorithm, "read").await;
        assert_eq!(status(api, "/read", &token).await, 200, "{algorithm}");
        let weak = provider.token(algorithm, "write").await;
        assert_eq!(status(api, "/read", &weak).await, 403, "{algorithm}: without the scope");
        assert_eq!(status(api, "/", &weak).await, 200, "{algorithm}: without the scope, where none is needed");
    }
    assert_eq!((provider.requests("jwks").await, provider.requests("discovery").await), (1, 1));
}

#[tokio::test]
async fn its_tokens_are_those_of_rfc_9068() {
    let provider = OidcProvider::start();
    let jwks = portcullis::JwksService::discover(&provider.issuer).build().unwrap();
    let strict = |audience: &str| Verifier::rfc9068(jwks.clone(), &provider.issuer, audience).build().unwrap();
    for algorithm in ALGORITHMS {
        let token = provider.token(algorithm, "read").await;
        strict(&resource(algorithm)).verify(&token).await.unwrap();
        let other = strict("https://other.example").verify(&token).await.unwrap_err();
        assert_eq!(other.code(), "wrong_audience");
    }
}

#[tokio::test]
async fn a_rotation_in_the_middle_of_the_traffic_loses_no_request() {
    let provider = OidcProvider::start();
    let api = serve(Secure::new(provider.verifier())).await;
    let old = provider.token("ES256", "read").await;
    let traffic = |token: String, times: usize| async move {
        let requests = (0..times).map(|_| status(api, "/read", &token));
        let mut statuses = Vec::new();
        for request in requests {
            statuses.push(request.await);
        }
        statuses
    };
    assert_eq!(status(api, "/read", &old).await, 200);
    let before = tokio::spawn(traffic(old.clone(), 50));
    provider.rotate(true).await;
    let new = provider.token("ES256", "read").await;
    let after = tokio::spawn(traffic(new.clone(), 50));
    assert_eq!(before.await.unwrap(), [200; 50]);
    assert_eq!(after.await.unwrap(), [200; 50]);
    assert_eq!(provider.requests("jwks").await, 2, "one fetch at the start, one for the new key");

    provider.rotate(false).await;
    let newest = provider.token("RS256", "read").await;
    assert_eq!(status(api, "/read", &newest).await, 200);
    for withdrawn in [old, new] {
        assert_eq!(status(api, "/read", &withdrawn).await, 403, "its key has left the set");
    }
}

#[tokio::test]
async fn its_opaque_tokens_pass_however_we_authenticate_and_whatever_form_it_answers_in() {
    let provider = OidcProvider::start();
    let secret = "gateway-secret";
    let by_key = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
    let mut clients: Vec<_> = by_key.into_iter().map(|algorithm| provider.key_client(algorithm)).collect();
    clients
        .extend([ClientAuthentication::basic("gateway", secret), ClientAuthentication::post("gateway-post", secret)]);
    let token = provider.token("opaque", "read").await;
    assert!(!token.contains('.'), "it is opaque");
    for client in clients {
        for form in [IntrospectionForm::Json, IntrospectionForm::Jwt] {
            let introspector = provider.introspector(client.clone(), form).build().unwrap();
            let api = serve(Secure::new(provider.opaque_verifier(introspector.clone()))).await;
            assert_eq!(status(api, "/read", &token).await, 200, "{client:?} {form:?}: {:?}", introspector.status());
            assert_eq!(status(api, "/read", "never-issued").await, 403, "{client:?} {form:?}");
            let weak = provider.token("opaque", "write").await;
            assert_eq!(status(api, "/read", &weak).await, 403, "{client:?} {form:?}: without the scope");
            assert_eq!(introspector.status().failures, 0, "{client:?} {form:?}");
        }
    }
}

#[tokio::test]
async fn who_cannot_authenticate_gets_no_answer_and_nobody_passes() {
    let provider = OidcProvider::start();
    let token = provider.token("opaque", "read").await;
    let pem = provider.keys["ES256"].as_str().unwrap();
    let foreign_key = ClientAuthentication::private_key_jwt("gateway-EdDSA", pem, Some("client-key"), None).unwrap();
    for (client, audience) in [
        (ClientAuthentication::basic("gateway", "wrong"), None),
        (ClientAuthentication::post("gateway-post", "wrong"), None),
        (foreign_key, None),
        (provider.key_client(Algorithm::ES256), Some("https://other.example")),
    ] {
        let builder = provider.introspector(client.clone(), IntrospectionForm::Json);
        let builder = match audience {
            Some(audience) => builder.assertion_audience(audience),
            None => builder,
        };
        let introspector = builder.build().unwrap();
        let refusal = provider.opaque_verifier(introspector.clone()).verify(&token).await.unwrap_err();
        assert_eq!(refusal.code(), "introspection_unavailable", "{client:?}");
        let status = introspector.status();
        assert_eq!(status.failures, 1, "{client:?}: it is about our credentials, not the token");
        assert!(status.last_error.unwrap().contains("does not know this client"), "{client:?}");
    }
    let as_issuer = provider.introspector(provider.key_client(Algorithm::ES256), IntrospectionForm::Json);
    let introspector = as_issuer.assertion_audience(provider.issuer.clone()).build().unwrap();
    provider.opaque_verifier(introspector).verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_revoked_opaque_token_passes_no_longer_than_an_answer_is_kept() {
    let provider = OidcProvider::start();
    for form in [IntrospectionForm::Json, IntrospectionForm::Jwt] {
        let ahead = Arc::new(AtomicU64::new(0));
        let clock = {
            let ahead = Arc::clone(&ahead);
            move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed))
        };
        let client = provider.key_client(Algorithm::ES256);
        let introspector = provider.introspector(client, form).clock(clock).build().unwrap();
        let verifier = provider.opaque_verifier(introspector);
        let token = provider.token("opaque", "read").await;
        verifier.verify(&token).await.unwrap();
        provider.revoke(&token).await;
        verifier.verify(&token).await.unwrap();
        ahead.store(61, Ordering::Relaxed);
        let refusal = verifier.verify(&token).await.unwrap_err();
        assert_eq!(refusal.code(), "inactive_token", "{form:?}");
    }
}

/// Exchanges a token as `gateway`.
async fn exchange(provider: &OidcProvider, subject: &str, target: Target) -> Result<ExchangedToken, AccessRejection> {
    let client = ClientAuthentication::basic("gateway", "gateway-secret");
    let introspector = provider.introspector(client.clone(), IntrospectionForm::Json).build().unwrap();
    let issuer = Verifier::discover(&provider.issuer).unwrap().introspection(introspector.clone());
    let exchanger = Exchanger::builder(&format!("{}/token", provider.issuer), client, issuer).build().unwrap();
    let verifier = Verifier::discover(&provider.issuer).unwrap().introspection(introspector).build().unwrap();
    let secure = Secure::new(verifier).exchange("upstream", &exchanger, target).unwrap();
    let field = format!("Bearer {subject}");
    let fields: [(&str, &[u8]); 1] = [("authorization", field.as_bytes())];
    let verdict = secure.judge(&Presented::new(&fields)).verdict().await;
    let access = verdict.outcome.unwrap().into_access().unwrap();
    access.exchange("upstream").await
}

#[tokio::test]
async fn its_tokens_are_exchanged_for_those_of_another_resource() {
    let provider = OidcProvider::start();
    for (from, to) in [("RS256", "ES256"), ("ES256", "EdDSA"), ("opaque", "RS256"), ("RS256", "opaque")] {
        let subject = provider.token(from, "read").await;
        let target = Target::resource(resource(to)).scope(["write"]);
        let token = exchange(&provider, &subject, target).await.unwrap_or_else(|why| panic!("{from} to {to}: {why}"));
        let claims = token.claims().unwrap();
        assert_eq!(claims.get("aud").unwrap().as_str(), Some(resource(to).as_str()), "{from} to {to}");
        assert_eq!(claims.get("scope").unwrap().as_str(), Some("write"), "{from} to {to}");
        assert_eq!(claims.subject(), Some("test-client"), "{from} to {to}");
        assert_ne!(token.token(), subject);
    }
    let subject = provider.token("RS256", "read").await;
    let refused = exchange(&provider, &subject, Target::resource("https://elsewhere.example.com/")).await.unwrap_err();
    assert_eq!(refused.refusal().code(), "exchange_refused");
    assert!(refused.to_string().contains("invalid_target"), "{refused}");
}

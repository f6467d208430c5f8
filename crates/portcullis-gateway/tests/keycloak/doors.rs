//! The doors with the same rules, behind the same realm: axum, Express and the gateway.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, routing::get};
use portcullis::{ProtectedResource, Secure, Verifier};
use tokio::net::TcpListener;

use crate::{
    browser::Realm,
    support::{self, Answer, Gateway},
};

pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// The rules of each path, for the gateway; those of axum and Express (`tests/keycloak/server.js` of the npm package) are
/// the same.
const ROUTES: &str = r#"
[[routes]]
path = "/plain"

[[routes]]
path = "/gold"
acr = ["gold"]

[[routes]]
path = "/recent"
max_age = "5s"

[[routes]]
path = "/transfer"
acr = ["gold"]
max_age = "5s"
"#;

/// All doors.
pub(crate) struct Doors {
    axum: String,
    express: Express,
    pub(crate) gateway: Gateway,
}

/// A running Express server; it ends with its standard input, and so with this test.
struct Express {
    process: Child,
    url: String,
}

impl Doors {
    pub(crate) async fn before(realm: &Realm) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let axum = format!("http://{}", listener.local_addr().unwrap());
        let app = app(realm);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let gateway = Gateway::start(&tables(realm)).await;
        Self { axum, express: Express::before(realm), gateway }
    }

    /// Sends a request to each door, and returns their common answer.
    pub(crate) async fn ask(&self, path: &str, token: &str) -> Answer {
        let by_gateway = self.gateway.ask("GET", path, Some(token)).await;
        for (door, url) in [("axum", &self.axum), ("Express", &self.express.url)] {
            let request = support::client().get(format!("{url}{path}")).bearer_auth(token);
            let answer = Answer::of(request.send().await.unwrap()).await;
            let seen = |answer: &Answer| (answer.status, challenge(answer), answer.code());
            assert_eq!(seen(&answer), seen(&by_gateway), "{door}: {path}");
        }
        by_gateway
    }
}

/// The gateway's tables.
pub(crate) fn tables(realm: &Realm) -> String {
    let issuer = &realm.issuer;
    format!("[[issuers]]\nissuer = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n{ROUTES}")
}

fn app(realm: &Realm) -> Router {
    let verifier = Verifier::discover(&realm.issuer).unwrap().audience(AUDIENCE).build().unwrap();
    let secure = Secure::new(verifier).problem_json();
    let guarded = |secure: Secure| get(async || "ok").layer(secure);
    let recent = secure.clone().max_age(Duration::from_secs(5));
    Router::new()
        .route("/plain", guarded(secure.clone()))
        .route("/gold", guarded(secure.acr(["gold"])))
        .route("/transfer", guarded(recent.clone().acr(["gold"])))
        .route("/recent", guarded(recent))
}

/// Serves a protected resource of the realm, and returns its identifier.
pub(crate) async fn protected_resource(realm: &Realm) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identifier = format!("http://{}/orders", listener.local_addr().unwrap());
    let issuer = Verifier::discover(&realm.issuer).unwrap();
    let secure = Secure::protecting(ProtectedResource::new(&identifier).issuer(issuer)).unwrap();
    let app = secure.protect(Router::new().route("/orders", get(async || "ok")));
    tokio::spawn(async move { axum::serve(listener, app).await });
    identifier
}

impl Express {
    fn before(realm: &Realm) -> Self {
        let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../portcullis-node");
        let mut node = Command::new("node");
        node.arg("tests/keycloak/server.js").current_dir(package);
        node.env("ISSUER", &realm.issuer).env("AUDIENCE", AUDIENCE);
        let mut process = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "expected a URL: build the package with `npm run build`");
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

pub(crate) fn challenge(answer: &Answer) -> String {
    answer.header("www-authenticate").unwrap_or_default().to_owned()
}

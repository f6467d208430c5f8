//! The doors with the same rules, behind the same realm: axum, Express and the gateway.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use portcullis::{
    ClientAuthentication, ClientCertificate, Dpop, Introspector, ProtectedResource, Secure, Verifier, VerifierBuilder,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    browser::Realm,
    sender::{API_SECRET, Names},
    support::{self, Answer, Gateway, text},
};

pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// The field by which the tests hand a client's certificate to a door, in base64.
const CERTIFICATE_FIELD: &str = "x-client-cert";

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

[[routes]]
path = "/dpop"
dpop = "required"

[dpop]
public_url = "https://api.example.com"
"#;

/// All doors; Express has no introspection.
pub(crate) struct Doors {
    axum: String,
    express: Option<Express>,
    pub(crate) gateway: Gateway,
}

/// A running Express server; it ends with its standard input, and so with this test.
struct Express {
    process: Child,
    url: String,
}

impl Doors {
    pub(crate) async fn before(realm: &Realm) -> Self {
        let axum = serve(app(verifier(realm).build().unwrap())).await;
        Self { axum, express: Some(Express::before(realm)), gateway: gateway(&tables(realm)).await }
    }

    /// Doors that introspect tokens by their opaque names.
    pub(crate) async fn introspecting(realm: &Realm, names: &Names) -> Self {
        let introspector = Introspector::builder(&names.endpoint, ClientAuthentication::basic(AUDIENCE, API_SECRET));
        let verifier = verifier(realm).introspection(introspector.build().unwrap());
        let axum = serve(app(verifier.build().unwrap())).await;
        Self { axum, express: None, gateway: gateway(&introspecting(realm, names)).await }
    }

    /// Sends a request with a bearer token to each door, and returns their common answer.
    pub(crate) async fn ask(&self, path: &str, token: &str) -> Answer {
        let by_gateway = self.gateway.ask("GET", path, Some(token)).await;
        let express = self.express.as_ref().map(|express| ("Express", &express.url));
        for (door, url) in [("axum", &self.axum)].into_iter().chain(express) {
            let request = support::client().get(format!("{url}{path}")).bearer_auth(token);
            let answer = Answer::of(request.send().await.unwrap()).await;
            let seen = |answer: &Answer| (answer.status, challenge(answer), answer.code());
            assert_eq!(seen(&answer), seen(&by_gateway), "{door}: {path}");
        }
        by_gateway
    }

    /// Sends a request with a bearer token over a connection with this client certificate to axum and the gateway, and returns
    /// their common answer.
    pub(crate) async fn ask_with_certificate(&self, path: &str, token: &str, der: &[u8]) -> Answer {
        let fields = [("authorization", format!("Bearer {token}")), (CERTIFICATE_FIELD, BASE64_STANDARD.encode(der))];
        let to_gateway = [("x-original-method", "GET".to_owned()), ("x-original-uri", path.to_owned())];
        let answer = send(&format!("{}{path}", self.axum), &fields).await;
        let by_gateway = send(&self.gateway.url("/auth"), &[&fields[..], &to_gateway].concat()).await;
        assert_eq!((answer.status, answer.code()), (by_gateway.status, by_gateway.code()), "{path}");
        answer
    }

    /// Sends a request with these fields to the endpoint `/dpop` of each door, and returns their common answer: status and code.
    pub(crate) async fn ask_with_proof(&self, fields: &[(&'static str, String)]) -> (u16, String) {
        let to_gateway = [("x-original-method", "GET".to_owned()), ("x-original-uri", "/dpop".to_owned())];
        let by_gateway = send(&self.gateway.url("/auth"), &[fields, &to_gateway].concat()).await;
        let seen = |answer: &Answer| (answer.status, answer.code());
        let express = self.express.as_ref().map(|express| ("Express", &express.url));
        for (door, url) in [("axum", &self.axum)].into_iter().chain(express) {
            assert_eq!(seen(&send(&format!("{url}/dpop"), fields).await), seen(&by_gateway), "{door}");
        }
        seen(&by_gateway)
    }
}

async fn send(url: &str, fields: &[(&'static str, String)]) -> Answer {
    let request = support::client().get(url);
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
    Answer::of(request.send().await.unwrap()).await
}

/// A gateway with these tables, behind a proxy that hands on the client's certificate.
async fn gateway(tables: &str) -> Gateway {
    let folder = TempDir::new().unwrap();
    let address = "listen = \"127.0.0.1:0\"";
    let certified = format!(
        "listen = {{ address = \"127.0.0.1:0\", \
         client_certificate = {{ field = \"{CERTIFICATE_FIELD}\", format = \"base64_der\" }} }}"
    );
    std::fs::write(folder.path().join("secret"), API_SECRET).unwrap();
    std::fs::write(folder.path().join("portcullis.toml"), text("", tables).replacen(address, &certified, 1)).unwrap();
    Gateway::start_in(folder).await
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// The gateway's tables.
pub(crate) fn tables(realm: &Realm) -> String {
    format!("{}\n{ROUTES}", issuer(realm))
}

fn introspecting(realm: &Realm, names: &Names) -> String {
    let keys =
        format!("endpoint = \"{}\", client_id = \"{AUDIENCE}\", client_secret_file = \"secret\"", names.endpoint);
    format!("{}\nintrospection = {{ {keys} }}\n{ROUTES}", issuer(realm))
}

fn issuer(realm: &Realm) -> String {
    format!("[[issuers]]\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]", realm.issuer)
}

fn verifier(realm: &Realm) -> VerifierBuilder {
    Verifier::discover(&realm.issuer).unwrap().audience(AUDIENCE)
}

/// Stands for the TLS listener of an application: puts the client's certificate into the extensions.
async fn certified(mut request: Request, next: Next) -> Response {
    let certificate = request.headers().get(CERTIFICATE_FIELD).map(|field| BASE64_STANDARD.decode(field).unwrap());
    if let Some(der) = certificate {
        request.extensions_mut().insert(ClientCertificate::from_der(&der));
    }
    next.run(request).await
}

fn app(verifier: Verifier) -> Router {
    let secure = Secure::new(verifier).problem_json();
    let guarded = |secure: Secure| get(async || "ok").layer(secure).layer(from_fn(certified));
    let recent = secure.clone().max_age(Duration::from_secs(5));
    let dpop = Dpop::required().public_url(AUDIENCE).unwrap();
    Router::new()
        .route("/dpop", guarded(secure.clone().dpop(dpop)))
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

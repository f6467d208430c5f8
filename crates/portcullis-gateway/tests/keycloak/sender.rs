//! Sender-constrained tokens of Keycloak: bound to a key by a DPoP proof (RFC 9449), or to a certificate by mutual TLS (RFC 8705).

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{Form, Router, extract::State, http::HeaderMap, routing::post};
use portcullis_testkit::DpopClient;
use reqwest::{Certificate, Client, Identity, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::browser::Realm;

/// The API's secret at the introspection endpoint. Its client identifier is the audience of its tokens: Keycloak answers to nobody
/// else about them.
pub(crate) const API_SECRET: &str = "api-secret";

impl Realm {
    /// Returns a token that is bound to the client's key.
    pub(crate) async fn token_for_key(&self, client: &DpopClient) -> String {
        let url = self.endpoint("token");
        let request = reqwest_client().post(&url).header("DPoP", client.proof("POST", &url).sign());
        token(request, "robot-with-key", "DPoP").await
    }

    /// Returns a token that is bound to [`certificate`].
    pub(crate) async fn token_for_certificate(&self) -> String {
        let read = |name: &str| std::fs::read(files().join(name)).unwrap();
        let identity = Identity::from_pem(&[read("client.pem"), read("client-key.pem")].concat()).unwrap();
        let server = Certificate::from_pem(&read("server.pem")).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([server]).identity(identity).build().unwrap();
        let tls = std::env::var("PORTCULLIS_KEYCLOAK_TLS").unwrap();
        let path = self.endpoint("token").split_once("/realms/").unwrap().1.to_owned();
        token(client.post(format!("{tls}/realms/{path}")), "robot-with-certificate", "Bearer").await
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.issuer)
    }
}

async fn token(request: RequestBuilder, client_id: &str, token_type: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", "robot-secret")];
    let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["token_type"], token_type, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The DER of the certificate that `cargo xtask test` made for clients.
pub(crate) fn certificate() -> Vec<u8> {
    let pem = std::fs::read(files().join("client.pem")).unwrap();
    let der = <rustls_pki_types::CertificateDer<'_> as rustls_pki_types::pem::PemObject>::from_pem_slice(&pem);
    der.unwrap().to_vec()
}

fn files() -> PathBuf {
    std::env::var_os("PORTCULLIS_KEYCLOAK_FILES").unwrap().into()
}

fn reqwest_client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Opaque names for Keycloak's tokens, which are JWTs without exception, and an introspection endpoint that asks Keycloak about the
/// token behind a name.
#[derive(Clone)]
pub(crate) struct Names {
    pub(crate) endpoint: String,
    tokens: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Names {
    pub(crate) async fn before(realm: &Realm) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/introspect", listener.local_addr().unwrap());
        let names = Self { endpoint, tokens: Arc::default() };
        let state = (names.clone(), realm.endpoint("token/introspect"));
        let app = Router::new().route("/introspect", post(introspect)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        names
    }

    /// Gives a token an opaque name.
    pub(crate) fn name(&self, token: String) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        let name = format!("opaque-{}", tokens.len());
        tokens.insert(name.clone(), token);
        name
    }
}

/// Asks Keycloak about the token behind a name, with the credentials of the question.
async fn introspect(
    State((names, endpoint)): State<(Names, String)>,
    headers: HeaderMap,
    Form(mut form): Form<BTreeMap<String, String>>,
) -> (HeaderMap, String) {
    if let Some(token) = form.get_mut("token") {
        *token = names.tokens.lock().unwrap().get(token.as_str()).cloned().unwrap_or_default();
    }
    let request = reqwest_client().post(endpoint).header("authorization", &headers["authorization"]).form(&form);
    let answer = request.send().await.unwrap();
    let content_type = answer.headers()["content-type"].clone();
    (HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, content_type)]), answer.text().await.unwrap())
}

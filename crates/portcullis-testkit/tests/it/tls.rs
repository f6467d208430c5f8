use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use portcullis_testkit::{Algorithm, AuthorizationServer, CertificateAuthority, ClientIdentity, DpopClient};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};

use crate::support::Token;

fn trusting(authority: &CertificateAuthority) -> Client {
    let certificate = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let builder = Client::builder().tls_certs_only([certificate]);
    builder.build().unwrap()
}

async fn server(authority: &CertificateAuthority) -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    builder.tls(authority.clone()).start().await.unwrap()
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_served() {
    let authority = CertificateAuthority::new();
    let server = server(&authority).await;
    assert!(server.issuer().starts_with("https://127.0.0.1:"));

    let port = server.address().port();
    for url in [server.jwks_uri(), format!("https://localhost:{port}/jwks")] {
        let response = trusting(&authority).get(url).send().await.unwrap();
        assert!(response.status().is_success());
    }
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let server = server(&CertificateAuthority::new()).await;
    let client = trusting(&CertificateAuthority::new());
    assert!(client.get(server.jwks_uri()).send().await.is_err());
}

#[tokio::test]
async fn plain_http_is_not_served() {
    let server = server(&CertificateAuthority::new()).await;
    let url = server.jwks_uri().replace("https:", "http:");
    assert!(Client::new().get(url).send().await.is_err());
}

/// A client that trusts the authority and presents a certificate.
fn presenting(authority: &CertificateAuthority, identity: &ClientIdentity) -> Client {
    let pem = format!("{}{}", identity.pem(), identity.key_pem());
    let identity = Identity::from_pem(pem.as_bytes()).unwrap();
    let certificate = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    Client::builder().tls_certs_only([certificate]).identity(identity).build().unwrap()
}

async fn with_client_authority(
    authority: &CertificateAuthority,
    clients: &CertificateAuthority,
) -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256).tls(authority.clone());
    builder.client_authority(clients.clone()).start().await.unwrap()
}

async fn token(client: &Client, server: &AuthorizationServer, proof: Option<String>) -> reqwest::Result<Value> {
    let form = [("grant_type", "client_credentials"), ("client_id", "test-client"), ("client_secret", "test-secret")];
    let mut request = client.post(server.url("/token")).form(&form);
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    request.send().await?.json().await
}

fn confirmation(answer: &Value) -> Value {
    Token::read(answer["access_token"].as_str().unwrap()).claims["cnf"].clone()
}

#[tokio::test]
async fn a_token_is_bound_to_the_certificate_of_its_client() {
    let (authority, clients) = (CertificateAuthority::new(), CertificateAuthority::new());
    let server = with_client_authority(&authority, &clients).await;
    let identity = clients.client("my-client");
    let answer = token(&presenting(&authority, &identity), &server, None).await.unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(confirmation(&answer), json!({ "x5t#S256": identity.thumbprint() }));

    let dpop = DpopClient::new(Algorithm::ES256);
    let proof = dpop.proof("POST", &server.url("/token")).sign();
    let answer = token(&presenting(&authority, &identity), &server, Some(proof)).await.unwrap();
    assert_eq!(confirmation(&answer), json!({ "jkt": dpop.thumbprint(), "x5t#S256": identity.thumbprint() }));

    let unbound = token(&trusting(&authority), &server, None).await.unwrap();
    assert_eq!(confirmation(&unbound), Value::Null);
    let url = server.url("/.well-known/openid-configuration");
    let document: Value = trusting(&authority).get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_of_another_authority_is_refused() {
    let (authority, clients) = (CertificateAuthority::new(), CertificateAuthority::new());
    let server = with_client_authority(&authority, &clients).await;
    let strangers = [
        clients.expired_client("my-client"),
        CertificateAuthority::new().client("my-client"),
        ClientIdentity::self_signed("my-client"),
    ];
    for identity in strangers {
        assert!(token(&presenting(&authority, &identity), &server, None).await.is_err(), "{identity:?}");
    }
}

#[test]
fn each_proxy_writes_the_certificate_in_its_own_way() {
    let identity = CertificateAuthority::new().client("my-client");
    let base64 = STANDARD.encode(identity.der());
    assert_eq!(identity.base64_der(), base64);
    assert_eq!(identity.client_cert_field(), format!(":{base64}:"));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    for escaped in [identity.escaped_pem(), identity.envoy_pem()] {
        assert_eq!(decoded(&escaped), identity.pem());
        assert!(!escaped.contains([' ', '\n', '+', '/', '=']), "{escaped}");
    }
    let hash: String = digest(&SHA256, identity.der()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let xfcc = identity.xfcc();
    assert!(xfcc.starts_with(&format!("Hash={hash};Cert=\"-----BEGIN%20CERTIFICATE-----%0A")), "{xfcc}");
    assert!(xfcc.ends_with("\";Subject=\"CN=my-client\""), "{xfcc}");
}

//! https to the key set, with a certificate authority of the test's own.

use portcullis::{JwksService, ReqwestClient, Verifier};
use portcullis_testkit::{AuthorizationServer, CertificateAuthority, Endpoint, Fault};

async fn server(authority: &CertificateAuthority) -> AuthorizationServer {
    AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap()
}

fn trusting(authority: &CertificateAuthority) -> ReqwestClient {
    let certificate = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    ReqwestClient::new(reqwest::Client::builder().tls_certs_only([certificate])).unwrap()
}

#[tokio::test]
pub(crate) async fn keys_come_over_https_from_a_server_whose_authority_is_trusted() {
    let authority = CertificateAuthority::new();
    let server = server(&authority).await;
    assert!(server.jwks_uri().starts_with("https://"));
    let jwks = JwksService::builder(&server.jwks_uri()).http_client(trusting(&authority)).build().unwrap();
    Verifier::from(jwks).verify(&server.token().sign()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_server_with_a_certificate_of_another_authority_is_refused_and_the_reason_told() {
    let server = server(&CertificateAuthority::new()).await;
    let wrong = trusting(&CertificateAuthority::new());
    let jwks = JwksService::builder(&server.jwks_uri()).http_client(wrong).build().unwrap();
    let refusal = Verifier::from(jwks.clone()).verify(&server.token().sign()).await.unwrap_err();
    assert_eq!(refusal.code(), "keys_unavailable");
    let error = jwks.status().last_error.unwrap();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
pub(crate) async fn the_standard_client_does_not_trust_an_authority_of_nobodys() {
    let server = server(&CertificateAuthority::new()).await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let error = jwks.prefetch().await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
pub(crate) async fn keys_come_through_a_proxy() {
    // The server answers for any host, like a proxy.
    let server = AuthorizationServer::start().await;
    let proxy = reqwest::Proxy::http(server.url("/")).unwrap();
    let client = ReqwestClient::new(reqwest::Client::builder().proxy(proxy)).unwrap();
    let jwks = JwksService::builder("http://as.invalid/jwks").dangerously_allow_http().http_client(client);
    Verifier::from(jwks.build().unwrap()).verify(&server.token().sign()).await.unwrap();
}

#[tokio::test]
pub(crate) async fn a_redirect_is_not_followed_whatever_the_client_says() {
    let server = AuthorizationServer::start().await;
    let target = AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, Fault::Redirect(target.jwks_uri()));
    let follows = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(5));
    let jwks = JwksService::builder(&server.jwks_uri()).http_client(ReqwestClient::new(follows).unwrap());
    jwks.build().unwrap().prefetch().await.unwrap_err();
    assert_eq!(target.requests(Endpoint::Jwks), 0);
}

#[tokio::test]
pub(crate) async fn discovery_works_over_https() {
    let authority = CertificateAuthority::new();
    let server = server(&authority).await;
    let jwks = JwksService::discover(server.issuer()).http_client(trusting(&authority)).build().unwrap();
    jwks.prefetch().await.unwrap();
}

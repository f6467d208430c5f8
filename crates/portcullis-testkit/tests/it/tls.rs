use portcullis_testkit::{Algorithm, AuthorizationServer, CertificateAuthority};
use reqwest::{Certificate, Client};

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

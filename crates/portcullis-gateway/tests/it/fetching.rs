//! Fetches of keys by the configuration and the environment.

use axum::Router;
use portcullis_testkit::{Algorithm, AuthorizationServer, CertificateAuthority, Endpoint, TokenBuilder};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{Gateway, ROUTES, command, text};

fn folder(files: &[(&str, &str)], tables: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("portcullis.toml"), text("", &format!("{tables}{ROUTES}"))).unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_asked_but_for_this_machine() {
    let server = AuthorizationServer::start().await;
    let proxy = format!("http://{}", server.address());
    let outside = "issuer = \"http://as.example.test\"\njwks_uri = \"http://as.example.test/jwks\"\n";
    let table = format!("[[issuers]]\n{outside}dangerously_allow_http = true\n");
    let token = server.token().issuer("http://as.example.test").scope("read").sign();
    let gateway = Gateway::start_among(folder(&[], &table), &[("HTTP_PROXY", &proxy), ("NO_PROXY", "")]).await;
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200);
    assert_eq!(server.requests(Endpoint::Jwks), 1);
    // This proxy does not exist; an issuer on loopback is reached without it.
    let table = format!("[[issuers]]\nissuer = \"{}\"\n", server.issuer());
    let gateway = Gateway::start_among(folder(&[], &table), &[("HTTP_PROXY", "http://127.0.0.1:1")]).await;
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&server.token().scope("read").sign())).await.status, 200);
}

#[tokio::test]
async fn a_cluster_has_an_authority_of_its_own_and_asks_for_a_token() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let files = [("ca.pem", &*authority.pem()), ("token", "of-the-pod\n")];
    let table = format!(
        "[[issuers]]\nissuer = \"{}\"\nca_file = \"ca.pem\"\nbearer_token_file = \"token\"\ntimeout = \"10s\"\n",
        server.issuer()
    );
    let gateway = Gateway::start_in(folder(&files, &table)).await;
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&server.token().scope("read").sign())).await.status, 200);
    let fields = server.last_request_headers(Endpoint::Jwks).unwrap();
    assert_eq!(fields["authorization"], "Bearer of-the-pod");
    assert_eq!(fields["user-agent"], concat!("portcullis/", env!("CARGO_PKG_VERSION")));
    assert!(!gateway.log().contains("of-the-pod"));
}

/// The variables of a machine whose certificate authorities are these.
fn authorities(file: &str) -> [(&str, &str); 2] {
    [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "/nowhere")]
}

#[tokio::test]
async fn a_machine_without_certificate_authorities_suffices_beside_an_issuer_by_http() {
    let server = AuthorizationServer::start().await;
    let table = format!("[[issuers]]\nissuer = \"{0}\"\n[traces]\nendpoint = \"{0}/v1/traces\"\n", server.issuer());
    let gateway = Gateway::start_among(folder(&[], &table), &authorities("/nowhere")).await;
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&server.token().scope("read").sign())).await.status, 200);
}

#[tokio::test]
async fn it_does_not_beside_one_by_https() {
    let table = "[[issuers]]\nissuer = \"https://as.example.test\"\n";
    let folder = folder(&[], table);
    let mut serving = command(&folder);
    let told = serving.args(["serve", "--config", "portcullis.toml"]).envs(authorities("/nowhere")).output().unwrap();
    assert!(!told.status.success());
    // The terminal breaks lines.
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("cannot build the HTTP client") && told.contains("`ca_file`"), "{told}");
}

#[tokio::test]
async fn the_authorities_of_the_machine_are_read_when_metadata_lead_to_https() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({ "issuer": issuer, "jwks_uri": server.jwks_uri() }).to_string();
    let app = Router::new().fallback(move || async { metadata });
    tokio::spawn(async { axum::serve(listener, app).await });
    let table = format!("[[issuers]]\nissuer = \"{issuer}\"\ntimeout = \"10s\"\n");
    let folder = folder(&[("ca.pem", &*authority.pem())], &table);
    let file = folder.path().join("ca.pem");
    let gateway = Gateway::start_among(folder, &authorities(file.to_str().unwrap())).await;
    gateway.ready().await;
    let token = server.token().issuer(&issuer).scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn tokens_of_workloads_pass_by_their_trust_domain() {
    let server = AuthorizationServer::builder().algorithm(Algorithm::ES256).start().await.unwrap();
    let mut jwk = server.signing_key().public_jwk();
    jwk["use"] = "jwt-svid".into();
    let bundle = json!({ "keys": [jwk], "spiffe_sequence": 1 }).to_string();
    let table = "[[issuers]]\ntrust_domain = \"example.org\"\njwks_file = \"bundle.json\"\naudience = \"orders\"\n";
    let gateway = Gateway::start_in(folder(&[("bundle.json", &bundle)], table)).await;
    gateway.ready().await;
    let svid = |subject: &str| -> TokenBuilder {
        server.token().subject(subject).audience("orders").typ("JOSE").without_claim("iss").scope("read")
    };
    for (token, code) in [
        (svid("spiffe://example.org/ns/shop"), "pass"),
        (svid("spiffe://example.org/ns/shop").without_header("typ"), "pass"),
        (svid("spiffe://example.org.evil.test/ns/shop"), "wrong_issuer"),
        (svid("spiffe://example.org/ns/shop").audience("other"), "wrong_audience"),
        (svid("spiffe://example.org/ns/shop").typ("at+jwt"), "wrong_type"),
    ] {
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&token.sign())).await.code(), code);
    }
}

#[tokio::test]
async fn a_key_server_may_ask_for_a_field_and_the_issuer_need_not_be_named() {
    let server = AuthorizationServer::start().await;
    let table = format!(
        "[[issuers]]\ndangerously_accept_any_issuer = true\njwks_uri = \"{}/jwks\"\nmax_age = \"1h\"\n\
         request_fields = {{ \"X-Api-Key\" = \"${{KEY_SERVER_KEY}}\" }}\n",
        server.issuer()
    );
    let gateway = Gateway::start_among(folder(&[], &table), &[("KEY_SERVER_KEY", "of-the-key-server")]).await;
    gateway.ready().await;
    let token = server.token().issuer("https://elsewhere.example.com").scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200);
    assert_eq!(server.last_request_headers(Endpoint::Jwks).unwrap()["x-api-key"], "of-the-key-server");
    assert!(!gateway.log().contains("of-the-key-server"));
    let other = AuthorizationServer::start().await.token().scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&other)).await.status, 401, "the keys decide");
}

//! TLS on every listener, with client certificates if configured, and renewed certificates.

use std::time::{Duration, Instant};

use portcullis_testkit::{AuthorizationServer, CertificateAuthority};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::{Gateway, ROUTES, introspecting, issuer, text};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate and its key, for this machine.
    pub fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

pub fn client(trusted: &Authority, identity: Option<(String, String)>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(trusted.pem().as_bytes()).unwrap();
    // Another crate of the workspace may have reqwest built with HTTP/2.
    let builder = reqwest::Client::builder().no_proxy().http1_only().tls_certs_only([root]);
    match identity {
        Some((certificate, key)) => {
            let identity = reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap();
            builder.identity(identity).build().unwrap()
        }
        None => builder.build().unwrap(),
    }
}

pub fn write(folder: &std::path::Path, (certificate, key): (String, String)) {
    std::fs::write(folder.join("key.pem"), key).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate).unwrap();
}

async fn start(server: &AuthorizationServer, authority: &Authority) -> Gateway {
    let folder = tempfile::TempDir::new().unwrap();
    write(folder.path(), authority.issue());
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let plain = crate::support::text("", &format!("{}{ROUTES}", issuer(server, "")));
    let tls = "{ address = \"127.0.0.1:0\", tls = { certificate = \"cert.pem\", key = \"key.pem\" } }";
    let mutual = "{ address = \"127.0.0.1:0\", tls = { certificate = \"cert.pem\", key = \"key.pem\", client_ca = \"ca.pem\" } }";
    let text = plain
        .replace("listen = \"127.0.0.1:0\"", &format!("listen = {tls}"))
        .replace("admin = \"127.0.0.1:0\"", &format!("admin = {mutual}"))
        .replace("grpc = \"127.0.0.1:0\"", &format!("grpc = {tls}"));
    std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    Gateway::start_in(folder).await
}

#[tokio::test]
async fn every_listener_speaks_tls_and_asks_for_client_certificates() {
    let (server, authority) = (AuthorizationServer::start().await, Authority::new());
    let gateway = start(&server, &authority).await;
    let token = server.token().scope("read").sign();
    let (anonymous, known) = (client(&authority, None), client(&authority, Some(authority.issue())));
    let forward_auth = format!("https://{}/orders/1", gateway.forward_auth);
    let answer = anonymous.get(&forward_auth).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), reqwest::Version::HTTP_11);

    let admin = format!("https://{}/healthz", gateway.admin);
    assert!(anonymous.get(&admin).send().await.is_err(), "without a certificate");
    let stranger = client(&authority, Some(Authority::new().issue()));
    assert!(stranger.get(&admin).send().await.is_err(), "with a certificate of another authority");
    assert_eq!(known.get(&admin).send().await.unwrap().status(), 200);

    // The requested method does not exist, and even that is an answer.
    let grpc = anonymous.post(format!("https://{}/nothing", gateway.grpc)).header("content-type", "application/grpc");
    assert_eq!(grpc.send().await.unwrap().headers()["grpc-status"], "12");
    // Plain HTTP is not answered.
    assert!(crate::support::client().get(gateway.url("/orders/1")).send().await.is_err());
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_used_without_a_restart() {
    let (server, first, second) = (AuthorizationServer::start().await, Authority::new(), Authority::new());
    let gateway = start(&server, &first).await;
    let url = format!("https://{}/open/a", gateway.forward_auth);
    assert_eq!(client(&first, None).get(&url).send().await.unwrap().status(), 200);

    // A certificate that does not fit its key changes nothing.
    std::fs::write(gateway.file("cert.pem"), second.issue().0).unwrap();
    gateway.signal("HUP");
    gateway.logged(|line| line.to_string().contains("the old one stays in force")).await;
    assert_eq!(client(&first, None).get(&url).send().await.unwrap().status(), 200);

    write(gateway.file("").as_path(), second.issue());
    let deadline = Instant::now() + Duration::from_secs(20);
    while client(&second, None).get(&url).send().await.is_err() {
        assert!(Instant::now() < deadline, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Keys and introspection of an issuer whose certificate is of a private authority.
#[tokio::test]
async fn a_private_authority_vouches_for_keys_and_for_introspection() {
    let authority = CertificateAuthority::new();
    let server = AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let token = || server.token().scope("read");
    let (signed, opaque) = (token().sign(), server.issue_opaque(token()));
    for (keys, expected) in [("ca_file = \"ca.pem\"\n", "pass"), ("", "introspection_unavailable")] {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
        let issuer = introspecting(&server, "json", "").replacen("introspection", &format!("{keys}introspection"), 1);
        let config = text("", &format!("{issuer}{ROUTES}"));
        std::fs::write(folder.path().join("portcullis.toml"), config).unwrap();
        let gateway = Gateway::start_in(folder).await;
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&opaque)).await.code(), expected);
        let by_keys = gateway.ask("GET", "/orders/1", Some(&signed)).await.code();
        assert_eq!(by_keys == "pass", expected == "pass", "{by_keys}");
    }
}

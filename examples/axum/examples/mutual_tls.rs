//! Mutual TLS: a token that is bound to a client's certificate passes on connections with this certificate alone (RFC 8705).
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-axum --example mutual_tls \
//!     -- server.pem server-key.pem client-ca.pem
//! ```

use std::sync::Arc;

use axum::{Extension, Router, routing::get};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use portcullis::{Claims, ClientCertificate, JwksService, Secure};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier},
    server::TlsStream,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    let files: Vec<_> = std::env::args().skip(1).map(std::fs::read).collect::<Result<_, _>>()?;
    let [certificate, key, client_ca] = &files[..] else {
        return Err("expected three files in PEM: the certificate, its key, and the authority of clients".into());
    };
    let listener = TcpListener::bind("127.0.0.1:8443").await?;
    serve(listener, acceptor(certificate, key, client_ca)?, app(&uri)?).await
}

fn app(jwks_uri: &str) -> Result<Router, Error> {
    let secure = Secure::new(JwksService::new(jwks_uri)?).realm("example");
    Ok(Router::new().route("/", get(hello)).layer(secure))
}

async fn hello(claims: Claims) -> String {
    format!("hello {}", claims.subject().unwrap_or("you"))
}

/// Clients may do without a certificate: then only tokens pass that are not bound to one.
fn acceptor(certificate: &[u8], key: &[u8], client_ca: &[u8]) -> Result<TlsAcceptor, Error> {
    let mut authorities = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(client_ca) {
        authorities.add(authority?)?;
    }
    let clients = WebPkiClientVerifier::builder(Arc::new(authorities)).allow_unauthenticated().build()?;
    let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key)?;
    let config = ServerConfig::builder().with_client_cert_verifier(clients).with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, app: Router) -> Result<(), Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            let stream = acceptor.accept(stream).await?;
            // `Secure` finds the certificate in the extensions of each request on this connection.
            let app = match client_certificate(&stream) {
                Some(certificate) => app.layer(Extension(certificate)),
                None => app,
            };
            let service = TowerToHyperService::new(app);
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?;
            Ok::<_, Error>(())
        });
    }
}

fn client_certificate(stream: &TlsStream<TcpStream>) -> Option<ClientCertificate> {
    let (_, connection) = stream.get_ref();
    Some(ClientCertificate::from_der(connection.peer_certificates()?.first()?))
}

#[tokio::test]
async fn a_token_passes_on_connections_with_its_own_certificate_alone() -> Result<(), Error> {
    use portcullis_testkit::{AuthorizationServer, CertificateAuthority, ClientIdentity};

    let (server, clients) = (AuthorizationServer::start().await, CertificateAuthority::new());
    let own_pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let (certificate, key) = (own_pair.cert.pem(), own_pair.signing_key.serialize_pem());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}/", listener.local_addr()?);
    let acceptor = acceptor(certificate.as_bytes(), key.as_bytes(), clients.pem().as_bytes())?;
    tokio::spawn(serve(listener, acceptor, app(&server.jwks_uri())?));

    let client = |identity: Option<&ClientIdentity>| -> Result<reqwest::Client, Error> {
        let root = reqwest::Certificate::from_pem(certificate.as_bytes())?;
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        if let Some(identity) = identity {
            let pem = identity.pem() + &identity.key_pem();
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes())?);
        }
        Ok(builder.build()?)
    };
    let (own, other) = (clients.client("own"), clients.client("other"));
    let bound = server.token().bound_to_certificate(own.thumbprint()).sign();
    let plain = server.token().sign();
    for (identity, token, status) in [
        (Some(&own), &bound, 200),
        (Some(&other), &bound, 401),
        (None, &bound, 401),
        (Some(&other), &plain, 200),
        (None, &plain, 200),
    ] {
        let request = client(identity)?.get(&url).bearer_auth(token);
        assert_eq!(request.send().await?.status(), status);
    }
    Ok(())
}

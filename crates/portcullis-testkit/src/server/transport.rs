use std::fmt;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::fault::HangUp;

/// Plain http, or https.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    #[cfg(feature = "tls")]
    Tls(tokio_rustls::TlsAcceptor),
    /// https behind `CONNECT` (RFC 9110 section 9.3.6): every host leads here.
    #[cfg(feature = "tls")]
    Proxy(tokio_rustls::TlsAcceptor),
}

impl Transport {
    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "http",
            #[cfg(feature = "tls")]
            Self::Tls(_) | Self::Proxy(_) => "https",
        }
    }

    #[cfg_attr(not(feature = "tls"), expect(clippy::unused_self, reason = "the same call with and without tls"))]
    pub(super) fn is_proxy(&self) -> bool {
        #[cfg(feature = "tls")]
        return matches!(self, Self::Proxy(_));
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Answers one connection's requests until it closes.
    pub(super) async fn serve(self, stream: TcpStream, router: Router) {
        // A failure makes answers late, never wrong.
        let _ = stream.set_nodelay(true);
        match self {
            Self::Plain => converse(stream, router, None).await,
            #[cfg(feature = "tls")]
            Self::Tls(acceptor) => secured(&acceptor, stream, router).await,
            #[cfg(feature = "tls")]
            Self::Proxy(acceptor) => {
                let mut stream = stream;
                if connected(&mut stream).await.is_ok() {
                    secured(&acceptor, stream, router).await;
                }
            }
        }
    }
}

#[cfg(feature = "tls")]
async fn secured(acceptor: &tokio_rustls::TlsAcceptor, stream: TcpStream, router: Router) {
    if let Ok(stream) = acceptor.accept(stream).await {
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let client = certificates.first().map(|der| ClientCertificate(der.to_vec()));
        converse(stream, router, client).await;
    }
}

/// Reads a `CONNECT` request to any host, and accepts it.
#[cfg(feature = "tls")]
async fn connected(stream: &mut TcpStream) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8 * 1024 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        head.push(stream.read_u8().await?);
    }
    if !head.starts_with(b"CONNECT ") {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await
}

/// The DER of the certificate that the client proved possession of, among a request's extensions.
#[derive(Clone, Debug)]
pub(super) struct ClientCertificate(pub(super) Vec<u8>);

async fn converse<S>(stream: S, router: Router, client: Option<ClientCertificate>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(client) = &client {
            request.extensions_mut().insert(client.clone());
        }
        answer(router.clone(), request)
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that disconnects is not a failure of the server.
    let _ = connection.await;
}

/// Answers a request, or makes hyper close the connection if the fault is to do so.
async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<Response, ConnectionClosed> {
    let Ok(response) = TowerToHyperService::new(router).call(request).await;
    match response.extensions().get::<HangUp>() {
        Some(HangUp) => Err(ConnectionClosed),
        None => Ok(response),
    }
}

#[derive(Debug)]
struct ConnectionClosed;

impl fmt::Display for ConnectionClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for ConnectionClosed {}

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
}

impl Transport {
    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "http",
            #[cfg(feature = "tls")]
            Self::Tls(_) => "https",
        }
    }

    /// Answers one connection's requests until it closes.
    pub(super) async fn serve(self, stream: TcpStream, router: Router) {
        // A failure makes answers late, never wrong.
        let _ = stream.set_nodelay(true);
        match self {
            Self::Plain => converse(stream, router, None).await,
            #[cfg(feature = "tls")]
            Self::Tls(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    let client = certificates.first().map(|der| ClientCertificate(der.to_vec()));
                    converse(stream, router, client).await;
                }
            }
        }
    }
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

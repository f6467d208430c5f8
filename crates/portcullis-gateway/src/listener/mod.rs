//! Sockets, with TCP or TLS, HTTP/1.1 and HTTP/2, and limits that no client can stretch.
//!
//! | action of a client | consequence |
//! |---|---|
//! | opens more connections than there are places | waits in the kernel's queue; idle connections make room |
//! | opens more connections than one peer may have | is hung up on, unless trusted; its idle connections make room |
//! | sends more requests at once on HTTP/2 | refused streams |
//! | sends its TLS handshake, or a header section, too slowly | is cut off after `header_time` |
//! | sends a header section that is too large | 431 (at 8 KiB or beyond, on HTTP/1.1) |
//! | sends a request that takes too long to answer | 503 with `Retry-After` after `request_time` |
//! | does not read its answer | is cut off after `request_time` |
//! | keeps a connection idle | is closed after `idle_time`; after `header_time` while all places are taken |
//! | goes away silently | is detected by pings on HTTP/2, and as idle on HTTP/1.1 |
//!
//! HTTP/2 is spoken with clients that begin with its preface: by ALPN under TLS, with prior knowledge without
//! (RFC 9113 section 3.3), as gRPC does.

mod activity;
mod answer;
mod connection;
mod drain;
mod peers;
mod slots;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod watchdog;

use std::{
    convert::Infallible,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    service::Service,
};
use portcullis::ClientCertificate;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

#[cfg(test)]
pub(crate) use self::drain::DrainTrigger;
use self::{
    connection::Shared,
    peers::{Guest, Peers},
    slots::{Slot, Slots},
};
pub(crate) use self::{
    drain::Drain,
    tls::{Renewal, TlsError, TlsHandle},
};
use crate::{
    config::{self, Limits},
    telemetry::Seldom,
};

/// The wait after the system ran out of sockets.
const BACK_OFF: Duration = Duration::from_millis(200);

/// A bound socket; connections wait until it is served.
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    name: Option<&'static str>,
    limits: Limits,
    trusts: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    tls: Option<TlsHandle>,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Its certificate, which an authority in `client_ca` vouches for.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// The reason why a socket cannot be listened on.
#[derive(Debug)]
pub(crate) enum BindError {
    /// The address cannot be listened on.
    Address(SocketAddr, io::Error),
    /// Certificate or key cannot be used.
    Tls(TlsError),
}

impl Listener {
    /// Binds the address; reads the certificate and the key.
    pub(crate) async fn bind(config: &config::Listener, limits: &Limits) -> Result<Self, BindError> {
        let tls = config.tls.as_ref().map(TlsHandle::read).transpose().map_err(BindError::Tls)?;
        let no_address = |error| BindError::Address(config.address, error);
        let socket = TcpListener::bind(config.address).await.map_err(no_address)?;
        let address = socket.local_addr().map_err(no_address)?;
        Ok(Self { socket, address, name: None, limits: limits.clone(), trusts: Box::new(|_| false), tls })
    }

    /// Sets the listener's name in metrics and logs, in place of its address.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Lets trusted peers have as many connections as there are; by default no peer is trusted.
    pub(crate) fn trusting(mut self, trusts: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        self.trusts = Box::new(trusts);
        self
    }

    /// Returns the address; its port is the system's choice if the configured one is 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the handle that renews certificate and key; none without TLS.
    pub(crate) fn tls(&self) -> Option<TlsHandle> {
        self.tls.clone()
    }

    /// Serves until `drain` begins, then lets requests in progress end, for the limit's drain time at most.
    ///
    /// Each connection gets a service of its own from `service_for`, which receives the peer.
    pub(crate) async fn serve<M, S, B>(self, service_for: M, mut drain: Drain)
    where
        M: Fn(Peer) -> S + Clone + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Default + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let name = self.name.map_or_else(|| self.address.to_string(), str::to_owned);
        let drain_time = self.limits.drain_time;
        let slots = Slots::new(self.limits.connections, &name);
        let gate = Gate { socket: self.socket, trusts: self.trusts, peers: Arc::new(Peers::new(&self.limits)), name };
        let shared = Arc::new(Shared::new(self.limits, slots, self.tls));
        let mut connections = JoinSet::new();
        loop {
            let (tcp, peer, slot) = tokio::select! {
                () = drain.begun() => break,
                Some(_) = connections.join_next() => continue,
                accepted = gate.accept(&shared.slots) => accepted,
            };
            let (shared, service_for, drain) = (Arc::clone(&shared), service_for.clone(), drain.clone());
            connections.spawn(async move {
                shared.carry(tcp, peer, &slot, service_for, drain).await;
            });
        }
        let name = gate.close();
        if timeout(drain_time, async { while connections.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!(
                listener = name,
                connections = connections.len(),
                "connections were cut at the end of the drain time"
            );
            connections.shutdown().await;
        }
    }
}

/// The socket that accepts connections.
struct Gate {
    socket: TcpListener,
    trusts: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    peers: Arc<Peers>,
    name: String,
}

impl Gate {
    /// Returns the next connection, as soon as there is a place for it.
    async fn accept(&self, slots: &Slots) -> (TcpStream, SocketAddr, Slot) {
        let permit = slots.permit(&self.name).await;
        loop {
            match self.socket.accept().await {
                Ok((tcp, peer)) => {
                    if let Some(guest) = self.admit(peer.ip()) {
                        return (tcp, peer, slots.fill(permit, guest));
                    }
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "cannot accept connections");
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Lets a peer have another connection: as a guest, if it is not trusted; none if it has too many.
    fn admit(&self, peer: IpAddr) -> Option<Option<Guest>> {
        static TOLD: Seldom = Seldom::new();
        if (self.trusts)(peer) {
            return Some(None);
        }
        let guest = self.peers.admit(peer);
        if guest.is_none() {
            metrics::counter!(crate::telemetry::names::CONNECTIONS_REFUSED.name, "listener" => self.name.clone())
                .increment(1);
            if TOLD.is_due() {
                tracing::warn!(
                    listener = self.name,
                    %peer,
                    "a connection was refused: the peer is not in trusted_proxies and has as many as it may \
                     (limits.connections_per_peer), or all such peers have half of limits.connections"
                );
            }
        }
        guest.map(Some)
    }

    fn close(self) -> String {
        self.name
    }
}

/// Returns true if a client gave up before it was accepted; other errors concern this machine and may last.
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address, _) => write!(f, "cannot listen on {address}"),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(_, error) => Some(error),
            Self::Tls(error) => error.source(),
        }
    }
}

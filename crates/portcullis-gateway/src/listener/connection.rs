//! One connection, from its handshake to its end.

use std::{convert::Infallible, error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::TcpStream,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{
    Drain, Peer, TlsHandle,
    activity::Activity,
    answer::in_time,
    slots::{Slot, Slots},
    stream::{Stream, Transport},
    watchdog::{self, Verdict, Watchdog},
};
use crate::{config::Limits, telemetry::Seldom};

/// The smallest buffer for which hyper limits a header section of HTTP/1.1.
const LEAST_BUFFER: usize = 8192;
/// The interval of pings to an HTTP/2 peer, and the time limit of their answers.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// The common state of a listener's connections.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) slots: Slots,
    pub(super) tls: Option<TlsHandle>,
    http: auto::Builder<TokioExecutor>,
}

impl Shared {
    pub(super) fn new(limits: Limits, slots: Slots, tls: Option<TlsHandle>) -> Self {
        let http = http(&limits);
        Self { limits, slots, tls, http }
    }

    /// Serves a connection until it ends, or has to be ended.
    pub(super) async fn carry<S, B>(
        &self,
        tcp: TcpStream,
        address: SocketAddr,
        slot: &Slot,
        service_for: impl Fn(Peer) -> S + Send,
        drain: Drain,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Default + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // Without it the last segment of an answer may wait for the acknowledgement of the one before.
        let _ = tcp.set_nodelay(true);
        match self.shake_hands(tcp).await {
            Ok(transport) => {
                let service = service_for(Peer { address, certificate: transport.client_certificate() });
                self.speak_http(transport, slot, service, drain).await;
            }
            Err(reason) => {
                cut("tls", "limits.header_time");
                tracing::debug!(reason, "no TLS with a client");
            }
        }
    }

    async fn shake_hands(&self, tcp: TcpStream) -> Result<Transport, String> {
        let Some(tls) = &self.tls else { return Ok(Transport::Plain(tcp)) };
        match timeout(self.limits.header_time, tls.acceptor().accept(tcp)).await {
            Ok(Ok(stream)) => Ok(Transport::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("expected the handshake within limits.header_time".to_owned()),
        }
    }

    async fn speak_http<S, B>(&self, transport: Transport, slot: &Slot, service: S, mut drain: Drain)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Default + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let activity = Arc::new(Activity::new());
        let stream = TokioIo::new(Stream::new(transport, Arc::clone(&activity)));
        let request_time = self.limits.request_time;
        let told = Arc::clone(&activity);
        let service = service_fn(move |request: Request<Incoming>| {
            let call = told.called(request.version());
            in_time(service.call(request), request_time, call)
        });
        let mut connection = pin!(self.http.serve_connection(stream, service));

        let mut watchdog = Watchdog::new(activity.seen(), Instant::now());
        let pace = watchdog::pace(&self.limits);
        let mut looks = interval_at(Instant::now() + pace, pace);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return log_end(ended),
                () = drain.begun(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                now = looks.tick() => {
                    let crowded = self.slots.are_crowded() || slot.is_crowded();
                    match watchdog.look(activity.seen(), now, crowded, &self.limits) {
                        Verdict::LetBe => {}
                        Verdict::Close => connection.as_mut().graceful_shutdown(),
                        Verdict::Cut(cause) => return cut(cause.code(), cause.limit()),
                    }
                }
            }
        }
    }
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        // The watchdog enforces the time limits.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes.max(LEAST_BUFFER));
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        // Questions are small: a client needs few streams. The memory of a connection is bounded by the header sections
        // and messages of its streams, and this.
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(1 << 20)
        .max_send_buf_size(64 << 10);
    http
}

fn log_end(ended: Result<(), Box<dyn Error + Send + Sync>>) {
    static TOLD: Seldom = Seldom::new();
    let Err(error) = ended else { return };
    let is_too_large = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large);
    if is_too_large && TOLD.is_due() {
        tracing::warn!("a request was refused with 431: its header section is larger than limits.header_bytes");
    }
    tracing::debug!(%error, "a connection ended early");
}

/// Logs the limit that cut a client off, if the log wants it; a metric counts it in any case.
fn cut(cause: &'static str, limit: &'static str) {
    tracing::debug!(cause, limit, "a connection was cut");
    metrics::counter!(crate::telemetry::names::CONNECTIONS_CUT.name, "cause" => cause).increment(1);
}

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::watch;

use super::endpoint::Endpoint;
use super::fault::Fault;
use crate::sync::lock;

/// The entrance of one endpoint: counts requests and holds the faults to answer with.
pub(super) struct Desk {
    arrived: watch::Sender<u64>,
    orders: Mutex<Orders>,
    /// The signal that faults ended; sent only with `orders` locked.
    released: watch::Sender<()>,
}

#[derive(Default)]
struct Orders {
    once: VecDeque<Fault>,
    standing: Option<Fault>,
    last_headers: Option<HeaderMap>,
}

impl Desk {
    fn new() -> Self {
        Self { arrived: watch::Sender::new(0), orders: Mutex::default(), released: watch::Sender::new(()) }
    }

    pub(super) fn requests(&self) -> u64 {
        *self.arrived.borrow()
    }

    pub(super) async fn wait_for_requests(&self, count: u64) {
        let mut arrived = self.arrived.subscribe();
        // The sender is in `self`, so it is not dropped first.
        let _ = arrived.wait_for(|arrived| *arrived >= count).await;
    }

    pub(super) fn reset(&self) {
        self.arrived.send_replace(0);
        lock(&self.orders).last_headers = None;
    }

    pub(super) fn last_headers(&self) -> Option<HeaderMap> {
        lock(&self.orders).last_headers.clone()
    }

    /// Sets the fault for every request from now on and releases hanging requests.
    pub(super) fn fault(&self, fault: Fault) {
        let mut orders = lock(&self.orders);
        orders.standing = Some(fault);
        self.released.send_replace(());
    }

    pub(super) fn fault_once(&self, fault: Fault) {
        lock(&self.orders).once.push_back(fault);
    }

    pub(super) fn heal(&self) {
        let mut orders = lock(&self.orders);
        orders.once.clear();
        orders.standing = None;
        self.released.send_replace(());
    }

    /// Counts a request and returns its fault, if any.
    fn receive(&self, headers: &HeaderMap) -> Option<(Fault, watch::Receiver<()>)> {
        let mut orders = lock(&self.orders);
        orders.last_headers = Some(headers.clone());
        let fault = orders.once.pop_front().or_else(|| orders.standing.clone());
        let ticket = fault.map(|fault| (fault, self.released.subscribe()));
        self.arrived.send_modify(|arrived| *arrived += 1);
        ticket
    }
}

/// The middleware before every endpoint.
pub(super) async fn attend(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    match desk.receive(request.headers()) {
        Some((fault, released)) => fault.answer(released, request, next).await,
        None => next.run(request).await,
    }
}

/// One desk for each endpoint.
pub(super) struct Desks(Vec<(Endpoint, Arc<Desk>)>);

impl Desks {
    pub(super) fn new() -> Self {
        let desk = |endpoint: &Endpoint| (*endpoint, Arc::new(Desk::new()));
        Self(Endpoint::ALL.iter().map(desk).collect())
    }

    #[expect(clippy::expect_used, reason = "there is a desk for each endpoint")]
    pub(super) fn at(&self, endpoint: Endpoint) -> &Arc<Desk> {
        let mut desks = self.0.iter();
        let found = desks.find(|(at, _)| *at == endpoint);
        &found.expect("Endpoint::ALL lists every endpoint").1
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Desk> {
        self.0.iter().map(|(_, desk)| desk.as_ref())
    }
}

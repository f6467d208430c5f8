//! Requests that the test counts, and faults that it sets.

use axum::http::HeaderMap;

use super::AuthorizationServer;
use super::endpoint::Endpoint;
use super::fault::Fault;

impl AuthorizationServer {
    /// The number of requests to an endpoint, including those answered with a fault.
    #[must_use]
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.state().desks.at(endpoint).requests()
    }

    /// Waits for at least `count` requests to an endpoint, answered or not.
    pub async fn wait_for_requests(&self, endpoint: Endpoint, count: u64) {
        let desk = self.state().desks.at(endpoint);
        desk.wait_for_requests(count).await;
    }

    /// Sets every counter to zero and forgets the headers.
    pub fn reset_requests(&self) {
        for desk in self.state().desks.all() {
            desk.reset();
        }
    }

    /// The header fields of the latest request to an endpoint; `None` before the first.
    #[must_use]
    pub fn last_request_headers(&self, endpoint: Endpoint) -> Option<HeaderMap> {
        self.state().desks.at(endpoint).last_headers()
    }

    /// Answers every request to an endpoint with a fault until healed; replaces an earlier fault.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.state().desks.at(endpoint).fault(fault);
    }

    /// Answers the next request to an endpoint with a fault; several calls queue up.
    pub fn fault_once(&self, endpoint: Endpoint, fault: Fault) {
        self.state().desks.at(endpoint).fault_once(fault);
    }

    /// Ends an endpoint's faults and answers its hanging requests.
    pub fn heal(&self, endpoint: Endpoint) {
        self.state().desks.at(endpoint).heal();
    }

    /// Ends all faults.
    pub fn heal_all(&self) {
        for desk in self.state().desks.all() {
            desk.heal();
        }
    }
}

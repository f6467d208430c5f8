//! Requests with a DPoP proof: the token is cached, the client's key is known, and each proof is new.

use std::cell::Cell;

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis::{ClientAuthority, Dpop, Judging, Presented, Secure, VerifiedToken};
use portcullis_testkit::{Algorithm, DpopClient, TokenBuilder};

/// The number of requests, each of which is good once.
const REQUESTS: usize = 400;

const URL: &str = "https://api.example.com/orders";

/// A gate that asks for a proof, and requests.
pub(crate) struct Possession {
    secure: Secure,
    requests: Vec<HeaderMap>,
    next: Cell<usize>,
}

impl Possession {
    pub(crate) fn new(secure: Secure, token: TokenBuilder) -> Self {
        let client = DpopClient::new(Algorithm::ES256);
        let token = token.bound_to_key(client.thumbprint()).sign();
        let request = |_| client.fields("GET", URL, &token).into_iter().map(field).collect();
        Self {
            secure: secure.dpop(Dpop::required()),
            requests: (0..REQUESTS).map(request).collect(),
            next: Cell::new(0),
        }
    }

    /// Judges the next request.
    pub(crate) fn judge(&self) -> Option<VerifiedToken> {
        let fields = self.requests.get(self.next.replace(self.next.get() + 1))?;
        let presented =
            Presented::new(fields).request("GET", "/orders").authority(ClientAuthority::Known("api.example.com"));
        let Judging::Done(verdict) = self.secure.judge(&presented) else { return None };
        Some(verdict.outcome.ok()?.access()?.token().clone())
    }
}

#[expect(clippy::expect_used, reason = "without it there is nothing to count")]
fn field((name, value): (&'static str, String)) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::try_from(value).expect("a field value"))
}

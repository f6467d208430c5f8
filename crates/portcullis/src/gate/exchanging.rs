//! The exchange of one request's token: [`Exchanging`].

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use super::{AccessRejection, judge::Gate};
use crate::{
    claims::VerifiedToken,
    exchange::{Begun, Exchange, ExchangedToken, Unexchanged},
    questions::ClientAddress,
    refusal::Refusal,
};

/// The exchange of a token for one of an upstream, to be awaited.
///
/// Awaiting it needs a tokio runtime. Dropping it ends the wait of this request; other requests with the same token get the answer.
#[must_use = "a token is exchanged only if this is awaited"]
pub struct Exchanging {
    gate: Arc<Gate>,
    state: State,
    client: Option<ClientAddress>,
}

enum State {
    Done(Result<ExchangedToken, Refusal>),
    Asks(Arc<Exchange>, Box<Unexchanged>),
}

impl Exchanging {
    pub(super) fn begin(gate: Arc<Gate>, token: &VerifiedToken, text: Option<&Arc<str>>, name: &str) -> Self {
        let state = match (gate.exchanges.find(name, token), text) {
            (Ok(exchange), Some(text)) => match exchange.begin(token, text) {
                Begun::Done(exchanged) => State::Done(exchanged),
                Begun::Asks(unexchanged) => State::Asks(Arc::clone(exchange), Box::new(unexchanged)),
            },
            (Ok(exchange), None) => State::Done(Err(exchange.unavailable())),
            (Err(refusal), _) => State::Done(Err(refusal)),
        };
        Self { gate, state, client: None }
    }

    /// The same for a request from this client address.
    ///
    /// It keeps clients apart at the token endpoint, as [`Pending::by_client`](crate::Pending::by_client) does at the introspection
    /// endpoint.
    pub fn by_client(self, client: Option<ClientAddress>) -> Self {
        Self { client, ..self }
    }

    /// Returns the outcome if the server need not be asked.
    ///
    /// # Errors
    ///
    /// The exchange itself, which has to be awaited.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Access, AccessRejection, ExchangedToken};
    ///
    /// async fn token(access: &Access) -> Result<ExchangedToken, AccessRejection> {
    ///     match access.exchange("inventory").now() {
    ///         Ok(outcome) => outcome,
    ///         Err(exchanging) => exchanging.await,
    ///     }
    /// }
    /// ```
    pub fn now(self) -> Result<Result<ExchangedToken, AccessRejection>, Self> {
        match self.state {
            State::Done(outcome) => Ok(rejecting(&self.gate, outcome)),
            state @ State::Asks(..) => Err(Self { state, ..self }),
        }
    }
}

impl IntoFuture for Exchanging {
    type Output = Result<ExchangedToken, AccessRejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { gate, state, client } = self;
        Box::pin(async move {
            let outcome = match state {
                State::Done(outcome) => outcome,
                State::Asks(exchange, unexchanged) => exchange.finish(*unexchanged, client).await,
            };
            rejecting(&gate, outcome)
        })
    }
}

fn rejecting(gate: &Gate, outcome: Result<ExchangedToken, Refusal>) -> Result<ExchangedToken, AccessRejection> {
    outcome.map_err(|refusal| AccessRejection::new(refusal, gate.challenge.clone()))
}

impl fmt::Debug for Exchanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchanging")
    }
}

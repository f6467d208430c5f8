//! The verdict on a request, and the wait for it: [`Judging`].

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{Instrument, Span};

use super::{Access, Anonymous, access::UsedProof, judge::Gate};
use crate::{
    mcp::Needed,
    proof::{Sender, ShownProof},
    questions::ClientAddress,
    refusal::Refusal,
    replay::ReplayFault,
    transport::BoxFuture,
    verifier::{Ground, Verified, Waiting},
};

/// The state of a request that was judged as far as possible without waiting.
#[derive(Debug)]
#[must_use = "a request may pass only by its verdict"]
pub enum Judging {
    /// The verdict.
    Done(Verdict),
    /// A verdict to await: keys have to be fetched, or the token introspected or verified later.
    Waits(Pending),
}

/// The verdict on a request.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a request may pass only by its verdict"]
pub struct Verdict {
    /// The evidence that the request may pass, or the reason why it may not.
    ///
    /// In [shadow mode](super::Secure::report_only) every request may pass.
    pub outcome: Result<Admitted, Refusal>,
    /// The ground of the verdict on the token; none if the request carries no token.
    pub ground: Option<Ground>,
}

/// The evidence that a request may pass.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Admitted {
    /// The request may pass by its access token.
    Bearer(Access),
    /// The request may pass without credentials, as [`optional`](super::Secure::optional) and
    /// [`report_only`](super::Secure::report_only) allow.
    Anonymous(Anonymous),
}

/// A verdict to be awaited: it owns all that was found in the request so far.
///
/// Awaiting it needs a tokio runtime. Dropping it ends the wait of this request; fetches and questions that other
/// requests wait for go on.
#[must_use = "a verdict is reached only if it is awaited"]
pub struct Pending {
    gate: Arc<Gate>,
    stop: Stop,
    needed: Needed,
    span: Span,
}

/// The place at which a request waits.
pub(super) enum Stop {
    /// Before the verdict on its token.
    Token(Waiting, Box<Facts>),
    /// Before the signature of its proof is verified.
    Possession(Verified, Box<Facts>),
    /// Before the answer of the shared store of used proofs.
    Proof(Box<Asked>),
}

/// The facts about a request that count once its token is verified.
pub(super) struct Facts {
    /// The evidence of its sender's keys.
    pub(super) sender: Sender,
    /// The name of the proof that an outer layer used.
    pub(super) before: UsedProof,
    /// The text of the token, where it may be exchanged.
    pub(super) subject: Option<Arc<str>>,
}

/// A request whose proof is looked up in a shared store.
pub(super) struct Asked {
    /// Behind a lock that nobody takes, so that the whole may be shared between threads.
    pub(super) answer: Mutex<BoxFuture<'static, Result<(), ReplayFault>>>,
    pub(super) shown: ShownProof,
    pub(super) subject: Option<Arc<str>>,
    pub(super) ground: Ground,
}

impl Judging {
    /// The verdict, awaited if necessary.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(secure: portcullis::Secure, headers: http::HeaderMap) {
    /// let verdict = secure.judge(&portcullis::Presented::new(&headers)).verdict().await;
    /// # }
    /// ```
    pub async fn verdict(self) -> Verdict {
        match self {
            Self::Done(verdict) => verdict,
            Self::Waits(pending) => pending.await,
        }
    }
}

impl Verdict {
    /// The refusal that shadow mode kept from the client: [`Anonymous::would_refuse`].
    #[must_use]
    pub fn would_refuse(&self) -> Option<&Refusal> {
        match &self.outcome {
            Ok(Admitted::Anonymous(anonymous)) => anonymous.would_refuse(),
            _ => None,
        }
    }
}

impl Pending {
    pub(super) fn new(gate: Arc<Gate>, stop: Stop, needed: Needed, span: Span) -> Self {
        Self { gate, stop, needed, span }
    }

    /// The same for a request from this client address.
    ///
    /// It keeps clients apart at the introspection endpoint: no client holds more turns than it leaves to others, and if the
    /// endpoint fails at the tokens of one client, only that client has to wait.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use portcullis::{Judging, Presented, Secure, Verdict};
    /// async fn judge(secure: &Secure, headers: &http::HeaderMap, peer: std::net::SocketAddr) -> Verdict {
    ///     match secure.judge(&Presented::new(headers)) {
    ///         Judging::Done(verdict) => verdict,
    ///         Judging::Waits(pending) => pending.by_client(Some(peer.ip().into())).await,
    ///     }
    /// }
    /// ```
    pub fn by_client(self, client: Option<ClientAddress>) -> Self {
        let stop = match self.stop {
            Stop::Token(waiting, sender) => Stop::Token(waiting.by_client(client), sender),
            other @ (Stop::Possession(..) | Stop::Proof(_)) => other,
        };
        Self { stop, ..self }
    }
}

impl IntoFuture for Pending {
    type Output = Verdict;
    type IntoFuture = Pin<Box<dyn Future<Output = Verdict> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { gate, stop, needed, span } = self;
        let finish = async move {
            let (verified, facts) = match stop {
                Stop::Token(waiting, facts) => (waiting.finish().await, facts),
                Stop::Possession(verified, facts) => (verified, facts),
                Stop::Proof(asked) => return finish_asked(&gate, *asked, &needed).await,
            };
            match gate.conclude(verified, *facts, &needed) {
                Ok(verdict) => verdict,
                Err(asked) => finish_asked(&gate, *asked, &needed).await,
            }
        };
        Box::pin(finish.instrument(span))
    }
}

/// Waits for the answer of the shared store of used proofs.
async fn finish_asked(gate: &Arc<Gate>, asked: Asked, needed: &Needed) -> Verdict {
    let Asked { answer, shown, subject, ground } = asked;
    let answer = answer.into_inner().unwrap_or_else(PoisonError::into_inner);
    gate.conclude_asked(answer.await, shown, subject, ground, needed)
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Admitted {
    /// The access that the token gives; none for an anonymous request.
    #[must_use]
    pub fn access(&self) -> Option<&Access> {
        match self {
            Self::Bearer(access) => Some(access),
            Self::Anonymous(_) => None,
        }
    }

    /// The same by value.
    #[must_use]
    pub fn into_access(self) -> Option<Access> {
        match self {
            Self::Bearer(access) => Some(access),
            Self::Anonymous(_) => None,
        }
    }
}

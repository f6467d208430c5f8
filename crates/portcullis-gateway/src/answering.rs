//! The answer of a service: ready, or a future where something must be waited for.

use std::{
    convert::Infallible,
    future::{self, Future, Ready},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// An answer: ready, or a future where something must be waited for. Most need neither a task nor an allocation.
pub(crate) enum Answering {
    Now(Ready<Result<Answer, Infallible>>),
    Later(Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>),
}

impl Answering {
    pub(crate) fn now(answer: Answer) -> Self {
        Self::Now(future::ready(Ok(answer)))
    }

    pub(crate) fn later(answer: impl Future<Output = Answer> + Send + 'static) -> Self {
        Self::Later(Box::pin(async move { Ok(answer.await) }))
    }
}

impl Future for Answering {
    type Output = Result<Answer, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(answer) => Pin::new(answer).poll(context),
            Self::Later(answer) => answer.as_mut().poll(context),
        }
    }
}

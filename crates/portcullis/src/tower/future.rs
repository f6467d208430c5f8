//! The future of [`SecureService`](super::SecureService)'s response.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{body::ResponseBody, service::leave};
use crate::gate::{Pending, Secure};

pin_project! {
    /// The future of [`SecureService`](super::SecureService)'s response.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Waiting { secure: Secure, judging: <Pending as IntoFuture>::IntoFuture, call: Option<(Request<B>, S)> },
        Passed { #[pin] response: S::Future },
        Answered { response: Option<Response<Bytes>> },
    }
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn passed(response: S::Future) -> Self {
        Self { state: State::Passed { response } }
    }

    pub(super) fn answered(response: Response<Bytes>) -> Self {
        Self { state: State::Answered { response: Some(response) } }
    }

    pub(super) fn waiting(secure: Secure, pending: Pending, request: Request<B>, ready: S) -> Self {
        let judging = pending.by_client(request.extensions().get().copied()).into_future();
        Self { state: State::Waiting { secure, judging, call: Some((request, ready)) } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            let next = match state.as_mut().project() {
                StateProjection::Passed { response } => {
                    return response.poll(cx).map(|response| Ok(response?.map(ResponseBody::inner)));
                }
                StateProjection::Answered { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map(ResponseBody::own))),
                    None => return Poll::Pending,
                },
                StateProjection::Waiting { secure, judging, call } => {
                    let verdict = ready!(judging.as_mut().poll(cx));
                    match (verdict.outcome, call.take()) {
                        (Ok(admitted), Some((mut request, mut service))) => {
                            leave(admitted, request.extensions_mut());
                            State::Passed { response: service.call(request) }
                        }
                        (Err(refusal), _) => State::Answered { response: Some(secure.answer(&refusal)) },
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> std::fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

//! The future of [`SecureService`](super::SecureService)'s response.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    body::ResponseBody,
    content::Read,
    credentials,
    service::{leave, presented},
};
use crate::gate::{Judging, Pending, Secure, Verdict};

/// The reading of a request's content.
pub(super) type Reading = Pin<Box<dyn Future<Output = Read> + Send>>;

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
        Reading { secure: Secure, reading: Reading, call: Option<(Request<B>, S)> },
        Waiting { secure: Secure, judging: <Pending as IntoFuture>::IntoFuture, call: Option<(Request<B>, S)> },
        Passed { #[pin] response: S::Future, nonce: Option<HeaderValue> },
        Answered { response: Option<Response<Bytes>> },
    }
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    /// The response of the service, with this nonce for DPoP proofs.
    pub(super) fn passed(response: S::Future, nonce: Option<HeaderValue>) -> Self {
        Self { state: State::Passed { response, nonce } }
    }

    pub(super) fn answered(response: Response<Bytes>) -> Self {
        Self { state: State::Answered { response: Some(response) } }
    }

    pub(super) fn reading(secure: Secure, reading: Reading, request: Request<B>, ready: S) -> Self {
        Self { state: State::Reading { secure, reading, call: Some((request, ready)) } }
    }

    pub(super) fn waiting(secure: Secure, pending: Pending, request: Request<B>, ready: S) -> Self {
        let judging = pending.by_client(request.extensions().get().copied()).into_future();
        Self { state: State::Waiting { secure, judging, call: Some((request, ready)) } }
    }
}

impl<S: Service<Request<B>>, B> State<S, B> {
    /// Calls the service if the request may pass, or refuses it.
    fn by(secure: &Secure, verdict: Verdict, mut request: Request<B>, mut service: S) -> Self {
        match verdict.outcome {
            Ok(admitted) => {
                let were_taken_off = credentials::were_taken_off(&request);
                leave(secure, admitted, &mut request, were_taken_off);
                Self::Passed { response: service.call(request), nonce: secure.dpop_nonce() }
            }
            Err(refusal) => Self::Answered { response: Some(secure.answer(&refusal)) },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: 'static,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            let next = match state.as_mut().project() {
                StateProjection::Passed { response, nonce } => {
                    let mut response = ready!(response.poll(cx))?;
                    if let Some(nonce) = nonce.take() {
                        // An inner layer that refused the proof waits for its own nonce.
                        response.headers_mut().entry("dpop-nonce").or_insert(nonce);
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProjection::Answered { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map(ResponseBody::own))),
                    None => return Poll::Pending,
                },
                StateProjection::Waiting { secure, judging, call } => {
                    let verdict = ready!(judging.as_mut().poll(cx));
                    let Some((request, service)) = call.take() else { return Poll::Pending };
                    State::by(secure, verdict, request, service)
                }
                StateProjection::Reading { secure, reading, call } => {
                    let read = ready!(reading.as_mut().poll(cx));
                    let Some((mut request, service)) = call.take() else { return Poll::Pending };
                    let judging = secure.judge(&presented(secure, &request).content(read.content()));
                    read.put_back(&mut request);
                    match judging {
                        Judging::Done(verdict) => State::by(secure, verdict, request, service),
                        Judging::Waits(pending) => Self::waiting(secure.clone(), pending, request, service).state,
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

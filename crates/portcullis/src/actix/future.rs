//! The future of [`SecureMiddleware`]'s response.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::HeaderName,
};
use http::HeaderValue;
use pin_project_lite::pin_project;

use super::{content::Read, convert, middleware::SecureMiddleware};
use crate::gate::Pending;

/// The reading of a request's content.
type Reading = Pin<Box<dyn Future<Output = Read>>>;

pin_project! {
    /// The future of [`SecureMiddleware`]'s response.
    pub struct MiddlewareFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S>
    where
        S: Service<ServiceRequest>,
    {
        Reading { reading: Reading, call: Option<(SecureMiddleware<S>, ServiceRequest)> },
        Waiting { judging: <Pending as IntoFuture>::IntoFuture, call: Option<(SecureMiddleware<S>, ServiceRequest)> },
        Passed { #[pin] response: S::Future, nonce: Option<HeaderValue> },
        Answered { response: Option<ServiceResponse> },
    }
}

impl<S: Service<ServiceRequest>> MiddlewareFuture<S> {
    /// The response of the service, with this nonce for DPoP proofs.
    pub(super) fn passed(response: S::Future, nonce: Option<HeaderValue>) -> Self {
        Self { state: State::Passed { response, nonce } }
    }

    pub(super) fn answered(response: ServiceResponse) -> Self {
        Self { state: State::Answered { response: Some(response) } }
    }

    pub(super) fn reading(reading: Reading, middleware: SecureMiddleware<S>, request: ServiceRequest) -> Self {
        Self { state: State::Reading { reading, call: Some((middleware, request)) } }
    }

    pub(super) fn waiting(pending: Pending, middleware: SecureMiddleware<S>, request: ServiceRequest) -> Self {
        Self { state: State::Waiting { judging: pending.into_future(), call: Some((middleware, request)) } }
    }
}

impl<S, B> Future for MiddlewareFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            let next = match state.as_mut().project() {
                StateProjection::Passed { response, nonce } => {
                    let mut response = ready!(response.poll(cx))?;
                    if let Some(nonce) = nonce.take().and_then(|nonce| convert::value(&nonce)) {
                        // An inner one that refused the proof waits for its own nonce.
                        let (name, headers) = (HeaderName::from_static("dpop-nonce"), response.headers_mut());
                        if !headers.contains_key(&name) {
                            headers.insert(name, nonce);
                        }
                    }
                    return Poll::Ready(Ok(response.map_into_left_body()));
                }
                StateProjection::Answered { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map_into_right_body())),
                    None => return Poll::Pending,
                },
                StateProjection::Reading { reading, call } => {
                    let read = ready!(reading.as_mut().poll(cx));
                    let Some((middleware, mut request)) = call.take() else { return Poll::Pending };
                    let judging = middleware.judge_read(&mut request, read);
                    middleware.go_on(judging, request).state
                }
                StateProjection::Waiting { judging, call } => {
                    let verdict = ready!(judging.as_mut().poll(cx));
                    let Some((middleware, request)) = call.take() else { return Poll::Pending };
                    middleware.respond(verdict, request).state
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<ServiceRequest>> fmt::Debug for MiddlewareFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiddlewareFuture").finish_non_exhaustive()
    }
}

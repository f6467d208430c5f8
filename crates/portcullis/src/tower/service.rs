//! The service of a [`Secure`](super::Secure) layer.

use std::{
    mem,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    body::ResponseBody,
    content::{self, Read},
    credentials,
    future::ResponseFuture,
};
use crate::gate::{Access, Admitted, Judging, Presented, Secure};

/// Calls the inner service for requests that may pass; answers the others itself.
#[derive(Debug, Clone)]
pub struct SecureService<S> {
    inner: S,
    secure: Secure,
}

impl<S> SecureService<S> {
    pub(super) fn new(inner: S, secure: Secure) -> Self {
        Self { inner, secure }
    }
}

impl<S, B, R> Service<Request<B>> for SecureService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(document) = self.secure.metadata_response(request.method().as_str(), request.uri().path()) {
            return ResponseFuture::answered(document);
        }
        credentials::put_back(&mut request);
        let presented = presented(&request);
        let judging = match self.secure.content_limit(&presented) {
            None => self.secure.judge(&presented),
            Some(limit) => match content::take(&mut request) {
                Some(body) => {
                    let reading = Box::pin(Read::up_to(limit, body));
                    return ResponseFuture::reading(self.secure.clone(), reading, request, self.ready());
                }
                None => self.secure.judge(&self::presented(&request)),
            },
        };
        match judging {
            Judging::Done(verdict) => match verdict.outcome {
                Ok(admitted) => {
                    leave(&self.secure, admitted, &mut request);
                    ResponseFuture::passed(self.inner.call(request))
                }
                Err(refusal) => ResponseFuture::answered(self.secure.answer(&refusal)),
            },
            Judging::Waits(pending) => ResponseFuture::waiting(self.secure.clone(), pending, request, self.ready()),
        }
    }
}

impl<S: Clone> SecureService<S> {
    /// The inner service that was polled ready, to go with a request; its clone stays, and is polled next time.
    fn ready(&mut self) -> S {
        let clone = self.inner.clone();
        mem::replace(&mut self.inner, clone)
    }
}

pub(super) fn presented<B>(request: &Request<B>) -> Presented<'_> {
    let extensions = request.extensions();
    let target = request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    Presented::new(request.headers())
        .request(request.method().as_str(), target)
        .client_certificate(extensions.get().copied())
        .after(extensions.get())
}

/// Puts the evidence that a request may pass into its extensions: that of this layer alone.
pub(super) fn leave<B>(secure: &Secure, admitted: Admitted, request: &mut Request<B>) {
    if !secure.forwards_authorization() || credentials::were_taken_off(request) {
        credentials::take_off(request);
    }
    let extensions = request.extensions_mut();
    match admitted {
        Admitted::Bearer(access) => {
            extensions.insert(access);
        }
        Admitted::Anonymous(anonymous) => {
            // The access of an outer layer is not this layer's verdict.
            extensions.remove::<Access>();
            extensions.insert(anonymous);
        }
    }
}

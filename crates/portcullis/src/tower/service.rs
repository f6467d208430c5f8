//! The service of a [`Secure`](super::Secure) layer.

use std::{
    mem,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower_service::Service;

use super::{body::ResponseBody, future::ResponseFuture};
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
        match self.secure.judge(&presented(&request)) {
            Judging::Done(verdict) => match verdict.outcome {
                Ok(admitted) => {
                    leave(admitted, request.extensions_mut());
                    ResponseFuture::passed(self.inner.call(request))
                }
                Err(refusal) => ResponseFuture::answered(self.secure.answer(&refusal)),
            },
            Judging::Waits(pending) => {
                // The inner service that was polled ready goes with the request; its clone stays, and is polled next time.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(self.secure.clone(), pending, request, ready)
            }
        }
    }
}

fn presented<B>(request: &Request<B>) -> Presented<'_> {
    let extensions = request.extensions();
    let target = request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    Presented::new(request.headers()).request(request.method().as_str(), target).after(extensions.get())
}

/// Puts the evidence that a request may pass into its extensions: that of this layer alone.
pub(super) fn leave(admitted: Admitted, extensions: &mut Extensions) {
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

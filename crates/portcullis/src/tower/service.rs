//! The service of a [`Secure`](super::Secure) layer.

use std::{
    mem,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower_service::Service;

use super::{
    body::ResponseBody,
    content::{self, Read},
    credentials,
    future::{Reading, ResponseFuture},
};
use crate::gate::{Access, Admitted, ClientAuthority, Judging, Presented, Secure};

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
        let were_taken_off = credentials::put_back(&mut request);
        if self.secure.protects_resource() {
            if let Some(document) = self.secure.metadata_response(request.method().as_str(), request.uri().path()) {
                return ResponseFuture::answered(document);
            }
            if let Some(reading) = reading(&self.secure, &mut request) {
                return ResponseFuture::reading(self.secure.clone(), reading, request, self.ready());
            }
        }
        match self.secure.judge(&presented(&self.secure, &request)) {
            Judging::Done(verdict) => match verdict.outcome {
                Ok(admitted) => {
                    leave(&self.secure, admitted, &mut request, were_taken_off);
                    ResponseFuture::passed(self.inner.call(request), self.secure.dpop_nonce())
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

/// The reading of the content, if the verdict may depend on it and the layer can read it.
fn reading<B: 'static>(secure: &Secure, request: &mut Request<B>) -> Option<Reading> {
    let limit = secure.content_limit(&presented(secure, request))?;
    let body = content::take(request)?;
    Some(Box::pin(Read::up_to(limit, body)))
}

pub(super) fn presented<'a, B>(secure: &Secure, request: &'a Request<B>) -> Presented<'a> {
    let extensions = request.extensions();
    let target = request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let authority =
        request.uri().authority().map_or(ClientAuthority::HostField, |at| ClientAuthority::Known(at.as_str()));
    let presented = Presented::new(request.headers())
        .request(request.method().as_str(), target)
        .authority(authority)
        .client_certificate(extensions.get().copied())
        .after(extensions.get());
    // Each look takes time, and only DPoP proofs are held against these.
    if !secure.minds_proofs() {
        return presented;
    }
    presented
        .original_target(original_target(extensions))
        .peer(extensions.get().copied())
        .after_anonymous(extensions.get())
}

/// The path and query before axum's `nest` has taken a prefix off.
#[cfg(feature = "axum")]
fn original_target(extensions: &Extensions) -> Option<&str> {
    let axum::extract::OriginalUri(uri) = extensions.get()?;
    uri.path_and_query().map(http::uri::PathAndQuery::as_str)
}

#[cfg(not(feature = "axum"))]
fn original_target(_: &Extensions) -> Option<&str> {
    None
}

/// Puts the evidence that a request may pass into its extensions: that of this layer alone.
///
/// `Authorization` fields that an outer layer has taken off do not go on either.
pub(super) fn leave<B>(secure: &Secure, admitted: Admitted, request: &mut Request<B>, were_taken_off: bool) {
    if were_taken_off || !secure.forwards_authorization() {
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

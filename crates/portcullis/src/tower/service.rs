//! The service that [`Secure`](super::Secure) puts before another.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{body::ResponseBody, future::ResponseFuture, gate::Gate};

/// Calls the inner service for requests that may pass; answers the others itself.
#[derive(Debug, Clone)]
pub struct SecureService<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> SecureService<S> {
    pub(super) fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
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
        match self.gate.judge_now(request.headers(), request.extensions()) {
            Some(Ok(admission)) => {
                admission.leave_in(request.extensions_mut());
                ResponseFuture::passed(self.inner.call(request))
            }
            Some(Err(refusal)) => ResponseFuture::refused(self.gate.refuse(&refusal)),
            None => {
                // The inner service that was polled ready goes with the request; its clone is yet to be polled.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(Arc::clone(&self.gate), request, ready)
            }
        }
    }
}

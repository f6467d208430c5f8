//! [`Secure`] as middleware, and the middleware's service.

use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use super::{content::Read, convert, credentials, future::MiddlewareFuture};
use crate::{
    gate::{Access, Admitted, ClientAuthority, ConnectionPeer, Judging, Presented, Secure, Verdict},
    proof::ClientCertificate,
    questions::ClientAddress,
};

/// Calls the inner service for requests that may pass; answers the others itself.
pub struct SecureMiddleware<S> {
    secure: Secure,
    /// Shared with waiting requests.
    inner: Rc<S>,
}

/// Middleware of actix-web, with the feature `actix`: `App::new().wrap(secure)`.
impl<S, B> Transform<S, ServiceRequest> for Secure
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = SecureMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<SecureMiddleware<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SecureMiddleware { secure: self.clone(), inner: Rc::new(inner) }))
    }
}

impl<S, B> Service<ServiceRequest> for SecureMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = MiddlewareFuture<S>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        credentials::put_back(&mut request);
        if self.secure.protects_resource() {
            if let Some(document) = self.secure.metadata_response(request.method().as_str(), request.path()) {
                return MiddlewareFuture::answered(request.into_response(convert::response(document)));
            }
            if let Some(limit) = self.secure.content_limit(&presented(&request)) {
                let reading = Box::pin(Read::up_to(limit, request.take_payload()));
                return MiddlewareFuture::reading(reading, self.clone(), request);
            }
        }
        self.go_on(self.judge(&request, presented(&request)), request)
    }
}

impl<S: Service<ServiceRequest>> SecureMiddleware<S> {
    /// Judges what was presented, behind outer middleware of this request.
    fn judge(&self, request: &ServiceRequest, presented: Presented<'_>) -> Judging {
        let extensions = request.extensions();
        self.secure.judge(&presented.after(extensions.get()).after_anonymous(extensions.get()))
    }

    /// Judges the request with its content, and puts that back.
    pub(super) fn judge_read(&self, request: &mut ServiceRequest, read: Read) -> Judging {
        let judging = self.judge(request, presented(request).content(read.content()));
        read.put_back(request);
        judging
    }

    /// Responds by the verdict, as soon as it is there.
    pub(super) fn go_on(&self, judging: Judging, request: ServiceRequest) -> MiddlewareFuture<S> {
        match judging {
            Judging::Done(verdict) => self.respond(verdict, request),
            Judging::Waits(pending) => {
                let client = request.extensions().get::<ClientAddress>().copied();
                MiddlewareFuture::waiting(pending.by_client(client), self.clone(), request)
            }
        }
    }

    /// Calls the inner service if the request may pass, or refuses it.
    pub(super) fn respond(&self, verdict: Verdict, mut request: ServiceRequest) -> MiddlewareFuture<S> {
        match verdict.outcome {
            Ok(admitted) => {
                if !self.secure.forwards_authorization() || credentials::were_taken_off(&request) {
                    credentials::take_off(&mut request);
                }
                leave(admitted, &request);
                MiddlewareFuture::passed(self.inner.call(request), self.secure.dpop_nonce())
            }
            Err(refusal) => {
                let response = convert::response(self.secure.answer(&refusal));
                MiddlewareFuture::answered(request.into_response(response))
            }
        }
    }
}

fn presented(request: &ServiceRequest) -> Presented<'_> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let authority =
        request.uri().authority().map_or(ClientAuthority::HostField, |at| ClientAuthority::Known(at.as_str()));
    Presented::new(request.headers())
        .request(request.method().as_str(), target)
        .authority(authority)
        .peer(request.peer_addr().map(|peer| ConnectionPeer(peer.ip())))
        .client_certificate(client_certificate(request))
}

/// The client's certificate, of the request or, by `HttpServer::on_connect`, of its connection.
fn client_certificate(request: &ServiceRequest) -> Option<ClientCertificate> {
    request.extensions().get().or_else(|| request.conn_data()).copied()
}

/// Puts the evidence that a request may pass into its extensions: that of this middleware alone.
fn leave(admitted: Admitted, request: &ServiceRequest) {
    let mut extensions = request.extensions_mut();
    match admitted {
        Admitted::Bearer(access) => {
            extensions.insert(access);
        }
        Admitted::Anonymous(anonymous) => {
            // The access of outer middleware is not this one's verdict.
            extensions.remove::<Access>();
            extensions.insert(anonymous);
        }
    }
}

impl<S> Clone for SecureMiddleware<S> {
    fn clone(&self) -> Self {
        Self { secure: self.secure.clone(), inner: Rc::clone(&self.inner) }
    }
}

impl<S> fmt::Debug for SecureMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureMiddleware").finish_non_exhaustive()
    }
}

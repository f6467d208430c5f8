//! The gRPC service: one method, `Check`.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use envoy_types::ext_authz::v3::pb::CheckRequest;
use http::Request;
use http_body::Body;
use tonic::{Code, Response, Status, codegen::StdError, server::UnaryService};
use tower_service::Service;

use super::{
    ExtAuthz,
    codec::{Answer, CheckCodec},
    pieces::Pieces,
    slim::slim,
};
use crate::telemetry::Seldom;

/// The method's path.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<B> Service<Request<B>> for ExtAuthz
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Pieces<tonic::body::Body>>;
    type Error = Infallible;
    type Future = Answering<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if request.uri().path() != CHECK {
            let unknown = Status::unimplemented("expected the method Check, got another").into_http();
            return Box::pin(std::future::ready(Ok(unknown.map(Pieces::of))));
        }
        let method = Check(self.clone());
        let check_bytes = self.check_bytes;
        let gateway = self.decider.gateway();
        // A stranger is refused whatever it sends, so it may not fill the memory with content.
        let content_bytes = if gateway.trusts(self.peer) { gateway.content_bytes() } else { 0 };
        let most = check_bytes.saturating_add(content_bytes);
        let mut grpc = tonic::server::Grpc::new(CheckCodec).max_decoding_message_size(most);
        Box::pin(async move {
            let answer = grpc.unary(method, request).await;
            tell_of_size(&answer, check_bytes);
            Ok(answer.map(Pieces::of))
        })
    }
}

/// Logs the limit by which a check was refused: Envoy turns the refusal into 403 without a reason.
fn tell_of_size<B>(answer: &http::Response<B>, check_bytes: usize) {
    static TOLD: Seldom = Seldom::new();
    let status = Status::from_header_map(answer.headers());
    if status.is_some_and(|status| status.code() == Code::OutOfRange) {
        metrics::counter!(crate::telemetry::names::CHECKS_TOO_LARGE.name).increment(1);
        if TOLD.is_due() {
            tracing::warn!(check_bytes, "a check was refused: expected at most limits.check_bytes, got a larger one");
        }
    }
}

struct Check(ExtAuthz);

impl UnaryService<CheckRequest> for Check {
    type Response = Answer;
    type Future = Answering<Response<Answer>, Status>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let service = self.0.clone();
        let Some(check) = slim(request.into_inner(), service.check_bytes) else {
            let refused = Status::out_of_range("expected header fields of at most limits.check_bytes, got larger ones");
            return Box::pin(std::future::ready(Err(refused)));
        };
        Box::pin(async move { Ok(Response::new(service.check(check).await)) })
    }
}

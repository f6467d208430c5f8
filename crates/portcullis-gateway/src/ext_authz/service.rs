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
use tonic::{Response, Status, codegen::StdError, server::UnaryService};
use tower_service::Service;

use super::{
    ExtAuthz,
    codec::{Answer, CheckCodec},
    pieces::Pieces,
};

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
            let unknown = Status::unimplemented("the only method is Check").into_http();
            return Box::pin(std::future::ready(Ok(unknown.map(Pieces::of))));
        }
        let method = Check(self.clone());
        Box::pin(async move { Ok(tonic::server::Grpc::new(CheckCodec).unary(method, request).await.map(Pieces::of)) })
    }
}

struct Check(ExtAuthz);

impl UnaryService<CheckRequest> for Check {
    type Response = Answer;
    type Future = Answering<Response<Answer>, Status>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move { Ok(Response::new(service.check(request.into_inner()).await)) })
    }
}

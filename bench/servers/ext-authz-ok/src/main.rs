//! tonic that answers OK to every request of Envoy: the speed to compare ext_authz with.

use envoy_types::ext_authz::v3::{
    CheckResponseExt,
    pb::{Authorization, AuthorizationServer, CheckRequest, CheckResponse},
};
use server::{Arguments, Outcome};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

struct Pass;

#[tonic::async_trait]
impl Authorization for Pass {
    async fn check(&self, _request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(CheckResponse::with_status(Status::ok(""))))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let listener = Arguments::from_command_line().listen().await?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(Server::builder().add_service(AuthorizationServer::new(Pass)).serve_with_incoming(incoming).await?)
}

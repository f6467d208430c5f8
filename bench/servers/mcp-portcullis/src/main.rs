//! An MCP endpoint on axum behind Portcullis, guarded as any API or as an MCP server.

use axum::{Router, body::Bytes, routing::post};
use clap::{Parser, ValueEnum};
use portcullis::{Claims, ConfigurationError, JwksService, ProtectedResource, Secure, Verifier};
use server::{Arguments, Outcome};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    server: Arguments,
    /// The guard of the endpoint
    #[arg(long)]
    guard: Guard,
}

#[derive(Clone, Copy, ValueEnum)]
enum Guard {
    /// The token alone
    Api,
    /// The MCP preset, without rules for tools
    Mcp,
    /// The MCP preset, with rules for tools
    Tools,
}

/// An MCP server has to read the content; the answer is that of all servers.
async fn call(claims: Claims<server::Claims>, content: Bytes) -> &'static str {
    if content.is_empty() { "what is to be done?" } else { claims.answer() }
}

fn secure(arguments: &Arguments, guard: Guard) -> Result<Secure, ConfigurationError> {
    let verifier = Verifier::builder(JwksService::new(&arguments.jwks_uri)?).issuer(&arguments.issuer);
    let resource = ProtectedResource::new(&arguments.audience).issuer(verifier);
    match guard {
        Guard::Api => Secure::protecting(resource),
        Guard::Mcp => Secure::mcp(resource),
        Guard::Tools => Secure::mcp(resource.tool("list_*", ["orders:read"]).tool("delete_*", ["orders:write"])),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let CommandLine { server, guard } = CommandLine::parse();
    let app = Router::new().route("/", post(call)).layer(secure(&server, guard)?);
    let listener = server.listen().await?;
    Ok(axum::serve(listener, app).await?)
}

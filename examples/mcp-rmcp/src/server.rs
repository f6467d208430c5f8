//! An MCP server with rmcp behind axum, guarded by Portcullis.
//!
//! ```console
//! $ cd examples/mcp-rmcp && cargo run
//! ```
//!
//! `ISSUER` names your authorization server, `PORT` another port, `RESOURCE` the URL of the server as clients know it.

use std::{env, error::Error, sync::Arc};

use axum::Router;
use portcullis::{ProtectedResource, Secure, Verifier};
use rmcp::transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager};

mod files;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = env::var("ISSUER").unwrap_or_else(|_| "http://127.0.0.1:3001".to_owned());
    let port = env::var("PORT").unwrap_or_else(|_| "8000".to_owned());
    let resource = env::var("RESOURCE").unwrap_or_else(|_| format!("http://127.0.0.1:{port}/mcp"));

    let files = files::Files::default();
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(files.clone()), sessions, Default::default());
    let app = Router::new().nest_service("/mcp", service);

    let files = ProtectedResource::new(&resource).name("Files").issuer(Verifier::discover(&issuer)?);
    let secure = Secure::mcp(files.tool("delete_*", ["files:write"]))?.scope(["files:read"]);
    let app = secure.protect(app);

    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{resource} is ready");
    Ok(axum::serve(listener, app).await?)
}

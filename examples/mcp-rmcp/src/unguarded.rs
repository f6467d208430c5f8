//! The MCP server of `server.rs` before it was guarded.

use std::{env, error::Error, sync::Arc};

use axum::Router;
use rmcp::transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager};

mod files;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").unwrap_or_else(|_| "8000".to_owned());

    let files = files::Files::default();
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(files.clone()), sessions, Default::default());
    let app = Router::new().nest_service("/mcp", service);

    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app).await?)
}

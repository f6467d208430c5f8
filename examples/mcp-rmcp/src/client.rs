//! An MCP client with rmcp: registers, logs in, calls a tool, and asks for more scope when it is told to.
//!
//! ```console
//! $ cd examples/mcp-rmcp && cargo run --bin mcp-rmcp-client -- http://127.0.0.1:8000/mcp
//! ```
//!
//! rmcp discovers, registers and exchanges the code. It tells of a challenge, and the client decides to log in again.

use std::{env, error::Error};

use login::Login;
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, ClientConfig, JsonObject, ProtocolVersion},
    serde_json::json,
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};

mod login;

type Session = RunningService<RoleClient, ClientConfig>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8000/mcp".to_owned());
    let mut login = Login::new(&url).await?;
    let mut session = connect(&url, &mut login).await?;
    println!("connected");
    for (tool, arguments) in [("list_files", json!({})), ("delete_file", json!({ "name": "draft.txt" }))] {
        let text = call(&url, &mut session, &mut login, tool, &arguments).await?;
        println!("{tool}: {}", text.replace('\n', ", "));
    }
    session.cancel().await?;
    Ok(())
}

/// Connects, after a login if the server asks for one.
async fn connect(url: &str, login: &mut Login) -> Result<Session, Box<dyn Error>> {
    loop {
        let config = StreamableHttpClientTransportConfig::with_uri(url);
        let config = match login.token().await? {
            Some(token) => config.auth_header(token),
            None => config,
        };
        let versions =
            ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None };
        let transport = StreamableHttpClientTransport::from_config(config);
        match ClientConfig::default().serve_with_lifecycle(transport, versions).await {
            Ok(session) => return Ok(session),
            Err(error) => login.answer(error.auth_challenge().ok_or(error.to_string())?).await?,
        }
    }
}

/// Calls a tool and returns its text, after another login if the server asks for more scope.
async fn call(
    url: &str,
    session: &mut Session,
    login: &mut Login,
    tool: &'static str,
    arguments: &rmcp::serde_json::Value,
) -> Result<String, Box<dyn Error>> {
    loop {
        let arguments = arguments.as_object().cloned().unwrap_or_else(JsonObject::new);
        match session.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await {
            Ok(result) => {
                let texts = result.content.iter().filter_map(|content| Some(content.as_text()?.text.as_str()));
                return Ok(texts.collect());
            }
            Err(error) => login.answer(error.auth_challenge().ok_or(error.to_string())?).await?,
        }
        *session = connect(url, login).await?;
    }
}

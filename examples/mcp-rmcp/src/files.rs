//! The MCP server of the example: two tools for files in memory, and nothing about tokens.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    model::{ServerCapabilities, ServerConfig},
    schemars::{self, JsonSchema},
    tool, tool_handler, tool_router,
};
use serde::Deserialize;

/// Files that all requests share.
#[derive(Debug, Clone)]
pub(crate) struct Files(Arc<Mutex<BTreeSet<String>>>);

impl Default for Files {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(["draft.txt", "notes.txt"].map(str::to_owned).into())))
    }
}

/// The arguments of `delete_file`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[tool_router]
impl Files {
    #[tool(description = "Lists the files")]
    fn list_files(&self) -> String {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    #[tool(description = "Deletes a file")]
    fn delete_file(&self, Parameters(Name { name }): Parameters<Name>) -> String {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.remove(&name) { format!("deleted {name}") } else { format!("there is no {name}") }
    }
}

#[tool_handler]
impl ServerHandler for Files {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

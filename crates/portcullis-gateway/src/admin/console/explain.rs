//! The explanation of a pasted token.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    decision::Gateway,
    explain::{Judged, Line, Route, bare, by_gateway},
};

/// A token, and optionally the request to explain it for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    token: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

/// Explains a token, for the route of its request if one is given.
pub(super) async fn explain(gateway: &Gateway, Question { token, method, path }: Question) -> Value {
    let request = path.filter(|path| !path.is_empty());
    let request = request.map(|path| Line { method: method.unwrap_or_else(|| "GET".to_owned()), path });
    match by_gateway(gateway, request.as_ref(), bare(token.as_bytes()), SystemTime::now()).await {
        Judged::Unrouted(fault) => json!({ "fault": { "code": fault.code(), "reason": fault.reason() } }),
        Judged::Public { route } => json!({ "route": route, "public": true }),
        Judged::Token { route: None, explanation } => json!({ "explanation": explanation }),
        Judged::Token { route: Some(Route { name, report_only }), explanation } => {
            json!({ "route": name, "report_only": report_only, "explanation": explanation })
        }
    }
}

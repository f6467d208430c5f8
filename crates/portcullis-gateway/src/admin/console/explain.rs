//! The explanation of a pasted token.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    decision::Gateway,
    explain::{Credentials, Judged, Line, Route, by_gateway},
};

/// A token, and optionally the request to explain it for, with its DPoP proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    token: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    proof: Option<String>,
}

/// Explains a token, for the route of its request if one is given. The proof stays good for the client's own request.
pub(super) async fn explain(gateway: &Gateway, Question { token, method, path, proof }: Question) -> Value {
    let request = path.filter(|path| !path.is_empty());
    let request = request.map(|path| Line::new(method.as_deref().unwrap_or("GET"), &path));
    let credentials = Credentials::new(token.as_bytes(), proof.as_deref().map(str::as_bytes), None);
    if credentials.has_proof() && request.is_none() {
        let reason = "a proof is for one request: give its method and URL, too";
        return json!({ "fault": { "code": "no_request", "reason": reason } });
    }
    match by_gateway(gateway, request.as_ref(), &credentials, SystemTime::now()).await {
        Judged::Unrouted(fault, _) => json!({ "fault": { "code": fault.code(), "reason": fault.reason() } }),
        Judged::Public { route } => json!({ "route": route, "public": true }),
        Judged::Token { route: None, explanation, .. } => json!({ "explanation": explanation }),
        Judged::Token { route: Some(Route { name, report_only, exchanges }), explanation, .. } => {
            json!({ "route": name, "report_only": report_only, "exchanges": exchanges, "explanation": explanation })
        }
    }
}

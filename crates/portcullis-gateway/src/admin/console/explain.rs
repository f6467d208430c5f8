//! Why a pasted token passes or is refused.

use std::time::SystemTime;

use portcullis::Secure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    decision::{Asked, Gateway, Original},
    explain::bare,
};

/// A token, and the request that it would come with, if that is of interest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    token: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

/// The explanation, and the route that it is for.
pub(super) async fn explain(gateway: &Gateway, question: Question) -> Value {
    let field = [b"Bearer ", bare(question.token.as_bytes())].concat();
    let authorization: &[&[u8]] = &[&field];
    let Some(path) = question.path.as_deref().filter(|path| !path.is_empty()) else {
        let secure = Secure::new(gateway.issuers().verifier().clone());
        return json!({ "explanation": secure.explain(authorization, SystemTime::now()).await });
    };
    let method = question.method.as_deref().unwrap_or("GET");
    match gateway.asked(&Original { method, target: path, authorization, traceparent: None }) {
        Err(fault) => json!({ "fault": { "code": fault.code(), "reason": fault.reason() } }),
        Ok(Asked { route, secure: None, .. }) => json!({ "route": route, "public": true }),
        Ok(Asked { route, secure: Some(secure), report_only }) => {
            let explanation = secure.explain(authorization, SystemTime::now()).await;
            json!({ "route": route, "report_only": report_only, "explanation": explanation })
        }
    }
}

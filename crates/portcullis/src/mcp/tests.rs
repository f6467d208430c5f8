//! The scope values that each request needs, or the code that it gets.

mod bodies;
mod fields;
mod oracle;
mod origins;
mod readings;
mod rules;

use serde_json::json;

use super::*;
use crate::policy::{Policy, Rules};

const RESOURCE: &str = "https://mcp.example.com/mcp";

/// The rules of most tests: deleting needs `write`, calling the tool `audit` also `audit`, reading keys `keys`.
fn mcp() -> Mcp {
    of(&json!({
        "allowed_origins": ["https://chat.example.com"],
        "tools": [{ "name": "delete_*", "scope": ["write"] }, { "name": "*audit", "scope": ["audit"] }],
        "methods": [
            { "method": "resources/*", "scope": ["read"] },
            { "method": "resources/read", "name": "file:///keys/*", "scope": ["keys"] },
        ],
    }))
}

fn of(rules: &serde_json::Value) -> Mcp {
    let rules: McpRules = serde_json::from_value(rules.clone()).unwrap();
    rules.check().unwrap();
    Mcp::new(&rules, RESOURCE, &Policy::new(&Rules::default(), Vec::new()))
}

type Fields<'a> = Vec<(&'a str, &'a [u8])>;

fn fields<'a>(pairs: &[(&'a str, &'a str)]) -> Fields<'a> {
    pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
}

/// The scope values that are needed, or the code of the refusal.
fn judged(mcp: &Mcp, method: &str, fields: &Fields<'_>, content: Content<'_>) -> String {
    match mcp.needed(method, fields, content) {
        Ok(needed) => mcp.scope(&needed),
        Err(fault) => crate::Refusal::Request(fault).code().to_owned(),
    }
}

/// The same for a message in JSON.
fn posted(content: &str) -> String {
    judged(&mcp(), "POST", &fields(&[("content-type", "application/json")]), Content::Whole(content.as_bytes()))
}

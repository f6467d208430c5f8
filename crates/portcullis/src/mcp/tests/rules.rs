//! The rules as data.

use serde::Deserialize;

use super::*;

#[test]
fn a_mistake_is_told_at_its_field() {
    let table = [
        (json!({ "allowed_origins": ["https://a.example/"] }), "`allowed_origins[0]`: expected an origin"),
        (
            json!({ "allowed_origins": ["https://a.example", "*"] }),
            "`allowed_origins[1]`: expected an origin such as https://chat.example.com, got \"*\": name each origin",
        ),
        (json!({ "allowed_origins": ["null"] }), "`allowed_origins[0]`: expected an origin"),
        (json!({ "tools": [{ "name": "", "scope": ["a"] }] }), "`tools[0].name`: expected a name or a pattern"),
        (json!({ "tools": [{ "name": "a", "scope": [] }] }), "`tools[0].scope`: expected at least one scope value"),
        (json!({ "tools": [{ "name": "a", "scope": ["b c"] }] }), "`tools[0].scope[0]`: expected one scope value"),
        (json!({ "methods": [{ "method": "", "scope": ["a"] }] }), "`methods[0].method`: expected a name or a pattern"),
        (
            json!({ "methods": [{ "method": "tools/list", "name": "a", "scope": ["a"] }] }),
            "`methods[0].name`: expected a method that names something",
        ),
        (
            json!({ "methods": [{ "method": "tools/call", "name": "", "scope": ["a"] }] }),
            "`methods[0].name`: expected a name or a pattern",
        ),
        (json!({ "max_body_bytes": 0 }), "`max_body_bytes`: expected at least 1 byte"),
    ];
    for (rules, expected) in table {
        let error = serde_json::from_value::<McpRules>(rules.clone()).unwrap().check().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{rules}: {error}");
    }
}

#[test]
fn unknown_members_are_an_error() {
    for rules in [
        json!({ "tool": [] }),
        json!({ "tools": [{ "name": "a", "scopes": ["b"] }] }),
        json!({ "tools": [{ "name": "a" }] }),
        json!({ "methods": [{ "scope": ["b"] }] }),
    ] {
        serde_json::from_value::<McpRules>(rules.clone()).expect_err(&rules.to_string());
    }
}

#[test]
fn rules_are_switched_on_by_true() {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default, deserialize_with = "switch")]
        mcp: Option<McpRules>,
    }
    let read = |settings| serde_json::from_value::<Settings>(settings).map(|settings| settings.mcp);
    assert_eq!(read(json!({})).unwrap(), None);
    assert_eq!(read(json!({ "mcp": null })).unwrap(), None);
    assert_eq!(read(json!({ "mcp": false })).unwrap(), None);
    assert_eq!(read(json!({ "mcp": true })).unwrap(), Some(McpRules::default()));
    assert!(read(json!({ "mcp": { "forward_authorization": true } })).unwrap().unwrap().forward_authorization);
    assert!(read(json!({ "mcp": { "unknown": true } })).is_err());
    assert!(read(json!({ "mcp": "yes" })).is_err());
}

//! Messages of random pieces, held against another reader.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Pieces of which many sequences are nearly messages.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        r#""method":"tools/call""#,
        r#""method":"ping""#,
        r#""Method":"tools/call""#,
        r#""params":{"name":"delete_all"}"#,
        r#""params":{"name":"list"}"#,
        r#""name":"delete_all""#,
        r#""n\u0061me":"list""#,
        r#""params":{"#,
        r#""id":1"#,
        r#"{"method":"tools/call","params":{"name":"delete_all"}}"#,
        r#"{"method":"tools/call","params":{"name":"list"}}"#,
        r#"{"id":1,"result":{}}"#,
        " ",
    ])
}

fn deletes(message: &Value) -> bool {
    message["method"] == "tools/call"
        && message["params"]["name"].as_str().is_some_and(|name| name.starts_with("delete_"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_message_that_passes_asks_for_what_another_reader_finds(pieces in prop::collection::vec(piece(), 0..12), wrap in any::<bool>()) {
        let joined = pieces.join("");
        let text = if wrap { format!("{{{}}}", pieces.join(",")) } else { joined };
        let judged = posted(&text);
        if judged != "mcp_body" {
            let other: Value = serde_json::from_str(&text).unwrap();
            let messages = other.as_array().map_or(std::slice::from_ref(&other), Vec::as_slice);
            prop_assert_eq!(judged == "write", messages.iter().any(deletes), "{}", text);
        }
    }

    #[test]
    fn a_name_that_passes_is_the_one_that_another_reader_finds(name in "(delete_)?[ -~ö]{0,6}", encode in any::<bool>()) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let field = if encode { format!("=?base64?{}?=", STANDARD.encode(&name)) } else { name.clone() };
        let pairs = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", field.as_str())];
        let judged = judged(&mcp(), "POST", &fields(&pairs), Content::Unseen);
        if judged != "mcp_fields_malformed" {
            let name = if encode { name.as_str() } else { name.trim() };
            prop_assert_eq!(judged.starts_with("write"), name.starts_with("delete_"), "{}", field);
        } else if encode {
            prop_assert!(name.is_empty(), "{}", field);
        }
    }
}

//! Fields that mirror the content, or stand for it.

use super::*;

const NOW: (&str, &str) = ("MCP-Protocol-Version", "2026-07-28");
const CALL: (&str, &str) = ("Mcp-Method", "tools/call");

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn unseen(pairs: Pairs<'_>) -> String {
    judged(&mcp(), "POST", &fields(pairs), Content::Unseen)
}

#[test]
fn fields_decide_where_the_content_is_unseen() {
    let table: &[(Pairs<'_>, &str)] = &[
        (&[NOW, ("Mcp-Method", "tools/list")], ""),
        (&[NOW, CALL, ("Mcp-Name", "list")], ""),
        (&[NOW, CALL, ("Mcp-Name", "delete_all")], "write"),
        (&[NOW, CALL, ("Mcp-Name", "  delete_all\t")], "write"),
        (&[NOW, CALL, ("Mcp-Name", "delete_*")], "write"),
        (&[NOW, CALL, ("Mcp-Name", "*")], ""),
        (&[("mcp-protocol-version", "2027-01-01"), ("mcp-method", "tools/call"), ("mcp-name", "delete_all")], "write"),
        (&[NOW, ("Mcp-Method", "resources/list")], "read"),
        (&[NOW, ("Mcp-Method", "resources/read"), ("Mcp-Name", "file:///keys/1")], "read keys"),
        // Nothing depends on the name of a prompt.
        (&[NOW, ("Mcp-Method", "prompts/get")], ""),
        // `delete_ö` and `delete_a,b`.
        (&[NOW, CALL, ("Mcp-Name", "=?base64?ZGVsZXRlX8O2?=")], "write"),
        (&[NOW, CALL, ("Mcp-Name", "=?base64?ZGVsZXRlX2EsYg==?=")], "write"),
    ];
    for (pairs, expected) in table {
        assert_eq!(unseen(pairs), *expected, "{pairs:?}");
    }
}

#[test]
fn fields_that_are_absent_or_not_binding_do_not_decide() {
    let table: &[Pairs<'_>] = &[
        &[],
        &[NOW],
        &[CALL, ("Mcp-Name", "list")],
        &[NOW, CALL],
        &[NOW, ("Mcp-Method", "resources/read")],
        &[NOW, ("Mcp-Name", "list")],
        // Servers of these versions do not hold the fields against the content.
        &[("MCP-Protocol-Version", "2025-11-25"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "2025-06-18"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "2026-07-27"), CALL, ("Mcp-Name", "list")],
        // Not a version.
        &[("MCP-Protocol-Version", "9"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "latest"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "2026-07-28-draft"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "2026/07/28"), CALL, ("Mcp-Name", "list")],
        &[("MCP-Protocol-Version", "2026-07-28, 2025-11-25"), CALL, ("Mcp-Name", "list")],
    ];
    for pairs in table {
        assert_eq!(unseen(pairs), "mcp_fields_missing", "{pairs:?}");
    }
}

#[test]
fn a_name_that_no_server_holds_against_the_content_does_not_decide() {
    let by_name = of(&json!({ "methods": [{ "method": "resources/*", "name": "file:///keys/*", "scope": ["keys"] }] }));
    let by_method = of(&json!({ "methods": [{ "method": "resources/*", "scope": ["read"] }] }));
    for (method, expected) in [
        ("resources/read", ["", "read"]),
        ("resources/subscribe", ["mcp_fields_missing", "read"]),
        ("resources/unsubscribe", ["mcp_fields_missing", "read"]),
        ("resources/list", ["", "read"]),
    ] {
        let pairs = fields(&[NOW, ("Mcp-Method", method), ("Mcp-Name", "file:///public")]);
        let found = [&by_name, &by_method].map(|mcp| judged(mcp, "POST", &pairs, Content::Unseen));
        assert_eq!(found, expected, "{method}");
    }
}

#[test]
fn malformed_fields_are_refused_whether_the_content_is_seen_or_not() {
    let content = Content::Whole(br#"{"method":"tools/call","params":{"name":"list"}}"#);
    let table: &[Pairs<'_>] = &[
        &[NOW, CALL, ("Mcp-Name", "list"), ("Mcp-Name", "list")],
        &[NOW, CALL, ("Mcp-Name", "list"), ("mcp-name", "delete_all")],
        &[NOW, CALL, CALL, ("Mcp-Name", "list")],
        &[NOW, NOW, CALL, ("Mcp-Name", "list")],
        &[NOW, ("Mcp-Method", "tools/list, tools/call"), ("Mcp-Name", "list")],
        &[NOW, CALL, ("Mcp-Name", "")],
        &[NOW, ("Mcp-Method", ""), ("Mcp-Name", "list")],
        &[NOW, CALL, ("Mcp-Name", "li\0st")],
        &[NOW, CALL, ("Mcp-Name", "li\tst")],
        &[NOW, CALL, ("Mcp-Name", "li\nst")],
        &[NOW, CALL, ("Mcp-Name", "löschen")],
        &[NOW, CALL, ("Mcp-Name", "list\u{7f}")],
        // No base64, not padded, stray bits, white space, base64url, not UTF-8, empty, control characters.
        &[NOW, CALL, ("Mcp-Name", "=?base64?%%%?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?YQ?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?YR==?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?YQ= =?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?_-8=?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?/w==?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64??=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?AA==?=")],
        // Like the sentinel, but not to the letter.
        &[NOW, CALL, ("Mcp-Name", "=?BASE64?bGlzdA==?=")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?bGlzdA==")],
        &[NOW, CALL, ("Mcp-Name", "=?base64?bGlzdA==?= ?=x")],
    ];
    let json = fields(&[("content-type", "application/json")]);
    for pairs in table {
        assert_eq!(unseen(pairs), "mcp_fields_malformed", "{pairs:?}");
        let with_type = [fields(pairs), json.clone()].concat();
        assert_eq!(judged(&mcp(), "POST", &with_type, content), "mcp_fields_malformed", "{pairs:?}");
    }
    // Perhaps two fields that a proxy joined; beside the content it is one name or none.
    assert_eq!(unseen(&[NOW, CALL, ("Mcp-Name", "list,delete_all")]), "mcp_fields_malformed");
    // A server that makes variables of names holds the content against these.
    for other in ["Mcp_Name", "MCP_METHOD", "Mcp_Protocol_Version", "MCP-Protocol_Version", "MCP_Protocol-Version"] {
        let beside = [NOW, CALL, ("Mcp-Name", "list"), (other, "delete_all")];
        assert_eq!(unseen(&beside), "mcp_fields_malformed", "{other}");
    }
    let not_utf8 = vec![("Mcp-Name", b"\xff".as_slice())];
    assert_eq!(judged(&mcp(), "POST", &not_utf8, Content::Unseen), "mcp_fields_malformed");
}

#[test]
fn fields_have_to_agree_with_the_content() {
    let call = r#"{"id":1,"method":"tools/call","params":{"name":"list"}}"#;
    let emoji = r#"{"id":1,"method":"tools/call","params":{"name":" ö,"}}"#;
    let list = r#"{"id":1,"method":"tools/list"}"#;
    let answer = r#"{"id":1,"result":{}}"#;
    let batch = r#"[{"id":1,"method":"tools/list"}]"#;
    let table: &[(&str, Pairs<'_>, &str)] = &[
        (call, &[NOW, CALL, ("Mcp-Name", "list")], ""),
        (call, &[NOW, CALL, ("Mcp-Name", "=?base64?bGlzdA==?=")], ""),
        (emoji, &[NOW, CALL, ("Mcp-Name", "=?base64?IMO2LA==?=")], ""),
        // Absent ones are the server's to refuse, where its version asks for them.
        (call, &[], ""),
        (call, &[NOW, CALL], ""),
        (list, &[("Mcp-Method", "tools/list"), ("Mcp-Name", "ignored")], ""),
        (answer, &[NOW], ""),
        (batch, &[NOW], ""),
        (call, &[NOW, CALL, ("Mcp-Name", "List")], "mcp_fields_disagree"),
        (call, &[NOW, CALL, ("Mcp-Name", "list,delete_all")], "mcp_fields_disagree"),
        (call, &[NOW, CALL, ("Mcp-Name", "=?base64?TGlzdA==?=")], "mcp_fields_disagree"),
        (call, &[NOW, ("Mcp-Method", "tools/list")], "mcp_fields_disagree"),
        (call, &[NOW, ("Mcp-Method", "Tools/Call")], "mcp_fields_disagree"),
        (call, &[("MCP-Protocol-Version", "2025-11-25"), ("Mcp-Name", "other")], "mcp_fields_disagree"),
        (list, &[NOW, CALL, ("Mcp-Name", "list")], "mcp_fields_disagree"),
        (answer, &[NOW, CALL], "mcp_fields_disagree"),
        (answer, &[NOW, ("Mcp-Name", "list")], "mcp_fields_disagree"),
        (batch, &[NOW, ("Mcp-Method", "tools/list")], "mcp_fields_disagree"),
    ];
    for (content, pairs, expected) in table {
        let with_type = [fields(pairs), fields(&[("content-type", "application/json")])].concat();
        let judged = judged(&mcp(), "POST", &with_type, Content::Whole(content.as_bytes()));
        assert_eq!(judged, *expected, "{content} {pairs:?}");
    }
}

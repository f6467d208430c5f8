//! The `Origin` field.

use super::*;

#[test]
fn only_allowed_origins_pass() {
    let table: &[(&[&str], bool)] = &[
        (&[], true),
        (&["https://mcp.example.com"], true),
        (&["HTTPS://MCP.Example.COM"], true),
        (&["https://mcp.example.com:443"], true),
        (&["https://chat.example.com"], true),
        (&["null"], false),
        (&[""], false),
        (&["http://mcp.example.com"], false),
        (&["https://mcp.example.com:8443"], false),
        (&["https://mcp.example.com:80"], false),
        (&["https://mcp.example.com/"], false),
        (&["https://mcp.example.com."], false),
        (&["https://mcp.example.com.evil.example"], false),
        (&["https://evil.example"], false),
        (&["https://user@mcp.example.com"], false),
        (&["https://mcp.example.com https://evil.example"], false),
        (&["https://mcp.example.com, https://evil.example"], false),
        (&["https://mcp.example.com", "https://mcp.example.com"], false),
        (&["https://mcp.example.com", "https://evil.example"], false),
        (&["//mcp.example.com"], false),
        (&["*"], false),
    ];
    let mcp = of(&json!({ "allowed_origins": ["https://chat.example.com"] }));
    for (origins, passes) in table {
        let fields: Fields<'_> = origins.iter().map(|origin| ("Origin", origin.as_bytes())).collect();
        for method in ["POST", "GET", "DELETE", "OPTIONS"] {
            let expected = if *passes { "" } else { "mcp_origin" };
            assert_eq!(judged(&mcp, method, &fields, Content::Unseen), expected, "{method} {origins:?}");
        }
    }
}

#[test]
fn the_origin_comes_before_the_message() {
    let fields = fields(&[("origin", "https://evil.example"), ("mcp-method", "a"), ("mcp-method", "b")]);
    assert_eq!(judged(&mcp(), "POST", &fields, Content::Whole(b"no JSON")), "mcp_origin");
    assert_eq!(mcp().content_limit(&fields), None, "nothing is read for a page that may not send it");
}

#[test]
fn ports_of_loopback_origins_count() {
    let mcp = of(&json!({ "allowed_origins": ["http://localhost:6274", "http://[::1]:80"] }));
    for (origin, passes) in [
        ("http://localhost:6274", true),
        ("http://[::1]", true),
        ("http://localhost", false),
        ("http://localhost:6275", false),
        ("http://127.0.0.1:6274", false),
    ] {
        let judged = judged(&mcp, "GET", &fields(&[("origin", origin)]), Content::Unseen);
        assert_eq!(judged.is_empty(), passes, "{origin}");
    }
}

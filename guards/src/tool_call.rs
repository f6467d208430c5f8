//! The call of an MCP server's tool, as clients of the revision 2026-07-28 send it.

use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};

/// The content.
pub(crate) const CONTENT: &[u8] = br#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"list_orders",
    "arguments":{"customer":"7f6c2a4e-91d3-4b58-8e0a-000000000000","since":"2026-10-01","limit":20},
    "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
    "io.modelcontextprotocol/clientInfo":{"name":"guards","version":"1.0.0"},
    "io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// The header fields, apart from the token.
pub(crate) fn fields() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let fields = [
        (CONTENT_TYPE, "application/json"),
        (HeaderName::from_static("mcp-protocol-version"), "2026-07-28"),
        (HeaderName::from_static("mcp-method"), "tools/call"),
        (HeaderName::from_static("mcp-name"), "list_orders"),
    ];
    fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)))
}

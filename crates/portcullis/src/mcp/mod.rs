//! The Model Context Protocol (MCP): from a request to the scope values that its operation needs.
//!
//! Facts are from the MCP specification, revisions 2026-07-28, 2025-11-25 and 2025-06-18: "Streamable HTTP" and
//! "Authorization".
//!
//! ```text
//! Origin field ───────────────► Origins         passes, or 403
//! Mcp-Method, Mcp-Name fields ─► fields ──┐
//! JSON-RPC content ────────────► message ─┴► Operation: method, and the name of the tool, prompt or resource
//!                                              │
//! McpRules ──► OperationRules ─────────────────┴► Needed: the rules that match, whose scope values the token has to grant
//! ```
//!
//! 1. Where the content is seen, it decides. Fields that are there have to agree with it.
//! 2. Where only the fields are seen, they decide if the protocol version makes the MCP server hold them against the content
//!    (2026-07-28 and later). Otherwise the request is refused, since nothing is known about its operation. So is one whose method names
//!    something that the server does not hold against `Mcp-Name` (`resources/subscribe`), if a rule depends on the name.
//! 3. Nothing is read if there is no rule for an operation.
//! 4. `GET`, `HEAD`, `OPTIONS` and `DELETE` need no message: in revisions before 2026-07-28 they open a stream and end a
//!    session. Any other method is judged as `POST` is, and so is one of these with content or a field that overrides
//!    the method. Where the content is not seen, these methods are refused, since nobody knows whether they have any.
//!    An upgrade to WebSocket is refused: the messages behind it would not be judged.
//! 5. The message of a response that the client sends (before 2026-07-28) has no operation. A batch (before 2025-06-18)
//!    needs the scope values of all its members.
//!
//! # What bad input gets
//!
//! | request | status | code |
//! |---|---|---|
//! | `Origin` that is not on the list, is `null`, or comes twice | 403 | `mcp_origin` |
//! | `Mcp-Method` or `Mcp-Name` differs from the content | 400 | `mcp_fields_disagree` |
//! | one of them comes twice, has forbidden characters or a malformed base64 sentinel, or, where only fields are seen, comes as `Mcp_Name` | 400 | `mcp_fields_malformed` |
//! | only fields are seen, and one that the rules need is absent, the protocol version is older than 2026-07-28, or the method is one without a message | 400 | `mcp_fields_missing` |
//! | content that is not `application/json` in UTF-8, or has a content coding; an upgrade to WebSocket | 415 | `mcp_content_type` |
//! | content that is cut off, not strict JSON, nested too deep, or not a JSON-RPC message | 400 | `mcp_body` |
//! | content that is longer than the limit | 413 | `mcp_body_too_large` |
//!
//! # Members that look alike
//!
//! Some JSON readers (Go's and C#'s, by default) take `"Method"` for `"method"`. A message that has a member that differs
//! from one of those read here only in case is refused, as a duplicate member is. So is one with `"__proto__"`, whose members
//! JavaScript takes for the message's own when it copies the message.
//!
//! Servers look up a tool or prompt by its name to the letter, and a resource by its URI in [several ways](readings).

mod content;
mod fields;
mod message;
mod operation;
mod origin;
mod readings;
mod requirements;
mod rules;
mod transport;

pub use content::Content;
pub use rules::{McpRules, MethodRule, ToolRule};

pub(crate) use requirements::{Mcp, Needed};
pub(crate) use rules::switch;

#[cfg(test)]
mod tests;

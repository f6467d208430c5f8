//! Faults of the way that a request carries its credentials, or its message of the Model Context Protocol (MCP).

use std::fmt;

use super::{CheckKind, MessageFault, MessageId};

/// The fault of the way that a request carries its credentials, or its MCP message.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFault {
    /// No permitted place carries a token.
    NoCredentials,
    /// The `Authorization` field has another scheme than `Bearer`.
    OtherScheme,
    /// The `Bearer` scheme without a token.
    EmptyToken,
    /// More than one token, or two `Authorization` fields (RFC 6750 section 2).
    SeveralTokens,
    /// The `Origin` field has an origin that is not allowed.
    McpOrigin,
    /// Only header fields are seen, and they do not tell the operation in a way that the MCP server has to confirm.
    McpFieldsMissing,
    /// `MCP-Protocol-Version`, `Mcp-Method` or `Mcp-Name` comes twice or is malformed.
    McpFieldsMalformed,
    /// `Mcp-Method` or `Mcp-Name` differs from the content.
    McpFieldsDisagree {
        /// The `id` of the message.
        id: MessageId,
    },
    /// The content is not JSON in UTF-8 as it stands.
    McpContentType,
    /// The content is not a message that can be judged.
    McpBody(MessageFault),
    /// The content is longer than the limit (`max_body_bytes`).
    McpBodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl RequestFault {
    pub(super) fn code(&self) -> &'static str {
        self.row().0
    }

    pub(super) fn description(&self) -> &'static str {
        self.row().1
    }

    /// The check that gives this fault.
    pub(super) fn check(&self) -> CheckKind {
        match self {
            Self::NoCredentials | Self::OtherScheme | Self::EmptyToken | Self::SeveralTokens => CheckKind::Credentials,
            Self::McpOrigin => CheckKind::Origin,
            _ => CheckKind::Message,
        }
    }

    /// Tells whether the fault is of an MCP message, and not of the credentials.
    pub(crate) fn is_of_message(&self) -> bool {
        self.check() != CheckKind::Credentials
    }

    /// The code, and the description for clients.
    fn row(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoCredentials => ("no_credentials", "The request carries no access token"),
            Self::OtherScheme => ("other_scheme", "The request's authorization scheme is not Bearer"),
            Self::EmptyToken => ("empty_token", "Bearer token is empty"),
            Self::SeveralTokens => ("several_tokens", "The request carries more than one access token"),
            Self::McpOrigin => ("mcp_origin", "The request's origin is not allowed"),
            Self::McpFieldsMissing => (
                "mcp_fields_missing",
                "MCP-Protocol-Version 2026-07-28 or later, Mcp-Method, and Mcp-Name for what the method names are required",
            ),
            Self::McpFieldsMalformed => {
                ("mcp_fields_malformed", "MCP-Protocol-Version, Mcp-Method or Mcp-Name is malformed")
            }
            Self::McpFieldsDisagree { .. } => {
                ("mcp_fields_disagree", "Header mismatch: Mcp-Method or Mcp-Name differs from the message")
            }
            Self::McpContentType => ("mcp_content_type", "The message must be application/json in UTF-8"),
            Self::McpBody(_) => ("mcp_body", "The message cannot be read as JSON-RPC"),
            Self::McpBodyTooLarge { .. } => ("mcp_body_too_large", "The message is too large"),
        }
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredentials => f.write_str("the request carries no access token"),
            Self::OtherScheme => f.write_str("expected the Bearer scheme in the Authorization field, got another"),
            Self::EmptyToken => f.write_str("Bearer token is empty"),
            Self::SeveralTokens => {
                f.write_str("expected one access token, got several, or several Authorization fields")
            }
            Self::McpOrigin => f.write_str(
                "expected no Origin field, or the resource's own origin or one of `allowed_origins`, got another: add it there \
                 if pages of that origin may send requests",
            ),
            Self::McpFieldsMissing => f.write_str(
                "expected MCP-Protocol-Version 2026-07-28 or later with Mcp-Method, and Mcp-Name where a rule depends on the \
                 name, in a POST, got a request without them or with another method, whose content is not seen here: have the \
                 client use that revision, or show the content",
            ),
            Self::McpFieldsMalformed => f.write_str(
                "expected MCP-Protocol-Version, Mcp-Method and Mcp-Name once each, in this spelling, and in visible ASCII or as a \
                 base64 sentinel, got others",
            ),
            Self::McpFieldsDisagree { .. } => {
                f.write_str("expected Mcp-Method and Mcp-Name to mirror the message, got others")
            }
            Self::McpContentType => {
                f.write_str("expected the content type application/json in UTF-8 and no content coding, got another")
            }
            Self::McpBody(fault) => write!(f, "the message {fault}"),
            Self::McpBodyTooLarge { limit } => {
                write!(f, "expected a message of at most {limit} bytes (max_body_bytes), got a longer one")
            }
        }
    }
}

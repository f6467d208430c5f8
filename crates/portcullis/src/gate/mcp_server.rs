//! The gate of an MCP server: its presets, and the scope values that an operation needs, in check and challenge alike.

use super::{Presented, ProtectedResource, Secure, judge::Gate};
use crate::{
    bearer::HeaderFields,
    claims::VerifiedToken,
    configuration_error::ConfigurationError,
    mcp::{McpRules, MethodRule, Needed, ToolRule},
    refusal::{CheckKind, Refusal},
};

impl Gate {
    /// The rules that the request's operation has to meet.
    pub(super) fn needed(&self, presented: &Presented<'_>) -> Result<Needed, Refusal> {
        let Some(mcp) = &self.mcp else { return Ok(Needed::default()) };
        mcp.needed(presented.method, presented.fields, presented.content).map_err(Refusal::Request)
    }

    /// Checks the scope values that the operation needs besides those of the endpoint.
    pub(super) fn check_operation(&self, token: &VerifiedToken, needed: &Needed) -> Result<(), Refusal> {
        let Some(mcp) = self.mcp.as_ref().filter(|_| !needed.is_empty()) else { return Ok(()) };
        let granted = token.granted_scope();
        mcp.check(needed, |value| granted.has(value))
    }

    /// The refusal whose challenge names the scope values that the operation needs, too.
    pub(super) fn at_operation(&self, refusal: Refusal, needed: &Needed) -> Refusal {
        let Some(mcp) = self.mcp.as_ref().filter(|_| !needed.is_empty()) else { return refusal };
        let may_come_back = match &refusal {
            Refusal::Request(_) => refusal.check() == CheckKind::Credentials,
            Refusal::Token(_) | Refusal::Proof(_) | Refusal::Access(_) => true,
            Refusal::Unavailable(_) | Refusal::Configuration(_) | Refusal::Operation { .. } => false,
        };
        if !may_come_back {
            return refusal;
        }
        Refusal::Operation { refusal: Box::new(refusal), scope: mcp.scope(needed) }
    }
}

impl Secure {
    /// A layer that protects an MCP server (Model Context Protocol, revisions 2026-07-28, 2025-11-25 and 2025-06-18).
    ///
    /// It is [`protecting`](Self::protecting) with [`McpRules`]:
    ///
    /// - Bad tokens get 401, whatever [`invalid_token_status`](Self::invalid_token_status) says.
    /// - Requests of web pages pass only from the resource's own origin and [allowed ones](ProtectedResource::allowed_origins).
    /// - [Tools](ProtectedResource::tool) and methods may need scope values of their own. A challenge names all that the operation
    ///   needs at once.
    /// - The server behind does not get the `Authorization` field, unless [it should](ProtectedResource::forward_authorization).
    ///
    /// The content of a request is read only if a rule depends on it, up to [a limit](McpRules::max_body_bytes); the server behind
    /// gets the same bytes. Responses pass as they come, streams included. The time that a client takes for its request is the
    /// HTTP server's to limit.
    ///
    /// Put it before the MCP endpoint alone: where a tool or method has a rule, every request but `GET`, `HEAD`, `OPTIONS` and
    /// `DELETE` has to be a JSON-RPC message.
    ///
    /// As a tower layer it sees the content of axum's requests; convert the bodies of others to `axum::body::Body` outside of it.
    /// Where it sees none, header fields have to tell the operation, in a revision that makes the server hold them against the
    /// content: 2026-07-28 or later.
    ///
    /// # Errors
    ///
    /// The error of [`protecting`](Self::protecting), and of [`McpRules::check`].
    ///
    /// # Example
    ///
    /// ```
    /// use axum::{Router, routing::post};
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let resource = ProtectedResource::new("https://mcp.example.com/mcp")
    ///     .issuer(Verifier::discover("https://as.example.com")?)
    ///     .tool("delete_*", ["files:write"]);
    /// let secure = Secure::mcp(resource)?.scope(["files:read"]);
    /// let app: Router = secure.protect(Router::new().route("/mcp", post(|| async { "the MCP server" })));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn mcp(resource: ProtectedResource) -> Result<Self, ConfigurationError> {
        Self::protecting(resource.with_mcp(|_| {}))
    }

    /// The limit of the content that a door has to read before it calls [`judge`](Self::judge), in bytes; none if the verdict does
    /// not depend on the content, or the door cannot see it.
    ///
    /// The door reads up to one byte more than the limit, presents the [`Content`](crate::Content), and hands the same bytes on. That
    /// counts for each method: a `GET` has no message only if the door knows that it has no content, and presents an empty one.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Content, Judging, Presented, ProtectedResource, Secure, Verifier};
    ///
    /// let issuer = Verifier::discover("https://as.example.com")?;
    /// let resource = ProtectedResource::new("https://mcp.example.com").issuer(issuer).tool("delete_*", ["files:write"]);
    /// let secure = Secure::mcp(resource)?;
    ///
    /// let fields: [(&str, &[u8]); 1] = [("content-type", b"application/json")];
    /// let presented = Presented::new(&fields).request("POST", "/");
    /// assert_eq!(secure.content_limit(&presented), Some(1 << 20));
    /// let content = br#"{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "delete_all" } }"#;
    /// let Judging::Done(verdict) = secure.judge(&presented.content(Content::Whole(content))) else { panic!("no keys are needed") };
    /// let answer = secure.answer(&verdict.outcome.unwrap_err());
    /// assert_eq!(answer.status(), 401);
    /// assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains(r#"scope="files:write""#));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn content_limit(&self, presented: &Presented<'_>) -> Option<usize> {
        self.gate.mcp.as_ref()?.content_limit(presented.fields)
    }

    /// Tells whether a page of the request's `Origin` may send requests here: any may, except to an [MCP server](Self::mcp), where it is the
    /// resource's own origin or an [allowed one](ProtectedResource::allowed_origins).
    ///
    /// A request is judged by it in any case; a door that lets CORS preflights pass, which never have a token, asks for them.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let issuer = Verifier::discover("https://as.example.com")?;
    /// let secure = Secure::mcp(ProtectedResource::new("https://mcp.example.com").issuer(issuer))?;
    /// assert!(secure.allows_origin(&[("origin", &b"https://mcp.example.com"[..])]));
    /// assert!(!secure.allows_origin(&[("origin", &b"https://evil.example"[..])]));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn allows_origin(&self, fields: &dyn HeaderFields) -> bool {
        self.gate.mcp.as_ref().is_none_or(|mcp| mcp.allows_origin(fields))
    }

    /// Tells whether the service behind gets the `Authorization` field: always, except for an [MCP server](Self::mcp) whose rules
    /// do not [ask for it](McpRules::forward_authorization).
    #[must_use]
    pub fn forwards_authorization(&self) -> bool {
        self.gate.mcp.as_ref().is_none_or(|mcp| mcp.forwards_authorization)
    }
}

/// For [MCP servers](Secure::mcp); each of these makes the resource one.
impl ProtectedResource {
    /// Takes all rules of an MCP server at once, in place of those set so far.
    pub fn mcp(self, rules: McpRules) -> Self {
        self.with_mcp(|current| *current = rules)
    }

    /// Asks for these scope values where a tool of this name is called, besides those of the endpoint; `*` in the name stands for
    /// any run of characters. All rules that match a tool apply.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ProtectedResource;
    ///
    /// let resource = ProtectedResource::new("https://mcp.example.com/mcp")
    ///     .tool("*", ["tools"])
    ///     .tool("delete_*", ["files:write"]);
    /// # let _ = resource;
    /// ```
    pub fn tool<T: Into<String>>(self, name: impl Into<String>, scope: impl IntoIterator<Item = T>) -> Self {
        self.with_mcp(|rules| rules.tools.push(ToolRule::new(name, scope)))
    }

    /// Asks for scope values where a JSON-RPC method is called, besides those of the endpoint.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{MethodRule, ProtectedResource};
    ///
    /// let resource = ProtectedResource::new("https://mcp.example.com/mcp")
    ///     .method(MethodRule::new("resources/*", ["files:read"]))
    ///     .method(MethodRule::new("resources/read", ["keys:read"]).named("file:///keys/*"));
    /// # let _ = resource;
    /// ```
    pub fn method(self, rule: MethodRule) -> Self {
        self.with_mcp(|rules| rules.methods.push(rule))
    }

    /// Lets web pages of these origins send requests, such as `https://chat.example.com`; repeated calls add origins.
    pub fn allowed_origins<T: Into<String>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        self.with_mcp(|rules| rules.allowed_origins.extend(origins.into_iter().map(Into::into)))
    }

    /// Hands the `Authorization` field on to the server behind. MCP forbids that server to pass the token on to others.
    pub fn forward_authorization(self) -> Self {
        self.with_mcp(|rules| rules.forward_authorization = true)
    }

    fn with_mcp(mut self, change: impl FnOnce(&mut McpRules)) -> Self {
        change(self.rules.mcp.get_or_insert_default());
        self
    }
}

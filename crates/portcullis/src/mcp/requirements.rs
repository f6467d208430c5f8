//! The rules of an MCP server, ready to be used: [`Mcp`].

use super::{
    Content, McpRules, MethodRule,
    fields::Fields,
    message::{self, Messages},
    operation::Operation,
    origin::{self, Origins},
    readings::Readings,
    transport,
};
use crate::{
    bearer::HeaderFields,
    claims::Pattern,
    each_once::each_once,
    policy::{Policy, ScopeCheck, insufficient_scope},
    refusal::{MessageFault, Refusal, RequestFault},
};

/// The rules of an MCP server, made once from [`McpRules`] and the policy whose implied scope values count.
#[derive(Debug, Clone)]
pub(crate) struct Mcp {
    origins: Origins,
    rules: Vec<OperationRule>,
    max_body_bytes: usize,
    pub(crate) forwards_authorization: bool,
}

/// A rule for the operations that it matches.
#[derive(Debug, Clone)]
struct OperationRule {
    method: Pattern,
    name: Option<Pattern>,
    scope: ScopeCheck,
}

/// The rules that the operations of a request match: their places, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Needed(Vec<usize>);

impl Mcp {
    /// `resource` is the resource's identifier, whose origin is allowed.
    pub(crate) fn new(rules: &McpRules, resource: &str, policy: &Policy) -> Self {
        let origins = rules.allowed_origins.iter().map(String::as_str).chain([origin::of_url(resource)]);
        let tools = rules.tools.iter().map(MethodRule::from);
        let rule = |rule: &MethodRule| OperationRule {
            method: Pattern::new(rule.method.as_str()),
            name: rule.name.as_deref().map(Pattern::new),
            scope: policy.scope_check(&rule.scope),
        };
        Self {
            origins: Origins::new(origins),
            rules: tools.map(|tool| rule(&tool)).chain(rules.methods.iter().map(rule)).collect(),
            max_body_bytes: rules.max_body_bytes,
            forwards_authorization: rules.forward_authorization,
        }
    }

    /// Tells whether a page of the request's origin may send it.
    pub(crate) fn allows_origin(&self, fields: &dyn HeaderFields) -> bool {
        self.origins.check(fields).is_ok()
    }

    /// The limit of a content that has to be read to judge the request, whatever its method; none if it makes no difference.
    pub(crate) fn content_limit(&self, fields: &dyn HeaderFields) -> Option<usize> {
        (!self.rules.is_empty() && self.origins.check(fields).is_ok()).then_some(self.max_body_bytes)
    }

    /// The rules that a request has to meet, by its fields and its content.
    pub(crate) fn needed(
        &self,
        method: &str,
        fields: &dyn HeaderFields,
        content: Content<'_>,
    ) -> Result<Needed, RequestFault> {
        self.origins.check(fields)?;
        let mut needed = Needed::default();
        if self.rules.is_empty() {
            return Ok(needed);
        }
        if transport::opens_websocket(method, fields) {
            return Err(RequestFault::McpContentType);
        }
        match content {
            Content::Whole([]) if !transport::may_carry_message(method, fields) => {}
            // Content may come with any method, in HTTP/2 without a field that tells, and behind an upgrade that a proxy does not show:
            // servers hold the fields against that of a POST.
            Content::Unseen if !matches!(method, "POST" | "") => return Err(RequestFault::McpFieldsMissing),
            Content::Unseen => {
                needed.add(self, &Fields::alone(fields)?.operation(|method| self.asks_for_name(method))?);
            }
            Content::Whole(bytes) if bytes.len() <= self.max_body_bytes => {
                let document = message::document(fields, bytes)?;
                let messages = Messages::of(&document)?;
                agree(&Fields::of(fields)?, &messages)?;
                let operations = messages.as_slice().iter().filter_map(|message| message.operation.as_ref());
                for operation in operations {
                    if operation.lacks_name() && self.asks_for_name(operation.method) {
                        return Err(message::nameless());
                    }
                    needed.add(self, operation);
                }
            }
            Content::Whole(_) | Content::TooLarge => {
                return Err(RequestFault::McpBodyTooLarge { limit: self.max_body_bytes });
            }
            Content::CutOff => return Err(RequestFault::McpBody(MessageFault::CutOff)),
        }
        Ok(needed)
    }

    /// Checks the scope values that are needed; `grants` tells whether the token grants a value directly.
    pub(crate) fn check(&self, needed: &Needed, grants: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let mut checks = needed.0.iter().filter_map(|place| self.rules.get(*place));
        if checks.all(|rule| rule.scope.is_met(&grants)) {
            return Ok(());
        }
        Err(insufficient_scope(self.values(needed).into_iter()))
    }

    /// The scope values that are needed, separated by spaces.
    pub(crate) fn scope(&self, needed: &Needed) -> String {
        self.values(needed).join(" ")
    }

    /// The same, each once.
    fn values(&self, needed: &Needed) -> Vec<&str> {
        let rules = needed.0.iter().filter_map(|place| self.rules.get(*place));
        each_once(rules.flat_map(|rule| rule.scope.values()))
    }

    /// The scope values of all rules.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| rule.scope.values())
    }

    fn asks_for_name(&self, method: &str) -> bool {
        self.rules.iter().any(|rule| rule.name.is_some() && rule.method.matches(method))
    }
}

impl OperationRule {
    fn matches(&self, method: &str, names: &Readings<'_>) -> bool {
        let is_meant = |pattern: &Pattern| names.any(|name| pattern.matches(name));
        self.method.matches(method) && self.name.as_ref().is_none_or(is_meant)
    }
}

impl Needed {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, mcp: &Mcp, operation: &Operation<'_>) {
        let asks = mcp.asks_for_name(operation.method);
        let names = if asks { operation.readings() } else { Readings::One(operation.name) };
        for (place, rule) in mcp.rules.iter().enumerate() {
            if !self.0.contains(&place) && rule.matches(operation.method, &names) {
                self.0.push(place);
            }
        }
    }
}

/// Refuses fields that differ from the content. They mirror one message: beside a batch there are none.
fn agree(fields: &Fields<'_>, messages: &Messages<'_>) -> Result<(), RequestFault> {
    match messages {
        Messages::One(message) if fields.agree_with(message.operation.as_ref()) => Ok(()),
        Messages::One(message) => Err(RequestFault::McpFieldsDisagree { id: message.id() }),
        Messages::Batch(_) if fields.mirror_content() => {
            Err(RequestFault::McpFieldsDisagree { id: Default::default() })
        }
        Messages::Batch(_) => Ok(()),
    }
}

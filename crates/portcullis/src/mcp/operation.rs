//! The operation that a message asks for.

use super::readings::{Readings, readings};

/// The operation that a message asks for: the JSON-RPC method, and the name of the tool, prompt or resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Operation<'a> {
    pub(super) method: &'a str,
    /// None for a method that names nothing, and where a name is missing that no rule goes by.
    pub(super) name: Option<&'a str>,
}

impl Operation<'_> {
    /// Tells whether the method names something, and the name is missing.
    pub(super) fn lacks_name(&self) -> bool {
        self.name.is_none() && name_member(self.method).is_some()
    }

    /// The names by which a server may look up what this operation names.
    pub(super) fn readings(&self) -> Readings<'_> {
        match self.name {
            Some(name) if name_member(self.method) == Some(URI) => readings(name),
            name => Readings::One(name),
        }
    }
}

/// The methods that name something, each with the member of `params` that has the name.
const NAMED: [(&str, &str); 5] = [
    (TOOLS_CALL, "name"),
    ("prompts/get", "name"),
    ("resources/read", URI),
    ("resources/subscribe", URI),
    ("resources/unsubscribe", URI),
];

/// The methods whose name servers have to hold against `Mcp-Name`. Some clients send the field with others, too.
const MIRRORED: [&str; 3] = [TOOLS_CALL, "prompts/get", "resources/read"];

/// The member of `params` that has the URI of a resource.
const URI: &str = "uri";

/// The method that calls a tool.
pub(super) const TOOLS_CALL: &str = "tools/call";

/// Returns the member of `params` that has the name, for a method that names something.
pub(super) fn name_member(method: &str) -> Option<&'static str> {
    NAMED.iter().find(|(named, _)| *named == method).map(|(_, member)| *member)
}

/// Tells whether a server has to hold `Mcp-Name` against the name that a method names.
pub(super) fn is_mirrored(method: &str) -> bool {
    MIRRORED.contains(&method)
}

/// The methods that name something.
pub(super) fn named_methods() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(method, _)| *method)
}

/// Tells whether a text can be the name of a method, tool, prompt or resource: it is not empty, and has no control characters.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

//! The rules of an MCP server, as data.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    operation::{TOOLS_CALL, named_methods},
    origin,
};
use crate::{claims::Pattern, configuration_error::ConfigurationError, policy::check_scopes, shown_url::marked};

/// The rules of an MCP server, in addition to those of its endpoint.
///
/// # Example
///
/// ```
/// use portcullis::{McpRules, ToolRule};
///
/// let rules: McpRules = serde_json::from_str(r#"{
///     "allowed_origins": ["https://chat.example.com"],
///     "tools": [{ "name": "delete_*", "scope": ["files:write"] }],
///     "methods": [{ "method": "resources/*", "scope": ["files:read"] }]
/// }"#)?;
/// assert_eq!(rules.tools, [ToolRule::new("delete_*", ["files:write"])]);
/// assert_eq!(rules.max_body_bytes, 1 << 20);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpRules {
    /// The origins of web pages that may send requests, besides the resource's own, such as `https://chat.example.com`.
    ///
    /// A request without an `Origin` field, as programs other than browsers send it, passes. Any other gets 403.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
    /// The scope values that tools need, besides those of the endpoint. All rules that match a tool apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolRule>,
    /// The scope values that JSON-RPC methods need, besides those of the endpoint. All rules that match apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodRule>,
    /// True if the server behind gets the `Authorization` field. False by default: a token is never passed on.
    pub forward_authorization: bool,
    /// The limit of a request's content, in bytes, where rules need it: 1 MiB by default.
    #[serde(with = "crate::units::size")]
    pub max_body_bytes: usize,
}

/// The scope values that a tool needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolRule {
    /// The name of the tool; `*` stands for any run of characters.
    pub name: String,
    /// The scope values, all of which a token has to grant.
    pub scope: Vec<String>,
}

/// The scope values that a JSON-RPC method needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MethodRule {
    /// The method, such as `resources/read`; `*` stands for any run of characters.
    pub method: String,
    /// The prompt, the URI of the resource, or the tool, if only some are meant; `*` stands for any run of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The scope values, all of which a token has to grant.
    pub scope: Vec<String>,
}

impl Default for McpRules {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            tools: Vec::new(),
            methods: Vec::new(),
            forward_authorization: false,
            max_body_bytes: 1 << 20,
        }
    }
}

impl McpRules {
    /// Checks that each rule is valid.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`], which names the first invalid field.
    ///
    /// # Example
    ///
    /// ```
    /// let mut rules = portcullis::McpRules::default();
    /// rules.allowed_origins = vec!["https://chat.example.com/app".into()];
    /// assert_eq!(
    ///     rules.check().unwrap_err().to_string(),
    ///     "`allowed_origins[0]`: expected an origin such as https://chat.example.com, got \
    ///      \"https://chat.example.com/app\": write scheme, host and port alone, without a slash at the end",
    /// );
    /// ```
    pub fn check(&self) -> Result<(), ConfigurationError> {
        for (index, text) in self.allowed_origins.iter().enumerate() {
            if origin::normalized(text).is_none() {
                let remedy = match text.contains('*') {
                    true => "name each origin, since any page in a user's browser could send requests otherwise",
                    false => "write scheme, host and port alone, without a slash at the end",
                };
                let shown = marked(text);
                let problem = format!("expected an origin such as https://chat.example.com, got {shown:?}: {remedy}");
                return Err(ConfigurationError::rule(format!("allowed_origins[{index}]"), problem));
            }
        }
        for (index, rule) in self.tools.iter().enumerate() {
            check_rule(&format!("tools[{index}]"), "name", &rule.name, &rule.scope)?;
        }
        for (index, rule) in self.methods.iter().enumerate() {
            check_rule(&format!("methods[{index}]"), "method", &rule.method, &rule.scope)?;
            rule.check_name(&format!("methods[{index}].name"))?;
        }
        match self.max_body_bytes {
            0 => Err(ConfigurationError::rule(
                "max_body_bytes",
                "expected at least 1 byte, got 0: leave it out for 1 MiB",
            )),
            _ => Ok(()),
        }
    }
}

impl ToolRule {
    /// A rule for the tools whose name matches this pattern.
    ///
    /// ```
    /// let mut rules = portcullis::McpRules::default();
    /// rules.tools.push(portcullis::ToolRule::new("delete_*", ["files:write"]));
    /// ```
    pub fn new<T: Into<String>>(name: impl Into<String>, scope: impl IntoIterator<Item = T>) -> Self {
        Self { name: name.into(), scope: scope.into_iter().map(Into::into).collect() }
    }
}

impl MethodRule {
    /// A rule for the JSON-RPC methods whose name matches this pattern.
    ///
    /// ```
    /// let mut rules = portcullis::McpRules::default();
    /// rules.methods.push(portcullis::MethodRule::new("resources/*", ["files:read"]));
    /// ```
    pub fn new<T: Into<String>>(method: impl Into<String>, scope: impl IntoIterator<Item = T>) -> Self {
        Self { method: method.into(), name: None, scope: scope.into_iter().map(Into::into).collect() }
    }

    /// The same for prompts, resources or tools of this name only.
    ///
    /// ```
    /// let mut rules = portcullis::McpRules::default();
    /// rules.methods.push(portcullis::MethodRule::new("resources/read", ["keys:read"]).named("file:///keys/*"));
    /// ```
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    fn check_name(&self, field: &str) -> Result<(), ConfigurationError> {
        let Some(name) = &self.name else { return Ok(()) };
        let method = Pattern::new(self.method.as_str());
        let problem = match () {
            () if name.is_empty() => "expected a name or a pattern such as \"delete_*\", got an empty text".to_owned(),
            () if !named_methods().any(|named| method.matches(named)) => format!(
                "expected a method that names something ({}), got {:?}: leave the name out",
                named_methods().collect::<Vec<_>>().join(", "),
                self.method
            ),
            () => return Ok(()),
        };
        Err(ConfigurationError::rule(field, problem))
    }
}

/// A rule for a tool is one for the method that calls it.
impl From<&ToolRule> for MethodRule {
    fn from(rule: &ToolRule) -> Self {
        Self { method: TOOLS_CALL.to_owned(), name: Some(rule.name.clone()), scope: rule.scope.clone() }
    }
}

fn check_rule(field: &str, member: &str, pattern: &str, scope: &[String]) -> Result<(), ConfigurationError> {
    if pattern.is_empty() {
        let problem = "expected a name or a pattern such as \"delete_*\", got an empty text";
        return Err(ConfigurationError::rule(format!("{field}.{member}"), problem));
    }
    if scope.is_empty() {
        let problem = "expected at least one scope value, got none: name one, or leave the rule out";
        return Err(ConfigurationError::rule(format!("{field}.scope"), problem));
    }
    check_scopes(&format!("{field}.scope"), scope)
}

/// Reads rules, or `true` for the rules by default and `false` for none: `mcp = true`.
pub(crate) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<McpRules>, D::Error> {
    struct Switch;

    impl<'de> Visitor<'de> for Switch {
        type Value = Option<McpRules>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, or rules of an MCP server")
        }

        fn visit_bool<E>(self, is_on: bool) -> Result<Self::Value, E> {
            Ok(is_on.then(McpRules::default))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            McpRules::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(Switch)
}

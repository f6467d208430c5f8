//! `[[resources]]`: protected resources (RFC 9728), each with its own audience.

use portcullis::{McpRules, ResourceRules};
use url::Url;

use super::{
    Issuer,
    file::{Read, Table, Value},
    route::scope_value,
};
use crate::routes::Pattern;

/// A protected resource (RFC 9728): requests below its identifier have its challenges, and their tokens its audience.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) rules: ResourceRules,
    /// The audience of its tokens, in place of the issuers' own: the identifier, unless another is configured.
    pub(crate) audience: Vec<String>,
    /// The names of its issuers; empty: all.
    pub(crate) issuers: Vec<String>,
    /// The host of the identifier, in lower case, without a port.
    pub(crate) host: String,
    /// The path of the identifier, and everything below it.
    pub(crate) paths: Pattern,
    /// The scheme, host and port of the identifier.
    pub(crate) origin: String,
}

/// The place of a resource among requests.
struct Place {
    host: String,
    paths: Pattern,
    origin: String,
}

impl Resource {
    /// Returns the length of the longest content that its requests may have; 0 if contents are not judged.
    pub(crate) fn content_bytes(&self) -> usize {
        self.rules.mcp.as_ref().map_or(0, |mcp| mcp.max_body_bytes)
    }
}

/// Reads the resources, each under a host and path of its own.
pub(super) fn resources(root: &Table<'_>, issuers: &[Issuer]) -> Vec<Resource> {
    if let Some(value) = root.value("resources").filter(|value| value.elements() == Some(0)) {
        root.note(value.problem("expected a resource, got an empty array").help("leave `resources` out"));
    }
    let mut resources: Vec<(Resource, Value<'_>)> = Vec::new();
    for table in root.tables("resources") {
        let (place, resource) = (table.value("resource"), resource(&table, issuers));
        table.finish();
        let (Some(place), Some(resource)) = (place, resource) else { continue };
        let has_its_place = |(first, _): &&(Resource, _)| first.host == resource.host && first.paths == resource.paths;
        if let Some((_, first)) = resources.iter().find(has_its_place) {
            let problem = place.problem("expected each resource once, got one with the host and path of another");
            root.note(problem.and(first.place.clone(), "first here").help(
                "a request would be under both: a slash at the end, the port and the scheme tell no resources apart; \
                 take one of them out",
            ));
        }
        let differs_in_case = |(first, _): &&(Resource, _)| {
            first.host == resource.host && first.paths.meets_in_another_case_alone(&resource.paths)
        };
        if let Some((_, first)) = resources.iter().find(differs_in_case) {
            let problem = place
                .problem("expected paths that differ in more than letter case, got that of another, or one below it");
            root.note(problem.and(first.place.clone(), "first here").help(
                "to servers such as Express a request would be under both: write the common part in the same letters, or choose another path",
            ));
        }
        resources.push((resource, place));
    }
    resources.into_iter().map(|(resource, _)| resource).collect()
}

fn resource(table: &Table<'_>, issuers: &[Issuer]) -> Option<Resource> {
    let help = "write the URL that clients use, as in `resource = \"https://mcp.example.com/mcp\"`";
    let place = table.require("resource", help, place);
    table.list("scopes_supported", "an array of scope values, as in [\"read\", \"write\"]", scope_value);
    let issuers = some_of(table, "issuers", |value| issuer(value, issuers));
    let audience = some_of(table, "audience", |value| value.exact());
    table.look_at("mcp", || mcp(table));
    let rules = table.rest(None, &[], ResourceRules::check)?;
    let Place { host, paths, origin } = place?;
    let audience = if audience.is_empty() { vec![rules.resource.clone()] } else { audience };
    Some(Resource { rules, audience, issuers, host, paths, origin })
}

/// The requests of MCP clients, of all revisions; servers may have further ones.
const METHODS: [&str; 21] = [
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/initialized",
    "notifications/progress",
    "notifications/roots/list_changed",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "server/discover",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tools/call",
    "tools/list",
];

/// Notes the mistakes in the rules of an MCP server, each at its place.
fn mcp(table: &Table<'_>) {
    if table.value("mcp").is_some_and(|value| value.is_table())
        && let Some(rules) = table.table("mcp")
    {
        let read = rules.rest(None, &[], McpRules::check);
        let named = read.iter().flat_map(|rules| &rules.methods).map(|rule| rule.method.as_str());
        if let Some(value) = rules.value("methods") {
            named.filter(|method| !method.contains('*') && !METHODS.contains(method)).for_each(|method| {
                rules.warn(value.problem(format!(
                    "\"{method}\" is no method of MCP: if it is misspelt, its rule applies to nothing"
                )));
            });
        }
        rules.finish();
    }
}

/// Reads a text or several, none of which may be missing; none if the key is absent.
fn some_of(table: &Table<'_>, key: &'static str, read: impl Fn(&Value<'_>) -> Read<String>) -> Vec<String> {
    match table.value(key) {
        Some(value) if value.is_text() => table.get(key, read).into_iter().collect(),
        Some(value) if value.elements() == Some(0) => {
            table.refuse_empty(key, &value);
            Vec::new()
        }
        _ => table.list(key, "a text or an array of texts", read).unwrap_or_default(),
    }
}

/// Reads the name of one of the issuers.
fn issuer(value: &Value<'_>, issuers: &[Issuer]) -> Read<String> {
    let name = value.exact()?;
    match issuers.iter().any(|issuer| issuer.name == name) {
        true => Ok(name),
        false => Err(value
            .problem(format!("expected the `issuer` of one of [[issuers]], got \"{name}\""))
            .help("write it as there, to the letter; without `issuers`, tokens of each may pass")),
    }
}

/// Reads the origin of an identifier, and the paths below it.
///
/// The library judges the identifier as such; here it has to have a place among routes.
fn place(value: &Value<'_>) -> Read<Place> {
    let text = value.exact()?;
    let malformed = |problem: String| {
        value.problem(problem).help("write the URL that clients use, as in \"https://mcp.example.com/mcp\"")
    };
    let url = Url::parse(&text).map_err(|error| malformed(format!("expected a URL, got another text: {error}")))?;
    let host = url.host_str().ok_or_else(|| malformed("expected a URL with a host, got one without".to_owned()))?;
    let path = url.path().trim_end_matches('/');
    if path.contains('%') {
        let problem = value.problem("expected a path whose characters need no encoding, got another");
        return Err(problem.help("servers read encoded characters differently: choose another path for the resource"));
    }
    if path.contains('*') {
        let problem = value.problem("expected a path without `*`, got one with it");
        return Err(problem.help("an identifier names one resource: write a table for each"));
    }
    let paths = Pattern::parse(&format!("{path}/*")).map_err(|not| value.problem(not.problem).help(not.help))?;
    Ok(Place { host: host.to_owned(), paths, origin: url.origin().ascii_serialization() })
}

//! Settings for fetching an issuer's keys.

use std::{path::PathBuf, time::Duration};

use http::{HeaderName, HeaderValue};

use super::{
    Secret,
    bytes::bytes,
    duration::{duration, some_time},
    file::{Read, Table, Value},
    files,
};

/// Settings for fetching an issuer's keys; without a value the library's default holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fetching {
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_stale: Option<Duration>,
    /// The header fields of requests for keys; a value may be a secret.
    pub(crate) request_fields: Vec<(String, Secret)>,
    /// Certificate authorities beside the system's, as PEM; for introspection, too.
    pub(crate) authorities: Option<String>,
    pub(crate) bearer_token_file: Option<PathBuf>,
    pub(crate) max_keys: Option<usize>,
    pub(crate) max_document_bytes: Option<usize>,
    pub(crate) max_tenants: Option<usize>,
}

const KEYS: [&str; 9] = [
    "timeout",
    "max_age",
    "max_stale",
    "request_fields",
    "ca_file",
    "bearer_token_file",
    "max_keys",
    "max_document_bytes",
    "max_tenants",
];

pub(super) fn fetching(table: &Table<'_>) -> Fetching {
    let fetching = Fetching {
        timeout: table.get("timeout", some_time),
        max_age: table.get("max_age", some_time),
        max_stale: table.get("max_stale", duration),
        request_fields: table.get("request_fields", request_fields).unwrap_or_default(),
        authorities: table.get("ca_file", |value| files::certificates(value, table)),
        bearer_token_file: table.get("bearer_token_file", |value| {
            files::read(value, table)?;
            files::path(value, table)
        }),
        max_keys: table.get("max_keys", |value| value.integer(1, 1_000_000)),
        max_document_bytes: table.get("max_document_bytes", |value| bytes(value, 1, 64 << 20)),
        max_tenants: table.get("max_tenants", |value| max_tenants(value, table)),
    };
    if table.value("jwks_file").is_some() {
        // For an issuer with introspection the authority counts all the same.
        let is_asked = table.value("introspection").is_some();
        let unused = KEYS.iter().filter(|key| **key != "ca_file" || !is_asked);
        for (key, value) in unused.filter_map(|key| Some((key, table.value(key)?))) {
            let problem = value.problem(format!("expected no `{key}` with `jwks_file`, got one"));
            table.note(problem.help("it says how keys are fetched: leave it out, or name a `jwks_uri`"));
        }
    }
    fetching
}

/// Reads the header fields of requests for keys.
fn request_fields(value: &Value<'_>) -> Read<Vec<(String, Secret)>> {
    let help = "write a table of names and values, as in { \"X-Api-Key\" = \"${API_KEY}\" }";
    let fields = value.entries().map_err(|problem| problem.help(help))?;
    let field = |(name, given): (&str, Value<'_>)| {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            given.hidden_problem("expected the name of a header field before this value, got another text").help(help)
        })?;
        let text = given.text()?;
        HeaderValue::from_str(text).map_err(|_| {
            given.hidden_problem("expected a value for a header field, got other characters than those of ASCII")
        })?;
        Ok((name.to_owned(), Secret::new(text)))
    };
    fields.into_iter().map(field).collect()
}

/// Reads the number of tenants whose keys are kept; only where each has keys of its own.
fn max_tenants(value: &Value<'_>, table: &Table<'_>) -> Read<usize> {
    if table.value("jwks_uri").is_some() {
        return Err(value
            .problem("expected no `max_tenants` with `jwks_uri`, got one")
            .help("all tenants share one key set, so that any number of them may come: leave it out"));
    }
    let has_placeholder = |issuer: &Value<'_>| issuer.text().is_ok_and(|issuer| issuer.contains('{'));
    if !table.value("issuer").is_some_and(|issuer| has_placeholder(&issuer)) {
        return Err(value
            .problem("expected a placeholder for the tenant in `issuer` with `max_tenants`, got none")
            .help("as in `issuer = \"https://login.example.com/{tenant}\"`; leave `max_tenants` out for one issuer"));
    }
    value.integer(1, 100_000)
}

/// Reads the values of `use` that keys may have beside `sig`.
pub(super) fn key_uses(table: &Table<'_>) -> Option<Vec<String>> {
    table.list("key_uses", "an array of texts", |value| match value.text()? {
        "enc" => {
            Err(value.problem("expected uses of keys that sign, got \"enc\"").help("such keys encrypt: leave it out"))
        }
        _ => value.string(),
    })
}

/// Reads the name of a SPIFFE trust domain.
pub(super) fn trust_domain(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    let domain = text.strip_prefix("spiffe://").unwrap_or(text);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    if !domain.is_empty() && domain.bytes().all(fits) {
        return Ok(domain.to_owned());
    }
    Err(value
        .problem("expected the name of a SPIFFE trust domain, got another text")
        .help("it is of lower-case letters, digits, `.`, `-` and `_`, as in `trust_domain = \"example.org\"`"))
}

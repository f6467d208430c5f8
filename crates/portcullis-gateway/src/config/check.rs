//! From the text of `portcullis.toml` to a [`Config`].

use std::path::Path;

use miette::Report;
use portcullis::InvalidTokenStatus;
use toml::{
    Spanned,
    de::{DeTable, Error},
};

use super::{
    Config, Network,
    bytes::bytes,
    file::{File, Table, Value},
    issuer, listener,
    network::network,
    problem::{Problem, Problems},
    route, starred, store, traces,
};

const DEFAULT_CACHE_BYTES: usize = 32 << 20;

/// Reads a whole text; every mistake that is found is in the report.
pub(super) fn read(text: &str, name: &str, base: &Path) -> Result<Config, Report> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let whole = errors.is_empty().then(|| document.get_ref());
    let file = File { problems: Problems::default(), base };
    let config = match errors.first() {
        // What follows a slip of the pen is seldom worth reading.
        Some(error) => {
            file.problems.note(syntax(error, text));
            None
        }
        None => Some(config(&document, &file)),
    };
    match (file.problems.report(name, |hidden| starred::starred(text, whole, hidden)), config) {
        (None, Some(config)) => Ok(config),
        (Some(report), _) => Err(report),
        (None, None) => Err(miette::miette!("cannot read {name}")),
    }
}

fn syntax(error: &Error, text: &str) -> Problem {
    let place = error.span().unwrap_or(text.len()..text.len());
    Problem::new(place, format!("not TOML: {}", error.message())).help(
        "texts stand in quotes, arrays in [ ], tables under [name]; values are starred here, since any may be a secret",
    )
}

fn config(document: &Spanned<DeTable<'_>>, file: &File<'_>) -> Config {
    let root = Table::new(document.get_ref(), 0..0, file);
    let (forward_auth, grpc, admin) = listener::listeners(&root);
    let issuers = issuer::issuers(&root);
    let config = Config {
        forward_auth,
        grpc,
        console: root.get("console", Value::boolean).unwrap_or(false),
        admin,
        admin_hosts: root.list("admin_hosts", "an array of host names", listener::host_name).unwrap_or_default(),
        limits: listener::limits(&root),
        trusted_proxies: root
            .list("trusted_proxies", "an array of addresses and networks", network)
            .unwrap_or_else(Network::loopback),
        log: listener::log(&root),
        invalid_token_status: root.get("invalid_token_status", status).unwrap_or(InvalidTokenStatus::Unauthorized),
        problem_json: root.get("problem_json", Value::boolean).unwrap_or(false),
        token_cache_bytes: token_cache_bytes(&root),
        routes: route::routes(&root, &issuers),
        issuers,
        headers: route::headers(&root),
        store: store::store(&root),
        traces: traces::traces(&root),
    };
    root.finish();
    config
}

fn status(value: &Value<'_>) -> super::file::Read<InvalidTokenStatus> {
    let status = value.as_integer().and_then(|number| InvalidTokenStatus::try_from(u16::try_from(number).ok()?).ok());
    status.ok_or_else(|| {
        value
            .problem("expected the status 401 or 403")
            .help("401 is what RFC 6750 section 3.1 says; write it without quotes")
    })
}

fn token_cache_bytes(root: &Table<'_>) -> usize {
    let Some(table) = root.table("cache") else { return DEFAULT_CACHE_BYTES };
    let size = table.get("bytes", |value| bytes(value, 0, 64 << 30));
    table.finish();
    size.unwrap_or(DEFAULT_CACHE_BYTES)
}

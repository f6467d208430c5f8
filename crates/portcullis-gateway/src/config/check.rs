//! From the text of `portcullis.toml` to a [`Config`].

use std::path::Path;

use http::HeaderName;
use miette::Report;
use portcullis::{IssuerRules, Rules, TokenCacheRules};
use toml::de::{DeTable, Error};

use super::{
    Config, Issuer, Network,
    bytes::bytes,
    dpop, environment,
    file::{File, Table, Value},
    headers, issuer, listener,
    network::network,
    problem::{Problem, Problems},
    resource, route, starred,
    starred::without_secrets,
    store, traces,
};

/// Reads a whole text, with a line for each warning; the report has every mistake that is found.
pub(super) fn read(text: &str, name: &str, base: &Path) -> Result<(Config, Vec<String>), Report> {
    let fill = |document: &mut DeTable<'_>, problems: &Problems| {
        environment::fill(document, &|name| std::env::var(name).ok(), problems);
    };
    parsed(text, name, base, fill, |root| Some(config(root)))
}

/// Reads an issuer's rules and a route's from one table.
pub(super) fn named(text: &str, name: &str) -> Result<(IssuerRules, Rules), Report> {
    let read = |root: Table<'_>| Some((issuer::rules(&root, &[])?, route::rules(&root, None, &[], &[])?));
    parsed(text, name, Path::new(""), |_, _| {}, read).map(|(rules, _)| rules)
}

fn parsed<T>(
    text: &str,
    name: &str,
    base: &Path,
    prepare: impl FnOnce(&mut DeTable<'_>, &Problems),
    read: impl FnOnce(Table<'_>) -> Option<T>,
) -> Result<(T, Vec<String>), Report> {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    let file = File { problems: Problems::default(), base };
    prepare(document.get_mut(), &file.problems);
    let whole = errors.is_empty().then(|| document.get_ref());
    let read = match errors.first() {
        // Errors after a syntax error are seldom worth reading.
        Some(error) => {
            file.problems.note(syntax(error, text));
            None
        }
        // So are those about texts without their variables.
        None if file.problems.count() > 0 => None,
        None => read(Table::new(document.get_ref(), 0..0, &file)),
    };
    let warnings = file.problems.warnings(name, text);
    match (file.problems.report(name, |hidden| starred::starred(text, whole, hidden)), read) {
        (None, Some(read)) => Ok((read, warnings)),
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

fn config(root: Table<'_>) -> Config {
    let (forward_auth, grpc, admin) = listener::listeners(&root);
    let issuers = issuer::issuers(&root, token_cache(&root));
    let dpop = dpop::dpop(&root);
    let rules = route::rules_of_all(&root, dpop.as_ref().and_then(|dpop| dpop.used).unwrap_or_default());
    let routes = route::routes(&root, &rules, &issuers);
    dpop::together(&root, dpop.as_ref(), &routes);
    let config = Config {
        forward_auth,
        grpc,
        console: root.get("console", Value::boolean).unwrap_or(false),
        admin,
        admin_hosts: root.list("admin_hosts", "an array of host names", listener::host_name).unwrap_or_default(),
        limits: listener::limits(&root),
        trusted_proxies: trusted_proxies(&root),
        forwarded: root.get("forwarded", Value::boolean).unwrap_or(false),
        log: listener::log(&root),
        routes,
        rules,
        forward_authorization: route::forward_authorization(&root),
        preflight: route::preflight(&root),
        dpop,
        resources: resource::resources(&root, &issuers),
        issuers,
        headers: headers::headers(&root),
        store: store::store(&root),
        traces: traces::traces(&root),
    };
    together(&root, &config);
    if !config.knows_each_audience() {
        warn_of_other_audiences(&root, &config.issuers);
    }
    root.finish();
    config
}

fn trusted_proxies(root: &Table<'_>) -> Vec<Network> {
    let networks = root.list("trusted_proxies", "an array of addresses and networks", network);
    if let Some(value) = root.value("trusted_proxies")
        && networks.iter().flatten().any(Network::is_everyone)
    {
        root.warn(value.problem(
            "every peer is a trusted proxy: whoever reaches the listener may describe any request; name the addresses of \
             your proxies",
        ));
    }
    networks.unwrap_or_else(Network::loopback)
}

/// Warns of issuers whose tokens pass whichever API they are for.
fn warn_of_other_audiences(root: &Table<'_>, issuers: &[Issuer]) {
    let tables = root.tables("issuers");
    for (table, issuer) in tables.iter().zip(issuers).filter(|(_, issuer)| issuer.rules.audience.is_empty()) {
        let place =
            table.value("issuer").or_else(|| table.value("trust_domain")).map_or(table.place(), |name| name.place);
        let maker = if issuer.rules.issuer.is_none() && issuer.rules.trust_domain.is_none() {
            "the owner of these keys".to_owned()
        } else {
            without_secrets(&issuer.name)
        };
        table.warn(Problem::new(
            place,
            format!("no `audience`: tokens that {maker} made for other APIs pass, too; write `audience = \"…\"`"),
        ));
    }
}

/// Notes a field that is for the token of a client and for the upstream, or for the client's certificate.
fn together(root: &Table<'_>, config: &Config) {
    let tokens: Vec<_> = config.routes.iter().filter_map(|route| route.token_places.field.as_ref()).collect();
    let is_a_tokens = |name: &HeaderName| tokens.iter().any(|token| headers::folded(token) == headers::folded(name));
    let listeners = [Some(&config.forward_auth), config.grpc.as_ref()].into_iter().flatten();
    let certificates = listeners.filter_map(|listener| listener.client_certificate.as_ref());
    if certificates.into_iter().any(|field| is_a_tokens(&field.name)) {
        let routes = root.tables("routes");
        let named = routes.iter().filter_map(|route| route.value("token_field"));
        if let Some(value) = named.into_iter().next() {
            let problem = value.problem("expected another field than that of `client_certificate`, got the same");
            root.note(problem.help("the proxy writes the certificate there: choose another name for one of the two"));
        }
    }
    for table in root.tables("headers") {
        let named = table.value("name").filter(|name| {
            name.text().is_ok_and(|name| HeaderName::try_from(name).is_ok_and(|name| is_a_tokens(&name)))
        });
        if let Some(name) = named {
            let problem = name.problem("expected another field than the `token_field` of a route, got the same");
            root.note(problem.help(
                "the field that clients send their token in is taken off: choose another name for one of the two",
            ));
        }
    }
}

/// Reads the rules of the token cache that all issuers share.
fn token_cache(root: &Table<'_>) -> TokenCacheRules {
    let Some(table) = root.table("cache") else { return TokenCacheRules::default() };
    table.get("bytes", |value| bytes(value, 0, 64 << 30));
    let rules = table.rest(None, &[], |_| Ok(()));
    table.finish();
    rules.unwrap_or_default()
}

//! `portcullis check-config`: reads a configuration as `serve` would, and prints its meaning.

use std::{fmt::Write, path::Path};

use miette::Report;
use portcullis::{ClaimRule, DpopRules, IssuerRules, ReplayStoreAway, Rules};
use serde::Serialize;
use serde_json::Value;

use crate::{
    config::{
        Config, Dpop, Fetching, Issuer, Keys, Listener, Nonces, Resource, Route, Store, Traces, default_rules,
        without_secrets,
    },
    decision::Gateway,
    routes::Pattern,
    terminal,
};

/// Checks a configuration, and prints its meaning in a few lines; warnings go to the standard error.
///
/// # Errors
///
/// A report of every mistake in it.
pub(crate) fn run(path: &Path) -> Result<(), Report> {
    let (config, warnings) = Config::load_with_warnings(path)?;
    // The library refuses some configurations that can be read.
    let gateway = Gateway::build(&config, None)?;
    let metadata: Vec<_> = gateway.all_metadata().map(|document| document.url().to_owned()).collect();
    let text = format!("{} is good.\n{}{}", path.display(), told(&config, &metadata), not_asked(&config));
    terminal::print(&terminal::safe(&text));
    warnings.iter().for_each(|warning| terminal::remark(&terminal::safe(warning)));
    Ok(())
}

/// Tells that no server was asked, and the commands that ask; empty if the configuration names no server.
fn not_asked(config: &Config) -> String {
    let asks = |issuer: &Issuer| {
        !matches!(issuer.keys, Keys::Local { .. }) || issuer.introspection.is_some() || issuer.exchange.is_some()
    };
    if !config.issuers.iter().any(asks) && config.store.is_none() && config.traces.is_none() {
        return String::new();
    }
    let commands: Vec<_> = config.issuers.iter().filter_map(keys_command).collect();
    let how = match commands.is_empty() {
        true => "the log of `portcullis serve` names those that do not answer".to_owned(),
        false => format!("to fetch the keys, run {}", commands.join(" and ")),
    };
    format!("No server was asked: {how}\n")
}

/// Returns the command that fetches an issuer's keys as the gateway does; none for a URL that a shell may read in its own way, or
/// if settings are needed that the command does not have.
fn keys_command(issuer: &Issuer) -> Option<String> {
    let command = match &issuer.keys {
        Keys::Discovery => format!("`portcullis keys --issuer {}`", shell_word(&issuer.name)?),
        Keys::Uri(uri) => format!("`portcullis keys {}`", shell_word(uri)?),
        Keys::Local { .. } => return None,
    };
    let needs_more = issuer.fetching != Fetching::default() || issuer.dangerously_allow_http;
    (!needs_more && issuer.rules.tenant_claim.is_none()).then_some(command)
}

/// Returns a text that every shell takes for one word, without credentials.
fn shell_word(url: &str) -> Option<&str> {
    (terminal::is_plain_url(url) && without_secrets(url) == url).then_some(url)
}

/// Returns the meaning of a configuration; `metadata` are the URLs of the resources' metadata.
fn told(config: &Config, metadata: &[String]) -> String {
    let mut lines = Vec::new();
    lines.push(format!("forward-auth at {}", listener(&config.forward_auth)));
    lines.extend(config.grpc.as_ref().map(|grpc| format!("Envoy ext_authz (gRPC) at {}", listener(grpc))));
    lines.push(match &config.admin {
        Some(admin) if config.console => format!("health, metrics, status and console at {}", listener(admin)),
        Some(admin) => format!("health, metrics and status at {}", listener(admin)),
        None => "no admin listener".into(),
    });
    lines.extend(config.issuers.iter().map(|each| issuer(each, config)));
    lines.extend(config.resources.iter().zip(metadata).map(|(each, metadata)| resource(each, metadata, config)));
    lines.extend(of_all_routes(&config.rules));
    lines.extend(config.routes.iter().map(|each| route(each, &config.rules)));
    lines.push(match config.routes.is_empty() {
        true if config.has_only_resources() => "no routes: any valid token for a resource passes there".into(),
        true => "no routes: any valid token passes".into(),
        false => "a request under no route is refused".into(),
    });
    lines.extend(config.headers.iter().map(|rule| format!("the upstream gets {}: {}", rule.name, rule.content())));
    lines.extend(config.dpop.as_ref().map(|asked| dpop(asked, config)));
    lines.extend(config.store.as_ref().map(store));
    lines.extend(config.traces.as_ref().map(traces));
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "  {line}");
        text
    })
}

fn dpop(dpop: &Dpop, config: &Config) -> String {
    let url = match &dpop.public_url {
        _ if config.has_only_resources() => "the URLs of the resources",
        Some(url) => url,
        None => "the URL that the proxy tells",
    };
    let mut told = vec![format!("DPoP proofs for {url}")];
    told.extend((dpop.nonces != Nonces::Off).then(|| "with a nonce".to_owned()));
    told.extend(
        (dpop.store_away == ReplayStoreAway::Refuse).then(|| "refused while the shared store is away".to_owned()),
    );
    told.extend(further(&dpop.rules, &DpopRules::default(), &[]));
    told.join(", ")
}

fn store(store: &Store) -> String {
    let urls: Vec<_> = store.urls.iter().map(|url| without_secrets(url)).collect();
    format!("shared store at {}", urls.join(", "))
}

/// Returns the collector's address without its query, which may hold a key.
fn traces(traces: &Traces) -> String {
    let Traces { endpoint, sample, service_name } = traces;
    let (origin, path) = (endpoint.origin().ascii_serialization(), endpoint.path());
    format!("traces of {service_name} to {origin}{path}, sampled at {sample}")
}

fn listener(listener: &Listener) -> String {
    match &listener.tls {
        Some(tls) if tls.client_ca.is_some() => format!("{}, TLS with client certificates", listener.address),
        Some(_) => format!("{}, TLS", listener.address),
        None => listener.address.to_string(),
    }
}

fn issuer(issuer: &Issuer, config: &Config) -> String {
    let keys = match &issuer.keys {
        Keys::Discovery if issuer.rules.tenant_claim.is_some() => "keys of each tenant by discovery".into(),
        Keys::Discovery => "keys by discovery".into(),
        Keys::Uri(uri) => format!("keys from {}", without_secrets(uri)),
        Keys::Local { file, .. } => format!("keys from {}", file.display()),
    };
    let audience = match &issuer.rules.audience {
        _ if config.has_only_resources() => "the resources below".into(),
        audience if audience.is_empty() => "any audience".into(),
        audience => audience.join(" or "),
    };
    let others =
        further(&issuer.rules, &IssuerRules::default(), &["issuer", "trust_domain", "audience", "token_cache"]);
    let opaque = if issuer.introspection.is_some() { "; opaque tokens are introspected" } else { "" };
    let exchange = issuer.exchange.as_ref().map(|asked| match &asked.endpoint {
        Some(endpoint) => format!("; tokens are exchanged at {}", without_secrets(endpoint)),
        None => "; tokens are exchanged at the token endpoint that its metadata name".to_owned(),
    });
    let needs = [vec![format!("for {audience}")], others].concat().join(", ");
    format!("issuer {}: {keys}, {needs}{opaque}{}", without_secrets(&issuer.name), exchange.unwrap_or_default())
}

fn resource(resource: &Resource, metadata: &str, config: &Config) -> String {
    let Resource { rules, audience, issuers, .. } = resource;
    let closed = if config.leads_to(resource) { "" } else { "; under no route: every request is refused" };
    let kind = if rules.mcp.is_some() { "MCP server" } else { "resource" };
    let issuers: Vec<_> = issuers.iter().map(|issuer| without_secrets(issuer)).collect();
    let of = if issuers.is_empty() { String::new() } else { format!(" of {}", issuers.join(" or ")) };
    format!("{kind} {}: tokens for {}{of}; metadata at {metadata}{closed}", rules.resource, audience.join(" or "))
}

fn route(route: &Route, all: &Rules) -> String {
    let methods = if route.methods.is_empty() { "any method".into() } else { route.methods.join(", ") };
    let rules = &route.rules;
    let mut needs = Vec::new();
    needs.extend((!rules.scope.is_empty()).then(|| format!("scope {}", rules.scope.join(" and "))));
    needs.extend(rules.any_scope.iter().map(|group| format!("scope {}", group.join(" or "))));
    needs.extend(rules.claims.iter().map(claim));
    if needs.is_empty() {
        needs.push("any valid token".into());
    }
    needs.extend(further(rules, all, &["scope", "any_scope", "claims", "report_only"]));
    let needs = if route.public { "public".into() } else { needs.join(", ") };
    let shadow = if rules.report_only { "; only reported, everything passes" } else { "" };
    let path = route.pattern.as_ref().map_or("chosen by its name", Pattern::as_str);
    let name = route.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let preflight = if route.preflight { "; preflights pass" } else { "" };
    let exchange = route.exchange.as_ref().map(|target| format!("; the upstream gets {target} in exchange"));
    let exchange = exchange.unwrap_or_default();
    format!("route {name}{}{path} ({methods}): {needs}{shadow}{preflight}{exchange}", route.hosts)
}

/// The rules for all routes, unless they are the defaults.
fn of_all_routes(rules: &Rules) -> Option<String> {
    let rules = further(rules, &default_rules(), &[]);
    (!rules.is_empty()).then(|| format!("all routes: {}", rules.join(", ")))
}

/// A claim rule in words.
fn claim(rule: &ClaimRule) -> String {
    let name = &rule.name;
    match (&rule.value, &rule.one_of, &rule.matches, rule.absent) {
        (Some(value), ..) => format!("claim {name} = {value}"),
        (_, Some(values), ..) => {
            format!("claim {name} = {}", values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "))
        }
        (.., Some(pattern), _) => format!("claim {name} matches {pattern:?}"),
        (.., true) => format!("no claim {name}"),
        _ => format!("claim {name}"),
    }
}

/// The rules that differ from `others`, except those named in `told`.
fn further<T: Serialize>(rules: &T, others: &T, told: &[&str]) -> Vec<String> {
    let members = |rules: &T| serde_json::to_value(rules).ok().and_then(|rules| rules.as_object().cloned());
    let (rules, others) = (members(rules).unwrap_or_default(), members(others).unwrap_or_default());
    let differs = |(key, value): &(&String, &Value)| others.get(*key) != Some(*value) && !told.contains(&key.as_str());
    rules.iter().filter(differs).map(|(key, value)| format!("{key} {value}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_good_configuration_is_told_line_by_line() {
        let text = "[[issuers]]\nissuer = \"https://as.example.com\"\n\
                    [[routes]]\npath = \"/health\"\npublic = true\n\
                    [[routes]]\npath = \"/orders/*\"\nmethods = [\"GET\"]\nscope = [\"a\", \"b\"]\nclaims = [{ name = \
                    \"n\", value = 1 }]\n [[headers]]\nname = \"X-Sub\"\nclaim = \"sub\"\n\
                    [[issuers]]\nissuer = \"https://me:hush@b.example.com\"\njwks_uri = \
                    \"https://b.example.com/jwks?key=hush\"\n [store]\nurls = \
                    [\"redis://a:1/0?password=hush#hush\"]\nsecret_env = \"PATH\"\n [traces]\nendpoint = \"http://127.0.0.1:4318/v1/traces?key=hush\"\nsample = 0.1\n";
        let config = Config::read(text, "portcullis.toml", Path::new("")).unwrap();
        let expected = "  forward-auth at 127.0.0.1:9080\n  health, metrics and status at 127.0.0.1:9081\n  \
                        issuer https://as.example.com: keys by discovery, for any audience\n  \
                        issuer https://b.example.com/: keys from https://b.example.com/jwks, for any audience\n  \
                        route /health (any method): public\n  \
                        route /orders/* (GET): scope a and b, claim n = 1\n  \
                        a request under no route is refused\n  the upstream gets x-sub: claim sub\n  \
                        shared store at redis://a:1/0\n  \
                        traces of portcullis to http://127.0.0.1:4318/v1/traces, sampled at 0.1\n";
        assert_eq!(told(&config, &[]), expected);
    }

    #[test]
    fn the_servers_that_were_not_asked_are_told_with_the_command_that_asks() {
        let start = "No server was asked: ";
        for (issuers, expected) in [
            (
                "issuer = \"https://as.example.com\"\n[[issuers]]\nissuer = \"b\"\njwks_uri = \"https://b.example.com/jwks\"",
                "to fetch the keys, run `portcullis keys --issuer https://as.example.com` and `portcullis keys \
                 https://b.example.com/jwks`",
            ),
            // What the command cannot do, or a shell would read in its own way.
            (
                "issuer = \"https://a/{t}\"\ntenant_claim = \"t\"",
                "the log of `portcullis serve` names those that do not answer",
            ),
            (
                "issuer = \"https://a\"\nrequest_fields = { a = \"b\" }",
                "the log of `portcullis serve` names those that do not answer",
            ),
            (
                "issuer = \"http://a\"\ndangerously_allow_http = true",
                "the log of `portcullis serve` names those that do not answer",
            ),
            ("issuer = \"https://a/$(id)\"", "the log of `portcullis serve` names those that do not answer"),
            ("issuer = \"https://me:hush@a\"", "the log of `portcullis serve` names those that do not answer"),
        ] {
            let config = Config::read(&format!("[[issuers]]\n{issuers}"), "portcullis.toml", Path::new("")).unwrap();
            assert_eq!(not_asked(&config), format!("{start}{expected}\n"));
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("k.json"),
            r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#,
        )
        .unwrap();
        let local = "[[issuers]]\nissuer = \"a\"\njwks_file = \"k.json\"\nalgorithms = [\"HS256\"]";
        let local = Config::read(local, "portcullis.toml", folder.path()).unwrap();
        assert_eq!(not_asked(&local), "", "nothing is to be asked");
    }

    #[test]
    fn each_resource_is_told_with_the_url_of_its_metadata() {
        let text = "[[issuers]]\nissuer = \"https://as.example.com\"\n[[resources]]\nresource = \
                    \"https://mcp.example.com/mcp\"\nmcp = true\n[[resources]]\nresource = \
                    \"https://shop.example.com\"\naudience = [\"a\", \"b\"]\nissuers = \"https://as.example.com\"\n";
        let config = Config::read(text, "portcullis.toml", Path::new("")).unwrap();
        let gateway = Gateway::build(&config, None).unwrap();
        let metadata: Vec<_> = gateway.all_metadata().map(|document| document.url().to_owned()).collect();
        let lines: Vec<_> = told(&config, &metadata).lines().map(|line| line.trim().to_owned()).collect();
        for line in [
            "MCP server https://mcp.example.com/mcp: tokens for https://mcp.example.com/mcp; metadata at \
             https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
            "resource https://shop.example.com: tokens for a or b of https://as.example.com; metadata at \
             https://shop.example.com/.well-known/oauth-protected-resource",
            "no routes: any valid token for a resource passes there",
            "issuer https://as.example.com: keys by discovery, for the resources below",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
    }

    #[test]
    fn a_resource_under_no_route_is_told() {
        let resource = "[[issuers]]\nissuer = \"https://as.example.com\"\n[[resources]]\nresource = \
                        \"https://mcp.example.com/mcp\"\n";
        for (paths, issuer, closed) in [
            (&["/mcp"][..], "for the resources below", false),
            (&["/mcp/*"], "for the resources below", false),
            (&["/*"], "for any audience", false),
            (&["/mcp/x", "/orders"], "for any audience", false),
            (&["/orders"], "for any audience", true),
            (&["/mcps"], "for any audience", true),
        ] {
            let routes: String = paths.iter().map(|path| format!("[[routes]]\npath = \"{path}\"\n")).collect();
            let config = Config::read(&format!("{resource}{routes}"), "portcullis.toml", Path::new("")).unwrap();
            let told = told(&config, &["U".to_owned()]);
            assert!(told.contains(&format!("keys by discovery, {issuer}\n")), "{paths:?}: {told}");
            assert_eq!(
                told.contains("metadata at U; under no route: every request is refused"),
                closed,
                "{paths:?}: {told}"
            );
        }
    }

    #[test]
    fn the_use_of_dpop_is_told() {
        let start = "[[issuers]]\nissuer = \"https://as.example.com\"\n[[routes]]\npath = \"/a\"\n[[routes]]\npath = \
                     \"/b\"\ndpop = \"off\"\n[dpop]\nuse = \"required\"\n";
        for (lines, told_as) in [
            ("", "DPoP proofs for the URL that the proxy tells"),
            (
                "public_url = \"https://api.example.com\"\nnonces = true\nmax_age = \"1m\"\nalgorithms = [\"ES256\"]",
                "DPoP proofs for https://api.example.com, with a nonce, algorithms [\"ES256\"], max_age 60",
            ),
        ] {
            let config = Config::read(&format!("{start}{lines}"), "portcullis.toml", Path::new("")).unwrap();
            let lines: Vec<_> = told(&config, &[]).lines().map(|line| line.trim().to_owned()).collect();
            for line in [
                told_as,
                "all routes: dpop \"required\"",
                "route /a (any method): any valid token",
                "route /b (any method): any valid token, dpop \"off\"",
            ] {
                assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
            }
        }
    }

    #[test]
    fn each_rule_is_told_also_one_without_words_of_its_own() {
        let text = "implied_scopes = { write = [\"read\"] }\n\
                    [[issuers]]\nissuer = \"https://a\"\nmax_token_lifetime = \"1h\"\nrfc9068 = true\naudience = \"b\"\n\
                    [[routes]]\npath = \"/a\"\nany_scope = [[\"a\", \"b\"], [\"c\"]]\nclaims = [{ name = \"n\", \
                    one_of = [\"x\", 2] }, { name = \"m\", matches = \"x*\" }, { name = \"o\", absent = true }, { \
                    name = \"p\" }]\n [[routes]]\npath = \"/b\"\noptional = true\nreport_only = true\n";
        let config = Config::read(text, "portcullis.toml", Path::new("")).unwrap();
        let lines: Vec<_> = told(&config, &[]).lines().map(|line| line.trim().to_owned()).collect();
        for line in [
            "issuer https://a: keys by discovery, for b, max_token_lifetime 3600, rfc9068 true",
            "all routes: implied_scopes {\"write\":[\"read\"]}",
            "route /a (any method): scope a or b, scope c, claim n = \"x\" or 2, claim m matches \"x*\", no claim o, claim p",
            "route /b (any method): any valid token, optional true; only reported, everything passes",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
    }
}

//! The text of a first `portcullis.toml`.

use std::path::Path;

use miette::{IntoDiagnostic, Report};
use serde_json::{Value, json};

use super::{Arguments, Found};
use crate::config::line;

const HEAD: &str = "\
# The gateway beside your proxy: `portcullis serve` answers it for each request. Each key is explained in docs/gateway.md;
# `portcullis check-config` finds mistakes in this file.

# listen = \"127.0.0.1:9080\" # the proxy asks here: nginx, Traefik, Caddy, Envoy by HTTP
# grpc = \"127.0.0.1:9090\"   # Envoy asks here by gRPC

# The issuer of accepted tokens, to the letter as they have it in `iss`. Its metadata name its keys, which are kept fresh.
[[issuers]]
";

const NO_AUDIENCE: &str = "\
# Fill this in. Until then a token that the issuer made for any other API passes here, too.
# audience = [\"https://api.example.com\"]
";

const TAIL: &str = "
# The first route that fits counts, and a request under no route is refused.
# [[routes]]
# path = \"/health\"
# public = true

# Reading needs one scope, and every other method another.
# [[routes]]
# path = \"/orders/*\"
# methods = [\"GET\"]
# scope = [\"orders:read\"]

# [[routes]]
# path = \"/orders/*\"
# scope = [\"orders:write\"]

# Everything else needs any good token.
[[routes]]
path = \"/*\"

# The claims for your API. Set the same fields in the proxy's configuration, for each one here: only then is a field that the client
# sends replaced.
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"

[[headers]]
name = \"X-Auth-Scope\"
scope = true

# The last line, below all that you add: it shows that the file is whole, and a running gateway loads your changes by itself.
# end
";

/// Writes the configuration.
///
/// # Errors
///
/// The file of certificate authorities has no absolute path.
pub(super) fn of(found: &Found, arguments: &Arguments) -> Result<String, Report> {
    let mut text = HEAD.to_owned();
    text.push_str(&written("issuer", &json!(found.metadata.issuer)));
    text.push_str(&match arguments.audience.is_empty() {
        true => NO_AUDIENCE.to_owned(),
        false => written("audience", &json!(arguments.audience)),
    });
    if !found.algorithms.is_empty() {
        let names: Vec<_> = found.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        text.push_str(
            "# The algorithms of its keys, as they are now: add another one before the issuer changes to it.\n",
        );
        text.push_str(&written("algorithms", &json!(names)));
    }
    text.push_str(&reached(arguments)?);
    text.push_str(&introspection(found));
    text.push_str(&exchange(found));
    text.push_str(TAIL);
    Ok(text)
}

/// Writes the settings by which the issuer was reached.
fn reached(arguments: &Arguments) -> Result<String, Report> {
    let mut text = String::new();
    if let Some(path) = &arguments.ca_file {
        let absolute = std::path::absolute(path).into_diagnostic()?;
        text.push_str(&written("ca_file", &json!(path_text(&absolute))));
    }
    if arguments.dangerously_allow_http {
        text.push_str("# Whoever is on the network between can sign tokens: use https before real users come.\n");
        text.push_str(&written("dangerously_allow_http", &json!(true)));
    }
    Ok(text)
}

/// Writes a commented hint, if the issuer can be asked about opaque tokens.
fn introspection(found: &Found) -> String {
    let Some(endpoint) = &found.metadata.introspection_endpoint else { return String::new() };
    let endpoint = written("endpoint", &json!(endpoint));
    commented(&format!(
        "\nFor opaque tokens, too: register the gateway as a client of the issuer.\n[issuers.introspection]\n\
         {endpoint}client_id = \"portcullis\"\nclient_secret_file = \"client-secret\"\n"
    ))
}

/// Writes a commented hint, if the issuer exchanges tokens. Its metadata name the endpoint.
fn exchange(found: &Found) -> String {
    if !found.exchanges_tokens() {
        return String::new();
    }
    commented(
        "\nFor routes whose upstream gets a token of its own (`exchange` in a route): the same client, allowed to exchange tokens.\n\
         [issuers.exchange]\nclient_id = \"portcullis\"\nclient_secret_file = \"client-secret\"\n",
    )
}

fn commented(lines: &str) -> String {
    let commented = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") };
    lines.lines().map(commented).collect()
}

/// Writes a key and its value; `${` stands for itself.
fn written(key: &str, value: &Value) -> String {
    line(key, value).replace("${", "$${")
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

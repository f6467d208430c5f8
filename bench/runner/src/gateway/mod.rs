//! The gateway: compared with servers that let every request pass, behind Envoy, its memory, and a burst of requests; and the
//! nginx module, compared with nginx that asks the gateway.

mod envoy;
mod h2load;
mod memory;
mod nginx;
mod oauth2_proxy;
mod question;
mod rush;
mod servers;
mod tables;
mod tokens;
mod tool_calls;
mod turns;

use std::path::{Path, PathBuf};

use harness::{Cores, Result};
use tokio::runtime::Runtime;

pub(crate) use self::{envoy::PACKAGE as ENVOY_PACKAGE, oauth2_proxy::MODULE as OAUTH2_PROXY_MODULE};
use self::{h2load::H2load, tokens::Tokens};
use crate::{http::wrk::Wrk, plan::Plan, programs::Programs, results::Results};

/// The table of requests from nginx, Traefik and Caddy.
pub(crate) const FORWARD_AUTH: &str = "gateway: forward-auth";
/// The table of requests from Envoy.
pub(crate) const EXT_AUTHZ: &str = "gateway: ext_authz by gRPC";
/// The table of response times at half load.
pub(crate) const HALF: &str = "gateway: half of that load";
/// The table of requests through Envoy.
pub(crate) const ENVOY: &str = "gateway: behind Envoy";
/// The table of requests through nginx to an API.
pub(crate) const NGINX: &str = "nginx: before an API";
/// The table of requests that nginx answers by itself.
pub(crate) const NGINX_OWN: &str = "nginx: with an answer of its own";
/// The table of the gateway's memory.
const MEMORY: &str = "gateway: memory";
/// The table of a burst of requests with a new token.
const RUSH: &str = "gateway: 1,000 requests at once with one new opaque token";

/// The table of calls of an MCP server's tool.
const TOOL_CALLS: &str = "gateway: a call of an MCP tool";

/// The rows of the doors.
const JWT: &str = "portcullis, a JWT";
/// The row of an opaque token that was introspected before.
const PHANTOM: &str = "portcullis, an opaque token";
/// The row of many users' tokens.
const ROTATING: &str = "portcullis, 5,000 JWTs by turns";
/// The row of oauth2-proxy.
const OAUTH2_PROXY: &str = "oauth2-proxy, a JWT";
const AXUM: &str = "axum that answers 200";
const TONIC: &str = "tonic that says OK";

/// The rows at half of the load.
const HALF_FORWARD_AUTH: &str = "portcullis, forward-auth";
/// The same for ext_authz.
const HALF_EXT_AUTHZ: &str = "portcullis, ext_authz";

/// The rows behind Envoy.
const ENVOY_ALONE: &str = "Envoy alone";
const ENVOY_AND_TONIC: &str = "Envoy, asking tonic that says OK";
const ENVOY_AND_OURS: &str = "Envoy, asking portcullis";
const ENVOY_JWT_AUTHN: &str = "Envoy's own jwt_authn";

/// The only row of the last two tables.
const OURS: &str = "portcullis";

/// The column that compares with the server that lets every request pass.
const OF_OK: &str = "of the one that says yes";
/// The column that compares an opaque token with a JWT.
const OF_JWT: &str = "of a JWT";
/// The column that compares with oauth2-proxy.
const OF_OAUTH2_PROXY: &str = "of oauth2-proxy";
/// The column that compares with Envoy without a filter.
const OF_ENVOY: &str = "of Envoy alone";
/// The column with the memory of 10,000 tokens.
const RESIDENT: &str = "with 10,000 tokens";
/// The column with the number of introspection requests.
const INTROSPECTIONS: &str = "introspections";

/// The common data of all gateway measurements.
struct Bench<'a> {
    plan: &'a Plan,
    cores: Cores,
    programs: &'a Programs,
    folder: PathBuf,
    tokens: Tokens,
    wrk: Wrk,
    h2load: H2load,
    runtime: Runtime,
}

/// Measures the gateway.
pub(crate) fn measure(plan: &Plan, cores: Cores, programs: &Programs, work: &Path, results: &mut Results) -> Result {
    // A comparison of builds has only the parts about the gateway alone.
    let parts = if programs.compares() { &PARTS[..2] } else { &PARTS[..] };
    measure_parts(parts, plan, cores, programs, &work.join("gateway"), results)
}

/// Measures the nginx module.
pub(crate) fn measure_nginx(
    plan: &Plan,
    cores: Cores,
    programs: &Programs,
    work: &Path,
    results: &mut Results,
) -> Result {
    measure_parts(&[("nginx", nginx::measure)], plan, cores, programs, &work.join("nginx"), results)
}

/// Measures some parts; failures are recorded, and the rest continues.
fn measure_parts(
    parts: &[(&str, Part)],
    plan: &Plan,
    cores: Cores,
    programs: &Programs,
    folder: &Path,
    results: &mut Results,
) -> Result {
    servers::make_folder(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
    let bench = Bench {
        plan,
        cores,
        programs,
        tokens: Tokens::mint(folder, plan, &runtime)?,
        wrk: Wrk::new(cores, plan.connections)?,
        h2load: H2load::new(cores, folder),
        folder: folder.to_owned(),
        runtime,
    };
    for (table, part) in parts {
        println!("bench: {table}");
        if let Err(reason) = part(&bench, results) {
            results.fail(format!("{table}: {reason}"));
        }
    }
    Ok(())
}

type Part = fn(&Bench<'_>, &mut Results) -> Result;

const PARTS: [(&str, Part); 5] = [
    ("gateway: doors", tables::doors),
    (MEMORY, memory::measure),
    (TOOL_CALLS, tool_calls::measure),
    (RUSH, rush::measure),
    (ENVOY, tables::behind_envoy),
];

//! The gateway: compared with servers that let everything pass, beside Envoy, in memory, and in a rush.

mod envoy;
mod h2load;
mod memory;
mod question;
mod rush;
mod servers;
mod tables;
mod tokens;
mod turns;

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{Cores, Result};
use tokio::runtime::Runtime;

pub(crate) use self::envoy::PACKAGE as ENVOY_PACKAGE;
use self::{h2load::H2load, tokens::Tokens};
use crate::{http::wrk::Wrk, plan::Plan, programs::Programs, results::Results};

/// nginx, Traefik and Caddy ask in this way.
pub(crate) const FORWARD_AUTH: &str = "gateway: forward-auth";
/// Envoy asks in this way.
pub(crate) const EXT_AUTHZ: &str = "gateway: ext_authz by gRPC";
/// How long an answer takes while the server has time to spare.
pub(crate) const HALF: &str = "gateway: half of that load";
/// What Envoy's clients see.
pub(crate) const ENVOY: &str = "gateway: behind Envoy";
/// What it keeps.
const MEMORY: &str = "gateway: memory";
/// Nobody knows the token yet.
const RUSH: &str = "gateway: 1,000 requests at once with one new opaque token";

/// The rows of the doors.
const JWT: &str = "portcullis, a JWT";
/// The same with an opaque token, which was introspected before.
const PHANTOM: &str = "portcullis, an opaque token";
/// Many users.
const ROTATING: &str = "portcullis, 5,000 JWTs by turns";
const AXUM: &str = "axum that answers 200";
const TONIC: &str = "tonic that says OK";

/// The rows at half of the load.
const HALF_FORWARD_AUTH: &str = "portcullis, forward-auth";
/// The other door.
const HALF_EXT_AUTHZ: &str = "portcullis, ext_authz";

/// The rows behind Envoy.
const ENVOY_ALONE: &str = "Envoy alone";
const ENVOY_AND_TONIC: &str = "Envoy, asking tonic that says OK";
const ENVOY_AND_OURS: &str = "Envoy, asking portcullis";
const ENVOY_JWT_AUTHN: &str = "Envoy's own jwt_authn";

/// The only row of the last two tables.
const OURS: &str = "portcullis";

/// The column that compares with the server that lets everything pass.
const OF_OK: &str = "of the one that says yes";
/// The column that compares an opaque token with a JWT.
const OF_JWT: &str = "of a JWT";
/// The column that compares with Envoy without a filter.
const OF_ENVOY: &str = "of Envoy alone";
/// The column with the memory of 10,000 tokens.
const RESIDENT: &str = "with 10,000 tokens";
/// How often the authorization server was asked.
const INTROSPECTIONS: &str = "introspections";

/// What all of it needs.
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

/// Measures the gateway; what cannot be measured is told, and the rest goes on.
pub(crate) fn measure(plan: &Plan, cores: Cores, programs: &Programs, work: &Path, results: &mut Results) -> Result {
    let folder = work.join("gateway");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let bench = Bench {
        plan,
        cores,
        programs,
        tokens: Tokens::mint(&folder, plan, &runtime)?,
        wrk: Wrk::new(cores, plan.connections)?,
        h2load: H2load::new(cores, &folder),
        folder,
        runtime,
    };
    // Compared are the parts that are about the gateway alone.
    let parts = if programs.compares() { &PARTS[..2] } else { &PARTS[..] };
    for (table, part) in parts {
        println!("bench: {table}");
        if let Err(reason) = part(&bench, results) {
            results.fail(format!("{table}: {reason}"));
        }
    }
    Ok(())
}

type Part = fn(&Bench<'_>, &mut Results) -> Result;

const PARTS: [(&str, Part); 4] = [
    ("gateway: doors", tables::doors),
    (MEMORY, memory::measure),
    (RUSH, rush::measure),
    (ENVOY, tables::behind_envoy),
];

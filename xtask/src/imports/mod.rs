//! The direction of imports: a room (a top-level module) names only rooms below it, by `crate::` and their own names.
//!
//! Tests may name any room. Dependencies between crates are checked in `dependencies.rs`.

mod paths;
#[cfg(test)]
mod tests;

use std::fs;

use crate::{Result, kept, manifest, shell};

/// The rooms of the library, the highest first; rooms in one line do not name each other.
const LIBRARY: &str = "
    forged_evidence fuzzing stages
    actix axum
    tower
    explain
    gate
    exchange
    verifier
    introspection replay
    questions
    jwks
    client_authentication shared_store token_cache
    telemetry
    transport
    challenge
    resource
    mcp
    policy
    proof
    claims
    token
    bearer check configuration_error
    json
    refusal
    keys
    crypto
    algorithm base64url clock each_once epoch issuer_spelling issuer_template loopback names shown_url units";

/// The highest pure rooms of the library; all rooms below are pure too: no async, I/O or log, and no clock except in `clock`.
const PURE: &str = "challenge";

const GATEWAY: &str = "
    door serve
    admin check_config ext_authz forward_auth init
    explain listener
    decision keys manual resource
    store
    telemetry
    config
    answering routes terminal
    characters files";

const ADDON: &str = "
    door
    exchanger judge token_verifier
    issuer
    exchange introspector key_service message verdict
    dpop endpoint
    clock field javascript log options refused request runtime
    camel_case epoch";

const NGINX: &str = "
    door
    worker
    location
    settings
    counters lines memory
    nginx";

/// The rooms that C calls into, and that therefore call any room.
const CALLED_BY_C: &str = "nginx";

/// Checks each file and lists the forbidden imports.
pub(crate) fn check() -> Result {
    let mut breaches = Vec::new();
    for (package, rooms) in
        [("portcullis", LIBRARY), ("portcullis-gateway", GATEWAY), ("portcullis-node", ADDON), (manifest::NGINX, NGINX)]
    {
        for file in shell::files([&*format!("crates/{package}/src/*.rs")])? {
            let code = fs::read_to_string(shell::root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
            breaches.extend(breaches_of(rooms, &file, &code)?);
        }
    }
    kept("a room names only rooms below it", &breaches)
}

/// Returns a line for each breach in a file, given by its path in the workspace.
fn breaches_of(rooms: &str, file: &str, code: &str) -> Result<Vec<String>> {
    let modules: Vec<_> = file.trim_end_matches(".rs").split('/').skip(3).filter(|step| *step != "mod").collect();
    let room = modules.first().ok_or("expected the path of a file in `src` of a crate")?;
    if modules.iter().any(|module| ["lib", "main", "tests"].contains(module)) {
        return Ok(Vec::new());
    }
    if rooms == NGINX && *room == CALLED_BY_C {
        return Ok(Vec::new());
    }
    let Some(own) = storey(rooms, room) else {
        return Ok(vec![format!("{file}:1: expected {room} in the list in xtask/src/imports/mod.rs: add it there")]);
    };
    let names = paths::named(code).map_err(|error| format!("{file}:{}: {error}", error.span().start().line))?;
    let breaches = names.iter().filter_map(|(line, path)| {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let why = breach(rooms, (room, own), modules.len(), &path)?;
        Some(format!("{file}:{line}: {room} names {}, {why}", path.join("::")))
    });
    Ok(breaches.collect())
}

/// Returns the reason why code in this room, at this depth of modules, may not name a path, and what to do.
fn breach(rooms: &str, (room, own): (&str, usize), depth: usize, path: &[&str]) -> Option<&'static str> {
    let is_pure = storey(rooms, PURE).is_some_and(|pure| own >= pure);
    match path {
        ["crate", named, ..] => match storey(rooms, named) {
            Some(theirs) => (theirs <= own && *named != room).then_some(
                "which stands above or beside it (list in xtask/src/imports/mod.rs): move the shared code to a room below, or \
                 take it as an argument",
            ),
            None => Some("which is not a room: name the room that defines it, as in `crate::gate::Access`"),
        },
        ["super", ..] if path.iter().take_while(|step| **step == "super").count() >= depth => {
            Some("out of its own room: write `crate::` and the name of the other")
        }
        ["aws_lc_rs" | "ed25519_dalek", ..] if storey(rooms, "crypto").is_some() && room != "crypto" => {
            Some("a cryptographic library, which only `crypto` may name: add a function to `crypto`")
        }
        ["await"]
        | ["tokio" | "reqwest" | "tracing" | "metrics", ..]
        | ["std", "fs" | "net" | "env" | "process" | "thread", ..]
        | [.., "SystemTime" | "Instant", "now"]
            if is_pure && (room, path.last()) != ("clock", Some(&"now")) =>
        {
            Some("and is a pure room: do that in a room above, and take the result as an argument")
        }
        _ => None,
    }
}

/// Returns the number of storeys above that of a room.
fn storey(rooms: &str, room: &str) -> Option<usize> {
    rooms.lines().position(|storey| storey.split_whitespace().any(|name| name == room))
}

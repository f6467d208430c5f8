//! The tokens for the gateway and their authorization server.

use std::{
    fs,
    path::{Path, PathBuf},
    slice::from_ref,
};

use harness::{AUDIENCE, Result, mint, opaque_token, token_for};
use portcullis_testkit::{Algorithm, AuthorizationServer};
use tokio::runtime::Runtime;

use crate::plan::Plan;

/// The gateway's client id and secret at the authorization server.
pub(super) const CLIENT: (&str, &str) = ("gateway", "gateway-secret");

/// The identifier of the MCP server.
pub(super) const MCP_SERVER: &str = "https://api.example.com/mcp";

/// The number of tokens for the measurement of memory.
pub(super) const MANY: usize = 10_000;

/// One JWT, one opaque token, and many JWTs; files have one token a line.
pub(super) struct Tokens {
    pub(super) issuer: AuthorizationServer,
    pub(super) jwt: String,
    /// A JWT for the API and for the MCP server.
    pub(super) for_both: String,
    pub(super) opaque: String,
    pub(super) jwt_file: PathBuf,
    pub(super) for_both_file: PathBuf,
    pub(super) opaque_file: PathBuf,
    pub(super) rotating: PathBuf,
    pub(super) many: PathBuf,
}

impl Tokens {
    pub(super) fn mint(folder: &Path, plan: &Plan, runtime: &Runtime) -> Result<Self> {
        println!("bench: gateway: minting tokens");
        let (id, secret) = CLIENT;
        let starting = AuthorizationServer::builder().algorithms([Algorithm::RS256]).client(id, secret).start();
        let issuer =
            runtime.block_on(starting).map_err(|error| format!("cannot start the authorization server: {error}"))?;
        let many = mint(&issuer, Algorithm::RS256, MANY);
        let rotating = &many[..plan.rotating.min(MANY)];
        let jwt = many[0].clone();
        let for_both = token_for(&issuer, &[AUDIENCE, MCP_SERVER]);
        let opaque = opaque_token(&issuer, 0);
        Ok(Self {
            jwt_file: write(folder, "jwt.txt", from_ref(&jwt))?,
            for_both_file: write(folder, "for-both.txt", from_ref(&for_both))?,
            opaque_file: write(folder, "opaque.txt", from_ref(&opaque))?,
            rotating: write(folder, "rotating.txt", rotating)?,
            many: write(folder, "many.txt", &many)?,
            issuer,
            jwt,
            for_both,
            opaque,
        })
    }
}

fn write(folder: &Path, name: &str, tokens: &[String]) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, tokens.join("\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

//! The tokens for the gateway and their authorization server.

use std::{
    fs,
    path::{Path, PathBuf},
    slice::from_ref,
};

use harness::{Result, mint, opaque_token};
use portcullis_testkit::{Algorithm, AuthorizationServer};
use tokio::runtime::Runtime;

use crate::plan::Plan;

/// The gateway's client id and secret at the authorization server.
pub(super) const CLIENT: (&str, &str) = ("gateway", "gateway-secret");

/// The number of tokens for the measurement of memory.
pub(super) const MANY: usize = 10_000;

/// One JWT, one opaque token, and many JWTs; files have one token a line.
pub(super) struct Tokens {
    pub(super) issuer: AuthorizationServer,
    pub(super) jwt: String,
    pub(super) opaque: String,
    pub(super) jwt_file: PathBuf,
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
        let opaque = opaque_token(&issuer, 0);
        Ok(Self {
            jwt_file: write(folder, "jwt.txt", from_ref(&jwt))?,
            opaque_file: write(folder, "opaque.txt", from_ref(&opaque))?,
            rotating: write(folder, "rotating.txt", rotating)?,
            many: write(folder, "many.txt", &many)?,
            issuer,
            jwt,
            opaque,
        })
    }
}

fn write(folder: &Path, name: &str, tokens: &[String]) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, tokens.join("\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

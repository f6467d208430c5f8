//! The tokens of a run, minted once, the same for all servers and libraries.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use harness::{Result, mint};
use portcullis_testkit::{Algorithm, AuthorizationServer, DpopClient};
use serde_json::json;
use tokio::runtime::Runtime;

/// The time limit for minting new tokens.
const LIMIT: Duration = Duration::from_secs(90);
const BATCH: usize = 5000;

/// The number of tokens of each algorithm for whole verifications.
const WHOLE: usize = 1000;
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// The authorization server of the run, and files with tokens, one a line.
pub(crate) struct Tokens {
    /// The authorization server, which runs until this value is dropped.
    pub(crate) issuer: AuthorizationServer,
    /// One token.
    pub(crate) same: PathBuf,
    /// A file with rotating tokens.
    pub(crate) rotating: PathBuf,
    /// A file with tokens for single use.
    pub(crate) new: PathBuf,
    /// The number of tokens for single use.
    pub(crate) new_count: usize,
    /// The requests of a client with a bound token, each with a new proof; [`Tokens::prove`] writes them.
    pub(crate) proofs: [PathBuf; 2],
    _runtime: Runtime,
}

/// Tokens of one algorithm and their key.
pub(crate) struct Whole {
    /// The name of the algorithm.
    pub(crate) algorithm: &'static str,
    /// A file with the tokens.
    pub(crate) tokens: PathBuf,
    /// A file with the JWK Set.
    pub(crate) jwks: PathBuf,
    /// The issuer.
    pub(crate) issuer: String,
}

impl Tokens {
    /// Mints all tokens of a run into files in `folder`: these numbers of rotating tokens and of tokens for single use.
    pub(crate) fn mint(folder: &Path, rotating: usize, new: usize) -> Result<Self> {
        println!("bench: minting tokens");
        let (runtime, issuer) = issuer(&[Algorithm::RS256])?;
        let new = mint_within(&issuer, new);
        Ok(Self {
            same: write(folder, "same.txt", &mint(&issuer, Algorithm::RS256, 1))?,
            rotating: write(folder, "rotating.txt", &mint(&issuer, Algorithm::RS256, rotating))?,
            new: write(folder, "new.txt", &new)?,
            proofs: ["proofs.txt", "proofs-warm-up.txt"].map(|name| folder.join(name)),
            new_count: new.len(),
            issuer,
            _runtime: runtime,
        })
    }
}

impl Tokens {
    /// Writes new proofs of one client: these numbers for a window and for its warm-up. They are good for some minutes.
    pub(crate) fn prove(&self, window: usize, warm_up: usize) -> Result {
        let client = DpopClient::new(Algorithm::ES256);
        let token = harness::bound_token(&self.issuer, Algorithm::RS256, &client.thumbprint());
        for (file, count) in self.proofs.iter().zip([window, warm_up]) {
            let lines = harness::proofs(&client, &token, count);
            let text = lines.join("\n") + "\n";
            fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(())
    }
}

/// Starts the authorization server on its own thread.
fn issuer(algorithms: &[Algorithm]) -> Result<(Runtime, AuthorizationServer)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
    let starting = AuthorizationServer::builder().algorithms(algorithms.iter().copied()).start();
    let issuer =
        runtime.block_on(starting).map_err(|error| format!("cannot start the authorization server: {error}"))?;
    Ok((runtime, issuer))
}

/// Mints the wanted number of tokens; fewer on a slow machine, where windows get shorter.
fn mint_within(issuer: &AuthorizationServer, wanted: usize) -> Vec<String> {
    let started = Instant::now();
    let mut tokens = Vec::with_capacity(wanted);
    while tokens.len() < wanted && started.elapsed() < LIMIT {
        tokens.extend(mint(issuer, Algorithm::RS256, BATCH.min(wanted - tokens.len())));
    }
    tokens
}

/// Mints the tokens of whole verifications into files in `folder`.
pub(crate) fn whole(folder: &Path) -> Result<Vec<Whole>> {
    let (_runtime, issuer) = issuer(&ALGORITHMS)?;
    let keys = issuer.keys();
    let files = ALGORITHMS.iter().zip(keys).map(|(&algorithm, key)| {
        let name = algorithm.name();
        let jwks = json!({ "keys": [key.public_jwk()] }).to_string();
        Ok(Whole {
            algorithm: name,
            tokens: write(folder, &format!("{name}.txt"), &mint(&issuer, algorithm, WHOLE))?,
            jwks: write(folder, &format!("{name}.jwks.json"), &[jwks])?,
            issuer: issuer.issuer().to_owned(),
        })
    });
    files.collect()
}

fn write(folder: &Path, name: &str, lines: &[String]) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, lines.join("\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

//! What the servers have in common: their arguments, where they listen, and the claims that they read.

use std::{
    error::Error,
    io::{self, Write},
    net::Ipv4Addr,
};

use clap::Parser;
use serde::Deserialize;
use tokio::net::TcpListener;

/// What a server's `main` comes to.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Which tokens a server accepts, and where it listens.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// Where the issuer's keys are
    #[arg(long)]
    pub jwks_uri: String,
    /// The `iss` that tokens must have
    #[arg(long)]
    pub issuer: String,
    /// The `aud` that tokens must have
    #[arg(long)]
    pub audience: String,
    /// The port to listen at, on loopback; any free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Verify every token anew; for servers that keep verified tokens
    #[arg(long)]
    pub no_cache: bool,
}

impl Arguments {
    /// Reads the command line.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Listens, and prints the address as the first line of stdout: from then on the server may be asked.
    ///
    /// # Errors
    ///
    /// When the port is taken or stdout is closed.
    pub async fn listen(&self) -> io::Result<TcpListener> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let mut stdout = io::stdout();
        writeln!(stdout, "{}", listener.local_addr()?)?;
        stdout.flush()?;
        Ok(listener)
    }
}

/// The claims that the handlers read; what else a token holds is skipped.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: String,
    /// The client that the token was issued to.
    pub client_id: String,
    /// What the client may do: values with one space between them.
    pub scope: String,
}

impl Claims {
    /// What every handler answers.
    #[must_use]
    pub fn answer(&self) -> &'static str {
        answer(&self.sub, &self.client_id, &self.scope)
    }
}

/// What every handler answers, wherever the peer keeps the claims.
#[must_use]
pub fn answer(sub: &str, client_id: &str, scope: &str) -> &'static str {
    if sub.is_empty() || client_id.is_empty() || scope.is_empty() { "who are you?" } else { "ok" }
}

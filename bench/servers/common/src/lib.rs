//! Code shared by the servers: arguments, listening, and the claims of their handlers.

use std::{
    error::Error,
    io::{self, Write},
    net::Ipv4Addr,
};

use clap::Parser;
use serde::Deserialize;
use tokio::net::TcpListener;

/// The result of a server's `main`.
pub type Outcome = Result<(), Box<dyn Error>>;

/// The rules for tokens and the port of a server.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// The URL of the issuer's keys
    #[arg(long)]
    pub jwks_uri: String,
    /// The required `iss` of tokens
    #[arg(long)]
    pub issuer: String,
    /// The required `aud` of tokens
    #[arg(long)]
    pub audience: String,
    /// The port on loopback; any free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Verify every token again, for servers that cache tokens
    #[arg(long)]
    pub no_cache: bool,
    /// Accept only tokens that are bound to a key, with a DPoP proof for `http://localhost/`
    #[arg(long)]
    pub dpop: bool,
}

impl Arguments {
    /// Reads the command line.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Listens, and prints the address as the first line of stdout when the server is ready for requests.
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

/// The claims that the handlers read; other claims are skipped.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: String,
    /// The client that the token was issued to.
    pub client_id: String,
    /// The client's permissions, separated by spaces.
    pub scope: String,
}

impl Claims {
    /// The answer of every handler.
    #[must_use]
    pub fn answer(&self) -> &'static str {
        answer(&self.sub, &self.client_id, &self.scope)
    }
}

/// The answer of every handler, from these claims.
#[must_use]
pub fn answer(sub: &str, client_id: &str, scope: &str) -> &'static str {
    if sub.is_empty() || client_id.is_empty() || scope.is_empty() { "who are you?" } else { "ok" }
}

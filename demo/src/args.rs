//! The command line.

use std::net::SocketAddr;

use clap::Parser;

/// A resource server guarded by Portcullis, and an authorization server to try it with.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Where the resource server listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Where the embedded authorization server listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001", conflicts_with_all = ["issuer", "jwks_uri"])]
    pub(crate) as_listen: SocketAddr,

    /// Use this authorization server instead: its issuer, whose metadata name its keys
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Use the keys of this endpoint instead of those that the metadata name
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,

    /// Accept only tokens for this audience; given again, for any of them. The embedded server issues
    /// its tokens for them
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Vec<String>,
}

impl Args {
    /// Whom the embedded server's tokens are for.
    pub(crate) fn audiences(&self) -> Vec<String> {
        match self.audience.as_slice() {
            [] => vec!["https://api.example.com".to_owned()],
            named => named.to_vec(),
        }
    }
}

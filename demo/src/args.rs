//! The command line.

use std::net::SocketAddr;

use clap::Parser;

/// A resource server guarded by Portcullis, and an authorization server to try it with.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Address and port of the resource server
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Address and port of the embedded authorization server
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001", conflicts_with_all = ["issuer", "jwks_uri"])]
    pub(crate) as_listen: SocketAddr,

    /// Use the authorization server of this issuer instead; its metadata has the URL of its keys
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Use the keys at this URL instead of the URL in the metadata
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,

    /// Accept only tokens for this audience, or for any of several if given again. The embedded
    /// server issues its tokens for them
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Vec<String>,
}

impl Args {
    /// The audiences of the embedded server's tokens.
    pub(crate) fn audiences(&self) -> Vec<String> {
        match self.audience.as_slice() {
            [] => vec!["https://api.example.com".to_owned()],
            named => named.to_vec(),
        }
    }
}

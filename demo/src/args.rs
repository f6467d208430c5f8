//! The command line.

use clap::Parser;

/// A resource server guarded by Portcullis, and an authorization server to try it with.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Where the resource server listens; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) listen: String,

    /// Where the embedded authorization server listens; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3001", conflicts_with_all = ["issuer", "jwks_uri"])]
    pub(crate) as_listen: String,

    /// Uses this authorization server instead of the embedded one: finds its keys by discovery, and
    /// accepts only its tokens
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Uses the keys at this URL instead of an embedded authorization server; without --issuer, the
    /// issuer is not checked
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,

    /// Accepts only tokens for this audience; repeated, for any of them
    #[arg(long = "audience", value_name = "AUD")]
    pub(crate) audiences: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_authorization_server_and_an_address_for_the_embedded_one_exclude_each_other() {
        let real = ["demo", "--issuer", "https://as.example.com", "--jwks-uri", "https://as.example.com/jwks"];
        assert!(Args::try_parse_from(real).is_ok());
        assert!(Args::try_parse_from(real.into_iter().chain(["--as-listen", "127.0.0.1:0"])).is_err());
    }
}

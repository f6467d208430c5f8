//! The options of the command.

use std::{path::PathBuf, time::SystemTime};

use clap::{ArgGroup, Args, builder::PossibleValuesParser};

use super::{
    codes,
    named::{self, Named},
    times,
};

/// Explain a token by a configuration of the gateway, or by the keys and rules of the options; or explain a code
#[derive(Args)]
#[command(
    group = ArgGroup::new("by").required(true).multiple(true).args(["config", "issuer", "jwks_uri", "jwks_file", "code"]),
    after_help = "Exit status: 0 if the token passes, 1 if it is refused, 2 if it could not be judged.\n\n\
        Examples:\n  \
        pbpaste | portcullis explain --config portcullis.toml --path /orders/1\n  \
        portcullis explain --issuer https://as.example.com --audience https://api.example.com < token.txt\n  \
        portcullis explain --jwks-file keys.json --scope read --at 2026-11-24T10:00:00Z --json < token.txt\n  \
        portcullis explain --code untrusted_proxy"
)]
pub(crate) struct Arguments {
    /// The token; better let it be read from standard input (`-`, or nothing), so that it stays out of the shell's
    /// history
    pub(super) token: Option<String>,

    /// Explain a code of the log, with its remedy; no token is read
    #[arg(
        long, value_name = "CODE", value_parser = PossibleValuesParser::new(codes::names()), hide_possible_values = true,
        conflicts_with_all = named::names(), conflicts_with_all = ["token", "config", "path", "method", "at"],
    )]
    pub(super) code: Option<String>,

    /// Judge by this configuration of the gateway
    #[arg(long, short, value_name = "FILE", conflicts_with_all = named::names())]
    pub(super) config: Option<PathBuf>,

    /// Judge by the route of this path; with [[resources]], of this URL
    #[arg(long, value_name = "PATH", requires = "config", conflicts_with_all = named::names())]
    pub(super) path: Option<String>,

    /// The method of the request
    #[arg(long, value_name = "METHOD", requires = "path", conflicts_with_all = named::names(), default_value = "GET")]
    pub(super) method: String,

    #[command(flatten)]
    pub(super) named: Named,

    /// The URL of the key set
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    pub(super) jwks_uri: Option<String>,

    /// A file with the keys: a JWK Set, or PEM
    #[arg(long, value_name = "FILE")]
    pub(super) jwks_file: Option<PathBuf>,

    /// The time to judge by: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = times::time)]
    pub(super) at: Option<SystemTime>,

    /// Write the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

//! What the command line may say.

use std::{path::PathBuf, time::SystemTime};

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use portcullis::Algorithm;
use serde_json::Value;

use super::{codes, times};
use crate::config::ClaimRule;

/// The keys of a configuration that are named on the command line where there is none.
const NAMED_HERE: [&str; 13] = [
    "issuer",
    "jwks_uri",
    "jwks_file",
    "audience",
    "algorithm",
    "leeway",
    "rfc9068",
    "types",
    "or_no_type",
    "max_token_bytes",
    "dangerously_accept_sender_constrained_tokens",
    "scope",
    "claim",
];

/// By a configuration of the gateway's, or by the keys and rules that are named here; or a code alone.
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
    /// The token; better let it be read from standard input (`-`, or nothing), so that it stays out of the shell's history
    pub(super) token: Option<String>,

    /// Say what a code of the log means, and what to do; no token is read
    #[arg(
        long, value_name = "CODE", value_parser = PossibleValuesParser::new(codes::names()), hide_possible_values = true,
        conflicts_with_all = NAMED_HERE, conflicts_with_all = ["token", "config", "path", "method", "at"],
    )]
    pub(super) code: Option<String>,

    /// Judge by this configuration of the gateway
    #[arg(long, short, value_name = "FILE", conflicts_with_all = NAMED_HERE)]
    pub(super) config: Option<PathBuf>,

    /// Ask for what the route of this path asks for
    #[arg(long, value_name = "PATH", requires = "config", conflicts_with_all = NAMED_HERE)]
    pub(super) path: Option<String>,

    /// The method of the request
    #[arg(long, value_name = "METHOD", requires = "path", conflicts_with_all = NAMED_HERE, default_value = "GET")]
    pub(super) method: String,

    /// The issuer; its metadata name its keys, unless they are named here
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,

    /// Where the keys are fetched from
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    pub(super) jwks_uri: Option<String>,

    /// A file with the keys: a JWK Set, or PEM
    #[arg(long, value_name = "FILE")]
    pub(super) jwks_file: Option<PathBuf>,

    /// The audience that the token has to be for; several: any of them
    #[arg(long, value_name = "AUDIENCE")]
    pub(super) audience: Vec<String>,

    /// An algorithm that is allowed, instead of all with public keys
    #[arg(long, value_name = "ALG", value_delimiter = ',')]
    pub(super) algorithm: Vec<Algorithm>,

    /// How far the clocks may be apart, as in `30s`; 5 s if not said
    #[arg(long, value_name = "TIME", value_parser = times::span)]
    pub(super) leeway: Option<std::time::Duration>,

    /// Judge strictly, as RFC 9068 says
    #[arg(long, requires = "issuer", requires = "audience")]
    pub(super) rfc9068: bool,

    /// A type of token (`typ`) that is accepted, instead of `JWT`, `at+jwt` and none; several: any of them
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(super) types: Vec<String>,

    /// Accept tokens without a type, too
    #[arg(long)]
    pub(super) or_no_type: bool,

    /// The longest token that is looked at, in bytes; 16384 if not said
    #[arg(long, value_name = "BYTES")]
    pub(super) max_token_bytes: Option<usize>,

    /// Accept tokens that are bound to their sender's key without a proof of it
    #[arg(long)]
    pub(super) dangerously_accept_sender_constrained_tokens: bool,

    /// A scope value that is asked for; several: all of them
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    pub(super) scope: Vec<String>,

    /// A claim that has to be there, or to have a value: JSON if it is some, else text; `/a/b` is a JSON Pointer
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = claim)]
    pub(super) claim: Vec<ClaimRule>,

    /// The time to judge by: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = times::time)]
    pub(super) at: Option<SystemTime>,

    /// Write the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

fn claim(text: &str) -> Result<ClaimRule, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("expected NAME or NAME=VALUE".to_owned());
    }
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    Ok(ClaimRule { name: name.to_owned(), value: value.map(read) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_a_name_and_perhaps_a_value() {
        let table = [
            ("sub", "sub", None),
            ("role=admin", "role", Some(json!("admin"))),
            ("level=3", "level", Some(json!(3))),
            ("level=\"3\"", "level", Some(json!("3"))),
            ("/a/b=", "/a/b", Some(json!(""))),
            ("a=b=c", "a", Some(json!("b=c"))),
        ];
        for (text, name, value) in table {
            assert_eq!(claim(text), Ok(ClaimRule { name: name.to_owned(), value }), "{text}");
        }
        assert!(claim("=x").is_err());
    }
}

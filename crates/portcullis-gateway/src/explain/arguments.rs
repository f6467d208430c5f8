//! The options of the command.

use std::{env, ffi::OsStr, path::PathBuf, time::SystemTime};

use clap::{
    Arg, ArgGroup, Args, Command,
    builder::{PossibleValue, TypedValueParser},
    error::Error,
};
use miette::{Report, miette};

use super::{
    codes,
    named::{self, Named},
    request::Line,
    times,
};

/// The configuration that counts where the command line names nothing to judge by, as for `portcullis serve`.
const VARIABLE: &str = "PORTCULLIS_CONFIG";
const DEFAULT: &str = "portcullis.toml";

/// The value of `--code` where none is written.
const ALL_CODES: &str = "";

/// Explain a token by a configuration of the gateway, or by the keys and rules of the options; or explain a code
#[derive(Args)]
#[command(
    group = ArgGroup::new("by").multiple(true).args(["config", "issuer", "jwks_uri", "jwks_file", "code"]),
    group = ArgGroup::new("request").args(["path", "url"]),
    group = ArgGroup::new("with_proof").args(["proof", "proof_file"]).requires("request"),
    after_help = "Without --config, --issuer, --jwks-uri, --jwks-file and --code the configuration is that of PORTCULLIS_CONFIG, or \
        portcullis.toml in this folder. With a configuration, but without --path and \
        --url, the token is judged by the rules of its issuer alone, and by no route.\n\n\
        Exit status: 0 if the token passes, 1 if it is refused (also if the route only reports it, with `report_only`), 2 if it could \
        not be judged.\n\n\
        Examples:\n  \
        pbpaste | portcullis explain --config portcullis.toml --path /orders/1\n  \
        portcullis explain --issuer https://as.example.com --audience https://api.example.com < token.txt\n  \
        portcullis explain --config portcullis.toml --url https://api.example.com/orders/1 --dpop \"$PROOF\" < token.txt\n  \
        portcullis explain --jwks-file keys.json --scope read --at 2026-11-24T10:00:00Z --json < token.txt\n  \
        portcullis explain --code untrusted_proxy"
)]
pub(crate) struct Arguments {
    /// The token; better let it be read from standard input (`-`, or nothing), so that it stays out of the shell's
    /// history
    pub(super) token: Option<String>,

    /// Explain a code of the log, with its remedy; without a value, list all codes. No token is read
    #[arg(
        long, value_name = "CODE", value_parser = CodeName, hide_possible_values = true, num_args = 0..=1, default_missing_value = ALL_CODES,
        conflicts_with_all = named::names(), conflicts_with_all = ["token", "config", "path", "url", "method", "proof", "proof_file", "client_certificate", "at"],
    )]
    pub(super) code: Option<String>,

    /// Judge by this configuration of the gateway
    #[arg(long, short, value_name = "FILE", conflicts_with_all = named::names())]
    pub(super) config: Option<PathBuf>,

    /// Judge by the route of this path; with [[resources]], of this URL
    #[arg(long, value_name = "PATH", value_parser = path, conflicts_with_all = named::names())]
    pub(super) path: Option<String>,

    /// The URL that the client requests: a DPoP proof has to name it; with a configuration, judge by its route
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) url: Option<String>,

    /// The method of the request
    #[arg(long, value_name = "METHOD", requires = "request", default_value = "GET")]
    pub(super) method: String,

    /// The DPoP proof of the request (RFC 9449), which is not used up; that it was not used before is not checked
    #[arg(long = "dpop", value_name = "PROOF")]
    pub(super) proof: Option<String>,

    /// A file with the DPoP proof
    #[arg(long = "dpop-file", value_name = "FILE")]
    pub(super) proof_file: Option<PathBuf>,

    /// A file with the client's certificate of mutual TLS (RFC 8705), in PEM
    #[arg(long, value_name = "FILE")]
    pub(super) client_certificate: Option<PathBuf>,

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

impl Arguments {
    /// Returns the configuration to judge by; none if the options name the issuer or its keys.
    ///
    /// # Errors
    ///
    /// A report of the options that are missing.
    pub(super) fn configuration(&self) -> Result<Option<PathBuf>, Report> {
        let names_issuer =
            [self.jwks_uri.is_some(), self.jwks_file.is_some(), self.named.has("issuer")].contains(&true);
        if self.config.is_some() || names_issuer {
            return Ok(self.config.clone());
        }
        // Rules of the command line would count for nothing beside a configuration.
        let default = env::var_os(VARIABLE)
            .map(PathBuf::from)
            .or_else(|| Some(DEFAULT.into()).filter(|file: &PathBuf| file.exists()));
        match default.filter(|_| self.named.is_empty()) {
            Some(file) => Ok(Some(file)),
            None => Err(miette!(
                help = "write one of them; without rules of the command line, the file in PORTCULLIS_CONFIG counts, or portcullis.toml in \
                        this folder",
                "expected --config FILE, --issuer URL, --jwks-uri URL, --jwks-file FILE or --code CODE, got none of them"
            )),
        }
    }
}

/// Reads the name of a code.
#[derive(Clone)]
struct CodeName;

impl TypedValueParser for CodeName {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        if value == ALL_CODES { Ok(String::new()) } else { codes::named.parse_ref(command, argument, value) }
    }

    /// Returns the names for the completions of shells.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(codes::names().map(PossibleValue::new)))
    }
}

/// Reads a path, or a URL.
fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    match text.contains("://") {
        true => http_url(text),
        false => Err(format!("a path starts with `/`: write `/{text}`")),
    }
}

/// Reads an http or https URL with a host.
fn http_url(text: &str) -> Result<String, String> {
    let line = Line::new("GET", text);
    match line.scheme().zip(line.host()) {
        Some(("http" | "https", host)) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a URL such as https://api.example.com/orders/1".to_owned()),
    }
}

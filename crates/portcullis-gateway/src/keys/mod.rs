//! `portcullis keys`: the keys of a set, with the problems of each.

mod row;
mod table;

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use portcullis::{ConfigurationError, JwkSet, JwksService};
use serde_json::json;

use crate::terminal;
use row::Row;

/// The exit status if at least one key can be used.
const USABLE: u8 = 0;

/// The exit status if no key can be used.
const NONE_USABLE: u8 = 1;

/// The exit status if there is no set to look at.
const NO_SET: u8 = 2;

/// The help if a key set cannot be fetched.
const OF_SET: &str = "for the keys that an issuer's metadata name, write `--issuer URL`";

/// The help if an issuer's key set cannot be fetched.
const OF_ISSUER: &str = "for a key set by its own address, write that without `--issuer`";

/// The help if no server answers.
const UNREACHABLE: &str = "no answer came to this machine: see that the server runs, and compare host and port; docs/troubleshooting.md \
                           lists the reasons under \"The answer is 503\"";

/// The help for a URL over plain http.
const INSECURE: &str = "write https, or fetch the key set yourself and name its file";

/// The options of the command.
#[derive(Args)]
#[command(
    group = ArgGroup::new("from").required(true).args(["set", "issuer"]),
    after_help = "Exit status: 0 if a key can be used, 1 if none can, 2 if the key set cannot be read."
)]
pub(crate) struct Arguments {
    /// A JWK Set, by its URL (https, or of this machine) or file, or a PEM file
    #[arg(value_name = "URL|FILE")]
    set: Option<String>,

    /// The issuer whose metadata name the key set
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,

    /// Write the keys as JSON
    #[arg(long)]
    json: bool,
}

/// Lists the keys; the exit status tells if any can be used.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    match list(&arguments).await {
        Ok(rows) => {
            let is_usable = rows.iter().any(Row::is_usable);
            terminal::print(&shown(&rows, arguments.json));
            if is_usable { USABLE.into() } else { NONE_USABLE.into() }
        }
        Err(report) => {
            terminal::fault(&report);
            NO_SET.into()
        }
    }
}

async fn list(arguments: &Arguments) -> Result<Vec<Row>, Report> {
    match (&arguments.set, &arguments.issuer) {
        (Some(set), _) if is_url(set) => {
            fetched(JwksService::new(set).map_err(|error| of_url(error, INSECURE))?, OF_SET).await
        }
        (Some(file), _) => read(file),
        (None, Some(issuer)) if issuer.contains('{') => Err(miette!(
            help = "write the issuer as its tokens do",
            "expected the issuer of one tenant, got a placeholder"
        )),
        (None, Some(issuer)) => {
            fetched(JwksService::discover(issuer).build().map_err(|error| of_url(error, INSECURE))?, OF_ISSUER).await
        }
        (None, None) => Ok(Vec::new()),
    }
}

/// Returns the report of an error about a URL: a command has no option that permits plain http.
pub(crate) fn of_url(error: ConfigurationError, help: &str) -> Report {
    match error {
        ConfigurationError::InsecureUrl { url } => {
            miette!(help = help, "expected an https URL, or an http URL of this machine, got `{url}`")
        }
        other => Report::from_err(other),
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

async fn fetched(jwks: JwksService, help: &str) -> Result<Vec<Row>, Report> {
    let outcome = terminal::waiting("fetching the keys", jwks.refresh()).await;
    // The service takes a set without usable keys for an error; here it is a result.
    match (jwks.document(), outcome) {
        (Some(set), _) => Ok(set.published_keys().map(|(key, judged)| Row::new(key, judged)).collect()),
        (None, Err(error)) => {
            let help = if error.is_without_answer() { UNREACHABLE } else { help };
            // The error may repeat text of the server.
            Err(miette!(help = help, "{}", terminal::visible(&error.to_string())))
        }
        (None, Ok(())) => Err(miette!("expected a key set from the endpoint, got none")),
    }
}

fn read(file: &str) -> Result<Vec<Row>, Report> {
    let text = std::fs::read(file).into_diagnostic().wrap_err_with(|| format!("cannot read {file}"))?;
    match JwkSet::from_slice(&text) {
        Ok(set) => Ok(set.local_keys().map(|(key, judged)| Row::new(key, judged)).collect()),
        // PEM is accepted, too; the error of any other text is that of a JWK Set.
        Err(_) => {
            let jwks = JwksService::from_text(&text)
                .into_diagnostic()
                .wrap_err_with(|| format!("expected a key set in {file}"))?;
            Ok(jwks.status().keys.iter().map(|_| Row::of_pem()).collect())
        }
    }
}

fn shown(rows: &[Row], as_json: bool) -> String {
    if !as_json {
        return table::of(rows);
    }
    let text = serde_json::to_string_pretty(&json!({ "keys": rows })).unwrap_or_default();
    terminal::escaped(&text) + "\n"
}

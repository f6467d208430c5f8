//! `portcullis init`: a first `portcullis.toml`, made by looking at an issuer's metadata and keys.
//!
//! `issuer` looks, `text` writes the configuration, `report` tells a person what was found and what to do next. The text is read
//! and built as `serve` would before it is written, and no file is ever overwritten.

mod issuer;
mod report;
mod text;

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, builder::NonEmptyStringValueParser};
use miette::{Report, miette};

use crate::{config::Config, decision::Gateway, terminal};
use issuer::{Found, Miss};

/// The exit status if the configuration was written.
const WRITTEN: u8 = 0;

/// The exit status if the issuer cannot be used as it was given.
const UNUSABLE: u8 = 1;

/// The exit status if the issuer could not be looked at, the file could not be written, or for a bad command line.
const FAILED: u8 = 2;

/// The file that is written unless another one is named.
const OUTPUT: &str = "portcullis.toml";

/// The output that stands for the standard output.
const STDOUT: &str = "-";

/// Write a first configuration of the gateway, by looking at an issuer's metadata and keys
#[derive(Args)]
#[command(after_help = "An existing file is never overwritten.\n\n\
    Exit status: 0 if the configuration was written; 1 if the issuer cannot be used as it was given: its metadata name \
    another one, or no key can be used; 2 if it could not be looked at, or the file not be written.\n\n\
    Examples:\n  \
    portcullis init --issuer https://login.example.com/realms/shop --audience https://api.example.com\n  \
    portcullis init --issuer https://as.example.com --ca-file company-ca.pem --output -")]
pub(crate) struct Arguments {
    /// The issuer: the URL that tokens have as `iss`
    #[arg(long, value_name = "URL")]
    issuer: String,

    /// The audience of tokens for your API; several: any of them
    #[arg(long, value_name = "AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    audience: Vec<String>,

    /// The file to write; `-` for the standard output
    #[arg(long, short, value_name = "FILE", default_value = OUTPUT)]
    output: PathBuf,

    /// A PEM file with certificate authorities to trust, besides those of the machine
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Allow plain http to other machines: an attacker on the network can then sign tokens
    #[arg(long)]
    dangerously_allow_http: bool,
}

impl Arguments {
    /// Returns the same command for another issuer.
    fn command_for(&self, issuer: &str) -> String {
        let mut words = vec!["portcullis init --issuer".to_owned(), terminal::quoted(issuer)];
        let mut add = |option: &str, value: &str| words.push(format!("{option} {}", terminal::quoted(value)));
        self.audience.iter().for_each(|audience| add("--audience", audience));
        if self.output != Path::new(OUTPUT) {
            add("--output", &self.output.to_string_lossy());
        }
        if let Some(file) = &self.ca_file {
            add("--ca-file", &file.to_string_lossy());
        }
        words.extend(self.dangerously_allow_http.then(|| "--dangerously-allow-http".to_owned()));
        words.join(" ")
    }
}

/// Looks at the issuer, and writes the configuration.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let (status, report) = match init(&arguments).await {
        Ok(()) => return WRITTEN.into(),
        Err(Miss::Unusable(report)) => (UNUSABLE, report),
        Err(Miss::Failed(report)) => (FAILED, report),
    };
    terminal::fault(&report);
    status.into()
}

async fn init(arguments: &Arguments) -> Result<(), Miss> {
    let output = Some(arguments.output.as_path()).filter(|output| *output != Path::new(STDOUT));
    if output.is_some_and(Path::exists) {
        return Err(Miss::Failed(exists(&arguments.output)));
    }
    let found = issuer::look(arguments).await?;
    let text = text::of(&found, arguments).map_err(Miss::Failed)?;
    check(&text).map_err(Miss::Unusable)?;
    let told = terminal::safe(&report::of(&found, arguments, output));
    match output {
        Some(path) => {
            write(path, &text).map_err(Miss::Failed)?;
            terminal::print(&told);
        }
        None => {
            terminal::print(&terminal::safe(&text));
            terminal::remark(told.trim_end());
        }
    }
    Ok(())
}

/// Reads and builds the configuration as `serve` would.
fn check(text: &str) -> Result<(), Report> {
    let config = Config::read(text, "the configuration for this issuer", Path::new(""))?;
    Gateway::build(&config, None)?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Report> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => miette!("cannot write {}: {error}", terminal::visible(&path.display().to_string())),
    })
}

fn exists(path: &Path) -> Report {
    miette!(
        help = "it was left as it is: name another file by `--output`, or print the configuration by `--output -`",
        "expected no file {}, got one",
        terminal::visible(&path.display().to_string())
    )
}

//! The options of the command.

use std::path::PathBuf;

use clap::Args;
use http::Method;

/// Inspect a protected resource as a client meets it: its challenge, its metadata, and those of its authorization servers
#[derive(Args)]
#[command(
    after_help = "No token is sent. Errors keep clients out, or break a rule that a specification calls required; warnings \
    are recommendations not followed.\n\n\
    Exit status: 0 without errors, 1 with errors, 2 if the resource did not answer.\n\n\
    Examples:\n  \
    portcullis resource https://mcp.example.com/mcp\n  \
    portcullis resource https://api.example.com/orders --method POST --json\n  \
    portcullis resource http://localhost:3000/mcp --strict"
)]
pub(crate) struct Arguments {
    /// The URL of the resource, exactly as its clients write it (https, or of this machine)
    #[arg(value_name = "URL")]
    pub(super) url: String,

    /// The method of the request without a token [default: GET, and POST where there is no GET]
    #[arg(long, value_name = "METHOD")]
    pub(super) method: Option<Method>,

    /// A PEM file with certificate authorities to trust, besides those of the machine
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,

    /// Exit with 1 for warnings, too
    #[arg(long)]
    pub(super) strict: bool,

    /// Write the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

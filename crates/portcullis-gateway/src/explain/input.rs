//! The token, the proof and the certificate, of the command line, standard input or files; they are never shown.

use std::{
    fs::File,
    io::{IsTerminal, Read, stdin},
    path::Path,
};

use miette::{IntoDiagnostic, Report, WrapErr};
use portcullis::ClientCertificate;

use crate::terminal;

/// The limit on input, in bytes; no token is longer.
const LONGEST: u64 = 1024 * 1024;

/// Reads the token.
pub(super) fn token(argument: Option<&str>) -> Result<Vec<u8>, Report> {
    match argument {
        Some(token) if token != "-" => {
            terminal::remark(
                "note: the token now stands in your shell's history; read from standard input, it does not",
            );
            Ok(token.as_bytes().to_vec())
        }
        _ => read(),
    }
}

/// Reads the proof of the command line, or of a file.
pub(super) fn proof(argument: Option<&str>, file: Option<&Path>) -> Result<Option<Vec<u8>>, Report> {
    match (argument, file) {
        (Some(proof), _) => Ok(Some(proof.as_bytes().to_vec())),
        (None, Some(file)) => of_file(file).map(Some),
        (None, None) => Ok(None),
    }
}

/// Reads a client's certificate in PEM.
pub(super) fn certificate(file: &Path) -> Result<ClientCertificate, Report> {
    let pem = String::from_utf8(of_file(file)?).into_diagnostic().wrap_err_with(|| cannot_read(file))?;
    ClientCertificate::from_pem(&pem).into_diagnostic().wrap_err_with(|| cannot_read(file))
}

fn of_file(file: &Path) -> Result<Vec<u8>, Report> {
    let open = File::open(file).into_diagnostic().wrap_err_with(|| cannot_read(file))?;
    up_to_the_limit(open).wrap_err_with(|| cannot_read(file))
}

fn cannot_read(file: &Path) -> String {
    format!("cannot read {}", file.display())
}

fn read() -> Result<Vec<u8>, Report> {
    if stdin().is_terminal() {
        terminal::remark(
            "paste the token, then press Enter and Ctrl-D (terminals cut it after 4,095 characters: read longer ones from a file):",
        );
    }
    up_to_the_limit(stdin().lock()).wrap_err("cannot read the token")
}

fn up_to_the_limit(input: impl Read) -> Result<Vec<u8>, Report> {
    let mut given = Vec::new();
    input.take(LONGEST).read_to_end(&mut given).into_diagnostic()?;
    Ok(given)
}

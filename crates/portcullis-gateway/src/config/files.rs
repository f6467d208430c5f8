//! The files of a configuration, read during its check.

use std::{io, path::PathBuf};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{
    Secret,
    file::{Read, Table, Value},
    problem::Problem,
};
use crate::files;

/// Returns the path in a value, relative to the folder of the configuration.
pub(super) fn path(value: &Value<'_>, table: &Table<'_>) -> Read<PathBuf> {
    Ok(table.base().join(value.text()?))
}

/// Reads the text of a file with a secret; an empty one is a mistake.
pub(super) fn read(value: &Value<'_>, table: &Table<'_>) -> Read<String> {
    text(value, table, hidden(value))
}

/// Reads the bytes of any file; an empty one is a mistake.
pub(super) fn bytes(value: &Value<'_>, table: &Table<'_>) -> Read<Vec<u8>> {
    some(value, table, hidden(value))
}

fn hidden(value: &Value<'_>) -> impl FnOnce(&io::Error) -> Problem {
    // A value that names no file may be the secret itself.
    move |error| {
        value
            .hidden_problem(format!("cannot read the file named here: {}", reason(error)))
            .help(format!("{}; its name is not shown, in case it is a secret", remedy(error)))
    }
}

fn text(value: &Value<'_>, table: &Table<'_>, unreadable: impl FnOnce(&io::Error) -> Problem) -> Read<String> {
    String::from_utf8(some(value, table, unreadable)?).or_else(|_| {
        let path = path(value, table)?;
        Err(value
            .problem(format!("expected a text file in UTF-8, got other bytes in {}", path.display()))
            .help("write it as text"))
    })
}

fn some(value: &Value<'_>, table: &Table<'_>, unreadable: impl FnOnce(&io::Error) -> Problem) -> Read<Vec<u8>> {
    let path = path(value, table)?;
    match files::read(&path) {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Err(value
            .problem(format!("expected a file with content, got the empty {}", path.display()))
            .help("fill it")),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Reads a private key in PEM.
pub(super) fn private_key(value: &Value<'_>, table: &Table<'_>) -> Read<Secret> {
    let pem = read(value, table)?;
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(_) => Ok(Secret::new(pem)),
        Err(_) => Err(value
            .problem("expected a private key in PEM, got a file without one")
            .help("it begins with `-----BEGIN PRIVATE KEY-----`")),
    }
}

/// Reads certificates in PEM.
pub(super) fn certificates(value: &Value<'_>, table: &Table<'_>) -> Read<String> {
    // The line of the value shows the name, unless the value is PEM.
    let pem = text(value, table, |error| {
        value.problem(format!("cannot read the file named here: {}", reason(error))).help(remedy(error))
    })?;
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes()).peekable();
    match certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok()) {
        true => Ok(pem),
        false => Err(value
            .problem("expected certificates in PEM, got a file with none or a broken one")
            .help("it begins with `-----BEGIN CERTIFICATE-----`")),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename | io::ErrorKind::NotADirectory => {
            "there is no such file".into()
        }
        io::ErrorKind::PermissionDenied => "the gateway may not".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename | io::ErrorKind::NotADirectory => {
            "relative paths start from the folder of the configuration file"
        }
        io::ErrorKind::PermissionDenied => "let the user that the gateway runs as read it",
        _ => "name a file",
    }
}

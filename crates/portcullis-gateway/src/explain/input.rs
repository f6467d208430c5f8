//! The token on the command line or standard input; it is never shown.

use std::io::{IsTerminal, Read, stdin};

use miette::{IntoDiagnostic, Report, WrapErr};

use crate::terminal;

/// The limit on input; no token is longer.
const LONGEST: u64 = 1024 * 1024;

/// Reads the token, without the text that people copy along with it.
pub(super) fn token(argument: Option<&str>) -> Result<Vec<u8>, Report> {
    let given = match argument {
        Some(token) if token != "-" => {
            terminal::remark(
                "note: the token now stands in your shell's history; read from standard input, it does not",
            );
            token.as_bytes().to_vec()
        }
        _ => read()?,
    };
    Ok(bare(&given).to_vec())
}

fn read() -> Result<Vec<u8>, Report> {
    if stdin().is_terminal() {
        terminal::remark(
            "paste the token, then press Enter and Ctrl-D (terminals cut it after 4,095 characters: read longer ones from a file):",
        );
    }
    let mut given = Vec::new();
    stdin().lock().take(LONGEST).read_to_end(&mut given).into_diagnostic().wrap_err("cannot read the token")?;
    Ok(given)
}

/// Returns the token without `Authorization: Bearer ` before it, and without white space around it.
pub(crate) fn bare(given: &[u8]) -> &[u8] {
    ["Authorization:", "Bearer "].into_iter().fold(given.trim_ascii(), |text, prefix| {
        match text.split_at_checked(prefix.len()) {
            Some((start, rest)) if start.eq_ignore_ascii_case(prefix.as_bytes()) => rest.trim_ascii(),
            _ => text,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_along_is_cut() {
        for given in ["a.b.c", " a.b.c\r\n", "Bearer a.b.c", "bearer  a.b.c", "Authorization: Bearer a.b.c\n"] {
            assert_eq!(bare(given.as_bytes()), b"a.b.c", "{given:?}");
        }
        for given in ["Basic a.b.c", "Bearer", "\"a.b.c\"", ""] {
            assert_eq!(bare(given.as_bytes()), given.as_bytes(), "{given:?}");
        }
    }
}

//! Secrets from files and from the environment.

use std::fmt;

use super::{
    file::{Read, Table, Value},
    files,
    problem::Problem,
};

/// The length of a secret that keys are derived from.
pub(super) const LEAST_BYTES: usize = 32;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Reads a secret under `…_file` or `…_env`; under the plain key it is refused.
pub(super) fn secret(table: &Table<'_>, plain: &'static str, file: &'static str, env: &'static str) -> Option<Secret> {
    if let Some(value) = table.value(plain) {
        table.note(value.problem(format!("expected the secret elsewhere, got it in this file under `{plain}`")).help(
            format!("put it into a file and name that by `{file}`, or into a variable and name that by `{env}`"),
        ));
    }
    let (in_file, in_env) = (table.value(file), table.value(env));
    if let (Some(one), Some(other)) = (&in_file, &in_env) {
        let problem =
            one.problem(format!("expected `{file}` or `{env}`, got both")).and(other.place.clone(), "and here");
        table.note(problem.help("leave one of them out"));
    }
    let from_file = table.get(file, |value| from_file(value, table));
    let from_env = table.get(env, from_env);
    from_file.or(from_env)
}

/// Like [`secret`], and notes a missing one.
pub(super) fn required(
    table: &Table<'_>,
    plain: &'static str,
    file: &'static str,
    env: &'static str,
) -> Option<Secret> {
    if [plain, file, env].into_iter().all(|key| table.value(key).is_none()) {
        table.note(
            Problem::new(table.place(), format!("expected `{file}` or `{env}` in this table, got neither")).help(
                format!(
                    "put the secret into a file and name that by `{file}`, or into a variable and name that by `{env}`"
                ),
            ),
        );
    }
    secret(table, plain, file, env)
}

fn from_file(value: &Value<'_>, table: &Table<'_>) -> Read<Secret> {
    let text = files::read(value, table)?;
    // Editors and `echo` end a file with a newline, which is not part of the secret.
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Secret::new(text))
}

fn from_env(value: &Value<'_>) -> Read<Secret> {
    let name = value.text()?;
    match std::env::var(name) {
        Ok(secret) if !secret.is_empty() => Ok(Secret::new(secret)),
        _ => Err(value
            .hidden_problem(
                "expected a secret in the variable named here, got a variable that is not set, empty or not UTF-8",
            )
            .help(
                "set it for the gateway's process; this value is the variable's name, not the secret (and it is not \
                 shown, in case it is one)",
            )),
    }
}

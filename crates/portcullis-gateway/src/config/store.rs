//! `[store]`: the store that several gateways share.

use url::Url;

use super::{
    Store,
    file::{Read, Table, Value},
    files,
    problem::Problem,
    secret,
};

pub(super) fn store(root: &Table<'_>) -> Option<Store> {
    let table = root.table("store")?;
    let urls = urls(&table);
    let cluster = table.get("cluster", Value::boolean).unwrap_or(false);
    let several = |value: &Value<'_>| value.elements().is_some_and(|urls| urls > 1);
    if let Some(value) = table.value("urls").filter(|value| several(value) && !cluster) {
        let problem = value.problem("expected one URL without `cluster`, got several");
        table.note(problem.help("set `cluster = true` if they are nodes of one cluster, else name one"));
    }
    let username = table.get("username", Value::string);
    let password = secret::secret(&table, "password", "password_file", "password_env");
    let sealing = secret::required(&table, "secret", "secret_file", "secret_env");
    let long_enough = sealing.as_ref().is_none_or(|secret| secret.reveal().len() >= secret::LEAST_BYTES);
    if let Some(value) = table.value("secret_file").or_else(|| table.value("secret_env")).filter(|_| !long_enough) {
        let problem = value.problem("expected a secret of 32 bytes or more to seal entries with, got a shorter one");
        table
            .note(problem.help("`openssl rand -base64 48` makes one; all gateways that share the store need the same"));
    }
    let ca_pem = table.get("ca_file", |value| files::certificates(value, &table));
    let in_the_clear = urls.iter().any(|url| !url.starts_with("rediss://"));
    if let Some(value) = table.value("ca_file").filter(|_| in_the_clear) {
        let problem = value.problem("expected `rediss://` URLs with `ca_file`, got `redis://`");
        table.note(problem.help("a certificate is only looked at over TLS: write `rediss://`, or leave `ca_file` out"));
    }
    table.finish();
    Some(Store { urls, cluster, username, password, secret: sealing?, ca_pem })
}

fn urls(table: &Table<'_>) -> Vec<String> {
    let help = "write `url = \"redis://127.0.0.1:6379\"`, or `urls` with the nodes of a cluster";
    match (table.value("url"), table.value("urls")) {
        (Some(one), Some(other)) => {
            let problem = one.problem("expected `url` or `urls`, got both").and(other.place, "and here");
            table.note(problem.help("leave one of them out"));
        }
        (None, None) => {
            table.note(Problem::new(table.place(), "expected `url` in this table, got none").help(help));
        }
        (None, Some(urls)) if urls.elements() == Some(0) => {
            table.note(urls.problem("expected a URL, got an empty array").help(help));
        }
        _ => {}
    }
    let one = table.get("url", url).into_iter();
    one.chain(table.list("urls", "an array of URLs", url).unwrap_or_default()).collect()
}

fn url(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    // The text is not shown: it may have a password.
    let wrong = || {
        value
            .hidden_problem("expected a URL of Redis or Valkey, got something else")
            .help("write it as in \"redis://127.0.0.1:6379\", or \"rediss://\" for TLS")
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "redis" | "rediss") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        let problem = value.problem("expected a URL without user and password, got one with them");
        return Err(problem.help("use `username`, and `password_file` or `password_env`"));
    }
    Ok(text.to_owned())
}

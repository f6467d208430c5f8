//! `[dpop]`: proofs of possession (RFC 9449).

use portcullis::{DpopRules, DpopUse, ReplayStoreAway};

use super::{
    Dpop, Nonces, Route,
    file::{Read, Table, Value},
    issuer::algorithm_name,
    problem::Problem,
    secret,
};

/// Reads the table; none if there is none.
pub(super) fn dpop(root: &Table<'_>) -> Option<Dpop> {
    if let Some(value) = root.value("dpop").filter(|value| !value.is_table()) {
        root.note(value.expected("a table").help("write `use = \"required\"` below `[dpop]`"));
        return None;
    }
    let table = root.table("dpop")?;
    let used = table.value("use").map(|_| table.get("use", used).unwrap_or_default());
    let public_url = table.get("public_url", public_url);
    let nonces = nonces(&table);
    let aways = [("judge_locally", ReplayStoreAway::JudgeLocally), ("refuse", ReplayStoreAway::Refuse)];
    let store_away = table.get("when_store_is_away", |value| value.word(&aways)).unwrap_or_default();
    if let Some(value) = table.value("when_store_is_away").filter(|_| root.value("store").is_none()) {
        let problem = value.problem("expected a `[store]` beside `when_store_is_away`, got none");
        table.note(problem.help("name the Redis or Valkey that the gateways share, or leave `when_store_is_away` out"));
    }
    table.list("algorithms", "an array of algorithms", algorithm_name);
    let rules = table.rest(None, &[], DpopRules::check);
    table.finish();
    Some(Dpop { used, rules: rules?, public_url, nonces, store_away })
}

/// Notes a table that no route uses.
pub(super) fn together(root: &Table<'_>, dpop: Option<&Dpop>, routes: &[Route]) {
    let is_used = |dpop: &Dpop| {
        dpop.used.is_some() || routes.iter().any(|route| !route.public && route.rules.dpop != DpopUse::Off)
    };
    if let Some((place, _)) = root.entry("dpop").filter(|_| dpop.is_some_and(|dpop| !is_used(dpop))) {
        let problem = Problem::new(place, "expected `use` in `[dpop]`, or `dpop` in one of [[routes]], got neither");
        root.note(problem.help("write `use = \"required\"`; \"allowed\" lets bearer tokens pass, too"));
    }
}

/// Reads the use of DPoP on routes without their own.
fn used(value: &Value<'_>) -> Read<DpopUse> {
    value.word(&[("off", DpopUse::Off), ("allowed", DpopUse::Allowed), ("required", DpopUse::Required)])
}

fn nonces(table: &Table<'_>) -> Nonces {
    let on = table.get("nonces", Value::boolean).unwrap_or(false);
    let secret = secret::secret(table, "nonce_secret", "nonce_secret_file", "nonce_secret_env");
    let named = table.value("nonce_secret_file").or_else(|| table.value("nonce_secret_env"));
    if let Some(value) = named {
        if !on {
            let problem = value.problem("expected `nonces = true` beside this secret, got none");
            table.note(problem.help("set `nonces = true`, or leave the secret out"));
        }
        if secret.as_ref().is_some_and(|secret| secret.reveal().len() < secret::LEAST_BYTES) {
            let problem = value.problem("expected a secret of 32 bytes or more for nonces, got a shorter one");
            table.note(problem.help("`openssl rand -base64 48` makes one; all gateways of one API need the same"));
        }
    }
    match (on, secret) {
        (false, _) => Nonces::Off,
        (true, None) => Nonces::On,
        (true, Some(secret)) => Nonces::Secret(secret),
    }
}

/// Reads the URL of the API, as the library takes it.
fn public_url(value: &Value<'_>) -> Read<String> {
    let text = value.exact()?;
    portcullis::Dpop::allowed().public_url(&text).map_err(|_| {
        value.problem("expected the http or https URL under which clients reach the API, got another text").help(
            "write scheme and host, and the path if the proxy takes one off, without user and query, as in \"https://api.example.com\"",
        )
    })?;
    Ok(text)
}

//! `[issuers.exchange]`, and `exchange` of a route: tokens of the upstream's in exchange for the client's (RFC 8693).

use portcullis::Target;

use super::{
    Exchange, Issuer,
    bytes::bytes,
    duration::{duration, some_time},
    file::{Table, Value},
    issuer::{ANY, allows_http, client, client_id},
    problem::Problem,
    server_url::server_url,
};

/// Reads the token endpoint of an issuer.
pub(super) fn of_issuer(issuer: &Table<'_>) -> Option<Exchange> {
    refuse_unnamed(issuer);
    let table = issuer.table("exchange")?;
    let endpoint = endpoint(&table, issuer);
    let client_id = client_id(&table);
    let client = client(&table, client_id.as_deref());
    let timeout = table.get("timeout", some_time);
    let keep_for = table.get("keep_for", duration);
    let cache_bytes = table.get("cache_bytes", |value| bytes(value, 0, 64 << 30));
    let remember_refusals_for = table.get("remember_refusals_for", duration);
    let max_questions = table.get("max_questions", |value| value.integer(1, 10_000));
    let max_answer_bytes = table.get("max_answer_bytes", |value| bytes(value, 1 << 10, 64 << 20));
    let may_outlive = table.get("may_outlive", duration);
    let unverified = table.get("dangerously_accept_unverified_tokens", Value::boolean);
    let other_subjects = table.get("dangerously_accept_other_subjects", Value::boolean);
    table.finish();
    Some(Exchange {
        endpoint: endpoint?,
        client_id: client_id?,
        client: client?,
        timeout,
        keep_for,
        cache_bytes,
        remember_refusals_for,
        max_questions,
        max_answer_bytes,
        may_outlive,
        dangerously_accept_unverified_tokens: unverified.unwrap_or(false),
        dangerously_accept_other_subjects: other_subjects.unwrap_or(false),
    })
}

/// Reads the URL of the token endpoint, which the issuer's metadata name otherwise; none if it is missing.
#[expect(clippy::option_option, reason = "it may be left out, or be missing")]
fn endpoint(table: &Table<'_>, issuer: &Table<'_>) -> Option<Option<String>> {
    if table.value("endpoint").is_some() {
        return table.get("endpoint", |value| server_url(value, allows_http(issuer))).map(Some);
    }
    let Some((key, keys)) = ["jwks_uri", "jwks_file"].iter().find_map(|key| Some((key, issuer.value(key)?))) else {
        return Some(None);
    };
    let problem = Problem::new(table.place(), "expected `endpoint` in this table, got none")
        .and(keys.place(), format!("with `{key}`, no metadata are fetched that could name it"));
    table.note(problem.help("write the URL of the token endpoint (RFC 8693)"));
    None
}

/// Refuses an exchange for an issuer that is not one by name: its tokens could be shown to a server that they are not of.
fn refuse_unnamed(issuer: &Table<'_>) {
    let Some(value) = issuer.value("exchange") else { return };
    for key in ["tenant_claim", "trust_domain", ANY] {
        let is_set = issuer.value(key).is_some_and(|value| value.boolean() != Ok(false));
        if is_set {
            let problem = value.problem(format!("expected no exchange with `{key}`, got both"));
            let help = "a token is shown to its own issuer's server alone: add that issuer by its name";
            issuer.look_at("exchange", || issuer.note(problem.help(help)));
        }
    }
}

/// Reads the service that a route exchanges tokens for.
pub(super) fn of_route(route: &Table<'_>, issuers: &[Issuer]) -> Option<Target> {
    let value = route.value("exchange")?;
    refuse_contradictions(route, &value);
    let without: Vec<_> = issuers.iter().filter(|issuer| issuer.exchange.is_none()).collect();
    if let Some(first) = without.first() {
        let problem = value.problem(format!(
            "expected `[issuers.exchange]` at each issuer, got none at `{}`: its tokens could not be exchanged",
            first.name
        ));
        route.note(problem.help("write its `endpoint` and `client_id` there, or run a gateway for the other issuers"));
    }
    let table = route.table("exchange")?;
    let target = table.rest(None, &[], Target::check);
    table.finish();
    target
}

/// Refuses keys of a route by which requests would pass without an exchanged token.
fn refuse_contradictions(route: &Table<'_>, exchange: &Value<'_>) {
    let contradictions = [
        ("public", true, "a public route asks for no token, and has none to exchange: take out one of the two"),
        ("report_only", true, "a route that only reports lets requests pass without a token: take out one of the two"),
        (
            "forward_authorization",
            false,
            "the upstream gets the exchanged token in `Authorization`: take out one of the two",
        ),
    ];
    for (key, bad, help) in contradictions {
        if let Some(value) = route.value(key).filter(|value| value.boolean() == Ok(bad)) {
            let problem = exchange.problem(format!("expected no `exchange` with `{key} = {bad}`, got both"));
            route.note(problem.and(value.place.clone(), "here").help(help));
        }
    }
}

//! `claims` of a route: rules for claims, none of which can never be met.
//!
//! A rule that refuses everybody is found out when it is too late, and mostly by who meant something else by it.

use serde_json::Value as Json;

use super::{
    ClaimRule, Issuer,
    file::{Read, Table, Value},
};

/// Claims that are one text (RFC 7519 section 4.1, RFC 9068 section 2.2, and what authorization servers say of clients).
const TEXTS: [&str; 12] =
    ["iss", "sub", "jti", "client_id", "azp", "appid", "cid", "oid", "tid", "email", "preferred_username", "token_use"];

/// Claims that are one text, or several of which one is enough (RFC 7519 section 4.1.3, RFC 8693 section 4.2).
const TEXT_OR_TEXTS: [&str; 3] = ["aud", "scope", "scp"];

/// Claims that are times, of which no two tokens have the same.
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// Objects of Keycloak's, whose members are often written with a dot.
const OBJECTS: [&str; 2] = ["realm_access.", "resource_access."];

/// The rules of a route for tokens of these issuers.
pub(super) fn claims(route: &Table<'_>, issuers: &[Issuer]) -> Vec<ClaimRule> {
    if let Some(value) = route.value("claims").filter(|value| value.elements() == Some(0)) {
        let problem = value.problem("expected something in `claims`, got an empty array");
        route.note(problem.help("leave `claims` out"));
    }
    let mut rules: Vec<(ClaimRule, Value<'_>)> = Vec::new();
    for table in route.tables("claims") {
        let place = table.value("value").or_else(|| table.value("name"));
        let (Some(rule), Some(place)) = (claim(table), place) else { continue };
        if is_of_no_issuer(&rule, issuers) {
            let problem = place.problem("expected the `iss` of one of the issuers, got another");
            route.note(
                problem.help("tokens of other issuers are refused: write it as in [[issuers]], or leave the rule out"),
            );
        }
        if let Some((_, first)) = rules.iter().find(|(first, _)| contradict(first, &rule)) {
            let problem = place.problem(format!("expected one value for `{}`, got another", rule.name));
            route.note(problem.and(first.place.clone(), "first here").help(
                "a token has to meet every rule, and has one text there: take out one of the two (one of several values \
                 cannot be asked for yet: leave the rule out, or have a route for each)",
            ));
        }
        rules.push((rule, place));
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

/// Tells whether a rule asks for another `iss` than any token has that is accepted.
fn is_of_no_issuer(rule: &ClaimRule, issuers: &[Issuer]) -> bool {
    // Answers of an introspection endpoint may have a slash more or less, and JWT-SVIDs any `iss`.
    let plain = |issuer: &str| issuer.trim_end_matches('/').to_owned();
    let asked = rule.value.as_ref().filter(|_| rule.name == "iss").and_then(Json::as_str).map(plain);
    let has = |asked: &String| issuers.iter().any(|issuer| issuer.by_trust_domain || plain(&issuer.issuer) == *asked);
    asked.is_some_and(|asked| !issuers.is_empty() && !has(&asked))
}

/// Tells whether no token can meet both.
fn contradict(one: &ClaimRule, other: &ClaimRule) -> bool {
    let values = (one.value.as_ref(), other.value.as_ref());
    one.name == other.name && TEXTS.contains(&&*one.name) && matches!(values, (Some(one), Some(other)) if one != other)
}

fn claim(table: Table<'_>) -> Option<ClaimRule> {
    let help = "write a claim's name, or a JSON Pointer as in \"/realm_access/roles\"";
    let name = table.require("name", help, claim_name).map(plain);
    let given = table.value("value").is_some();
    let value = table.get("value", |value| claim_value(value, name.as_deref().unwrap_or_default()));
    table.finish();
    // A rule whose value could not be read must not become one that asks for presence only.
    if given && value.is_none() { None } else { Some(ClaimRule { name: name?, value }) }
}

/// `/sub` is `sub`, where that is said shorter.
fn plain(name: String) -> String {
    match name.strip_prefix('/') {
        Some(rest) if TEXTS.contains(&rest) || TIMES.contains(&rest) => rest.to_owned(),
        _ => name,
    }
}

/// A value that a claim can be equal to, or have among its elements.
fn claim_value(value: &Value<'_>, name: &str) -> Read<Json> {
    let json = value.json()?;
    if json.is_array() {
        return Err(value.problem("expected one value, got an array, which only the very same array would equal").help(
            "write the one value: a claim that is an array passes if it has that among its elements (one of several values \
             cannot be asked for yet; for all of them, write a rule for each)",
        ));
    }
    if json == "" {
        return Err(value.problem("expected a value, got an empty text").help("leave `value` out to ask for presence"));
    }
    if TIMES.contains(&name) {
        let problem = value.problem(format!("expected no value for the time `{name}`, got one"));
        return Err(problem.help("no other token would have it; times are judged for every token without a rule"));
    }
    if (TEXTS.contains(&name) || TEXT_OR_TEXTS.contains(&name)) && !json.is_string() {
        let problem = value.problem(format!("expected a text for `{name}`, got something else"));
        return Err(problem.help("write it in quotes: that claim is text, and nothing is converted"));
    }
    Ok(json)
}

/// A name, or a JSON Pointer, whose `~` stand before 0 or 1 (RFC 6901 section 3).
pub(super) fn claim_name(value: &Value<'_>) -> Read<String> {
    let text = value.exact()?;
    let text = text.as_str();
    let pointer = text.strip_prefix('/');
    if pointer.is_some() && text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        return Err(value
            .problem(format!("expected a JSON Pointer, \"{text}\" came"))
            .help("write `~` as `~0`, and a `/` in a name as `~1`"));
    }
    if let Some((first, _)) = pointer.and_then(|pointer| pointer.split_once('/')).filter(|(first, _)| is_scalar(first))
    {
        let problem = value.problem(format!("expected a way into an object or an array, `{first}` is neither"));
        return Err(problem.help(format!("write \"{first}\" for the claim itself")));
    }
    if OBJECTS.iter().any(|object| text.starts_with(object)) {
        let problem = value.problem(format!("expected a JSON Pointer into an object, got \"{text}\""));
        return Err(problem.help(format!("write \"/{}\"", text.replace('.', "/"))));
    }
    Ok(text.to_owned())
}

fn is_scalar(name: &str) -> bool {
    TEXTS.contains(&name) || TIMES.contains(&name)
}

//! `claims` of a route: rules for claims, without any that no token can meet.
//!
//! A rule that refuses every token is noticed too late, and was usually meant in another way.

use portcullis::{ClaimRule, IssuerRules};
use serde_json::Value as Json;

use super::{
    Issuer,
    file::{Read, Table, Value},
};

/// The claims that are one text (RFC 7519 section 4.1, RFC 9068 section 2.2, and common claims about clients).
const TEXTS: [&str; 12] =
    ["iss", "sub", "jti", "client_id", "azp", "appid", "cid", "oid", "tid", "email", "preferred_username", "token_use"];

/// The claims that are one text, or several of which one is enough (RFC 7519 section 4.1.3, RFC 8693 section 4.2).
const TEXT_OR_TEXTS: [&str; 3] = ["aud", "scope", "scp"];

/// The claims that are times; no two tokens have the same.
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// The claims that tell for which API or client a token is.
const OF_WHOM: [&str; 5] = ["aud", "client_id", "azp", "appid", "cid"];

/// Objects of Keycloak, whose members are often written with a dot by mistake.
const OBJECTS: [&str; 2] = ["realm_access.", "resource_access."];

/// Notes the mistakes of each rule by itself, before it is read.
pub(super) fn each(route: &Table<'_>) {
    each_in(route, "claims");
}

/// The same for the rules in this key.
pub(super) fn each_in(table: &Table<'_>, key: &'static str) {
    table.look_at(key, || {
        if let Some(value) = table.value(key) {
            table.refuse_empty(key, &value);
        }
        table.tables(key).iter().for_each(claim);
    });
}

fn claim(table: &Table<'_>) {
    let help = "write a claim's name, or a JSON Pointer as in \"/realm_access/roles\"";
    let name = table.require("name", help, claim_name).unwrap_or_default();
    let name = plain(&name);
    table.get("value", |value| claim_value(value, name, "value"));
    if let Some(value) = table.value("one_of").filter(|value| value.elements() == Some(0)) {
        let problem = value.problem("expected a value in `one_of`, got an empty array, of which no claim is one");
        table.note(problem.help("leave `one_of` out to ask for presence"));
    }
    table.list("one_of", "an array of values, as in [\"a\", \"b\"]", |value| claim_value(value, name, "one_of"));
    table.get("matches", |value| pattern(value, name));
    table.get("absent", |value| match value.boolean()? {
        true => Ok(()),
        false => Err(value
            .problem("expected `absent = true`, got `false`")
            .help("leave `absent` out: without a condition, the claim has to be there")),
    });
}

/// Notes the mistakes of a route's rules together, for tokens of these issuers.
pub(super) fn together(route: &Table<'_>, rules: &[ClaimRule], issuers: &[Issuer]) {
    let tables = route.tables("claims");
    let places: Vec<_> = tables.iter().filter_map(place).collect();
    for (index, (rule, place)) in rules.iter().zip(&places).enumerate() {
        if is_of_no_issuer(rule, issuers) {
            let problem = place.problem("expected the `iss` of one of the issuers, got another");
            route.note(
                problem.help("tokens of other issuers are refused: write it as in [[issuers]], or leave the rule out"),
            );
        }
        if let Some(claim) = has_to_be_there(rule, issuers) {
            let problem = place.problem(format!("expected no rule that `{claim}` is absent, got one"));
            route.note(problem.help(format!("a token without `{claim}` is refused in any case: leave the rule out")));
        }
        let mut earlier = rules.iter().zip(&places).take(index);
        if let Some((_, first)) = earlier.find(|(first, _)| contradict(first, rule)) {
            let problem = place.problem(format!(
                "expected rules for `{}` that one token can meet, got two that exclude each other",
                rule.name
            ));
            route.note(problem.and(first.place(), "first here").help(
                "a token has to meet every rule: take out one of the two (for one of several values write \
                 `one_of = [\"a\", \"b\"]`)",
            ));
        }
    }
}

/// Returns true if a rule bounds the APIs or the clients that a token may be for.
pub(super) fn bind(rules: &[ClaimRule]) -> bool {
    let has_value = |rule: &ClaimRule| rule.value.is_some() || rule.one_of.is_some() || rule.matches.is_some();
    rules.iter().any(|rule| OF_WHOM.contains(&plain(&rule.name)) && has_value(rule))
}

/// Returns the place of a rule's condition.
fn place<'a>(table: &Table<'a>) -> Option<Value<'a>> {
    ["value", "one_of", "matches", "absent", "name"].into_iter().find_map(|key| table.value(key))
}

/// Returns the values that a rule accepts, if it has any.
fn values(rule: &ClaimRule) -> Option<Vec<&Json>> {
    match (&rule.value, &rule.one_of) {
        (Some(value), _) => Some(vec![value]),
        (None, Some(values)) => Some(values.iter().collect()),
        (None, None) => None,
    }
}

/// Returns true if a rule requires an `iss` that no accepted token has.
fn is_of_no_issuer(rule: &ClaimRule, issuers: &[Issuer]) -> bool {
    // Introspection may give an `iss` with one slash more or less; JWT-SVIDs and tokens of no named issuer may have any.
    let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
    let is_of = |issuer: &Issuer, asked: &str| {
        issuer.rules.issuer.is_none() || issuer.rules.tenant_of(asked).is_some() || same(&issuer.name, asked)
    };
    let has = |asked: &str| issuers.iter().any(|issuer| is_of(issuer, asked));
    let asked = values(rule).filter(|_| plain(&rule.name) == "iss");
    asked.is_some_and(|asked| !issuers.is_empty() && !asked.iter().filter_map(|value| value.as_str()).any(has))
}

/// Returns the claim that a rule forbids though no token passes without it.
fn has_to_be_there(rule: &ClaimRule, issuers: &[Issuer]) -> Option<&'static str> {
    let all = |asks: fn(&IssuerRules) -> bool| !issuers.is_empty() && issuers.iter().all(|issuer| asks(&issuer.rules));
    let is_asked = match plain(&rule.name) {
        "exp" => all(|rules| !rules.dangerously_accept_tokens_without_expiry),
        "iss" => all(|rules| rules.issuer.is_some()),
        "aud" => all(|rules| !rules.audience.is_empty()),
        _ => false,
    };
    ["exp", "iss", "aud"].into_iter().find(|claim| rule.absent && is_asked && plain(&rule.name) == *claim)
}

/// Returns true if no token can meet both.
fn contradict(one: &ClaimRule, other: &ClaimRule) -> bool {
    let name = plain(&one.name);
    let excluded = match (values(one), values(other)) {
        (Some(some), Some(others)) => TEXTS.contains(&name) && !some.iter().any(|value| others.contains(value)),
        _ => false,
    };
    name == plain(&other.name) && (excluded || one.absent != other.absent)
}

/// Returns the shorter form of a name: `sub` for `/sub`.
fn plain(name: &str) -> &str {
    name.strip_prefix('/').filter(|rest| is_scalar(rest) || TEXT_OR_TEXTS.contains(rest)).unwrap_or(name)
}

/// Reads a value that a claim can be equal to, or have among its elements.
fn claim_value(value: &Value<'_>, name: &str, key: &str) -> Read<()> {
    let json = value.json()?;
    if json.is_array() {
        return Err(value
            .problem("expected one value, got an array, which only the very same array would equal")
            .help(
                "write the one value: a claim that is an array passes if it has that among its elements (for one of \
             several values write `one_of = [\"a\", \"b\"]`; for all of them, a rule for each)",
            ));
    }
    if json == "" {
        let problem = value.problem("expected a value, got an empty text");
        return Err(problem.help(format!("leave `{key}` out to ask for presence")));
    }
    if TIMES.contains(&name) {
        let problem = value.problem(format!("expected no value for the time `{name}`, got one"));
        return Err(problem.help("no other token would have it; times are judged for every token without a rule"));
    }
    if (TEXTS.contains(&name) || TEXT_OR_TEXTS.contains(&name)) && !json.is_string() {
        let problem = value.problem(format!("expected a text for `{name}`, got something else"));
        return Err(problem.help("write it in quotes: that claim is text, and nothing is converted"));
    }
    Ok(())
}

/// Reads a pattern that differs from a plain value, and that a text can match.
fn pattern(value: &Value<'_>, name: &str) -> Read<()> {
    let text = value.exact()?;
    if TIMES.contains(&name) {
        let problem = value.problem(format!("expected no pattern for the time `{name}`, got one"));
        return Err(problem.help("times are numbers, and patterns are for texts: leave the rule out"));
    }
    if !text.contains('*') {
        let problem = value.problem("expected a pattern with `*`, got a text without one");
        return Err(problem.help("write `value` for that text alone; in `matches`, `*` stands for any characters"));
    }
    Ok(())
}

/// Reads a name, or a JSON Pointer, whose `~` are followed by 0 or 1 (RFC 6901 section 3).
pub(super) fn claim_name(value: &Value<'_>) -> Read<String> {
    let text = value.exact()?;
    let text = text.as_str();
    let pointer = text.strip_prefix('/');
    if pointer.is_some() && text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        return Err(value
            .problem(format!("expected a JSON Pointer, got \"{text}\""))
            .help("write `~` as `~0`, and a `/` in a name as `~1`"));
    }
    if let Some((first, _)) = pointer.and_then(|pointer| pointer.split_once('/')).filter(|(first, _)| is_scalar(first))
    {
        let problem = value.problem(format!("expected a pointer into an object or an array, got one into `{first}`"));
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

//! `[[headers]]`: the fields for the upstream.

use http::{HeaderName, HeaderValue};

use super::{
    HeaderRule, HeaderSource, Notation,
    claims::claim_name,
    file::{Read, Table, Value},
    problem::Problem,
};

/// The fields about transport or identity that no claim may set (RFC 9110 section 7.6.1).
const NOT_FOR_CLAIMS: [&str; 13] = [
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "host",
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
];

/// The fields by which requests are described or judged, in any case: another meaning would take that away.
const DESCRIBING: [&str; 21] = [
    "cookie",
    "dpop",
    "origin",
    "access-control-request-method",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-proto",
    "x-forwarded-uri",
    "x-real-ip",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "mcp-method",
    "mcp-name",
    "portcullis-unjudged",
];

/// Reads the header fields, each once, with `-` and `_` taken for the same.
pub(super) fn headers(root: &Table<'_>) -> Vec<HeaderRule> {
    let mut rules: Vec<(HeaderRule, Value<'_>)> = Vec::new();
    for table in root.tables("headers") {
        let place = table.value("name");
        let name = table.require("name", "write the field's name, as in `name = \"X-Auth-Subject\"`", header_name);
        let (source, anonymous) = (source(&table), table.get("anonymous", text));
        table.finish();
        let (Some(place), Some(name), Some(source)) = (place, name, source) else { continue };
        if let Some((_, first)) = rules.iter().find(|(rule, _)| folded(&rule.name) == folded(&name)) {
            let problem = place.problem(format!("expected each header field once, got `{name}` twice"));
            root.note(
                problem
                    .and(first.place.clone(), "first here")
                    .help("many upstreams read `-` and `_` alike: take one of them out"),
            );
        }
        rules.push((HeaderRule { name, source, anonymous }, place));
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

/// Reads the origin of a field's value; there is one, or else a value for requests without a token.
fn source(table: &Table<'_>) -> Option<HeaderSource> {
    let claim = table.get("claim", claim_name);
    let claims = table.get("claims", only_true);
    let scope = table.get("scope", only_true);
    let fixed = table.get("value", text);
    let notation = notation(table);
    let given: Vec<_> = ["claim", "claims", "scope", "value"].into_iter().filter_map(|key| table.value(key)).collect();
    match given.as_slice() {
        [] if table.value("anonymous").is_some() => return Some(HeaderSource::Nothing),
        [] => {
            let problem = Problem::new(table.place(), "expected `claim` in this table, got none");
            table.note(problem.help(
                "write a claim's name, as in `claim = \"sub\"`; or `claims = true` for all of them, `scope = true`, or a `value`",
            ));
            return None;
        }
        [_] => {}
        [first, second, ..] => {
            let problem = second.problem("expected one of `claim`, `claims`, `scope` and `value`, got several");
            table.note(problem.and(first.place(), "and here").help("write a field for each"));
        }
    }
    match (claim, claims, scope, fixed) {
        (Some(claim), ..) => Some(HeaderSource::Claim { claim, notation }),
        (_, Some(()), ..) => Some(HeaderSource::Claims),
        (_, _, Some(()), _) => Some(HeaderSource::Scope { separator: separator_of(notation) }),
        (.., Some(value)) => Some(HeaderSource::Text(value)),
        _ => None,
    }
}

/// Reads the notation of a claim; a scope is always a list.
fn notation(table: &Table<'_>) -> Notation {
    let json = table.get("json", Value::boolean).unwrap_or(false);
    let separator = table.get("separator", separator);
    let is_claim = table.value("claim").is_some();
    for (key, fits, help) in [
        ("json", is_claim, "it says how a claim is written: leave it out"),
        (
            "separator",
            is_claim || table.value("scope").is_some(),
            "it stands between the values of a claim or of the scope: leave it out",
        ),
    ] {
        if let Some(value) = table.value(key).filter(|_| !fits) {
            table.note(value.problem(format!("expected no `{key}` without a `claim`, got one")).help(help));
        }
    }
    if let (Some(value), true) = (table.value("separator"), json) {
        let problem = value.problem("expected `json` or `separator`, got both");
        table.note(problem.help("in JSON, an array has its own notation: leave one of them out"));
    }
    match separator {
        Some(separator) => Notation::List { separator },
        None if json => Notation::Json,
        None => Notation::Plain,
    }
}

fn separator_of(notation: Notation) -> String {
    if let Notation::List { separator } = notation { separator } else { " ".to_owned() }
}

fn separator(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    match text.chars().any(|character| character.is_ascii_punctuation() || character == ' ')
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        true => Ok(text.to_owned()),
        false => Err(value
            .problem("expected a separator such as \",\" or \" \", got another text")
            .help("the upstream has to tell it from the values")),
    }
}

fn only_true(value: &Value<'_>) -> Read<()> {
    match value.boolean()? {
        true => Ok(()),
        false => Err(value.problem("expected `true`, got `false`").help("leave the key out")),
    }
}

/// Reads the value of a field: text of ASCII without white space at its ends.
fn text(value: &Value<'_>) -> Read<HeaderValue> {
    let text = value.exact()?;
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let problem = || {
        value
            .problem("expected a text of visible ASCII, got other characters")
            .help("it is the value of a header field")
    };
    HeaderValue::try_from(text).ok().filter(|_| is_plain).ok_or_else(problem)
}

/// Returns a name in the one spelling of all that servers read alike.
pub(super) fn folded(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

pub(super) fn header_name(value: &Value<'_>) -> Read<HeaderName> {
    let text = value.text()?;
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| {
        value
            .problem(format!("expected the name of a header field, got \"{text}\""))
            .help("use letters, digits and `-`")
    })?;
    let folded = folded(&name);
    if NOT_FOR_CLAIMS.contains(&folded.as_str()) {
        return Err(value
            .problem(format!("expected a field that a claim may set, got `{text}`"))
            .help("choose a name of your own, as in \"X-Auth-Subject\"; a phantom token's JWT goes into Authorization by itself"));
    }
    if DESCRIBING.contains(&folded.as_str()) {
        return Err(value
            .problem(format!("expected a field of your own, got `{text}`, by which requests are described or judged"))
            .help("choose another name, as in \"X-Auth-Subject\" or \"X-Access-Token\"; for a token in a cookie write `token_cookie`"));
    }
    Ok(name)
}

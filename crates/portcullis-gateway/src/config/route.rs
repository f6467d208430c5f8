//! `[[routes]]`: the rules for requests.

use http::Method;
use portcullis::{DpopUse, InvalidTokenStatus, Rules};

use super::{
    Issuer, Route, TokenPlaces, claims, exchange,
    file::{NotHere, Read, Table, Value},
    headers,
    typed::fields,
};
use crate::routes::{Host, Hosts, Pattern, is_method};

const STATUS: &str = "invalid_token_status";

/// The fields that cannot be set for all routes at once: one line must not open them all, and each route names its own
/// needs.
pub(super) const NOT_FOR_ALL: [NotHere; 6] = [
    // The table `[dpop]`, with `use` for all routes.
    ("dpop", ""),
    ("scope", "write it in the `[[routes]]` that ask for it"),
    ("any_scope", "write it in the `[[routes]]` that ask for it"),
    ("claims", "write them in the `[[routes]]` that ask for them"),
    ("optional", "write it in each of the `[[routes]]` that take requests without a token"),
    ("report_only", "write it in each of the `[[routes]]` that are only to report: it guards nothing"),
];

/// The table above all routes, and its rules.
#[derive(Clone, Copy)]
pub(super) struct Above<'t, 'a> {
    root: &'t Table<'a>,
    rules: &'t Rules,
    forward_authorization: bool,
    preflight: bool,
}

/// Reads whether the upstream gets the token, unless a route says otherwise.
pub(super) fn forward_authorization(root: &Table<'_>) -> bool {
    root.get("forward_authorization", Value::boolean).unwrap_or(true)
}

/// Reads whether the preflights of browsers pass, unless a route says otherwise.
pub(super) fn preflight(root: &Table<'_>) -> bool {
    root.get("preflight", Value::boolean).unwrap_or(false)
}

/// Reads the routes, none of which an earlier one covers; `all` are the rules above them.
pub(super) fn routes(root: &Table<'_>, all: &Rules, issuers: &[Issuer]) -> Vec<Route> {
    if let Some(value) = root.value("routes").filter(|value| value.elements() == Some(0)) {
        let problem = value.problem("expected a route, got an empty array");
        root.note(problem.help("leave `routes` out if any valid token may pass everywhere"));
    }
    let above =
        Above { root, rules: all, forward_authorization: forward_authorization(root), preflight: preflight(root) };
    let mut routes: Vec<(Route, Value<'_>)> = Vec::new();
    for table in root.tables("routes") {
        let place = table.value("path").or_else(|| table.value("name"));
        let route = route(&table, above, issuers);
        table.finish();
        let (Some(place), Some(route)) = (place, route) else { continue };
        if let Some((first, earlier)) = covering(&routes, &route) {
            let problem =
                place.problem(format!("expected a route that can match, `{}` is covered already", path_of(&route)));
            let help = match is_same(first, &route) {
                true => "these two have the same path and methods: merge them",
                false => "the first match wins: put the narrower route first, or take one of them out",
            };
            let earlier = earlier.place.clone();
            root.note(problem.and(earlier, format!("`{}` takes all of its requests", path_of(first))).help(help));
        }
        if let Some((_, first)) =
            routes.iter().find(|(earlier, _)| earlier.name.is_some() && earlier.name == route.name)
        {
            let problem = place.problem("expected each name of a route once, got one twice");
            root.note(
                problem.and(first.place.clone(), "first here").help("proxies choose routes by name: give it another"),
            );
        }
        routes.push((route, place));
    }
    let names_hosts = |route: &&(Route, Value<'_>)| route.0.pattern.is_some() && !route.0.hosts.are_unnamed();
    let names_none = |route: &&(Route, Value<'_>)| route.0.pattern.is_some() && route.0.hosts.are_unnamed();
    if let (Some((_, one)), Some((_, other))) = (routes.iter().find(names_hosts), routes.iter().find(names_none)) {
        let problem = other.problem("expected `host` in each route, since another route has it, got none");
        root.note(problem.and(one.place.clone(), "a route with hosts").help(
            "clients choose the host that they send, and must not choose rules by it: name the hosts, or write `host = \"*\"` \
             for a route that is meant for any",
        ));
    }
    warn_of_forgotten_methods(root, &routes);
    routes.into_iter().map(|(route, _)| route).collect()
}

/// Warns of a route that asks for scope or claims, if methods that it seems to forget fall to a route that asks for less.
fn warn_of_forgotten_methods(root: &Table<'_>, routes: &[(Route, Value<'_>)]) {
    for (route, place) in routes.iter().filter(|(route, _)| asks_for_more(route)) {
        let Some(pattern) = &route.pattern else { continue };
        let falls_to = |method: &str| {
            let takes_it = |(other, _): &&(Route, Value<'_>)| {
                let covers = other.pattern.as_ref().is_some_and(|own| own.covers(pattern));
                covers && other.hosts.cover(&route.hosts) && takes(other, method)
            };
            routes.iter().find(takes_it).map(|(other, _)| other).filter(|other| !asks_for_more(other))
        };
        let forgotten = forgotten(&route.methods).into_iter().filter_map(|method| Some((method, falls_to(method)?)));
        let (methods, others): (Vec<_>, Vec<_>) = forgotten.unzip();
        if let Some(other) = others.first() {
            let methods = methods.join(", ");
            root.warn(place.problem(format!(
                "{methods} on `{}` falls to the route `{}`, which asks for less: leave `methods` out of the last route of this \
                 path, or give it a route for {methods}",
                pattern.as_str(),
                path_of(other)
            )));
        }
    }
}

/// Returns the methods that are seldom left to another route on purpose: those that write beside those that read, and PUT and
/// PATCH beside each other.
fn forgotten(methods: &[String]) -> Vec<&'static str> {
    let has = |method: &str| methods.iter().any(|own| own == method);
    match () {
        () if methods.is_empty() => Vec::new(),
        () if methods.iter().all(|method| ["GET", "HEAD", "OPTIONS"].contains(&method.as_str())) => {
            vec!["POST", "PUT", "PATCH", "DELETE"]
        }
        () if has("PUT") && !has("PATCH") => vec!["PATCH"],
        () if has("PATCH") && !has("PUT") => vec!["PUT"],
        () => Vec::new(),
    }
}

/// Returns true if a route passes only some of the good tokens.
fn asks_for_more(route: &Route) -> bool {
    let Rules { scope, any_scope, claims, acr, optional, report_only, .. } = &route.rules;
    let asks = !(scope.is_empty() && any_scope.is_empty() && claims.is_empty() && acr.is_empty());
    asks && !route.public && !optional && !report_only
}

/// Returns the path of a route, for people.
fn path_of(route: &Route) -> &str {
    route.pattern.as_ref().map_or("", Pattern::as_str)
}

/// Returns the last of the earlier routes that together cover a later one, if they do.
fn covering<'a, 'text>(earlier: &'a [(Route, Value<'text>)], later: &Route) -> Option<&'a (Route, Value<'text>)> {
    let mut methods: Vec<_> = later.methods.iter().collect();
    let with_every_method = later.methods.is_empty();
    let pattern = later.pattern.as_ref()?;
    let covers_path = |route: &Route| route.pattern.as_ref().is_some_and(|own| own.covers(pattern));
    // A route with a name may be chosen by it.
    let covers = |route: &Route| later.name.is_none() && covers_path(route) && route.hosts.cover(&later.hosts);
    earlier.iter().filter(|(earlier, _)| covers(earlier)).find(|(earlier, _)| {
        methods.retain(|method| !takes(earlier, method));
        earlier.methods.is_empty() || (methods.is_empty() && !with_every_method)
    })
}

/// Returns true if both take the same requests.
fn is_same(one: &Route, other: &Route) -> bool {
    let within = |some: &Route, all: &Route| some.methods.iter().all(|method| all.methods.contains(method));
    (&one.pattern, &one.hosts) == (&other.pattern, &other.hosts) && within(one, other) && within(other, one)
}

fn takes(route: &Route, method: &str) -> bool {
    let has = |method: &str| route.methods.iter().any(|own| own == method);
    route.methods.is_empty() || has(method) || (method == "HEAD" && has("GET"))
}

fn route(table: &Table<'_>, above: Above<'_, '_>, issuers: &[Issuer]) -> Option<Route> {
    let name = table.get("name", name);
    let help = "write a path or a prefix, as in `path = \"/orders/*\"`; a route with a `name`, which Envoy chooses, needs none";
    let pattern = match table.value("name") {
        Some(_) if table.value("path").is_none() => None,
        _ => Some(table.require("path", help, pattern)),
    };
    let hosts = Hosts::new(hosts(table));
    let methods = some_of(table, "methods", "an array of methods, as in [\"GET\", \"POST\"]", method);
    let public = table.get("public", Value::boolean).unwrap_or(false);
    if let Some(place) = table.value("public").filter(|_| public) {
        for (key, value) in fields::<Rules>().iter().filter_map(|key| Some((key, table.value(key)?))) {
            let problem = value
                .problem(format!("expected no `{key}` on a public route, got one"))
                .and(place.place(), "public here");
            table
                .look_at(key, || table.note(problem.help("a public route asks for no token: take out one of the two")));
        }
    }
    let forward_authorization =
        table.get("forward_authorization", Value::boolean).unwrap_or(above.forward_authorization);
    let rules = rules(table, Some(above), &[], issuers);
    let exchanges = table.value("exchange").is_some();
    let exchange = exchange::of_route(table, issuers);
    if exchanges && exchange.is_none() {
        return None;
    }
    let preflight = table.get("preflight", Value::boolean).unwrap_or(above.preflight);
    let token_places = TokenPlaces {
        cookie: table.get("token_cookie", cookie_name),
        field: table.get("token_field", headers::header_name),
    };
    let names_place = |key| table.value(key).filter(|_| public);
    if let Some(value) = names_place("token_cookie").or_else(|| names_place("token_field")) {
        let problem = value.problem("expected no place for a token on a public route, got one");
        table.note(problem.help("a public route asks for no token: take out one of the two"));
    }
    let (rules, pattern) = (rules?, pattern.map_or(Some(None), |read| read.map(Some))?);
    Some(Route {
        name,
        pattern,
        hosts,
        methods,
        public,
        rules,
        forward_authorization,
        preflight,
        token_places,
        exchange,
    })
}

/// Returns the default rules. A bad token is answered with 401, which proxies expect, by RFC 6750 section 3.1.
pub(crate) fn default_rules() -> Rules {
    let mut rules = Rules::default();
    rules.invalid_token_status = InvalidTokenStatus::Unauthorized;
    rules
}

/// Reads the rules of each route that has none of its own, and the rules where there are no routes; `dpop` is the use of DPoP
/// there.
pub(super) fn rules_of_all(root: &Table<'_>, dpop: DpopUse) -> Rules {
    let mut rules = rules(root, None, &NOT_FOR_ALL, &[]).unwrap_or_default();
    rules.dpop = dpop;
    rules
}

/// Reads the rules of a table, and of the one above it.
///
/// The keys named here get better messages than the library's; the library alone knows all keys.
pub(super) fn rules(
    table: &Table<'_>,
    above: Option<Above<'_, '_>>,
    not_here: &[NotHere],
    issuers: &[Issuer],
) -> Option<Rules> {
    some_of(table, "scope", "an array of scope values, as in [\"read\", \"write\"]", scope_value);
    some_of(table, "any_scope", "an array of scope values, as in [\"read\", \"write\"]", scope_values);
    refuse_mixed_groups(table);
    claims::each(table);
    table.get("realm", realm);
    table.get(STATUS, status);
    let inherited = above.as_ref().map(|above| (above.root, &NOT_FOR_ALL[..]));
    let mut rules = table.rest(inherited, not_here, Rules::check)?;
    claims::together(table, &rules.claims, issuers);
    if let Some(above) = &above
        && table.entry("dpop").is_none()
    {
        rules.dpop = above.rules.dpop;
    }
    let is_status_named = table.entry(STATUS).or_else(|| above?.root.entry(STATUS)).is_some();
    if !is_status_named {
        rules.invalid_token_status = default_rules().invalid_token_status;
    }
    Some(rules)
}

/// Reads the elements of an array that is not empty; none if it is absent.
fn some_of<T>(table: &Table<'_>, key: &'static str, what: &str, read: impl Fn(&Value<'_>) -> Read<T>) -> Vec<T> {
    if let Some(value) = table.value(key) {
        table.refuse_empty(key, &value);
    }
    table.list(key, what, read).unwrap_or_default()
}

/// Reads the hosts of a route: one, or several.
fn hosts(table: &Table<'_>) -> Vec<Host> {
    match table.value("host") {
        Some(value) if value.is_text() => table.get("host", host).into_iter().collect(),
        _ => some_of(table, "host", "a host or an array of hosts, as in [\"api.example.com\"]", host),
    }
}

fn host(value: &Value<'_>) -> Read<Host> {
    Host::parse(value.text()?).map_err(|not| value.problem(not.problem).help(not.help))
}

/// Reads the name of a cookie (RFC 6265 section 4.1.1).
fn cookie_name(value: &Value<'_>) -> Read<String> {
    let text = value.exact()?;
    // The characters of a cookie's name are those of a method.
    match is_method(&text) {
        true => Ok(text),
        false => Err(value
            .problem("expected the name of a cookie, got another text")
            .help("write its name alone, as in `token_cookie = \"access_token\"`")),
    }
}

/// Reads the name of a route.
fn name(value: &Value<'_>) -> Read<String> {
    let text = value.exact()?;
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        true => Ok(text),
        false => Err(value
            .problem(format!("expected a name of letters, digits, `-`, `_` and `.`, got \"{text}\""))
            .help("a proxy chooses the route by it, and metrics and logs show it")),
    }
}

fn pattern(value: &Value<'_>) -> Read<Pattern> {
    Pattern::parse(value.text()?).map_err(|not| value.problem(not.problem).help(not.help))
}

fn method(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    if ["*", "ANY", "ALL"].iter().any(|word| word.eq_ignore_ascii_case(text)) {
        let problem = value.problem(format!("expected a method, got \"{text}\""));
        return Err(problem.help("leave `methods` out for a route of every method"));
    }
    let method = Method::from_bytes(text.as_bytes()).map_err(|_| {
        value
            .problem(format!("expected a method, got \"{text}\""))
            .help("write one method in each text, as in [\"GET\", \"POST\"]")
    })?;
    let upper = text.to_ascii_uppercase();
    match method.as_str() == upper {
        true => Ok(upper),
        false => Err(value
            .problem(format!("expected a method in capitals, got \"{text}\""))
            .help(format!("methods compare to the letter (RFC 9110 section 9.1): write \"{upper}\""))),
    }
}

/// Reads a scope value (RFC 6749 section 3.3).
pub(super) fn scope_value(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    match text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
        true => Ok(text.to_owned()),
        false => Err(value
            .problem(format!("expected one scope value, got \"{text}\""))
            .help("write each value in quotes of its own")),
    }
}

/// Reads a scope value, or a group of them.
fn scope_values(value: &Value<'_>) -> Read<()> {
    match value.array("an array") {
        Ok(values) => values.iter().try_for_each(|value| scope_value(value).map(drop)),
        Err(_) => scope_value(value).map(drop),
    }
}

/// Notes scope values beside groups of them.
fn refuse_mixed_groups(table: &Table<'_>) {
    let Some(values) = table.value("any_scope").and_then(|value| value.array("an array").ok()) else { return };
    let is_group = |value: &Value<'_>| value.elements().is_some();
    let [texts, groups] = [values.iter().find(|value| value.is_text()), values.iter().find(|value| is_group(value))];
    if let (Some(text), Some(group)) = (texts, groups) {
        let problem = group.problem("expected scope values alone, or groups of them alone, got both");
        table.look_at("any_scope", || {
            table.note(
                problem
                    .and(text.place.clone(), "a scope value by itself")
                    .help("write [\"a\", \"b\"] for one of these, and [[\"a\", \"b\"], [\"c\"]] for one of each group"),
            );
        });
    }
}

fn status(value: &Value<'_>) -> Read<()> {
    match value.as_integer() {
        Some(401 | 403) => Ok(()),
        _ => Err(value
            .wrong("the status 401 or 403")
            .help("401 is what RFC 6750 section 3.1 says; write it without quotes")),
    }
}

fn realm(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    match text.chars().any(|character| character.is_control() || !character.is_ascii()) {
        false => Ok(text.to_owned()),
        true => Err(value
            .problem("expected a realm in plain ASCII, got other characters")
            .help("it stands in a header field (RFC 9110 section 11.5)")),
    }
}

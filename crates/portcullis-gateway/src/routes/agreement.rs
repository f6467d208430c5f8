//! Tests of routes against servers: a request judged under a route must be served under it.

use super::{
    By, Pattern, Routes, Unrouted,
    upstreams::{self, STEPS, UPSTREAMS},
};

/// A request with this method, whose host is unknown.
const GET: By<'_> = By { method: "GET", host: None };

/// Tables of routes, from narrow to broad.
pub(crate) const TABLES: &[&[&str]] = &[
    &["/admin/*", "/public/*", "/*"],
    &["/public/*", "/*"],
    &["/admin/*", "/*"],
    &["/admin", "/public/*", "/*"],
    &["/public", "/public/*", "/admin/users", "/admin/*"],
    &["/public/a/*", "/public/*", "/admin/users", "/admin/*", "/*"],
    &["/", "/public/*", "/*"],
    &["/orders/*", "/admin/*"],
    &["/büro/*", "/public/büro/*", "/*"],
    &["/管理/*", "/x/*", "/*"],
    &["/public/*"],
    &["/public/.well-known/*", "/.well-known/*", "/admin/*", "/*"],
    &["/public/*/users", "/public/*", "/*"],
    &["/*/users/*", "/public/*", "/admin", "/*"],
    &["/admin/*/b/*", "/admin/a/*", "/*/a/users", "/public/*"],
    &["/*/*/users", "/public/*/*", "/*"],
];

/// Tables of paths of resources.
pub(crate) const RESOURCES: &[&[&str]] = &[
    &["/admin/users/*", "/admin/*"],
    &["/public/a/*", "/admin/*"],
    &["/orders/*"],
    &["/public/*", "/users/*", "/x/*"],
    &["/x/管理/*", "/管理/*"],
];

/// The parts of hostile targets.
#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "admin", "public", "users", "a", "b", "orders", "büro", "b%C3%BCro", "%61dmin", "ad%6din", "%2561dmin", "public/a", "x",
    "admin/users", "ad", "min", "bu\u{308}ro", "ａdmin", "ad\u{200b}min", "ｘ", "%EF%BD%98", "管理", "%E7%AE%A1%E7%90%86", "%EF%BD%81dmin", "admin.", "admin%20", "+admin", "ad..",
    "/", "/", "/", "/", "//", "\\", "%2f", "%2F", "%5c", "%5C", "%252f", "%252F", "%255c", "%25252f", "%25%32%66", "／", "＼", "%EF%BC%8F",
    "∕", "/..", "/../", "/%2e%2e/", "/.%2E/", "/%2e./", "/%252e%252e/", "..%2f", "%2e%2e%2f", "..%252f", "..%5c", "..\\", "/..;/",
    "/..;a=b/", "/..%3b/", "/..%253b/", ".", "..", "...", "....//", "..././", "%2e", "%2E", "%252e", "%25252e", "%25%32%65", "．", "‥", "…",
    "/./", "/.;/", "/...//", "/..+/", "/..%20/", "/.. /", ";", ";x=y", ";x=%2f", "%3b", "%3B", "；", "\u{37e}", "#", "%23", "%2523", "?", "?x=/admin",
    "%3f", "%253f", "？", "+", "%20", "%2520", "%25", "%", "2e", "2f", "%u002f", "%u002e", "%c0%af", "%00", "%2500", "%41", "41", "\u{200b}",
    "<x>", "%3Cx%3e", "<", ">", "{", "%7c", "::$DATA", "：＄DATA", ":{$DATA", ":$i30:$INDEX_ALLOCATION", "ad+min", "ad%20min", "adm\u{ed}n", ".admin", ".well-known",
    "/.../well-known", "well-known", ".é.", "€", "http://host", "//host", "//host/", "/\\host/", "host", "@", ":",
];

/// Returns the routes of a table, each for every method.
pub(crate) fn routes(patterns: &[&str]) -> Routes {
    let patterns: Vec<_> = patterns.iter().filter_map(|pattern| Pattern::parse(pattern).ok()).collect();
    Routes::of_paths(&patterns)
}

/// Names a server that would serve a target under another route than the one it is judged under.
///
/// The servers are the models, and one that takes the steps numbered in `steps` and at each decodes some of the encoded
/// characters, by the bits of `choices`.
pub(crate) fn disagreement(routes: &Routes, target: &str, steps: &[u8], choices: u64) -> Option<String> {
    let index = routes.find("GET", target).ok()?;
    let of_models = UPSTREAMS.iter().map(|(name, serve)| (*name, serve(target)));
    let served = of_models.chain([("steps", stepwise(target, steps, choices))]);
    served.into_iter().find_map(|(name, path)| {
        let path = path.filter(|path| !is_under(routes, index, path) && !is_rare(routes, target, path))?;
        Some(format!("{target:?} is judged under {index}; {name} serves {path:?}"))
    })
}

/// Names a server without regard for letter case that would serve a target under another path of a resource than the one it is judged
/// under, or under one where it is judged under none.
pub(crate) fn disagreement_in_any_case(patterns: &[&str], target: &str, steps: &[u8], choices: u64) -> Option<String> {
    let routes = routes(patterns).in_any_case();
    let judged = match routes.find("GET", target) {
        Ok(index) => Some(index),
        Err(Unrouted::NoRoute) => None,
        Err(_) => return None,
    };
    let of_models = UPSTREAMS.iter().map(|(name, serve)| (*name, serve(target)));
    let served = of_models.chain([("steps", stepwise(target, steps, choices))]);
    let spelled = served.filter_map(|(name, path)| Some((name, shown(&path?))));
    let mut in_each_case = spelled.flat_map(|(name, path)| [(name, path.to_uppercase().to_lowercase()), (name, path)]);
    in_each_case.find_map(|(name, path)| {
        let is_there = routes.route_of(GET, &path) == Ok(judged) || is_rare(&routes, target, &path);
        (!is_there).then(|| format!("{target:?} is judged under {judged:?}; {name} serves {path:?}"))
    })
}

/// Returns true if a path is under a route, give or take a slash at its end: servers may add or drop it.
fn is_under(routes: &Routes, index: usize, path: &str) -> bool {
    let path = &shown(path);
    let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    [path, &other].into_iter().any(|path| routes.route_of(GET, path) == Ok::<_, Unrouted>(Some(index)))
}

/// Returns a path with the characters of other scripts decoded: they have no other spelling.
fn shown(path: &str) -> String {
    upstreams::decoded_where(path, |byte| byte >= 0x80).unwrap_or_default()
}

/// Returns true if a path counts only under a route, such as `/orders/..;/x` for servers that cut everything after `;`.
fn is_rare(routes: &Routes, target: &str, path: &str) -> bool {
    routes.route_of(GET, path) == Ok(None)
        && [";", "3b", "3B", "；", "\u{37e}"].iter().any(|mark| target.contains(mark))
}

/// Returns the path that a server serves which takes these steps and decodes by these choices in between.
fn stepwise(target: &str, steps: &[u8], mut choices: u64) -> Option<String> {
    let mut path = upstreams::path(target).to_owned();
    for step in steps.iter().take(6) {
        path = match STEPS.get(usize::from(*step) % (STEPS.len() + 2)) {
            Some(step) => step(&path)?,
            None => upstreams::decoded_where(&path, |byte| {
                choices = choices.rotate_left(1);
                byte >= 0x80 || choices & 1 == 1
            })?,
        };
    }
    path.starts_with('/').then_some(path)
}

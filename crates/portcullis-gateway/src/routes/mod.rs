//! The route of a request, in any spelling of its path.
//!
//! Servers do not agree on the meaning of a path: one decodes `%2e%2e%2f` before it looks for dot segments, one after,
//! one only in part, one never. So a path is not normalised in one way: *all places that it may lead to* are searched,
//! and a request is under a route only if each of these places is.
//!
//! ```text
//! spelling ─ units ─► characters, each sure or not ─ pieces ─► possible segments ─ search ─► places ─► one route
//! ```
//!
//! 1. The first route whose pattern and methods match wins. A route with GET covers HEAD (RFC 9110 section 9.3.2);
//!    methods are compared with their letter case (section 9.1).
//! 2. `/orders` is that path alone. `/orders/*` is `/orders`, `/orders/` and everything below; `/*` is every path. Before the end, `*`
//!    is a segment with any name: `/tenants/*/orders`. If a route has such a `*`, each path that some server joins, divides or cuts is
//!    ambiguous: with `;`, a backslash, an encoded slash, a dot segment, an empty segment, or a dot at the end of a name before another.
//! 3. Letter case matters, as in RFC 3986 section 6.2.2.1: for an upstream that ignores it, protect everything it
//!    serves (`/*`) and open single paths. Resources are searched [in any case](Routes::in_any_case): there it may matter or not.
//! 4. `/orders/` is not `/orders`. Yet many upstreams serve the same under both; so where an exact pattern names one of
//!    them, the other is ambiguous rather than under a later route with `/*`.
//! 5. Places under different routes, or some under one and some under none: [`Unrouted::AmbiguousPath`].
//! 6. An encoded character, at any depth, may be decoded or not, independently at each place. So an encoded slash, and
//!    `\` in any spelling, divide a path or are part of a name; an encoded name is that name, or one that no pattern has.
//!    A path that has one more encoding once something is removed (`%25..2e`) is ambiguous anywhere.
//! 7. An empty segment counts or is merged, and may begin an authority. `.` counts or is left out, `..` leads up or is a
//!    name, and more dots lead up further. An encoded dot segment, or one beside a possible divider, may lead up any
//!    number of levels.
//! 8. `;`, `?` and `#` may cut the path: `;` up to the next segment or for good, the others for good. So may the name of
//!    a file's stream (`::$DATA`).
//! 9. Names are alike if they differ by compatibility forms of Unicode, by dots at an end, by spaces, `+` for a space and
//!    characters that no URI may have, or by characters beyond ASCII; and a path is alike to itself without tags (`<x>`).
//! 10. A route may be for some hosts. If any is, each names its hosts, and a request whose host is unknown or malformed is refused where
//!     that matters.
//! 11. A method that differs from a configured one in letter case alone is refused, since some servers ignore case. An
//!     overriding method (`X-HTTP-Method-Override`, `_method`) has to lead to the same route.
//! 12. So has an overriding path (`X-Original-URL`, `X-Rewrite-URL`).
//!
//! A path with one reading, as nearly all have, takes one look and no allocation.

#[cfg(any(test, fuzzing))]
pub(crate) mod agreement;
mod hosts;
mod methods;
mod overrides;
mod pattern;
mod pieces;
mod readings;
mod search;
#[cfg(test)]
mod tests;
mod tree;
mod units;
#[cfg(any(test, fuzzing))]
mod upstreams;

pub(crate) use hosts::{Host, Hosts, without_port};

use hosts::host_of;
pub(crate) use methods::{is_method, overrides_method};
pub use overrides::Overrides;
pub(crate) use pattern::Pattern;

use readings::{has_one_reading, path_of};
use tree::{Case, Tree};
use units::Unit;

/// Routes, in the order of the configuration.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Box<[Rule]>,
    tree: Tree,
    /// The longest path that is searched, in bytes.
    path_bytes: usize,
}

#[derive(Debug)]
struct Rule {
    /// None for a route that is found by its name alone.
    pattern: Option<Pattern>,
    methods: Box<[String]>,
    hosts: Hosts,
}

/// A request, as far as its route depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The host, with or without a port; none if it is unknown.
    pub(crate) host: Option<&'a str>,
    /// Path and query as in a request line, not decoded.
    pub(crate) target: &'a str,
    /// The overriding method and path of header fields.
    pub(crate) overriding: Overrides<'a>,
}

/// The parts of a request beside its path.
#[derive(Debug, Clone, Copy)]
struct By<'a> {
    method: &'a str,
    /// The host without port; none if it is unknown or malformed.
    host: Option<&'a str>,
}

/// The reason why a request is under no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrouted {
    /// No route matches.
    NoRoute,
    /// The path is under one route, and under another if it is read another way or if a field overrides it.
    AmbiguousPath,
    /// The path has a broken percent-encoding, a control character, no slash at its start, or is too long.
    MalformedPath,
    /// The request is under one route by its method, under another by an overriding method.
    AmbiguousMethod,
    /// The method is malformed, or a configured one in other letter case.
    MalformedMethod,
    /// The host is unknown or malformed, and the route depends on it.
    UnknownHost,
}

impl Routes {
    /// Makes routes of patterns, methods and hosts; no methods means any.
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = (Option<&'a Pattern>, &'a [String], Hosts)>) -> Self {
        let rule = |(pattern, methods, hosts): (Option<&Pattern>, &[String], Hosts)| Rule {
            pattern: pattern.cloned(),
            methods: methods.into(),
            hosts,
        };
        let rules: Box<[Rule]> = routes.into_iter().map(rule).collect();
        let tree = Tree::of(rules.iter().filter_map(|rule| rule.pattern.as_ref()), Case::Counts);
        Self { rules, tree, path_bytes: 8 << 10 }
    }

    /// Makes routes of paths alone.
    pub(crate) fn of_paths<'a>(paths: impl IntoIterator<Item = &'a Pattern>) -> Self {
        Self::new(paths.into_iter().map(|path| (Some(path), &[][..], Hosts::default())))
    }

    /// Sets the longest path that is searched, in bytes; 8 KiB by default.
    pub(crate) fn up_to(self, path_bytes: usize) -> Self {
        Self { path_bytes, ..self }
    }

    /// Makes a path ambiguous that is under another route where letter case does not count.
    pub(crate) fn in_any_case(self) -> Self {
        let tree = Tree::of(self.rules.iter().filter_map(|rule| rule.pattern.as_ref()), Case::MayCount);
        Self { tree, ..self }
    }

    /// Like [`find_with`](Self::find_with), for a request without overriding fields.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn find(&self, method: &str, target: &str) -> Result<usize, Unrouted> {
        self.find_with(Request { method, host: None, target, overriding: Overrides::NOTHING })
    }

    /// Returns the index of the first route that matches.
    pub(crate) fn find_with(&self, request: Request<'_>) -> Result<usize, Unrouted> {
        let Request { method, host, target, overriding: fields } = request;
        let host = host.and_then(host_of);
        let by = By { method, host };
        if method == "OPTIONS" && target == "*" {
            // The server as a whole (RFC 9112 section 3.2.4): no path, so no pattern covers it.
            return Err(Unrouted::NoRoute);
        }
        let path = path_of(target, self.path_bytes)?;
        let route = match self.find_by(by, path) {
            Err(Unrouted::NoRoute) => Err(Unrouted::NoRoute),
            found => Ok(found?),
        };
        let other_path = self.asked_path(fields)?;
        if other_path.is_some_and(|other| self.find_by(by, other) != route) {
            return Err(Unrouted::AmbiguousPath);
        }
        let route = route?;
        let is_under_it = |method: &str, path| self.find_by(By { method, host }, path) == Ok(route);
        let paths = || [Some(path), other_path].into_iter().flatten();
        self.check_method(request, |other| paths().all(|path| is_under_it(other, path)))?;
        Ok(route)
    }

    /// Checks that a request whose route was chosen by its name, whatever its path is, has a method and a host of the route.
    ///
    /// # Errors
    ///
    /// [`Unrouted::NoRoute`] if it has another, [`Unrouted::AmbiguousPath`] if a field names a path, by which nobody has chosen, and the errors
    /// about methods and hosts of [`find_with`](Self::find_with).
    pub(crate) fn check_named(&self, index: usize, request: Request<'_>) -> Result<(), Unrouted> {
        let rule = self.rules.get(index).ok_or(Unrouted::NoRoute)?;
        if request.overriding.has_path() {
            return Err(Unrouted::AmbiguousPath);
        }
        let host = request.host.and_then(host_of);
        if host.is_none() && rule.hosts.depend_on_it() {
            return Err(Unrouted::UnknownHost);
        }
        self.check_method(request, |other| rule.takes(other))?;
        if rule.takes(request.method) && rule.hosts.take(host) { Ok(()) } else { Err(Unrouted::NoRoute) }
    }

    /// Checks the method of a request, if any route depends on methods: it is well-formed, and an overriding one leads to the same route.
    fn check_method(&self, request: Request<'_>, leads_there: impl Fn(&str) -> bool) -> Result<(), Unrouted> {
        if self.rules.iter().all(|rule| rule.methods.is_empty()) {
            return Ok(());
        }
        let Request { method, target, overriding, .. } = request;
        if !methods::is_method(method) || self.rules.iter().any(|rule| rule.takes_but_for_case(method)) {
            return Err(Unrouted::MalformedMethod);
        }
        match methods::overriding(overriding, target) {
            Ok(None) => Ok(()),
            Ok(Some(other)) if leads_there(&other) => Ok(()),
            _ => Err(Unrouted::AmbiguousMethod),
        }
    }

    /// Returns the overriding path of a header field.
    fn asked_path<'a>(&self, fields: Overrides<'a>) -> Result<Option<&'a str>, Unrouted> {
        let target = fields.path.text().map_err(|()| Unrouted::AmbiguousPath)?;
        // Envoy joins several fields with a comma.
        if target.is_some_and(|target| target.contains(',')) {
            return Err(Unrouted::AmbiguousPath);
        }
        target.map(|target| path_of(target, self.path_bytes)).transpose().map_err(|_| Unrouted::AmbiguousPath)
    }

    /// Returns the one route of a path by a method and a host.
    fn find_by(&self, by: By<'_>, path: &str) -> Result<usize, Unrouted> {
        let route = match has_one_reading(path) {
            true if self.tree.case() == Case::Counts => self.route_of(by, path)?,
            true if self.tree.is_small() => self.route_in_any_case(by, path)?,
            _ => {
                let units = units::units(path)?;
                let route = self.searched(by, &units)?;
                for others in units::cleaned(&units) {
                    if self.searched(by, &others)? != route {
                        return Err(Unrouted::AmbiguousPath);
                    }
                }
                route
            }
        };
        route.ok_or(Unrouted::NoRoute)
    }

    /// Returns the route of a path with one reading where no pattern has a capital, and letter case may count or not.
    fn route_in_any_case(&self, by: By<'_>, path: &str) -> Result<Option<usize>, Unrouted> {
        let route = self.route_of(by, path)?;
        let has_capitals = path.bytes().any(|byte| byte.is_ascii_uppercase());
        if has_capitals && self.route_of(by, &path.to_ascii_lowercase())? != route {
            return Err(Unrouted::AmbiguousPath);
        }
        Ok(route)
    }

    /// Returns the route of all places that these characters may lead to.
    fn searched(&self, by: By<'_>, units: &[Unit]) -> Result<Option<usize>, Unrouted> {
        search::agreed(&self.tree, &pieces::pieces(units, self.tree.case()), |path| self.route_of(by, path))
    }

    /// Returns the route of one place.
    fn route_of(&self, by: By<'_>, path: &str) -> Result<Option<usize>, Unrouted> {
        let mut named_but_for_the_slash = false;
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.takes(by.method)) {
            let Some(pattern) = &rule.pattern else { continue };
            if by.host.is_none()
                && rule.hosts.depend_on_it()
                && (pattern.matches(path) || pattern.is_but_for_the_slash(path))
            {
                return Err(Unrouted::UnknownHost);
            }
            if !rule.hosts.take(by.host) {
                continue;
            }
            if pattern.is(path) {
                return Ok(Some(index));
            }
            if pattern.matches(path) {
                return if named_but_for_the_slash { Err(Unrouted::AmbiguousPath) } else { Ok(Some(index)) };
            }
            named_but_for_the_slash |= pattern.is_but_for_the_slash(path);
        }
        Ok(None)
    }
}

impl Rule {
    fn takes(&self, method: &str) -> bool {
        self.methods.is_empty() || self.covers(|own| own == method)
    }

    /// Returns true if a method differs from one of the rule's in letter case alone.
    fn takes_but_for_case(&self, method: &str) -> bool {
        self.covers(|own| own != method && own.eq_ignore_ascii_case(method))
    }

    /// Returns true if `is_such` holds for one of the rule's methods; a rule with GET has HEAD as well.
    fn covers(&self, is_such: impl Fn(&str) -> bool) -> bool {
        self.methods.iter().any(|own| is_such(own) || (own == "GET" && is_such("HEAD")))
    }
}

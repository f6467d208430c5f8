//! Which route a request is under, however its path is spelled.
//!
//! Servers do not agree about what a path means: one decodes `%2e%2e%2f` before it looks for dot segments, one after,
//! one only in part, one never. So a path is not normalised in one way: *all places that it may lead to* are searched, and a
//! request is under a route only if each of them is.
//!
//! ```text
//! spelling ─ units ─► characters, each sure or not ─ pieces ─► what may be a segment ─ search ─► places ─► one route
//! ```
//!
//! 1. The first route whose pattern and methods match wins. A route with GET covers HEAD (RFC 9110 section 9.3.2);
//!    methods compare to the letter (section 9.1).
//! 2. `/orders` is that path alone. `/orders/*` is `/orders`, `/orders/` and all below; `/*` is every path.
//! 3. Letter case matters, as it does in RFC 3986 section 6.2.2.1: for an upstream that does not care, protect all
//!    that it serves (`/*`) and open single paths.
//! 4. `/orders/` is not `/orders`. Yet many upstreams serve the same under both; so where an exact pattern names one of
//!    them, the other is ambiguous rather than under a route with `/*` further down.
//! 5. Places under different routes, or some under one and some under none: [`Unrouted::AmbiguousPath`].
//! 6. What was encoded, at any depth, may have been decoded or not, at each place for itself. So an encoded slash, and `\` in
//!    any spelling, divide a path or are a part of a name; an encoded name is that name, or one that no pattern has.
//!    What would be one more encoding once something is taken out (`%25..2e`) is ambiguous wherever it stands.
//! 7. An empty segment counts or is merged, and may begin an authority. `.` counts or is left out, `..` leads up or is a name, and
//!    more dots lead up further. An encoded dot segment, or one beside what perhaps divides, may lead up by any number.
//! 8. `;`, `?` and `#` may cut what follows: the first up to the next segment or for good, the others for good. So may the name of
//!    a file's stream (`::$DATA`).
//! 9. Names are alike that differ by compatibility forms of Unicode, by dots at an end, by spaces, `+` for a space and what no URI
//!    may have, or by what is not ASCII; and a path is its own without tags (`<x>`).
//! 10. A method that is one of the configured ones but for letter case is refused, since some servers fold it. What a request
//!     says of another method (`X-HTTP-Method-Override`, `_method`) has to lead to the same route.
//! 11. So has what a field says of another path (`X-Original-URL`, `X-Rewrite-URL`).
//!
//! A path without anything to read in two ways, as nearly all are, takes one look and no allocation.

#[cfg(any(test, fuzzing))]
pub(crate) mod agreement;
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

pub(crate) use overrides::Overrides;
pub(crate) use pattern::Pattern;

use readings::{has_one_reading, path_of};
use tree::Tree;
use units::Unit;

/// Routes, in the order of the configuration.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Box<[Rule]>,
    tree: Tree,
    /// The longest path that is looked at.
    path_bytes: usize,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    methods: Box<[String]>,
}

/// Why a request is under no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrouted {
    /// No route matches.
    NoRoute,
    /// Read in one way it is under one route, read in another, or by a field that asks for another, under another.
    AmbiguousPath,
    /// Not a path: a broken percent-encoding, a control character, no slash at its start, longer than is looked at.
    MalformedPath,
    /// By its method it is under one route, by another that it asks for under another.
    AmbiguousMethod,
    /// Not a method, or one of the configured ones but for letter case.
    MalformedMethod,
}

impl Routes {
    /// Each route by its pattern and its methods; no methods: any.
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = (&'a Pattern, &'a [String])>) -> Self {
        let rule =
            |(pattern, methods): (&Pattern, &[String])| Rule { pattern: pattern.clone(), methods: methods.into() };
        let rules: Box<[Rule]> = routes.into_iter().map(rule).collect();
        let tree = Tree::of(rules.iter().map(|rule| &rule.pattern));
        Self { rules, tree, path_bytes: 8 << 10 }
    }

    /// Looks at paths of so many bytes at most; 8 KiB by default.
    pub(crate) fn up_to(self, path_bytes: usize) -> Self {
        Self { path_bytes, ..self }
    }

    /// As [`find_with`](Self::find_with), of a request whose fields ask for nothing.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn find(&self, method: &str, target: &str) -> Result<usize, Unrouted> {
        self.find_with(method, Overrides::NOTHING, target)
    }

    /// The index of the first route that matches. `target` is path and query as in a request line, not decoded; `fields` is
    /// what header fields say of another method or path.
    pub(crate) fn find_with(&self, method: &str, fields: Overrides<'_>, target: &str) -> Result<usize, Unrouted> {
        if method == "OPTIONS" && target == "*" {
            // The server as a whole (RFC 9112 section 3.2.4): no path, so no pattern covers it.
            return Err(Unrouted::NoRoute);
        }
        let path = path_of(target, self.path_bytes)?;
        let route = self.find_by(method, path)?;
        let other_path = self.asked_path(fields)?;
        if other_path.is_some_and(|other| self.find_by(method, other) != Ok(route)) {
            return Err(Unrouted::AmbiguousPath);
        }
        if self.rules.iter().all(|rule| rule.methods.is_empty()) {
            return Ok(route);
        }
        if !methods::is_method(method) || self.rules.iter().any(|rule| rule.takes_but_for_case(method)) {
            return Err(Unrouted::MalformedMethod);
        }
        let is_under_it = |method: &str, path| self.find_by(method, path) == Ok(route);
        match methods::overriding(fields, target) {
            Ok(None) => Ok(route),
            Ok(Some(other)) if [Some(path), other_path].into_iter().flatten().all(|path| is_under_it(&other, path)) => {
                Ok(route)
            }
            _ => Err(Unrouted::AmbiguousMethod),
        }
    }

    /// The path that a header field asks for.
    fn asked_path<'a>(&self, fields: Overrides<'a>) -> Result<Option<&'a str>, Unrouted> {
        let target = fields.path.text().map_err(|()| Unrouted::AmbiguousPath)?;
        // Envoy joins what several fields say with a comma.
        if target.is_some_and(|target| target.contains(',')) {
            return Err(Unrouted::AmbiguousPath);
        }
        target.map(|target| path_of(target, self.path_bytes)).transpose().map_err(|_| Unrouted::AmbiguousPath)
    }

    /// The one route of a path by a method.
    fn find_by(&self, method: &str, path: &str) -> Result<usize, Unrouted> {
        let route = match has_one_reading(path) {
            true => self.route_of(method, path)?,
            false => {
                let units = units::units(path)?;
                let route = self.searched(method, &units)?;
                for others in units::cleaned(&units) {
                    if self.searched(method, &others)? != route {
                        return Err(Unrouted::AmbiguousPath);
                    }
                }
                route
            }
        };
        route.ok_or(Unrouted::NoRoute)
    }

    /// The route of all places that these characters may lead to.
    fn searched(&self, method: &str, units: &[Unit]) -> Result<Option<usize>, Unrouted> {
        search::agreed(&self.tree, &pieces::pieces(units), |path| self.route_of(method, path))
    }

    /// The route of one place.
    fn route_of(&self, method: &str, path: &str) -> Result<Option<usize>, Unrouted> {
        let mut named_but_for_the_slash = false;
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.takes(method)) {
            if rule.pattern.is(path) {
                return Ok(Some(index));
            }
            if rule.pattern.matches(path) {
                return if named_but_for_the_slash { Err(Unrouted::AmbiguousPath) } else { Ok(Some(index)) };
            }
            named_but_for_the_slash |= rule.pattern.is_but_for_the_slash(path);
        }
        Ok(None)
    }
}

impl Rule {
    fn takes(&self, method: &str) -> bool {
        self.methods.is_empty() || self.covers(|own| own == method)
    }

    /// Tells whether a method would be one of the rule's if letter case did not matter.
    fn takes_but_for_case(&self, method: &str) -> bool {
        self.covers(|own| own != method && own.eq_ignore_ascii_case(method))
    }

    /// Tells whether one of the rule's methods is such; a rule with GET has HEAD as well.
    fn covers(&self, is_such: impl Fn(&str) -> bool) -> bool {
        self.methods.iter().any(|own| is_such(own) || (own == "GET" && is_such("HEAD")))
    }
}

//! Which route a request is under, however its path is spelled.
//!
//! Servers do not agree about what a path means: one decodes `%2e%2e%2f` before it looks for dot segments, one after,
//! one never. So a path is not normalised in one way; *all its readings* are made ([`readings`]), and a request is
//! under a route only if each of them is.
//!
//! 1. The first route whose pattern and methods match wins. A route with GET covers HEAD (RFC 9110 section 9.3.2);
//!    methods compare to the letter (section 9.1).
//! 2. `/orders` is that path alone. `/orders/*` is `/orders`, `/orders/` and all below; `/*` is every path.
//! 3. Letter case matters, as it does in RFC 3986 section 6.2.2.1: for an upstream that does not care, protect all
//!    that it serves (`/*`) and open single paths.
//! 4. `/orders/` is not `/orders`. Yet many upstreams serve the same under both; so where an exact pattern names one of
//!    them, the other is ambiguous rather than under a route with `/*` further down.
//! 5. Readings under different routes, or some under one and some under none: [`Unrouted::AmbiguousPath`].
//!
//! A path without anything to read in two ways, as nearly all are, takes one look and no allocation.

mod pattern;
mod readings;
#[cfg(test)]
mod tests;

pub(crate) use pattern::Pattern;

use readings::{Readings, is_plain, path_of};

/// Routes, in the order of the configuration.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Box<[Rule]>,
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
    /// Read in one way it is under one route, read in another under another.
    AmbiguousPath,
    /// Not a path: a broken percent-encoding, a control character, no slash at its start, longer than is looked at.
    MalformedPath,
}

impl Routes {
    /// Each route by its pattern and its methods; no methods: any.
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = (&'a Pattern, &'a [String])>) -> Self {
        let rule =
            |(pattern, methods): (&Pattern, &[String])| Rule { pattern: pattern.clone(), methods: methods.into() };
        Self { rules: routes.into_iter().map(rule).collect(), path_bytes: 8 << 10 }
    }

    /// Looks at paths of so many bytes at most; 8 KiB by default.
    pub(crate) fn up_to(self, path_bytes: usize) -> Self {
        Self { path_bytes, ..self }
    }

    /// The index of the first route that matches. `target` is path and query as in a request line, not decoded.
    pub(crate) fn find(&self, method: &str, target: &str) -> Result<usize, Unrouted> {
        if method == "OPTIONS" && target == "*" {
            // The server as a whole (RFC 9112 section 3.2.4): no path, so no pattern covers it.
            return Err(Unrouted::NoRoute);
        }
        let path = path_of(target, self.path_bytes)?;
        let route = if is_plain(path) { self.route_of(method, path)? } else { self.agreed(method, path)? };
        route.ok_or(Unrouted::NoRoute)
    }

    /// The one route that all readings of a path are under.
    fn agreed(&self, method: &str, path: &str) -> Result<Option<usize>, Unrouted> {
        let mut readings = Readings::of(path)?;
        let mut agreed = None;
        while let Some(reading) = readings.next()? {
            let route = self.route_of(method, reading)?;
            if *agreed.get_or_insert(route) != route {
                return Err(Unrouted::AmbiguousPath);
            }
        }
        Ok(agreed.flatten())
    }

    /// The route of one reading.
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
        let named = |name: &str| self.methods.iter().any(|own| own == name);
        self.methods.is_empty() || named(method) || (method == "HEAD" && named("GET"))
    }
}

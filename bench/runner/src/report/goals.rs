//! What must be reached: the numbers of the design, and what was measured.

use figures::Figure;

use super::{
    Scope,
    numbers::{cell, shown},
};
use crate::{
    gateway::{
        self, EXT_AUTHZ, FORWARD_AUTH, HALF, HALF_EXT_AUTHZ, HALF_FORWARD_AUTH, INTROSPECTIONS, JWT, OF_JWT, OF_OK,
        PHANTOM, RESIDENT, RUSH,
    },
    http::{
        DELAY_OURS_TO_THIS, EXPRESS_NEW, EXPRESS_NEW_PACED, EXPRESS_PEERS, EXPRESS_ROTATING, EXPRESS_ROTATING_AT_ONCE,
        EXPRESS_ROTATING_PACED, EXPRESS_SAME, EXPRESS_SAME_AT_ONCE, EXPRESS_SAME_PACED, FITTED, NEW, OF_BARE,
        OF_BARE_BY_CPU, OF_BOUND, OF_RAW, OURS, OURS_TO_THIS, ROTATING, SAME,
    },
    results::Results,
    storms::{FIRST, FORGED, P99_RATIO},
};

/// A number to reach, and the cell that tells whether it is.
struct Goal {
    what: &'static str,
    bound: Bound,
    table: &'static str,
    row: Row,
    column: &'static str,
    unit: &'static str,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Told beside the goals, for whoever weighs them; the greatest, of several rows.
    Told,
}

use Bound::{AtLeast, AtMost, Told};

enum Row {
    One(&'static str),
    /// Each must reach it.
    WorstOf(&'static [&'static str]),
}

use Row::{One, WorstOf};

/// The section about them.
pub(crate) fn section(scope: Scope, results: &Results) -> String {
    let rows: Vec<_> =
        GOALS.iter().filter(|goal| Scope::of(goal.table) == scope).map(|goal| goal.row(results)).collect();
    format!("## What must be reached\n\n| what | must be | is | reached |\n|---|---:|---:|---|\n{}", rows.join("\n"))
}

const GOALS: &[Goal] = &[
    of_raw("a new token, RS256: of the fastest library's raw verification", "RS256"),
    of_raw("a new token, ES256: the same", "ES256"),
    of_raw("a new token, EdDSA: the same", "EdDSA"),
    cached("a cached token with its claims typed, always the same one", "the same token", 250.0),
    cached("a cached token with its claims typed, 5,000 by turns", "5,000 tokens by turns", 600.0),
    Goal { column: "allocations", unit: "", ..cached("heap allocations for it", "5,000 tokens by turns", 0.0) },
    over_http("axum and the layer, the same token: of bare axum", SAME, OF_BARE, 0.95),
    over_http("axum and the layer, 5,000 tokens by turns: of bare axum", ROTATING, OF_BARE, 0.92),
    over_http("axum and the layer, every token new: of 1/(bare request + raw verify)", NEW, OF_BOUND, 0.95),
    over_http("the same, of a server that verifies the signature and does nothing else", NEW, OF_RAW, 0.95),
    over_http(
        "Express and the addon, the same token: of bare Express, on one core at once",
        EXPRESS_SAME_AT_ONCE,
        OF_BARE_BY_CPU,
        0.9,
    ),
    over_http("5,000 tokens by turns: the same", EXPRESS_ROTATING_AT_ONCE, OF_BARE_BY_CPU, 0.9),
    by_turns("the same token: the same, by requests per second of one server after the other", EXPRESS_SAME),
    by_turns("5,000 tokens by turns: the same", EXPRESS_ROTATING),
    to_fastest_peer("the same token: of the fastest peer, set up as its README says", EXPRESS_SAME),
    to_fastest_peer("5,000 tokens by turns: the same", EXPRESS_ROTATING),
    to_fitted("the same token: of fast-jwt with its cache on", EXPRESS_SAME, OURS_TO_THIS),
    to_fitted("what that one reaches of bare Express, which no guard outruns", EXPRESS_SAME_AT_ONCE, OF_BARE_BY_CPU),
    to_fitted("5,000 tokens by turns: of fast-jwt with a cache that holds them all", EXPRESS_ROTATING, OURS_TO_THIS),
    to_fitted("what that one reaches of bare Express", EXPRESS_ROTATING_AT_ONCE, OF_BARE_BY_CPU),
    to_swiftest_loop(
        "event-loop delay p99 at one pace, the same token: of the least of the peers'",
        EXPRESS_SAME_PACED,
    ),
    to_swiftest_loop("at one pace, 5,000 tokens by turns: the same", EXPRESS_ROTATING_PACED),
    to_swiftest_loop("at one pace, every token new: the same", EXPRESS_NEW_PACED),
    at_full_load("at the full load of each, the same token: the same", EXPRESS_SAME),
    at_full_load("at the full load of each, 5,000 tokens by turns: the same", EXPRESS_ROTATING),
    at_full_load("at the full load of each, every token new: the same", EXPRESS_NEW),
    second_core("a second core, the same cached token", "cached, the same token"),
    second_core("a second core, the same cached token, claims typed", "cached, the same token, claims typed"),
    second_core("a second core, 5,000 cached tokens by turns", "cached, 5,000 tokens by turns"),
    second_core("a second core, 5,000 by turns, claims typed", "cached, 5,000 tokens by turns, claims typed"),
    second_core("a second core, new tokens, RS256", "new tokens, RS256"),
    second_core("a second core, new tokens, ES256", "new tokens, ES256"),
    in_storm("fetches for 200 first requests at once", FIRST, "fetches", 1.0),
    in_storm("fetches for 1,000 forged key ids", FORGED, "fetches", 6.0),
    in_storm("p99 of good requests beside forged ones: of that beside good ones", FORGED, P99_RATIO, 1.1),
    memory("memory of 10,000 cached tokens", "10,000 cached tokens"),
    memory("memory of 10,000 cached tokens, claims by name", "10,000 cached tokens, all claims read by name"),
    memory("memory of 10,000 cached tokens, claims typed", "10,000 cached tokens, claims typed"),
    Goal {
        bound: AtMost(32.0),
        column: "at most",
        ..memory(
            "memory under 1,000,000 distinct tokens, with a bound of 32 MiB",
            "a flood of 1,000,000 distinct tokens",
        )
    },
    by_gateway("forward-auth, a cached JWT: of axum that answers 200", FORWARD_AUTH, JWT, OF_OK, AtLeast(0.85)),
    by_gateway("ext_authz by gRPC, a cached JWT: of tonic that says OK", EXT_AUTHZ, JWT, OF_OK, AtLeast(0.8)),
    by_gateway("forward-auth, a cached opaque token: of a cached JWT", FORWARD_AUTH, PHANTOM, OF_JWT, AtLeast(0.95)),
    by_gateway("ext_authz, a cached opaque token: of a cached JWT", EXT_AUTHZ, PHANTOM, OF_JWT, AtLeast(0.95)),
    Goal {
        unit: "ns",
        ..by_gateway("forward-auth, p99 at half of its load", HALF, HALF_FORWARD_AUTH, "p99", AtMost(2e6))
    },
    Goal { unit: "ns", ..by_gateway("ext_authz, p99 at half of its load", HALF, HALF_EXT_AUTHZ, "p99", AtMost(2e6)) },
    Goal {
        unit: "MB",
        ..by_gateway(
            "resident memory of the gateway with 10,000 tokens",
            gateway::MEMORY,
            gateway::OURS,
            RESIDENT,
            AtMost(40.0),
        )
    },
    by_gateway(
        "introspections for 1,000 requests at once with one new opaque token",
        RUSH,
        gateway::OURS,
        INTROSPECTIONS,
        AtMost(1.0),
    ),
];

const fn of_raw(what: &'static str, algorithm: &'static str) -> Goal {
    Goal {
        what,
        bound: AtLeast(0.93),
        table: "algorithms",
        row: One(algorithm),
        column: "ratio to fastest raw",
        unit: "",
    }
}

const fn cached(what: &'static str, row: &'static str, most: f64) -> Goal {
    Goal { what, bound: AtMost(most), table: "cached", row: One(row), column: "and its claims typed", unit: "ns" }
}

const fn over_http(what: &'static str, table: &'static str, column: &'static str, least: f64) -> Goal {
    Goal { what, bound: AtLeast(least), table, row: One(OURS), column, unit: "" }
}

const fn by_turns(what: &'static str, table: &'static str) -> Goal {
    Goal { bound: Told, ..over_http(what, table, OF_BARE, 0.9) }
}

const fn to_fastest_peer(what: &'static str, table: &'static str) -> Goal {
    Goal { row: WorstOf(&EXPRESS_PEERS), ..over_http(what, table, OURS_TO_THIS, 1.3) }
}

const fn to_swiftest_loop(what: &'static str, table: &'static str) -> Goal {
    Goal { bound: AtMost(1.0), column: DELAY_OURS_TO_THIS, ..to_fastest_peer(what, table) }
}

const fn to_fitted(what: &'static str, table: &'static str, column: &'static str) -> Goal {
    Goal { bound: Told, row: One(FITTED), column, ..to_fastest_peer(what, table) }
}

const fn at_full_load(what: &'static str, table: &'static str) -> Goal {
    Goal { bound: Told, ..to_swiftest_loop(what, table) }
}

const fn second_core(what: &'static str, row: &'static str) -> Goal {
    Goal { what, bound: AtLeast(1.9), table: "cores", row: One(row), column: "gain", unit: "" }
}

const fn in_storm(what: &'static str, table: &'static str, column: &'static str, most: f64) -> Goal {
    Goal { what, bound: AtMost(most), table, row: One(OURS), column, unit: "" }
}

const fn memory(what: &'static str, row: &'static str) -> Goal {
    Goal { what, bound: AtMost(25.0), table: "memory", row: One(row), column: "in all", unit: "MiB" }
}

const fn by_gateway(
    what: &'static str,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    bound: Bound,
) -> Goal {
    Goal { what, bound, table, row: One(row), column, unit: "" }
}

impl Goal {
    fn row(&self, results: &Results) -> String {
        let (is, reached) = match self.figure(results) {
            Some(figure) => (self.shown(figure), self.bound.verdict(figure.median)),
            None => ("not measured".to_owned(), "?"),
        };
        let must = self.bound.shown(self.unit);
        format!("| {} | {must} | {is} | {reached} |", self.what)
    }

    /// None if any row is missing.
    fn figure<'a>(&self, results: &'a Results) -> Option<&'a Figure> {
        let get = |row: &str| results.get(self.table, row, self.column);
        match self.row {
            One(row) => get(row),
            WorstOf(rows) => {
                rows.iter().map(|row| get(row)).collect::<Option<Vec<_>>>()?.into_iter().reduce(|worst, figure| {
                    if self.bound.is_further(figure.median, worst.median) { figure } else { worst }
                })
            }
        }
    }

    fn shown(&self, figure: &Figure) -> String {
        match self.row {
            One(_) => cell(figure),
            WorstOf(_) => format!("{}, {}", cell(figure), figure.row),
        }
    }
}

impl Bound {
    /// Whether the value is in bounds, for the last column.
    fn verdict(&self, value: f64) -> &'static str {
        let holds = match self {
            AtLeast(least) => value >= *least,
            AtMost(most) => value <= *most,
            Told => return "",
        };
        if holds { "yes" } else { "**no**" }
    }

    /// Whether this value is further from being in bounds than the other, or less far in.
    fn is_further(&self, value: f64, other: f64) -> bool {
        match self {
            AtLeast(_) => value < other,
            AtMost(_) | Told => value > other,
        }
    }

    fn shown(&self, unit: &str) -> String {
        match self {
            AtLeast(least) => format!("at least {}", shown(*least, unit)),
            AtMost(most) => format!("at most {}", shown(*most, unit)),
            Told => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use figures::Figure;

    use super::*;

    #[test]
    fn goals_are_reached_missed_or_not_measured() {
        let goal = in_storm("fetches", FORGED, "fetches", 6.0);
        let mut results = Results::default();
        assert_eq!(goal.row(&results), "| fetches | at most 6 | not measured | ? |");
        results.add(Figure::count(FORGED, OURS, "fetches", "fetches", 7.0));
        assert_eq!(goal.row(&results), "| fetches | at most 6 | 7 | **no** |");
        results.figures[0].median = 6.0;
        assert!(goal.row(&results).ends_with("| yes |"));
    }

    #[test]
    fn of_several_rows_the_worst_counts_and_none_may_be_missing() {
        let (rates, delays) = (to_fastest_peer("rates", EXPRESS_SAME), to_swiftest_loop("delays", EXPRESS_SAME));
        let told = at_full_load("told", EXPRESS_SAME);
        let mut results = Results::default();
        for (peer, ratio) in EXPRESS_PEERS.into_iter().zip([1.5, 1.25, 0.5]) {
            assert!(rates.row(&results).ends_with("| not measured | ? |"));
            for column in [OURS_TO_THIS, DELAY_OURS_TO_THIS] {
                results.add(Figure::count(EXPRESS_SAME, peer, column, "ratio", ratio));
            }
        }
        assert_eq!(rates.row(&results), "| rates | at least 1.30 | 0.500, fast-jwt | **no** |");
        assert_eq!(delays.row(&results), "| delays | at most 1 | 1.500, express-oauth-jwt | **no** |");
        assert_eq!(told.row(&results), "| told |  | 1.500, express-oauth-jwt |  |");
    }
}

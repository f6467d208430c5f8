//! What must be reached: the numbers of the design, and what was measured.

use super::numbers::{cell, shown};
use crate::{
    http::{NEW, OF_BOUND, OF_RAW, OURS, ROTATING, SAME},
    results::Results,
    storms::{FIRST, FORGED, P99_RATIO},
};

/// A number to reach, and the cell that tells whether it is.
struct Goal {
    what: &'static str,
    bound: Bound,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    unit: &'static str,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

/// The section about them.
pub(crate) fn section(results: &Results) -> String {
    let rows: Vec<_> = GOALS.iter().map(|goal| goal.row(results)).collect();
    format!("## What must be reached\n\n| what | must be | is | reached |\n|---|---:|---:|---|\n{}", rows.join("\n"))
}

const GOALS: &[Goal] = &[
    of_raw("a new token, RS256: of the fastest library's raw verification", "RS256"),
    of_raw("a new token, ES256: the same", "ES256"),
    of_raw("a new token, EdDSA: the same", "EdDSA"),
    cached("a cached token with its claims typed, always the same one", "the same token", 250.0),
    cached("a cached token with its claims typed, 5,000 by turns", "5,000 tokens by turns", 600.0),
    Goal { column: "allocations", unit: "", ..cached("heap allocations for it", "5,000 tokens by turns", 0.0) },
    over_http("axum and the layer, the same token: of bare axum", SAME, "of bare", 0.95),
    over_http("axum and the layer, 5,000 tokens by turns: of bare axum", ROTATING, "of bare", 0.92),
    over_http("axum and the layer, every token new: of 1/(bare request + raw verify)", NEW, OF_BOUND, 0.95),
    over_http("the same, of a server that verifies the signature and does nothing else", NEW, OF_RAW, 0.95),
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
];

const fn of_raw(what: &'static str, algorithm: &'static str) -> Goal {
    Goal { what, bound: AtLeast(0.93), table: "algorithms", row: algorithm, column: "ratio to fastest raw", unit: "" }
}

const fn cached(what: &'static str, row: &'static str, most: f64) -> Goal {
    Goal { what, bound: AtMost(most), table: "cached", row, column: "and its claims typed", unit: "ns" }
}

const fn over_http(what: &'static str, table: &'static str, column: &'static str, least: f64) -> Goal {
    Goal { what, bound: AtLeast(least), table, row: OURS, column, unit: "" }
}

const fn second_core(what: &'static str, row: &'static str) -> Goal {
    Goal { what, bound: AtLeast(1.9), table: "cores", row, column: "gain", unit: "" }
}

const fn in_storm(what: &'static str, table: &'static str, column: &'static str, most: f64) -> Goal {
    Goal { what, bound: AtMost(most), table, row: OURS, column, unit: "" }
}

const fn memory(what: &'static str, row: &'static str) -> Goal {
    Goal { what, bound: AtMost(25.0), table: "memory", row, column: "in all", unit: "MiB" }
}

impl Goal {
    fn row(&self, results: &Results) -> String {
        let figure = results.get(self.table, self.row, self.column);
        let (is, reached) = match figure {
            Some(figure) if self.bound.holds(figure.median) => (cell(figure), "yes"),
            Some(figure) => (cell(figure), "**no**"),
            None => ("not measured".to_owned(), "?"),
        };
        let must = self.bound.shown(self.unit);
        format!("| {} | {must} | {is} | {reached} |", self.what)
    }
}

impl Bound {
    fn holds(&self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= *least,
            AtMost(most) => value <= *most,
        }
    }

    fn shown(&self, unit: &str) -> String {
        match self {
            AtLeast(least) => format!("at least {}", shown(*least, unit)),
            AtMost(most) => format!("at most {}", shown(*most, unit)),
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
}

//! The goals in bench/goals.toml, beside the measured figures.

use std::collections::BTreeMap;

use figures::Figure;
use harness::Result;
use serde::{Deserialize, Serialize};

use super::{
    Scope,
    numbers::{cell, shown},
};
use crate::results::Results;

const FILE: &str = include_str!("../../../goals.toml");

/// A goal: a bound and the figure to compare with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Goal {
    what: String,
    table: String,
    #[serde(alias = "rows")]
    row: Row,
    column: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    #[serde(default)]
    unit: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Row {
    One(String),
    /// The rows, each of which must reach the bound.
    #[serde(rename = "rows")]
    WorstOf(Vec<String>),
}

/// A goal's line on the page.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Line {
    what: String,
    bound: String,
    is: String,
    reached: &'static str,
}

/// The goals of a page.
pub(super) fn lines(scope: Scope, results: &Results) -> Result<Vec<Line>> {
    Ok(goals(scope)?.iter().map(|goal| goal.line(results)).collect())
}

fn goals(scope: Scope) -> Result<Vec<Goal>> {
    let mut pages = read(FILE)?;
    pages.remove(scope.page()).ok_or_else(|| format!("bench/goals.toml has no [[{}]]", scope.page()))
}

fn read(text: &str) -> Result<BTreeMap<String, Vec<Goal>>> {
    toml::from_str(text).map_err(|error| format!("bench/goals.toml: {error}"))
}

impl Goal {
    fn line(&self, results: &Results) -> Line {
        let (is, reached) = match self.figure(results) {
            Some(figure) => (self.shown(figure), self.verdict(figure.median)),
            None => ("not measured".to_owned(), "?"),
        };
        Line { what: self.what.clone(), bound: self.bound(), is, reached }
    }

    /// The figure; `None` if any row is missing.
    fn figure<'a>(&self, results: &'a Results) -> Option<&'a Figure> {
        let get = |row: &str| results.get(&self.table, row, &self.column);
        match &self.row {
            Row::One(row) => get(row),
            Row::WorstOf(rows) => {
                let figures: Vec<_> = rows.iter().map(|row| get(row)).collect::<Option<_>>()?;
                figures.into_iter().reduce(|worst, figure| if self.is_worse(figure, worst) { figure } else { worst })
            }
        }
    }

    fn shown(&self, figure: &Figure) -> String {
        match self.row {
            Row::One(_) => cell(figure),
            Row::WorstOf(_) => format!("{}, {}", cell(figure), figure.row),
        }
    }

    /// The text of the last column: tells whether the value is in bounds.
    fn verdict(&self, value: f64) -> &'static str {
        let is_low = self.at_least.is_some_and(|least| value < least);
        let is_high = self.at_most.is_some_and(|most| value > most);
        match (self.at_least, self.at_most) {
            (None, None) => "",
            _ if is_low || is_high => "**no**",
            _ => "yes",
        }
    }

    /// Returns true if this figure is further from the bound than the other; without a bound the greater one counts.
    fn is_worse(&self, figure: &Figure, other: &Figure) -> bool {
        if self.at_least.is_some() { figure.median < other.median } else { figure.median > other.median }
    }

    fn bound(&self) -> String {
        let shown = |(words, bound): (&str, Option<f64>)| Some(format!("{words} {}", shown(bound?, &self.unit)));
        let bounds = [("at least", self.at_least), ("at most", self.at_most)].into_iter().filter_map(shown);
        bounds.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The goals whose measurement is still to come.
    const TO_COME: &[&str] = &[];

    const TEXT: &str = r#"
        [[library]]
        what = "fetches"
        table = "storm"
        row = "portcullis"
        column = "fetches"
        at_most = 6

        [[express]]
        what = "rates"
        table = "same"
        rows = ["a", "b", "c"]
        column = "ratio"
        at_least = 1.3

        [[express]]
        what = "delays"
        table = "same"
        rows = ["a", "b", "c"]
        column = "ratio"
        at_most = 1

        [[express]]
        what = "shown"
        table = "same"
        rows = ["a", "b", "c"]
        column = "ratio"
    "#;

    fn line(what: &str, bound: &str, is: &str, reached: &'static str) -> Line {
        Line { what: what.to_owned(), bound: bound.to_owned(), is: is.to_owned(), reached }
    }

    #[test]
    fn goals_are_reached_missed_or_not_measured() {
        let goals = read(TEXT).unwrap();
        let goal = &goals["library"][0];
        let mut results = Results::default();
        assert_eq!(goal.line(&results), line("fetches", "at most 6", "not measured", "?"));
        results.add(Figure::count("storm", "portcullis", "fetches", "fetches", 7.0));
        assert_eq!(goal.line(&results), line("fetches", "at most 6", "7", "**no**"));
        results.figures[0].median = 6.0;
        assert_eq!(goal.line(&results).reached, "yes");
    }

    #[test]
    fn of_several_rows_the_worst_counts_and_none_may_be_missing() {
        let goals = read(TEXT).unwrap();
        let mut results = Results::default();
        for (peer, ratio) in ["a", "b", "c"].into_iter().zip([1.5, 1.25, 0.5]) {
            assert_eq!(goals["express"][0].line(&results).reached, "?");
            results.add(Figure::count("same", peer, "ratio", "ratio", ratio));
        }
        let lines: Vec<_> = goals["express"].iter().map(|goal| goal.line(&results)).collect();
        assert_eq!(lines[0], line("rates", "at least 1.30", "0.500, c", "**no**"));
        assert_eq!(lines[1], line("delays", "at most 1", "1.500, a", "**no**"));
        assert_eq!(lines[2], line("shown", "", "1.500, a", ""));
    }

    #[test]
    fn a_goal_with_a_mistake_is_refused() {
        for (right, wrong) in [("at_most = 6", "at_moist = 6"), ("row = \"portcullis\"", ""), ("= \"storm\"", "= 1")] {
            assert!(read(&TEXT.replace(right, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_goal_names_a_figure_of_the_last_run() {
        let mut unknown = Vec::new();
        for scope in Scope::ALL {
            let results = Results::committed(scope);
            let goals = goals(scope).unwrap();
            unknown.extend(goals.into_iter().filter(|goal| goal.figure(&results).is_none()).map(|goal| goal.what));
        }
        assert_eq!(unknown, TO_COME);
    }

    #[test]
    fn every_bound_has_the_unit_of_its_figure() {
        for scope in Scope::ALL {
            let results = Results::committed(scope);
            for goal in goals(scope).unwrap() {
                let has_unit = |figure: &Figure| {
                    !["ratio", "allocations", "fetches", "introspections", ""].contains(&figure.unit.as_str())
                };
                let unit = goal.figure(&results).filter(|figure| has_unit(figure)).map(|figure| figure.unit.clone());
                assert_eq!(goal.unit, unit.unwrap_or_default(), "{}", goal.what);
            }
        }
    }
}

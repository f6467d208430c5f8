//! Comparison of this build with the build of another revision, in the same rounds.
//!
//! Every server and program of Portcullis runs once more in the other revision's build; the names of its rows end with
//! [`BEFORE`]. The ratios come from these pairs of rows, round by round.

use std::process::Command;

use figures::Figure;

use crate::{
    plan::Plan,
    programs::{Build, Programs, figures},
    report::cell,
    results::{Results, joined},
};

/// The end of the names of the other revision's rows.
pub(crate) const BEFORE: &str = ", before";

/// The end of the names of columns in which more is better, and of those in which less is better.
const MORE: &str = " ↑";
const LESS: &str = " ↓";

/// The comparison of two builds.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The ratios after / before, with the run's failures, remarks, plan and machine.
    pub(crate) ratios: Results,
    /// Counts that were zero on one side, which have no ratio: a table and a sentence.
    changed: Vec<(String, String)>,
}

impl Comparison {
    /// The comparison of all pairs of rows.
    pub(crate) fn of(measured: Results) -> Self {
        let mut comparison = Self { ratios: Results { figures: Vec::new(), ..measured }, changed: Vec::new() };
        for before in &measured.figures {
            let Some(row) = before.row.strip_suffix(BEFORE) else { continue };
            let is_pair = |after: &&Figure| {
                (&*after.table, &*after.row, &*after.column) == (&*before.table, row, &*before.column)
            };
            let after = measured.figures.iter().find(is_pair);
            if let Some(after) = after.filter(|after| is_absolute(&after.unit)) {
                comparison.add(after, before);
            }
        }
        comparison
    }

    fn add(&mut self, after: &Figure, before: &Figure) {
        let Figure { table, row, column, unit, .. } = after;
        if before.windows.contains(&0.0) || after.windows.len() != before.windows.len() {
            if after.median != before.median {
                let sentence = format!("{row}, {column}: {} before, {} after.", cell(before), cell(after));
                self.changed.push((table.clone(), sentence));
            }
            return;
        }
        let better = if ["req/s", "tokens/s"].contains(&unit.as_str()) { MORE } else { LESS };
        let windows = after.windows.iter().zip(&before.windows).map(|(after, before)| after / before).collect();
        self.ratios.add(Figure::of(table, row, &format!("{column}{better}"), "ratio", windows));
    }

    /// The ratios whose whole range is on one side of 1, as a table; the worse ones come first.
    pub(crate) fn beyond_noise(&self) -> String {
        if self.ratios.plan.rounds == 1 {
            return "Unknown: one round alone does not show the noise.".to_owned();
        }
        let (worse, better): (Vec<_>, Vec<_>) = self
            .ratios
            .figures
            .iter()
            .filter(|figure| figure.low > 1.0 || figure.high < 1.0)
            .partition(|figure| (figure.low > 1.0) == figure.column.ends_with(LESS));
        let line = |verdict: &str, figure: &Figure| {
            format!("| {} | {} | {} | {} | {verdict} |", figure.table, figure.row, figure.column, cell(figure))
        };
        let worse = worse.into_iter().map(|figure| line("**worse**", figure));
        let better = better.into_iter().map(|figure| line("better", figure));
        let changed = self.changed.iter().map(|(table, sentence)| format!("| {table} | {sentence} |  |  | changed |"));
        let lines: Vec<_> = worse.chain(changed).chain(better).collect();
        if lines.is_empty() {
            return "Nothing.".to_owned();
        }
        format!("| table | row | column | after / before |  |\n|---|---|---|---:|---|\n{}", lines.join("\n"))
    }
}

/// Returns true unless the figure is a ratio: a ratio of ratios has more noise and no new information.
fn is_absolute(unit: &str) -> bool {
    !["ratio", "%"].contains(&unit)
}

/// Measures the library without HTTP: both builds run by turns, in the reverse order every second round.
pub(crate) fn micro(plan: &Plan, programs: &Programs, results: &mut Results) {
    let mut runs = Vec::new();
    for round in 0..plan.rounds {
        println!("bench: stages and algorithms, round {} of {}", round + 1, plan.rounds);
        let mut builds = [Build::This, Build::Before];
        builds.rotate_left(round % 2);
        for build in builds {
            let mut run = Results::default();
            figures(Command::new(programs.path(build, "bench-micro")).arg("--quick"), &mut run);
            run.failed.into_iter().for_each(|reason| results.fail(format!("{reason}{}", build.suffix())));
            // A program prints no windows: its median is the window of this round.
            let window =
                |figure: Figure| Figure { row: figure.row + build.suffix(), windows: vec![figure.median], ..figure };
            runs.extend(run.figures.into_iter().map(window));
        }
    }
    joined(runs).into_iter().for_each(|figure| results.add(figure));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(row: &str, column: &str, unit: &str, windows: &[f64]) -> Figure {
        Figure::of("http", row, column, unit, windows.to_vec())
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        let mut results = Results::default();
        for figure in [
            figure("bare", "requests/s", "req/s", &[100.0, 50.0]),
            figure("ours", "requests/s", "req/s", &[90.0, 40.0]),
            figure("ours", "of bare", "ratio", &[0.9, 0.8]),
            figure("ours, before", "requests/s", "req/s", &[100.0, 50.0]),
            figure("ours, before", "of bare", "ratio", &[1.0, 1.0]),
        ] {
            results.add(figure);
        }
        let comparison = Comparison::of(results);
        let figures = &comparison.ratios.figures;
        let columns: Vec<_> = figures.iter().map(|figure| figure.column.as_str()).collect();
        assert_eq!(columns, ["requests/s ↑"]);
        assert_eq!(figures[0].windows, [0.9, 0.8]);
        assert!(
            comparison
                .beyond_noise()
                .ends_with("| http | ours | requests/s ↑ | 0.900 <sub>0.800–0.900</sub> | **worse** |")
        );
    }

    #[test]
    fn noise_is_a_range_around_one_and_the_better_side_depends_on_the_unit() {
        for (unit, after, expected) in [
            ("req/s", [0.9, 1.1], "Nothing."),
            ("ns", [1.0, 1.2], "Nothing."),
            ("ns", [1.1, 1.2], "worse"),
            ("req/s", [1.1, 1.2], "better"),
            ("bytes", [0.8, 0.9], "better"),
        ] {
            let mut results = Results::default();
            results.add(figure("ours", "c", unit, &after));
            results.add(figure("ours, before", "c", unit, &[1.0, 1.0]));
            let told = Comparison::of(results).beyond_noise();
            assert!(told.contains(expected), "{unit} {after:?}: {told}");
        }
    }

    #[test]
    fn counts_that_were_zero_are_told_when_they_changed() {
        let mut results = Results::default();
        results.add(figure("ours", "allocations", "allocations", &[2.0]));
        results.add(figure("ours, before", "allocations", "allocations", &[0.0]));
        results.add(figure("same", "allocations", "allocations", &[0.0]));
        results.add(figure("same, before", "allocations", "allocations", &[0.0]));
        let comparison = Comparison::of(results);
        assert_eq!(comparison.changed, [("http".to_owned(), "ours, allocations: 0 before, 2 after.".to_owned())]);
        assert!(comparison.ratios.figures.is_empty());
    }
}

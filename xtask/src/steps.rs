//! Steps of a long command: a heading for each, and a table at the end.

use std::time::{Duration, Instant};

use crate::Result;

/// Runs steps one after another and keeps the outcome of each.
pub(crate) struct Steps {
    keep_going: bool,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    outcome: Outcome,
    took: Duration,
}

enum Outcome {
    /// The text in the table: `ok`, or the reason for not running.
    Done(&'static str),
    Failed(String),
    NotRun,
}

/// The word in the table for a successful step.
pub(crate) const OK: &str = "ok";

impl Steps {
    /// Begins without steps. A failure skips later steps, unless `keep_going`.
    pub(crate) fn new(keep_going: bool) -> Self {
        Self { keep_going, rows: Vec::new() }
    }

    /// Runs one step.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result) {
        self.run_saying(name, || step().map(|()| OK));
    }

    /// Runs one step that returns its text for the table.
    pub(crate) fn run_saying(&mut self, name: &str, step: impl FnOnce() -> Result<&'static str>) {
        let (outcome, took) = if self.failures().next().is_some() && !self.keep_going {
            (Outcome::NotRun, Duration::ZERO)
        } else {
            println!("\n== {name}");
            let started = Instant::now();
            let outcome = step().map_or_else(Outcome::Failed, Outcome::Done);
            if let Outcome::Failed(message) = &outcome {
                eprintln!("{name}: {message}");
            }
            (outcome, started.elapsed())
        };
        self.rows.push(Row { name: name.to_owned(), outcome, took });
    }

    /// Prints the table; an error names the failed steps.
    pub(crate) fn finish(self) -> Result {
        println!("\n{}", self.table());
        let failed: Vec<_> = self.failures().collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(format!("failed: {}", failed.join(", ")))
    }

    fn failures(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).map(|row| row.name.as_str())
    }

    fn table(&self) -> String {
        let mut table = format!("{:<28} {:<12} {:>8}", "step", "result", "seconds");
        for Row { name, outcome, took } in &self.rows {
            let (word, reason) = match outcome {
                Outcome::Done(word) => (*word, ""),
                Outcome::Failed(reason) => ("FAILED", reason.as_str()),
                Outcome::NotRun => ("not run", ""),
            };
            table += &format!("\n{name:<28} {word:<12} {:>8.1}  {reason}", took.as_secs_f64());
            table.truncate(table.trim_end().len());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_steps(keep_going: bool) -> Steps {
        let mut steps = Steps::new(keep_going);
        steps.run("first", || Ok(()));
        steps.run("second", || Err("it broke".to_owned()));
        steps.run_saying("third", || Ok("not checked"));
        steps
    }

    #[test]
    fn steps_after_a_failure_are_left_out() {
        let steps = three_steps(false);
        let table = steps.table();
        assert!(table.contains("it broke"), "{table}");
        assert!(table.contains("third                        not run"), "{table}");
        assert_eq!(steps.finish().unwrap_err(), "failed: second");
    }

    #[test]
    fn or_run_where_that_is_asked_for() {
        let table = three_steps(true).table();
        assert!(table.contains("third                        not checked"), "{table}");
    }
}

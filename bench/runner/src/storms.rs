//! The storms: a program of its own measures them.

use std::process::Command;

use crate::{
    http::{AXUM, Series},
    plan::Plan,
    programs::{Programs, figures},
    results::Results,
};

/// The table of the first storm.
pub(crate) const FIRST: &str = "storm: 200 first requests";
/// The table of the second.
pub(crate) const FORGED: &str = "storm: 1,000 forged kids";
/// The column that tells how good requests suffer.
pub(crate) const P99_RATIO: &str = "p99: storm / good ones";

/// Lets every server that verifies meet the storms.
pub(crate) fn measure(plan: &Plan, programs: &Programs, results: &mut Results) {
    let mut command = Command::new(programs.path("bench-storms"));
    command.args(["--repeats", &plan.storms.to_string()]);
    for Series { name, program, .. } in AXUM.series.iter().filter(|series| series.meets_storms) {
        command.arg(format!("{name}={}", programs.path(program).display()));
    }
    figures(&mut command, results);
}

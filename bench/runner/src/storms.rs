//! The storms, which a separate program measures.

use std::process::Command;

use crate::{
    http::{AXUM, Series},
    plan::Plan,
    programs::{Build, Programs, figures},
    results::Results,
};

/// Measures every server that verifies tokens in the storms.
pub(crate) fn measure(plan: &Plan, programs: &Programs, results: &mut Results) {
    let mut command = Command::new(programs.path(Build::This, "bench-storms"));
    command.args(["--repeats", &plan.storms.to_string()]);
    for Series { name, program, .. } in AXUM.series.iter().filter(|series| series.meets_storms) {
        command.arg(format!("{name}={}", programs.path(Build::This, program).display()));
    }
    figures(&mut command, results);
}

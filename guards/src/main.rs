//! Bounds of speed that do not depend on the clock: `cargo xtask guards` builds this and checks all of them.
//!
//! ```text
//! guards                        allocations, bytes, and instructions by callgrind
//! guards repeat CASE TIMES      verifies a token TIMES times, for callgrind to count
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a person")]

mod allocations;
mod bound;
mod case;
mod flood;
mod instructions;
mod layered;
mod possession;
mod tool_call;

use std::{env, process::ExitCode};

use case::Case;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// A value, or one line with the reason for the failure.
type Result<T> = std::result::Result<T, String>;

#[global_allocator]
static HEAP: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => all(),
        ["repeat", case, times] => repeat(case, times),
        _ => Err("usage: guards, or guards repeat CASE TIMES".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn all() -> Result<()> {
    let mut figures = allocations::figures();
    figures.extend(flood::figures());
    figures.extend(instructions::figures()?);
    let failed = figures.iter().filter(|figure| !figure.holds()).count();
    for figure in &figures {
        println!("{figure}");
    }
    println!("{} passed, {failed} failed", figures.len() - failed);
    if failed == 0 { Ok(()) } else { Err("a bound is exceeded: see the lines marked ABOVE".to_owned()) }
}

fn repeat(case: &str, times: &str) -> Result<()> {
    let case = Case::named(case)
        .ok_or_else(|| format!("expected one of the cases listed in guards/src/case.rs, got {case}"))?;
    let times = times.parse().map_err(|_| format!("expected a number of repetitions, got {times}"))?;
    case.prepare().repeat(times);
    Ok(())
}

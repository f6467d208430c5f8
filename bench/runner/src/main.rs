//! Runs the benchmarks and writes their reports; `cargo xtask bench` builds what it runs.

mod gateway;
mod http;
mod plan;
mod programs;
mod report;
mod results;
mod storms;
mod tokens;
mod whole;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::Parser;
use harness::{Cores, Result};
use http::Ring;
use plan::Plan;
use programs::{Programs, figures};
use report::Scope;
use results::Results;
use tokens::Tokens;

/// Runs the benchmarks of one scope and writes their report.
#[derive(Parser)]
struct Arguments {
    /// What to measure
    scope: Scope,
    /// One short round of everything, to see that it works; its numbers say nothing
    #[arg(long)]
    quick: bool,
    /// Measure nothing: write the report anew from the results of the last run
    #[arg(long)]
    report_only: bool,
    /// Where the report and its plots go
    #[arg(long)]
    out: PathBuf,
    /// Where tokens and results are kept
    #[arg(long)]
    work: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result {
    fs::create_dir_all(&arguments.work).map_err(|error| format!("{}: {error}", arguments.work.display()))?;
    let plan = if arguments.quick { Plan::quick() } else { Plan::full() };
    let cores = Cores::choose();
    let scope = arguments.scope;
    let kept = arguments.work.join(format!("{}.json", scope.name()));
    let results = if arguments.report_only {
        Results::read(&kept)?
    } else {
        let measured = measure(arguments, &plan, cores)?;
        measured.write(&kept)?;
        measured
    };
    report::write(&arguments.out, scope, &plan, &cores, &results)?;
    println!("bench: {} is written", arguments.out.join(format!("{}.md", scope.name())).display());
    results.failures()
}

fn measure(arguments: &Arguments, plan: &Plan, cores: Cores) -> Result<Results> {
    let programs = Programs::beside_this_one()?;
    let mut results = Results::default();
    match arguments.scope {
        Scope::Library => library(&arguments.work, plan, cores, &programs, &mut results)?,
        Scope::Express => express(&arguments.work, plan, cores, &programs, &mut results)?,
        Scope::Gateway => gateway::measure(plan, cores, &programs, &arguments.work, &mut results)?,
    }
    Ok(results)
}

/// What takes longest comes last, so that a mistake shows early.
fn library(work: &Path, plan: &Plan, cores: Cores, programs: &Programs, results: &mut Results) -> Result {
    let tokens = Tokens::mint(work, plan.rotating, plan.new)?;
    println!("bench: stages and algorithms");
    figures(&mut micro(plan, programs), results);
    println!("bench: whole verifications");
    whole::measure(plan, cores, programs, &tokens::whole(work)?, results);
    println!("bench: storms");
    storms::measure(plan, programs, results);
    println!("bench: HTTP");
    Ring::new(plan, cores, programs, &tokens)?.on_axum(results);
    Ok(())
}

fn express(work: &Path, plan: &Plan, cores: Cores, programs: &Programs, results: &mut Results) -> Result {
    let tokens = Tokens::mint(work, plan.rotating, plan.new_on_express)?;
    Ring::new(plan, cores, programs, &tokens)?.on_express(results);
    Ok(())
}

/// It takes its cores itself: one table is about what a second one adds.
fn micro(plan: &Plan, programs: &Programs) -> Command {
    let mut command = Command::new(programs.path("bench-micro"));
    command.args(plan.quick.then_some("--quick"));
    command
}

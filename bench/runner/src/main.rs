//! Runs the benchmarks and writes their reports; `cargo xtask bench` builds the programs.

mod against;
mod gateway;
mod http;
mod machine;
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

use against::Comparison;
use clap::Parser;
use figures::Figure;
use harness::{Cores, Result};
use http::Ring;
use machine::Machine;
use plan::Plan;
use programs::{Build, Programs, figures};
use report::Scope;
use results::Results;
use tokens::Tokens;

/// Runs the benchmarks of one scope and writes their report.
#[derive(Parser)]
struct Arguments {
    /// The subject to measure
    scope: Scope,
    /// Run one short round of everything, as a trial; its numbers mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure nothing: write the report again from the results of the last run
    #[arg(long, conflicts_with = "against")]
    report_only: bool,
    /// Only compare this build with another revision's, which was built in this worktree
    #[arg(long, requires = "revision")]
    against: Option<PathBuf>,
    /// Only measure the HTTP loads whose table has this text in its name, print their figures, and write no report
    #[arg(long, conflicts_with = "report_only")]
    only: Option<String>,
    /// The name of that revision in the report
    #[arg(long)]
    revision: Option<String>,
    /// The folder for the report, its plots and its results
    #[arg(long)]
    out: PathBuf,
    /// The folder for tokens
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
    let Arguments { scope, report_only, out, work, .. } = arguments;
    let folder = out.join(scope.name());
    for folder in [work, &folder] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let kept = folder.join(report::RESULTS);
    let results = if *report_only { Results::read(&kept)? } else { measure(arguments)? };
    if arguments.only.is_some() {
        let results = if arguments.revision.is_some() { Comparison::of(results).ratios } else { results };
        for Figure { table, row, column, unit, median, low, high, .. } in &results.figures {
            println!("{table} | {row} | {column}: {median:.3} {unit} ({low:.3} to {high:.3})");
        }
        return results.failures();
    }
    if let Some(revision) = &arguments.revision {
        let comparison = Comparison::of(results);
        comparison.ratios.write(&kept)?;
        report::write_against(out, *scope, revision, &comparison)?;
        println!("{}", comparison.beyond_noise());
        return comparison.ratios.failures();
    }
    results.write(&kept)?;
    report::write(out, *scope, &results)?;
    results.failures()
}

fn measure(arguments: &Arguments) -> Result<Results> {
    let Arguments { scope, work, .. } = arguments;
    let plan = if arguments.quick { Plan::quick() } else { Plan::full() };
    let cores = Cores::choose();
    let programs = Programs::beside_this_one(arguments.against.clone())?;
    let plan = if programs.compares() { plan.of_comparison() } else { plan };
    let plan = Plan { only: arguments.only.clone(), ..plan };
    let mut results = Results { machine: Machine::this(*scope, &cores)?, plan, ..Results::default() };
    let plan = results.plan.clone();
    for pass in 0..plan.passes {
        println!("bench: pass {} of {}", pass + 1, plan.passes);
        match scope {
            Scope::Library => library(work, &plan, cores, &programs, &mut results)?,
            Scope::Express => express(work, &plan, cores, &programs, &mut results)?,
            Scope::Gateway => gateway::measure(&plan, cores, &programs, work, &mut results)?,
            Scope::Nginx => gateway::measure_nginx(&plan, cores, &programs, work, &mut results)?,
        }
    }
    results.join_passes();
    Ok(results)
}

/// Measures the library; the longest parts come last, so that a mistake shows early.
fn library(work: &Path, plan: &Plan, cores: Cores, programs: &Programs, results: &mut Results) -> Result {
    let tokens = Tokens::mint(work, plan.rotating, plan.new)?;
    if plan.only.is_some() {
        Ring::new(plan, cores, programs, &tokens)?.on_axum(results);
        return Ok(());
    }
    if programs.compares() {
        against::micro(plan, programs, results);
    } else {
        println!("bench: stages and algorithms");
        figures(&mut micro(plan, programs), results);
        println!("bench: storms");
        storms::measure(plan, programs, results);
    }
    println!("bench: whole verifications");
    whole::measure(plan, cores, programs, &tokens::whole(work)?, results);
    println!("bench: HTTP");
    Ring::new(plan, cores, programs, &tokens)?.on_axum(results);
    Ok(())
}

fn express(work: &Path, plan: &Plan, cores: Cores, programs: &Programs, results: &mut Results) -> Result {
    let tokens = Tokens::mint(work, plan.rotating, plan.new_on_express)?;
    Ring::new(plan, cores, programs, &tokens)?.on_express(results);
    Ok(())
}

/// The command for `bench-micro`, which selects its cores itself, because one table measures a second core.
fn micro(plan: &Plan, programs: &Programs) -> Command {
    let mut command = Command::new(programs.path(Build::This, "bench-micro"));
    command.args(plan.quick.then_some("--quick"));
    command
}

//! Runs every benchmark and writes the report; `cargo xtask bench` builds what it runs.

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
    path::PathBuf,
    process::{Command, ExitCode},
};

use clap::Parser;
use harness::{Cores, Result};
use plan::Plan;
use programs::{Programs, figures};
use report::Scope;
use results::Results;
use tokens::Tokens;

/// Runs every benchmark and writes the report.
#[derive(Parser)]
struct Arguments {
    /// One short round of everything, to see that it works; its numbers say nothing
    #[arg(long)]
    quick: bool,
    /// Measure nothing: write the report anew from the results of the last run
    #[arg(long)]
    report_only: bool,
    /// Measure the gateway alone, for a report of its own
    #[arg(long)]
    gateway: bool,
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
    let kept = arguments.work.join(if arguments.gateway { "gateway-results.json" } else { "results.json" });
    let results = if arguments.report_only {
        Results::read(&kept)?
    } else {
        let measured = if arguments.gateway {
            measure_gateway(arguments, &plan, cores)?
        } else {
            measure(arguments, &plan, cores)?
        };
        measured.write(&kept)?;
        measured
    };
    let scope = if arguments.gateway { Scope::Gateway } else { Scope::All };
    report::write(&arguments.out, scope, &plan, &cores, &results)?;
    println!("bench: {} is written", arguments.out.join(format!("{}.md", scope.name())).display());
    results.failures()
}

/// What takes longest comes last, so that a mistake shows early.
fn measure(arguments: &Arguments, plan: &Plan, cores: Cores) -> Result<Results> {
    let programs = Programs::beside_this_one()?;
    let tokens = Tokens::mint(&arguments.work, plan)?;
    let mut results = Results::default();
    println!("bench: stages and algorithms");
    figures(&mut micro(plan, &programs), &mut results);
    println!("bench: whole verifications");
    whole::measure(plan, cores, &programs, &tokens, &mut results);
    println!("bench: storms");
    storms::measure(plan, &programs, &mut results);
    println!("bench: HTTP");
    http::measure(plan, cores, &programs, &tokens, &mut results)?;
    println!("bench: gateway");
    gateway::measure(plan, cores, &programs, &arguments.work, &mut results)?;
    Ok(results)
}

fn measure_gateway(arguments: &Arguments, plan: &Plan, cores: Cores) -> Result<Results> {
    let mut results = Results::default();
    gateway::measure(plan, cores, &Programs::beside_this_one()?, &arguments.work, &mut results)?;
    Ok(results)
}

/// It takes its cores itself: one table is about what a second one adds.
fn micro(plan: &Plan, programs: &Programs) -> Command {
    let mut command = Command::new(programs.path("bench-micro"));
    command.args(plan.quick.then_some("--quick"));
    command
}

//! `portcullis resource`: a protected resource as its clients meet it, and the mistakes that keep them out.
//!
//! The library asks and judges; this module prints.

mod arguments;
mod report;

pub(crate) use arguments::Arguments;

use std::process::ExitCode;

use miette::{IntoDiagnostic, Report};
use portcullis::{ResourceInspector, ResourceReport};

use crate::terminal;

/// The exit status without errors.
const GOOD: u8 = 0;

/// The exit status with errors; with `--strict`, with warnings, too.
const FAULTY: u8 = 1;

/// The exit status if the resource did not answer, or for a bad command line.
const NOT_SEEN: u8 = 2;

/// Inspects the resource; the exit status tells if there are mistakes.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    match inspect(&arguments).await {
        Ok(report) => {
            terminal::print(&if arguments.json { report::json(&report) } else { report::text(&report) });
            status(&report, arguments.strict).into()
        }
        Err(report) => {
            terminal::fault(&report);
            NOT_SEEN.into()
        }
    }
}

async fn inspect(arguments: &Arguments) -> Result<ResourceReport, Report> {
    let mut inspector = ResourceInspector::new(&arguments.url).into_diagnostic()?;
    if let Some(method) = &arguments.method {
        inspector = inspector.method(method.clone());
    }
    if let Some(path) = &arguments.ca_file {
        inspector = inspector.ca_file(path);
    }
    terminal::waiting("asking the resource and its authorization servers", inspector.inspect()).await.into_diagnostic()
}

fn status(report: &ResourceReport, strict: bool) -> u8 {
    match report.unreachable {
        Some(_) => NOT_SEEN,
        None if report.errors().next().is_some() => FAULTY,
        None if strict && report.warnings().next().is_some() => FAULTY,
        None => GOOD,
    }
}

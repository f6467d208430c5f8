//! `portcullis explain`: why a token passes or is refused, check by check; or the meaning of a code.
//!
//! The verdict is the library's, by a configuration of the gateway's or by the command line; here it is only told.

mod arguments;
mod codes;
mod input;
mod judge;
mod named;
mod report;
mod time_line;
mod times;
mod written;

pub(crate) use arguments::Arguments;
pub(crate) use input::bare;
pub(crate) use judge::{Judged, Line, Route, by_gateway};

use std::process::ExitCode;

use miette::Report;

use crate::terminal;
use judge::Judge;

/// The token passes.
const PASSED: u8 = 0;

/// It is refused.
const REFUSED: u8 = 1;

/// It could not be judged: no keys, no answer, or a command line that cannot be understood.
const NOT_JUDGED: u8 = 2;

/// Explains the token, and ends with a status that says whether it passes.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    match explain(arguments).await {
        Ok(status) => status.into(),
        Err(report) => {
            terminal::fault(&report);
            NOT_JUDGED.into()
        }
    }
}

async fn explain(arguments: Arguments) -> Result<u8, Report> {
    if let Some(code) = arguments.code.as_deref().and_then(codes::find) {
        let text = if arguments.json { report::code_as_json(code)? } else { report::code(code) };
        terminal::print(&text);
        return Ok(PASSED);
    }
    let now = arguments.at.unwrap_or_else(std::time::SystemTime::now);
    let judge = Judge::new(&arguments)?;
    let token = input::token(arguments.token.as_deref())?;
    let judged = terminal::waiting("asking the issuer", judge.judge(&token, now)).await;
    let text = if arguments.json { report::json(&judged)? } else { report::text(&judged) };
    terminal::print(&text);
    Ok(status(&judged))
}

fn status(judged: &Judged) -> u8 {
    match judged {
        Judged::Public { .. } => PASSED,
        Judged::Unrouted(_) => REFUSED,
        Judged::Token { explanation, .. } => match explanation.refusal() {
            None => PASSED,
            Some(_) if explanation.is_judged() => REFUSED,
            Some(_) => NOT_JUDGED,
        },
    }
}

//! `portcullis explain`: a token's verdict, check by check; or the meaning of a code.
//!
//! The library judges, by a configuration of the gateway or by the command line; this module prints.

mod arguments;
mod codes;
mod elsewhere;
mod input;
mod judge;
mod named;
mod report;
mod request;
mod time_line;
mod times;
mod written;

pub(crate) use arguments::Arguments;
pub(crate) use judge::{Judged, Route, by_gateway};
pub(crate) use request::{Credentials, Line};

use std::process::ExitCode;

use miette::Report;

use crate::terminal;
use judge::Judge;

/// The exit status if the token passes.
const PASSED: u8 = 0;

/// The exit status if the token is refused.
const REFUSED: u8 = 1;

/// The exit status if it could not be judged: no keys, no answer, or a bad command line.
const NOT_JUDGED: u8 = 2;

/// Explains the token; the exit status tells if it passes.
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
    if let Some(code) = arguments.code.as_deref() {
        let text = match (codes::find(code), arguments.json) {
            (Some(code), false) => report::code(code),
            (Some(code), true) => report::code_as_json(code)?,
            (None, false) => report::codes(),
            (None, true) => report::codes_as_json()?,
        };
        terminal::print(&text);
        return Ok(PASSED);
    }
    let now = arguments.at.unwrap_or_else(std::time::SystemTime::now);
    let judge = Judge::new(&arguments)?;
    let proof = input::proof(arguments.proof.as_deref(), arguments.proof_file.as_deref())?;
    let certificate = arguments.client_certificate.as_deref().map(input::certificate).transpose()?;
    let token = input::token(arguments.token.as_deref())?;
    let credentials = Credentials::new(&token, proof.as_deref(), certificate);
    let judged = terminal::waiting("asking the issuer", judge.judge(&credentials, now)).await;
    let text = if arguments.json { report::json(&judged)? } else { report::text(&judged) };
    terminal::print(&text);
    if !credentials.has_proof() && is_bound(&judged) {
        terminal::remark(
            "to explain the request that shows the key, add --dpop PROOF with --method and --url, or --client-certificate FILE",
        );
    }
    Ok(status(&judged))
}

/// Returns true if the token is refused because it is bound to a key.
fn is_bound(judged: &Judged) -> bool {
    let Judged::Token { explanation, .. } = judged else { return false };
    let code = explanation.refusal().map(|refusal| refusal.code());
    matches!(code, Some("sender_constrained_token" | "missing_dpop_proof"))
}

fn status(judged: &Judged) -> u8 {
    match judged {
        Judged::Public { .. } => PASSED,
        Judged::Unrouted(..) => REFUSED,
        Judged::Token { explanation, .. } => match explanation.refusal() {
            None => PASSED,
            Some(_) if explanation.is_judged() => REFUSED,
            Some(_) => NOT_JUDGED,
        },
    }
}

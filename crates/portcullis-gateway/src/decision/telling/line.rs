//! The log line of a decision. It has the mark of the token, never the token.

use portcullis::VerifiedToken;

use super::{Mark, Outcome, PASS, Told, mark::token_mark};
use crate::{
    config::LoggedDecisions,
    decision::{Refused, Reported},
};

/// Logs a decision, if decisions of its kind are to be logged.
pub(super) fn write(told: &Told<'_>, logged: LoggedDecisions) {
    match (told.outcome, logged) {
        (_, LoggedDecisions::None) | (Outcome::Passed(_), LoggedDecisions::Refused) => {}
        (Outcome::Passed(token), LoggedDecisions::All) => passed(told, token),
        (Outcome::Reported(reported), _) => would_refuse(told, reported),
        (Outcome::Refused(refused), _) => refuse(told, refused),
    }
}

fn passed(told: &Told<'_>, token: Option<&VerifiedToken>) {
    tracing::info!(
        door = told.door.name(),
        code = PASS,
        route = told.route,
        issuer = token.and_then(|token| token.claims().issuer()),
        kid = token.and_then(VerifiedToken::kid),
        token = token.and_then(|_| token_mark(told.original)).map(|mark| mark.to_string()),
        "request may pass"
    );
}

/// A request that could not be judged is a warning: the client is not at fault.
fn refuse(told: &Told<'_>, refused: &Refused) {
    let Mark { issuer, kid, token } = told.mark();
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                door = told.door.name(),
                code = refused.code,
                route = told.route,
                unverified_issuer = issuer,
                unverified_kid = kid,
                token,
                reason = refused.reason,
                "request refused"
            )
        };
    }
    match refused.response.status().is_server_error() {
        true => line!(warn),
        false => line!(info),
    }
}

fn would_refuse(told: &Told<'_>, reported: &Reported) {
    let Mark { issuer, kid, token } = told.mark();
    tracing::info!(
        door = told.door.name(),
        code = reported.code,
        route = told.route,
        unverified_issuer = issuer,
        unverified_kid = kid,
        token,
        reason = reported.reason,
        "request would be refused, and may pass"
    );
}

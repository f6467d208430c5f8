//! The log line of a decision. It has the mark of the token, never the token; and the request, if it is to be logged.

use portcullis::VerifiedToken;

use super::{Mark, Outcome, PASS, Told, mark::token_mark};
use crate::{
    config::{Log, LoggedDecisions},
    decision::{Original, Refused, Reported},
};

/// The longest text of the client that is logged, in characters.
const LONGEST: usize = 256;

/// The request of a decision; nothing if it is not to be logged.
#[derive(Default)]
struct Request {
    method: Option<String>,
    host: Option<String>,
    path: Option<String>,
}

/// Logs a decision, if decisions of its kind are to be logged.
pub(super) fn write(told: &Told<'_>, log: Log) {
    let request = || if log.requests { Request::of(told.original) } else { Request::default() };
    match (told.outcome, log.decisions) {
        (_, LoggedDecisions::None) | (Outcome::Passed(_), LoggedDecisions::Refused) => {}
        (Outcome::Passed(token), LoggedDecisions::All) => passed(told, &request(), token),
        (Outcome::Reported(reported), _) => would_refuse(told, &request(), reported),
        (Outcome::Refused(refused), _) => refuse(told, &request(), refused),
    }
}

impl Request {
    fn of(original: &Original<'_>) -> Self {
        Self {
            method: Some(cut(original.method)),
            host: original.host.map(cut),
            path: Some(cut(&shown_path(original.target))),
        }
    }
}

/// Returns the path of a target without its query, with `…` in place of each segment that may be a JWT: `eyJ` is the beginning of one.
fn shown_path(target: &str) -> String {
    let whole = target.split(['?', '#']).next().unwrap_or_default();
    // In absolute form, a password may stand before the host.
    let path = match whole.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        _ => whole,
    };
    let shown = |segment: &'_ str| if segment.contains("eyJ") { "…".to_owned() } else { segment.to_owned() };
    path.split('/').map(shown).collect::<Vec<_>>().join("/")
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

fn passed(told: &Told<'_>, request: &Request, token: Option<&VerifiedToken>) {
    tracing::info!(
        door = told.door.name(),
        code = PASS,
        route = told.route,
        method = request.method.as_deref(),
        host = request.host.as_deref(),
        path = request.path.as_deref(),
        issuer = token.and_then(|token| token.claims().issuer()),
        kid = token.and_then(VerifiedToken::kid),
        token = token.and_then(|_| token_mark(told.original)).map(|mark| mark.to_string()),
        "request may pass"
    );
}

/// A request that could not be judged is a warning: the client is not at fault.
fn refuse(told: &Told<'_>, request: &Request, refused: &Refused) {
    let Mark { issuer, kid, token } = told.mark();
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                door = told.door.name(),
                code = refused.code,
                route = told.route,
                method = request.method.as_deref(),
                host = request.host.as_deref(),
                path = request.path.as_deref(),
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

fn would_refuse(told: &Told<'_>, request: &Request, reported: &Reported) {
    let Mark { issuer, kid, token } = told.mark();
    tracing::info!(
        door = told.door.name(),
        code = reported.code,
        route = told.route,
        method = request.method.as_deref(),
        host = request.host.as_deref(),
        path = request.path.as_deref(),
        unverified_issuer = issuer,
        unverified_kid = kid,
        token,
        reason = reported.reason,
        "request would be refused, and may pass"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_without_query_password_and_token() {
        for (target, told) in [
            ("/orders/1", "/orders/1"),
            ("/orders/%C3%BC/?token=secret", "/orders/%C3%BC/"),
            ("/orders#secret", "/orders"),
            ("/orders/eyJhbGciOi.e30.x/1", "/orders/…/1"),
            ("/orders;t=eyJhbGciOi.e30.x", "/…"),
            ("http://user:secret@host/orders?x", "/orders"),
            ("http://user:secret@host", "/"),
            ("/go/http://host/x", "/go/http://host/x"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(shown_path(target), told, "{target}");
        }
    }
}

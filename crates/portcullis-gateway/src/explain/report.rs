//! The report, for people and for programs.

use miette::{IntoDiagnostic, Report};
use portcullis::{Check, Explanation, Outcome};
use serde_json::{Value, json};

use super::{
    codes::{CODES, Code},
    judge::{Judged, Remark, Route},
    time_line, times,
};
use crate::{
    decision::Fault,
    terminal::{BAD, DOUBT, FAINT, GOOD, HEADING, beneath, escaped, row, styled, visible},
};

/// Returns the report as JSON: that of the library, and the route.
pub(super) fn json(judged: &Judged) -> Result<String, Report> {
    let report = match judged {
        Judged::Token { route, explanation, .. } => {
            let mut report = serde_json::to_value(explanation).into_diagnostic()?;
            if let Some(members) = report.as_object_mut() {
                members.insert("route".to_owned(), json!(route.as_ref().map(|route| &route.name)));
                members.insert("report_only".to_owned(), json!(route.as_ref().is_some_and(|route| route.report_only)));
            }
            report
        }
        Judged::Public { route } => {
            without_token("passed", None, "the route is public: no token is needed", Some(route))
        }
        Judged::Unrouted(fault, _) => without_token("refused", Some(fault.code()), &fault.reason(), None),
    };
    let text = serde_json::to_string_pretty(&report).into_diagnostic()?;
    Ok(escaped(&text) + "\n")
}

/// Returns a code with its cause and remedy.
pub(super) fn code(code: &Code) -> String {
    let mut lines =
        vec![format!("{} status {}{}", styled(HEADING, &format!("{}:", code.name)), code.status, elsewhere(code))];
    lines.extend(beneath("cause", Some(code.cause)));
    lines.extend(beneath("remedy", Some(code.remedy)));
    lines.join("\n") + "\n"
}

/// Returns the remark about the library's status, if that is another.
fn elsewhere(code: &Code) -> String {
    match code.library_status {
        Some(status) if status == code.status => String::new(),
        Some(status) => format!(" at the gateway; {status} in the library and the npm package (invalid_token_status)"),
        None => ", given by the gateway alone".to_owned(),
    }
}

/// Returns the same as JSON.
pub(super) fn code_as_json(code: &Code) -> Result<String, Report> {
    Ok(serde_json::to_string_pretty(&members(code)).into_diagnostic()? + "\n")
}

fn members(code: &Code) -> Value {
    let Code { name, status, library_status, cause, remedy } = code;
    json!({ "code": name, "status": status, "library_status": library_status, "cause": cause, "remedy": remedy })
}

/// Returns all codes, with their statuses.
pub(super) fn codes() -> String {
    let line = |code: &Code| format!("{} {}{}\n", code.status, code.name, elsewhere(code));
    let list: String = CODES.iter().map(line).collect();
    list + "`portcullis explain --code CODE` tells cause and remedy of one\n"
}

/// Returns the same as JSON, with causes and remedies.
pub(super) fn codes_as_json() -> Result<String, Report> {
    let all: Vec<_> = CODES.iter().map(members).collect();
    Ok(serde_json::to_string_pretty(&all).into_diagnostic()? + "\n")
}

/// Returns a report with the same members, without a token.
fn without_token(verdict: &str, code: Option<&str>, reason: &str, route: Option<&str>) -> Value {
    json!({
        "verdict": verdict, "code": code, "reason": reason, "route": route, "report_only": false, "now": null, "vouched": false,
        "header": null, "claims": null, "checks": [],
    })
}

/// Returns the report as text.
pub(super) fn text(judged: &Judged) -> String {
    match judged {
        Judged::Public { route } => {
            format!("{} the route {} is public: no token is needed\n", styled(GOOD, "passed:"), visible(route))
        }
        Judged::Unrouted(fault, remark) => unrouted(fault, remark),
        Judged::Token { route, without_route, explanation } => of_token(explanation, route.as_ref(), *without_route),
    }
}

fn unrouted(fault: &Fault, remark: &Remark) -> String {
    let mut lines = vec![format!("{} {}", styled(BAD, &format!("refused: {}:", fault.code())), fault.reason())];
    lines.extend(beneath("got", remark.got.as_deref()));
    lines.extend(beneath("hint", remark.hint.as_deref()));
    lines.join("\n") + "\n"
}

fn of_token(explanation: &Explanation, route: Option<&Route>, without_route: bool) -> String {
    let reports = route.is_some_and(|route| route.report_only);
    let mut lines = vec![headline(explanation, reports, without_route)];
    let now = times::told(explanation.now).unwrap_or_default();
    let by = route.map_or(String::new(), |route| format!(", by the route {}", visible(&route.name)));
    lines.push(styled(FAINT, &format!("judged at {now}{by}")));
    if reports && explanation.refusal().is_some() {
        lines.push(styled(DOUBT, "the route only reports refusals: the request passes"));
    }
    let exchanges = route.map(|route| route.exchanges.as_slice()).unwrap_or_default();
    for question in exchanges.iter().filter(|_| explanation.refusal().is_none()) {
        lines.push(format!("exchange: the gateway would ask {}", visible(question)));
    }
    lines.push(String::new());
    lines.extend(explanation.checks.iter().flat_map(of_check));
    lines.extend(time_line::of(explanation));
    let doubt = unless(explanation.vouched, " (unverified: no issuer vouches for it)");
    for (name, part) in [("header", &explanation.header), ("claims", &explanation.claims)] {
        if let Some(part) = part {
            lines.push(String::new());
            lines.push(styled(HEADING, name) + &doubt);
            let text = serde_json::to_string_pretty(part).unwrap_or_default();
            lines.extend(escaped(&text).lines().map(|line| format!("  {line}")));
        }
    }
    lines.join("\n") + "\n"
}

/// Returns a remark in the colour of doubt, unless `vouched`.
pub(super) fn unless(vouched: bool, remark: &str) -> String {
    if vouched { String::new() } else { styled(DOUBT, remark) }
}

fn headline(explanation: &Explanation, reports: bool, without_route: bool) -> String {
    let Some(refusal) = explanation.refusal() else {
        let told = match without_route {
            true => " the token is good for the issuers; no route was judged: add --path or --url",
            false => " the token is good, and meets the rules",
        };
        return styled(GOOD, "passed:") + told;
    };
    let verdict = match explanation.is_judged() {
        true if reports => styled(DOUBT, "would be refused:"),
        true => styled(BAD, "refused:"),
        false => styled(DOUBT, "could not be judged:"),
    };
    format!("{verdict} {}: {}", styled(HEADING, refusal.code()), visible(&refusal.to_string()))
}

fn of_check(check: &Check) -> Vec<String> {
    let (mark, style) = match &check.outcome {
        Outcome::Passed => ("✓", GOOD),
        Outcome::Failed(_) => ("✗", BAD),
        _ => ("·", FAINT),
    };
    let mut lines = vec![row((mark, style), check.kind.title(), check.has_failed().then_some(BAD), &told(check))];
    if check.has_failed() {
        lines.extend(beneath("expected", check.expected.as_deref()));
        lines.extend(beneath("hint", check.hint.as_deref()));
        lines.extend(beneath("see", Some(check.kind.reference())));
    }
    lines
}

/// Returns the actual value of a check, or the expected one.
fn told(check: &Check) -> String {
    match (&check.outcome, &check.actual) {
        (Outcome::NotReached, _) => styled(FAINT, "not reached"),
        (Outcome::NotAsked, _) => styled(FAINT, "not asked for"),
        (Outcome::NotChecked, None) => styled(FAINT, &visible(check.expected.as_deref().unwrap_or_default())),
        (_, Some(fact)) if fact.vouched => visible(&fact.text),
        (_, Some(fact)) => format!("{} {}", visible(&fact.text), styled(DOUBT, "(unverified)")),
        (Outcome::Passed, None) => styled(FAINT, &visible(check.expected.as_deref().unwrap_or_default())),
        (_, None) => String::new(),
    }
}

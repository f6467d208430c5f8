//! From answers to the report: pure, a function for each check.

use super::{
    ResourceCheck, ResourceCheckKind, ResourceFinding, ResourceOutcome, ResourceReport, of_metadata, of_resource,
    of_server,
    seen::{Asked, Seen},
};
use crate::explain::words;

/// The longest text of a report, in characters.
const LONGEST: usize = 256;

/// Makes the report.
pub(super) fn report(seen: &Seen) -> ResourceReport {
    let unreachable = match &seen.first {
        Some(Asked::Nothing(why)) => Some(words::clean(why, LONGEST)),
        _ => None,
    };
    let mut checks = of_resource::checks(seen);
    checks.extend(of_metadata::checks(seen));
    checks.extend(seen.servers.iter().flat_map(|server| of_server::checks(seen, server)));
    ResourceReport { url: words::clean(&seen.text, LONGEST), unreachable, checks }
}

/// A check without its subject.
pub(super) struct Judged {
    outcome: ResourceOutcome,
    expected: Option<String>,
    actual: Option<String>,
}

/// Returns checks with their subject, the texts cleaned.
pub(super) fn about<const N: usize>(about: &str, rows: [(ResourceCheckKind, Judged); N]) -> Vec<ResourceCheck> {
    let about = words::clean(about, LONGEST);
    let clean = |text: Option<String>| text.map(|text| words::clean(&text, LONGEST));
    let check = |(kind, judged): (ResourceCheckKind, Judged)| ResourceCheck {
        about: about.clone(),
        kind,
        outcome: judged.outcome,
        expected: clean(judged.expected),
        actual: clean(judged.actual),
    };
    rows.into_iter().map(check).collect()
}

/// A check without a mistake, and the value that it saw.
pub(super) fn passed(actual: impl Into<String>) -> Judged {
    Judged { outcome: ResourceOutcome::Passed, expected: None, actual: Some(actual.into()) }
}

/// A mistake.
pub(super) fn found(finding: ResourceFinding, expected: impl Into<String>, actual: impl Into<String>) -> Judged {
    let outcome = ResourceOutcome::Found(finding);
    Judged { outcome, expected: Some(expected.into()), actual: Some(actual.into()) }
}

/// A check that an earlier mistake makes impossible.
pub(super) fn not_reached() -> Judged {
    Judged { outcome: ResourceOutcome::NotReached, expected: None, actual: None }
}

/// A check that does not apply.
pub(super) fn not_asked() -> Judged {
    Judged { outcome: ResourceOutcome::NotAsked, expected: None, actual: None }
}

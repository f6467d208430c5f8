//! The report, for people and for programs.

use portcullis::{ResourceCheck, ResourceOutcome, ResourceReport};

use crate::terminal::{BAD, DOUBT, FAINT, GOOD, HEADING, beneath, escaped, row, styled, visible};

/// Returns the report as JSON.
pub(super) fn json(report: &ResourceReport) -> String {
    escaped(&serde_json::to_string_pretty(report).unwrap_or_default()) + "\n"
}

/// Returns the report in rows, under a heading for each subject.
pub(super) fn text(report: &ResourceReport) -> String {
    let mut lines = vec![headline(report)];
    if report.unreachable.is_some() {
        return lines.join("\n") + "\n";
    }
    let mut about = None;
    for check in &report.checks {
        if about != Some(&check.about) {
            lines.extend([String::new(), styled(HEADING, &visible(&check.about))]);
            about = Some(&check.about);
        }
        lines.extend(of_check(check));
    }
    lines.join("\n") + "\n"
}

fn headline(report: &ResourceReport) -> String {
    let url = visible(&report.url);
    if let Some(why) = &report.unreachable {
        return format!("{} {url}: {}", styled(DOUBT, "no answer from"), visible(why));
    }
    let counted = |count: usize, name: &str| match count {
        0 => format!("no {name}s"),
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    };
    let (errors, warnings) = (report.errors().count(), report.warnings().count());
    let counts = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
    match (errors, warnings) {
        (0, 0) => format!("{} clients can find their way from {url} to a token", styled(GOOD, "good:")),
        (0, _) => format!("{} {counts}", styled(DOUBT, "good, with remarks:")),
        (_, _) => format!("{} {counts}", styled(BAD, "some clients cannot get a token:")),
    }
}

fn of_check(check: &ResourceCheck) -> Vec<String> {
    let (mark, style) = match check.outcome {
        ResourceOutcome::Passed => ("✓", GOOD),
        ResourceOutcome::Found(finding) if finding.is_warning() => ("!", DOUBT),
        ResourceOutcome::Found(_) => ("✗", BAD),
        _ => ("·", FAINT),
    };
    let finding = check.finding();
    let mut lines = vec![row((mark, style), check.kind.title(), finding.map(|_| style), &told(check))];
    if let Some(finding) = finding {
        lines.extend(beneath("expected", check.expected.as_deref()));
        lines.extend(beneath("got", check.actual.as_deref()));
        lines.extend(beneath("remedy", Some(finding.remedy())));
        lines.extend(beneath("see", Some(check.kind.reference())));
    }
    lines
}

/// Returns the code of a mistake, or the value that was seen.
fn told(check: &ResourceCheck) -> String {
    match check.outcome {
        ResourceOutcome::Found(finding) => finding.code().to_owned(),
        ResourceOutcome::NotReached => styled(FAINT, "not reached"),
        ResourceOutcome::NotAsked => styled(FAINT, "nothing to check"),
        _ => visible(check.actual.as_deref().unwrap_or_default()),
    }
}

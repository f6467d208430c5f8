//! Explanations: they agree with verification, name the true cause, and leak nothing.

mod agreement;
mod causes;
mod facts;
mod proofs;
mod providers;
mod resource;
mod restraint;

use portcullis::{Check, CheckKind, Explanation, Refusal};

const AUDIENCE: &str = "https://api.example.com";

/// Returns true if two verdicts are the same, apart from the times of `Retry-After`.
fn same(explained: Option<&Refusal>, verified: Option<&Refusal>) -> bool {
    match (explained, verified) {
        (Some(Refusal::Unavailable(explained)), Some(Refusal::Unavailable(verified))) => {
            std::mem::discriminant(explained) == std::mem::discriminant(verified)
        }
        (explained, verified) => explained == verified,
    }
}

fn check(explanation: &Explanation, kind: CheckKind) -> &Check {
    explanation.checks.iter().find(|check| check.kind == kind).unwrap_or_else(|| panic!("{kind} is not in the report"))
}

fn hint(explanation: &Explanation) -> &str {
    explanation.first_failure().and_then(|check| check.hint.as_deref()).unwrap_or_default()
}

fn actual(explanation: &Explanation, kind: CheckKind) -> &str {
    check(explanation, kind).actual.as_ref().map(|fact| fact.text.as_str()).unwrap_or_default()
}

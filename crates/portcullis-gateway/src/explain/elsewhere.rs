//! Checks of a proof that a command line cannot make: they depend on the memory of the running server.

use portcullis::{Check, CheckKind, Explanation, Outcome};

const REPLAY: &str = "not checked here: the running server remembers used proofs";
const NONCE: &str = "not checked here: the running server alone knows its nonces";

/// Marks the checks that only the running server can make.
///
/// `knows_nonces` is false where its nonces come from a random secret, which each process has for itself.
pub(super) fn mark(explanation: &mut Explanation, knows_nonces: bool) {
    let nonce = explanation.checks.iter_mut().find(|check| check.code() == Some("dpop_nonce_stale"));
    let nonce = nonce.filter(|_| !knows_nonces);
    let is_marked = nonce.is_some();
    if let Some(nonce) = nonce {
        unmake(nonce, NONCE);
    }
    let is_good = !explanation.checks.iter().any(|check| is_of_proof(check.kind) && check.has_failed());
    let replay = explanation.checks.iter_mut().find(|check| check.kind == CheckKind::ProofReplay);
    let is_made = |check: &&mut Check| is_marked || !matches!(check.outcome, Outcome::NotReached);
    if let Some(replay) = replay.filter(is_made).filter(|_| is_good) {
        unmake(replay, REPLAY);
    }
}

fn unmake(check: &mut Check, why: &str) {
    check.outcome = Outcome::NotChecked;
    check.expected = Some(why.to_owned());
    (check.actual, check.hint) = (None, None);
}

fn is_of_proof(kind: CheckKind) -> bool {
    (CheckKind::ProofField..=CheckKind::ProofReplay).contains(&kind)
}

//! The rows of an explanation.

use super::*;
use crate::{check::CheckRow, refusal::CheckKind};

fn rows(bench: &Bench, proof: &str, jkt: Option<&Digest>) -> Vec<CheckRow> {
    let url = RequestUrl::parse(URL);
    let request = ProofRequest { method: "GET", url: url.as_ref(), token: TOKEN, now: now(), nonces: None };
    request.rows(proof.as_bytes(), &bench.rules, jkt)
}

fn failed(rows: &[CheckRow]) -> Vec<CheckKind> {
    let mut failed: Vec<_> = rows.iter().filter(|row| row.result.is_err()).map(|row| row.kind).collect();
    failed.sort();
    failed
}

#[test]
fn each_check_of_a_good_proof_is_a_row() {
    let bench = Bench::new(Signing::ES256);
    let rows = rows(&bench, &bench.good_proof(), Some(&bench.jkt()));
    assert!(failed(&rows).is_empty());
    let mut kinds: Vec<_> = rows.iter().map(|row| row.kind).collect();
    kinds.sort();
    let all = CheckKind::ALL.iter().filter(|kind| (CheckKind::ProofField..=CheckKind::ProofSignature).contains(*kind));
    assert_eq!(kinds, all.copied().collect::<Vec<_>>());
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_the_first_is_the_verdict() {
    use CheckKind::*;
    let bench = Bench::new(Signing::ES256);
    let other = Bench::new(Signing::ES256);
    for (proof, expected) in [
        (
            bench.proof(
                &json!({ "typ": "JWT" }),
                &json!({ "htm": "POST", "htu": "https://b.example/", "iat": 0, "ath": "" }),
            ),
            vec![ProofType, ProofMethod, ProofUrl, ProofTime, ProofToken],
        ),
        (bench.proof(&json!({ "alg": "none" }), &json!({ "iat": NOW + 60 })), vec![ProofAlgorithm, ProofTime]),
        (other.good_proof(), vec![ProofBinding]),
        (other.proof(&json!({ "jwk": bench.jwk() }), &json!({})), vec![ProofSignature]),
        (bench.proof(&json!({ "jwk": { "kty": "oct" } }), &json!({})), vec![ProofKey]),
        (
            bench.proof(&json!({ "jwk": with(bench.jwk(), &json!({ "x": "AQ" })) }), &json!({})),
            vec![ProofKey, ProofBinding],
        ),
        (bench.proof(&json!({ "typ": 1 }), &json!({ "jti": 1 })), vec![ProofForm, ProofType]),
        (bench.proof(&json!({}), &json!({ "more": "x".repeat(9_000) })), vec![ProofField]),
        ("a.b".to_owned(), vec![ProofForm]),
        (String::new(), vec![ProofForm]),
    ] {
        let failed = failed(&rows(&bench, &proof, Some(&bench.jkt())));
        assert_eq!(failed, expected, "{proof}");
        let verdict = crate::refusal::Refusal::Proof(bench.judge(&proof).err().unwrap());
        assert_eq!(verdict.check(), failed[0], "{proof}");
    }
}

#[test]
fn a_binding_that_is_not_known_is_not_judged() {
    let bench = Bench::new(Signing::ES256);
    let rows = rows(&bench, &bench.good_proof(), None);
    let binding = rows.iter().find(|row| row.kind == CheckKind::ProofBinding).unwrap();
    assert!(binding.expected.is_none() && binding.result.is_ok());
}

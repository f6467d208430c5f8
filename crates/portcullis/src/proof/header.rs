//! The header of a proof (RFC 9449 section 4.2): its checks, in order.

use super::DpopRules;
use crate::{
    algorithm::Algorithm,
    json::{Object, Value},
    keys::{KeyProblem, PresentedKey},
    refusal::{ProofFault, Unverified},
    token::are_same_type,
};

/// The type of a proof, without its optional prefix.
pub(super) const TYPE: &str = "dpop+jwt";

/// Refuses extensions, since none is supported (RFC 7515 section 4.1.11).
pub(super) fn check_extensions(header: &Object) -> Result<(), ProofFault> {
    let is_plain = header.get("b64").is_none_or(|b64| b64.as_bool() == Some(true));
    if header.contains_key("crit") || !is_plain {
        return Err(ProofFault::Malformed { expected: "no `crit` and no `b64` in its header" });
    }
    Ok(())
}

pub(super) fn check_type(header: &Object) -> Result<(), ProofFault> {
    let typ = header.get("typ").and_then(Value::as_str);
    if typ.is_some_and(|typ| are_same_type(typ, TYPE)) { Ok(()) } else { Err(ProofFault::Type) }
}

/// The algorithm that the header names, if proofs may be signed by it.
pub(super) fn algorithm(header: &Object, rules: &DpopRules) -> Result<Algorithm, ProofFault> {
    let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let refused = || ProofFault::Algorithm { actual: Unverified::new(name) };
    let algorithm = Algorithm::named(name).ok_or_else(refused)?;
    check_algorithm(algorithm, rules).map(|()| algorithm)
}

pub(super) fn check_algorithm(algorithm: Algorithm, rules: &DpopRules) -> Result<(), ProofFault> {
    // A symmetric one is refused here, too, since nobody has to check the rules.
    if rules.algorithms.contains(&algorithm) && !Algorithm::SYMMETRIC.contains(&algorithm) {
        return Ok(());
    }
    Err(ProofFault::Algorithm { actual: Unverified::new(algorithm.name()) })
}

/// The public key in the header, after the checks of its type and algorithm.
pub(super) fn key(header: &Object, rules: &DpopRules) -> Result<PresentedKey, ProofFault> {
    check_type(header)?;
    presented_key(header, algorithm(header, rules)?)
}

pub(super) fn presented_key(header: &Object, algorithm: Algorithm) -> Result<PresentedKey, ProofFault> {
    let missing = KeyProblem::Member { name: "jwk", expected: "present" };
    let key = header.get("jwk").ok_or(missing).and_then(|jwk| PresentedKey::read(jwk.to_json(), algorithm));
    key.map_err(ProofFault::key)
}

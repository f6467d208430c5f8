//! What a check expects, in words; all of it is our own.

use super::{CheckKind, words};
use crate::{claims::ClaimRules, json::Object, jwks::JwksStatus, keys::Candidates, token::Header};

/// Of a kid, no more is told.
const LONGEST_KID: usize = 64;

pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [only] => (*only).to_owned(),
        several => format!("one of {}", several.join(", ")),
    }
}

/// `one of the 2 keys of https://as.example.com/jwks, fetched 12 s ago`.
pub(super) fn key_of(status: &JwksStatus) -> String {
    let source = status.source.as_deref().unwrap_or("the local key set");
    let age = status.age.map_or(String::new(), |age| format!(", fetched {} ago", words::span(age)));
    match status.keys.len() {
        0 => format!("a key of {source}, of which there is none"),
        1 => format!("the one key of {source}{age}"),
        count => format!("one of the {count} keys of {source}{age}"),
    }
}

/// `kid k1, found by it`, `no kid, 2 keys for RS256`.
pub(super) fn how_found(header: &Header, found: Option<&Candidates>) -> String {
    let kid = header.kid.as_deref().map(|kid| words::clean(kid, LONGEST_KID));
    let Some(found) = found else { return kid.map_or("no kid".to_owned(), |kid| format!("kid {kid}")) };
    let keys = match found.count() {
        1 => "one key".to_owned(),
        count => format!("{count} keys, each tried,"),
    };
    match kid {
        Some(kid) if found.are_named() => format!("kid {kid}, found by it"),
        Some(kid) => format!("kid {kid}; {keys} without a kid for {}", header.algorithm),
        None => format!("no kid; {keys} for {}", header.algorithm),
    }
}

/// `; oddly written: its …`, of the key that a token names.
pub(super) fn oddities(header: &Header, status: &JwksStatus) -> String {
    let of_the_key = status
        .warnings
        .iter()
        .filter(|warning| warning.kid.is_some() && warning.kid.as_deref() == header.kid.as_deref());
    of_the_key.map(|warning| format!("; oddly written: {}", warning.oddity)).collect()
}

/// What a registered claim has to say; none if nothing is asked of it.
pub(super) fn of_claim(kind: CheckKind, rules: &ClaimRules, claims: &Object) -> Option<String> {
    let leeway = rules.leeway.as_secs();
    let past = |name| claims.contains_key(name).then(|| format!("not later than now, give or take {leeway} s"));
    match kind {
        CheckKind::Expiry if rules.without_expiry && !claims.contains_key("exp") => None,
        CheckKind::Expiry => Some(format!("later than now, give or take {leeway} s")),
        CheckKind::NotBefore => past("nbf"),
        CheckKind::IssuedAt => past("iat"),
        CheckKind::Issuer if rules.by_trust_domain => {
            rules.issuer.as_ref().map(|domain| format!("a `sub` of the trust domain {domain}"))
        }
        CheckKind::Issuer => rules.issuer.clone(),
        CheckKind::Audience => {
            let audiences: Vec<&str> = rules.audiences.iter().map(String::as_str).collect();
            (!audiences.is_empty()).then(|| one_of(&audiences))
        }
        CheckKind::Confirmation if rules.unproven_senders || !claims.contains_key("cnf") => None,
        CheckKind::Confirmation => Some("none: a token that is bound to a key is no bearer token".to_owned()),
        _ => (!rules.required.is_empty()).then(|| rules.required.join(", ")),
    }
}

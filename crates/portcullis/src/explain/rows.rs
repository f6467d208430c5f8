//! Rows for the checks of the key service and of the choice of an issuer.

use super::words;
use crate::{
    check::{Actual, CheckRow, one_of},
    json::Object,
    jwks::{JwksService, JwksStatus},
    keys::Candidates,
    refusal::{CheckKind, Refusal, TokenFault},
    token::Header,
    units::span,
};

/// The number of characters of a `kid` that are shown.
const LONGEST_KID: usize = 64;

/// The check of the token's issuer against those that are trusted by name.
pub(super) fn known_issuer(known: &[&str], claims: &Object, chosen: Result<(), Refusal>) -> CheckRow {
    CheckRow {
        kind: CheckKind::IssuerKnown,
        expected: (!known.is_empty()).then(|| one_of(known)),
        actual: Actual::claimed(claims.get("iss")),
        result: chosen,
    }
}

/// The checks that the issuer has the key, and that the key is for the algorithm; the second only for a key that was found.
pub(super) fn keys(jwks: &JwksService, header: &Header, found: &Result<Candidates, Refusal>) -> Vec<CheckRow> {
    let status = jwks.status();
    let odd = if found.is_ok() { oddities(header, &status) } else { String::new() };
    let refusal = found.as_ref().err();
    let is_mismatch = |refusal: &&Refusal| {
        matches!(refusal, Refusal::Token(TokenFault::KeyMismatch { .. } | TokenFault::UnusableKey { .. }))
    };
    let (missing, unsuitable) = (refusal.filter(|refusal| !is_mismatch(refusal)), refusal.filter(is_mismatch));
    let is_found = missing.is_none();
    let result = |refusal: Option<&Refusal>| refusal.map_or(Ok(()), |refusal| Err(refusal.clone()));
    let key_found = CheckRow {
        kind: CheckKind::KeyFound,
        expected: Some(key_of(&status)),
        actual: Actual::Claimed(how_found(header, found.as_ref().ok()) + &odd),
        result: result(missing),
    };
    let key_suitable = is_found.then(|| CheckRow {
        kind: CheckKind::KeySuitable,
        expected: Some("a key for the algorithm".to_owned()),
        actual: Actual::Claimed(header.algorithm.name().to_owned()),
        result: result(unsuitable),
    });
    std::iter::once(key_found).chain(key_suitable).collect()
}

/// `one of the 2 keys of https://as.example.com/jwks, fetched 12 s ago`.
fn key_of(status: &JwksStatus) -> String {
    let source = status.source.as_deref().unwrap_or("the local key set");
    let age = status.age.map_or(String::new(), |age| format!(", fetched {} ago", span(age)));
    match status.keys.len() {
        0 => format!("a key of {source}, of which there is none"),
        1 => format!("the one key of {source}{age}"),
        count => format!("one of the {count} keys of {source}{age}"),
    }
}

/// `kid k1, found by it`, `no kid, 2 keys for RS256`.
fn how_found(header: &Header, found: Option<&Candidates>) -> String {
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
fn oddities(header: &Header, status: &JwksStatus) -> String {
    let of_the_key = status
        .warnings
        .iter()
        .filter(|warning| warning.kid.is_some() && warning.kid.as_deref() == header.kid.as_deref());
    of_the_key.map(|warning| format!("; oddly written: {}", warning.oddity)).collect()
}

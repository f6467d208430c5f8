//! Hints for keys and signatures.

use std::time::Duration;

use super::origin;
use crate::{
    algorithm::{Algorithm, KeyType},
    base64url,
    explain::{walk::Walk, words::clean},
    jwks::{JwksService, JwksStatus},
    keys::{KeyProblem, SkippedKey},
    refusal::TokenFault,
    units::span,
    verifier::Branch,
};

/// The age up to which a set was fetched for this explanation.
const JUST_NOW: Duration = Duration::from_secs(2);

/// Header members that contain or name a key (RFC 7515 sections 4.1.2 to 4.1.6).
const OWN_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// The number of characters of a foreign issuer that are shown.
const LONGEST_ISSUER: usize = 128;

/// The usual lengths of an RSA modulus, in bytes.
const RSA_BYTES: [usize; 5] = [256, 384, 512, 768, 1024];

pub(super) fn of(walk: &Walk<'_>, fault: &TokenFault) -> Option<String> {
    match fault {
        TokenFault::UnknownKey { kid } => unknown(walk, kid.as_ref().map(|kid| kid.reveal())),
        TokenFault::KeyMismatch { algorithm } => Some(format!(
            "the issuer publishes this key for another algorithm than {algorithm}: its key set and its signer do not agree, or \
             the token is forged"
        )),
        TokenFault::UnusableKey { problem } => Some(unusable(problem)),
        TokenFault::TooManyKeys { limit, actual } => Some(too_many(*limit, *actual)),
        TokenFault::Signature => Some(signature(walk)),
        _ => None,
    }
}

fn unknown(walk: &Walk<'_>, kid: Option<&str>) -> Option<String> {
    let (branch, jwks) = (walk.branch.as_ref()?, walk.jwks()?);
    let status = jwks.status();
    let Some(kid) = kid else {
        let hint = "the token names no key, and no key of the set is for its algorithm";
        return Some(format!("{hint}{}", or_skipped(&status.skipped)));
    };
    if let Some(owner) = owner_of(walk, branch, kid) {
        return Some(format!(
            "the key is one of {owner}: this token is of another tenant or environment than its `iss` says"
        ));
    }
    if let Some(ago) = jwks.withdrawn(kid) {
        return Some(format!(
            "the issuer rotated its keys, and withdrew this one {} ago: the client has to get a new token",
            span(ago)
        ));
    }
    // A skipped key without an id may be this one: then the token need not be forged.
    let nameless: Vec<_> = status.skipped.iter().filter(|key| key.kid.is_none()).cloned().collect();
    if !nameless.is_empty() {
        return Some(format!("no key that is used has this id{}", or_skipped(&nameless)));
    }
    Some(match (&status.source, status.age) {
        (None, _) => "the keys are local: add the issuer's new key, or have them fetched".to_owned(),
        (Some(_), Some(age)) if age <= JUST_NOW => {
            "the keys were fetched just now, and this one is not among them: the token is of another environment, signed by a \
             key that the issuer has withdrawn or does not publish yet, or forged"
                .to_owned()
        }
        (Some(_), Some(age)) => format!(
            "the keys were fetched {} ago{}: if the issuer rotated since, the token may pass after the next fetch; \
             if not, it is of another environment or forged",
            span(age),
            next(&status),
        ),
        (Some(_), None) => "there are no keys to compare with yet".to_owned(),
    })
}

/// `; 2 keys of the set are not used, the first since …`.
fn or_skipped(skipped: &[SkippedKey]) -> String {
    let Some(first) = skipped.first() else { return String::new() };
    let keys = match skipped.len() {
        1 => "one key of the set is not used, and may have signed".to_owned(),
        count => format!("{count} keys of the set are not used, and one of them may have signed; of the first"),
    };
    format!("; {keys}: {}", first.problem)
}

fn unusable(problem: &KeyProblem) -> String {
    format!(
        "the issuer publishes this key, and it was skipped: {problem}. The token may be good: the key set has to be corrected \
         at the issuer"
    )
}

fn too_many(limit: usize, actual: usize) -> String {
    format!(
        "the token names no key (`kid`), {actual} keys fit its algorithm, and the first {limit} have not signed it: have the \
         issuer write `kid`, withdraw keys that it no longer uses, or raise `max_key_attempts`"
    )
}

pub(super) fn cannot_be_told(walk: &Walk<'_>) -> Option<String> {
    let status = walk.jwks()?.status();
    let age =
        status.age.map_or(String::new(), |age| format!(", which were fetched {} ago{}", span(age), next(&status)));
    Some(format!(
        "the key is not among those at hand{age}. Many tokens with unknown key ids were sent, so no newer keys are fetched \
         for some seconds: the token was not judged"
    ))
}

/// Another issuer that has a key of this id.
fn owner_of(walk: &Walk<'_>, branch: &Branch, kid: &str) -> Option<String> {
    let others = walk.verifier.branches();
    let has = |other: &Branch| other.jwks.status().keys.iter().any(|known| known.as_deref() == Some(kid));
    let other = others.into_iter().find(|other| !std::ptr::eq(&***other, branch) && has(other))?;
    other.issuer.clone()
}

fn next(status: &JwksStatus) -> String {
    match status.next_refresh {
        Some(time) if time.is_zero() => ", and a new fetch is due".to_owned(),
        Some(time) => format!(", and are fetched again in {}", span(time)),
        None => String::new(),
    }
}

pub(super) fn cannot_be_had(walk: &Walk<'_>) -> Option<String> {
    let jwks = walk.jwks()?;
    let status = jwks.status();
    let error = of_another_issuer(jwks).or(status.last_error).map_or(String::new(), |error| format!(": {error}"));
    let age = status.age.map_or(String::new(), |age| format!(" (the last were fetched {} ago)", span(age)));
    Some(format!(
        "the keys of {} are not available{age}{error}. The token was not judged",
        status.source.as_deref().unwrap_or("this issuer")
    ))
}

/// The likely cause, in place of the error itself, if the metadata name another issuer.
fn of_another_issuer(jwks: &JwksService) -> Option<String> {
    let (expected, actual) = jwks.other_issuer()?;
    let remedy = origin::of_metadata(&expected, &actual)?;
    Some(format!("the metadata name another issuer, {}: {remedy}", clean(&actual, LONGEST_ISSUER)))
}

fn signature(walk: &Walk<'_>) -> String {
    let header = walk.header.as_ref();
    if let Some(member) = OWN_KEYS.iter().find(|name| header.is_some_and(|header| header.contains_key(name))) {
        return format!(
            "the header brings a key of its own (`{member}`), which is never used: the issuer's key has not signed this"
        );
    }
    let algorithm = header.and_then(|header| header.get("alg")?.as_str()).unwrap_or_default();
    by_its_bytes(algorithm, &bytes(walk.token)).unwrap_or_else(|| {
        "the token was signed with another key than the issuer's, or was changed since: \
         compare the environment that issued it with the one whose keys are used"
            .to_owned()
    })
}

fn bytes(token: &[u8]) -> Vec<u8> {
    let last = token.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    base64url::decode(last).unwrap_or_default()
}

/// The hint from the length and the first byte of a signature.
fn by_its_bytes(name: &str, signature: &[u8]) -> Option<String> {
    let length = signature.len();
    if length == 0 {
        return Some("the signature is empty: it was removed, or never made".to_owned());
    }
    let key_type = Algorithm::named(name)?.key_type();
    if key_type == KeyType::Rsa {
        let is_cut = !RSA_BYTES.contains(&length);
        return is_cut.then(|| format!("{length} bytes are no RSA signature: the token was cut off, or changed"));
    }
    let expected = key_type.signature_bytes().filter(|expected| *expected != length)?;
    let is_der = key_type.kty() == "EC" && signature.first() == Some(&0x30);
    Some(if is_der {
        format!("the signature is in DER: JWS wants the {expected} bytes of r and s alone (RFC 7518 section 3.4)")
    } else {
        format!("a signature by {name} has {expected} bytes, this one {length}: the token was cut off, or changed")
    })
}

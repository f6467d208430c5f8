//! The line of the log for a decision: never the token, but enough of its hash to find it again.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Decision, Door, Gateway, Original, Pass, Refused, Reported};
use crate::config::LoggedDecisions;

/// Bytes of a token's SHA-256 that are logged, in hex.
const HASH_BYTES: usize = 6;

/// How much is logged of what a token says of itself.
const LONGEST_WORD: usize = 100;

/// A token that is longer is not read for the log.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Logs a decision, if decisions of its kind are to be logged.
pub(super) fn write(door: Door, gateway: &Gateway, original: &Original<'_>, decision: &Decision) {
    match (&decision.outcome, gateway.logged) {
        (_, LoggedDecisions::None) => {}
        (Ok(Pass { would_refuse: Some(reported), .. }), _) => {
            would_refuse(door, gateway.name_of(decision.route), original, reported);
        }
        (Ok(_), LoggedDecisions::Refused) => {}
        (Ok(pass), LoggedDecisions::All) => passed(door, gateway.name_of(decision.route), original, pass),
        (Err(refused), _) => refuse(door, gateway.name_of(decision.route), original, refused),
    }
}

fn passed(door: Door, route: Option<&str>, original: &Original<'_>, pass: &Pass) {
    let token = pass.access.as_ref().map(portcullis::Access::token);
    tracing::info!(
        door = door.name(),
        code = "pass",
        route,
        issuer = token.and_then(|token| token.claims().issuer()),
        kid = token.and_then(|token| token.kid()),
        token = token.and_then(|_| token_of(original)).map(hash),
        "request may pass"
    );
}

fn refuse(door: Door, route: Option<&str>, original: &Original<'_>, refused: &Refused) {
    let Mark { issuer, kid, token } = Mark::of(original);
    tracing::info!(
        door = door.name(),
        code = refused.code,
        route,
        unverified_issuer = issuer,
        unverified_kid = kid,
        token,
        reason = refused.reason,
        "request refused"
    );
}

fn would_refuse(door: Door, route: Option<&str>, original: &Original<'_>, reported: &Reported) {
    let Mark { issuer, kid, token } = Mark::of(original);
    tracing::info!(
        door = door.name(),
        code = reported.code,
        route,
        unverified_issuer = issuer,
        unverified_kid = kid,
        token,
        reason = reported.reason,
        "request would be refused, and may pass"
    );
}

/// What tells a token that was refused from others: what it says of itself, which nobody vouches for, and of its hash.
#[derive(Clone, Serialize)]
pub(super) struct Mark {
    issuer: Option<String>,
    kid: Option<String>,
    token: Option<String>,
}

impl Mark {
    pub(super) fn of(original: &Original<'_>) -> Self {
        let token = token_of(original);
        let (issuer, kid) = token.map_or((None, None), said_by);
        Self { issuer, kid, token: token.map(hash) }
    }
}

/// What stands after the scheme, if one field came.
fn token_of<'a>(original: &Original<'a>) -> Option<&'a [u8]> {
    let [field] = original.authorization else { return None };
    let space = field.iter().position(|byte| *byte == b' ')?;
    let token = field.get(space..)?.trim_ascii();
    (!token.is_empty()).then_some(token)
}

fn hash(token: &[u8]) -> String {
    let digest = digest(&SHA256, token);
    digest.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// What a token that was not verified says of its issuer and its key: a hint for who reads the log, and nothing else.
fn said_by(token: &[u8]) -> (Option<String>, Option<String>) {
    if token.len() > LONGEST_TOKEN {
        return (None, None);
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let header = parts.next().and_then(read::<Header>);
    let payload = parts.next().and_then(read::<Payload>);
    (
        payload.and_then(|payload| payload.iss).map(|text| word(&text)),
        header.and_then(|header| header.kid).map(|text| word(&text)),
    )
}

#[derive(Deserialize)]
struct Header {
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: Option<String>,
}

fn read<T: DeserializeOwned>(part: &[u8]) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// No more of it than a person reads, and nothing that would pass for another line.
fn word(text: &str) -> String {
    text.chars()
        .take(LONGEST_WORD)
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

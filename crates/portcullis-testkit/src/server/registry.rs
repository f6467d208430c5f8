use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::clock::numeric_date;
use crate::encoding::{from_base64url, random_id};
use crate::key::SigningKey;

/// The opaque tokens and the revoked tokens, for introspection.
#[derive(Default)]
pub(super) struct Registry {
    opaque: HashMap<String, Map<String, Value>>,
    revoked: HashSet<String>,
    /// The `jti` of each DPoP proof that passed.
    proofs: HashSet<String>,
}

impl Registry {
    /// Makes an opaque token for these claims.
    pub(super) fn issue(&mut self, claims: Map<String, Value>) -> String {
        let token = format!("opaque-{}", random_id());
        self.opaque.insert(token.clone(), claims);
        token
    }

    pub(super) fn revoke(&mut self, token: &str) {
        self.revoked.insert(token.to_owned());
    }

    /// Notes the `jti` of a DPoP proof; false if it was noted before.
    pub(super) fn is_new_proof(&mut self, jti: &str) -> bool {
        self.proofs.insert(jti.to_owned())
    }

    /// The claims of an active token: opaque, or a JWT signed with one of `keys`.
    pub(super) fn active(&self, token: &str, keys: &[SigningKey], now: SystemTime) -> Option<Map<String, Value>> {
        if self.revoked.contains(token) {
            return None;
        }
        let opaque = self.opaque.get(token).cloned();
        let claims = opaque.or_else(|| signed_claims(token, keys))?;
        is_timely(&claims, numeric_date(now)).then_some(claims)
    }
}

fn signed_claims(token: &str, keys: &[SigningKey]) -> Option<Map<String, Value>> {
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let header = object(header)?;
    let algorithm = Algorithm::from_name(header.get("alg")?.as_str()?)?;
    let kid = header.get("kid")?.as_str()?;
    let signature = from_base64url(signature)?;
    let key = keys.iter().find(|key| key.kid() == kid)?;
    key.verifies(algorithm, input.as_bytes(), &signature).then(|| object(payload))?
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&from_base64url(segment)?).ok()
}

/// Returns true unless `exp` has passed or `nbf` is ahead.
#[expect(clippy::cast_precision_loss, reason = "dates fit a double")]
fn is_timely(claims: &Map<String, Value>, now: i64) -> bool {
    let date = |name| claims.get(name).and_then(Value::as_f64);
    let now = now as f64;
    date("exp").is_none_or(|exp| now < exp) && date("nbf").is_none_or(|nbf| nbf <= now)
}

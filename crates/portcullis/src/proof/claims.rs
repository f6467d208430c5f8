//! The claims of a proof (RFC 9449 section 4.2): their checks against the request, in order.

use std::time::SystemTime;

use super::{DpopRules, Nonces, ProofRequest};
use crate::{
    base64url,
    claims::NumericDate,
    crypto::{Digest, sha256},
    json::{Object, Value},
    refusal::{ProofFault, Unverified},
};

/// The longest `jti`, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// The claims of a proof, each of its type.
pub(super) struct ProofClaims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: NumericDate,
    ath: &'a str,
    nonce: Option<&'a str>,
}

/// The time in which a proof is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProofTime {
    /// The time at which it was made: by its nonce if there is one, else by `iat`.
    pub(crate) made: SystemTime,
    /// The time from which on it is refused as too old, by either measure.
    pub(crate) until: SystemTime,
    /// The time by the other measure, if it has both: by that it is judged once nonces are switched on or off.
    pub(crate) also: Option<SystemTime>,
}

impl ProofTime {
    /// The same for a proof that has this time by the other measure.
    fn and(self, other: Option<Self>) -> Self {
        let until = other.map_or(self.until, |other| other.until.max(self.until));
        Self { until, also: other.map(|other| other.made), ..self }
    }
}

impl<'a> ProofClaims<'a> {
    pub(super) fn of(claims: &'a Object) -> Result<Self, ProofFault> {
        let malformed = |expected| ProofFault::Malformed { expected };
        let text = |name, expected| claims.get(name).and_then(Value::as_str).ok_or(malformed(expected));
        let jti_form = "`jti`, a text of 1 to 256 bytes";
        let jti = text("jti", jti_form)?;
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(malformed(jti_form));
        }
        let iat = NumericDate::of(claims.get("iat"), "iat").ok().flatten();
        let nonce = claims.get("nonce").map(|nonce| nonce.as_str().ok_or(malformed("a text as `nonce`")));
        Ok(Self {
            jti,
            htm: text("htm", "`htm`, a text")?,
            htu: text("htu", "`htu`, a text")?,
            iat: iat.ok_or(malformed("`iat`, a number of seconds since 1970"))?,
            ath: text("ath", "`ath`, a text")?,
            nonce: nonce.transpose()?,
        })
    }

    /// Makes the checks in order; the first failure is the fault.
    pub(super) fn check(&self, request: &ProofRequest<'_>, rules: &DpopRules) -> Result<ProofTime, ProofFault> {
        self.check_method(request)?;
        self.check_url(request)?;
        let time = match request.nonces {
            None => {
                let by_nonce = self.nonce.and_then(|nonce| Nonces::time_of(nonce, request.now));
                self.check_time(request.now, rules)?.and(by_nonce)
            }
            Some(nonces) => self.check_nonce(request.now, nonces)?.and(self.check_time(request.now, rules).ok()),
        };
        self.check_token(request)?;
        Ok(time)
    }

    pub(super) fn check_method(&self, request: &ProofRequest<'_>) -> Result<(), ProofFault> {
        let is_same = self.htm == request.method;
        if is_same { Ok(()) } else { Err(ProofFault::Method { expected: request.method.to_owned() }) }
    }

    pub(super) fn check_url(&self, request: &ProofRequest<'_>) -> Result<(), ProofFault> {
        let url = request.url.ok_or(ProofFault::UrlUnknown)?;
        if url.is_named_by(self.htu) {
            return Ok(());
        }
        Err(ProofFault::Url { expected: url.as_str().to_owned(), actual: Unverified::new(self.htu) })
    }

    /// Checks `iat` against this machine's clock.
    pub(super) fn check_time(&self, now: SystemTime, rules: &DpopRules) -> Result<ProofTime, ProofFault> {
        let now = NumericDate::from(now);
        let end = self.iat.plus(rules.max_age);
        if self.iat > now.plus(rules.leeway) {
            return Err(ProofFault::Ahead { ahead: self.iat.since(now) });
        }
        let too_old = || ProofFault::TooOld { limit: rules.max_age, actual: now.since(self.iat) };
        if now >= end {
            return Err(too_old());
        }
        let (made, until) = self.iat.to_system_time().zip(end.to_system_time()).ok_or_else(too_old)?;
        Ok(ProofTime { made, until, also: None })
    }

    /// Checks the nonce, whose time stands for `iat`, so that a wrong clock of the client does no harm.
    pub(super) fn check_nonce(&self, now: SystemTime, nonces: &Nonces) -> Result<ProofTime, ProofFault> {
        let nonce = self.nonce.ok_or(ProofFault::NonceMissing)?;
        nonces.check(nonce, now).ok_or(ProofFault::NonceStale)
    }

    pub(super) fn check_token(&self, request: &ProofRequest<'_>) -> Result<(), ProofFault> {
        let is_same = base64url::is_of_digest(self.ath, &sha256(request.token));
        if is_same { Ok(()) } else { Err(ProofFault::Token) }
    }

    /// The name of the proof among those that were used: of its key, its method, its URL and its `jti` (RFC 9449 section 11.1).
    ///
    /// The first two texts are those of the request and have no NUL, so that no two proofs have a name in common.
    pub(super) fn id(&self, thumbprint: &Digest, request: &ProofRequest<'_>) -> Digest {
        let url = request.url.map_or("", |url| url.as_str());
        let parts = [thumbprint.as_slice(), self.htm.as_bytes(), url.as_bytes(), self.jti.as_bytes()];
        sha256(&parts.join(&0))
    }
}

//! The judge of an exchanged token: whatever it does not accept is never handed on.

use std::time::{Duration, SystemTime};

use super::{Exchange, ExchangedToken, answer::Issued, issuer_of};
use crate::{bearer::BearerToken, claims::VerifiedToken, refusal::Refusal, token};

/// The time for which a token without an expiry is kept.
const WITHOUT_EXPIRY: Duration = Duration::from_secs(60);

/// The error of a token that cannot be judged.
const OPAQUE: &str = "expected a JWT, got an opaque token: configure introspection for this issuer, or hand such tokens on unverified by \
                      `dangerously_accept_unverified_tokens`";

/// The reason why a token is not handed on.
pub(super) enum Doubt {
    /// The keys are away: the token was not judged.
    NotJudged(Refusal),
    /// The answer is not credible.
    NotBelieved(String),
}

impl Exchange {
    /// Judges an answer of this time about the client's token.
    pub(super) async fn judge(
        &self,
        text: &str,
        at: SystemTime,
        subject: &VerifiedToken,
    ) -> Result<(Issued, ExchangedToken), Doubt> {
        let issued = Issued::of(text, self.target.token_type).map_err(Doubt::NotBelieved)?;
        let verified = self.verify(&issued.access_token).await?;
        if let Some(token) = &verified {
            self.check_subject(token, subject).map_err(Doubt::NotBelieved)?;
        }
        let expires_in = issued.expires_in.and_then(|time| at.checked_add(time));
        let expiry = verified.as_ref().and_then(|token| token.claims().expiry()).or(expires_in);
        let until = self.until(expiry, at, subject.claims().expiry()).map_err(Doubt::NotBelieved)?;
        let token = ExchangedToken::new(&issued.access_token, verified, until);
        let token = token.ok_or_else(not_a_token)?;
        Ok((issued, token))
    }

    /// Verifies a token by the issuer's keys and rules, for the target; an opaque one by introspection.
    async fn verify(&self, text: &str) -> Result<Option<VerifiedToken>, Doubt> {
        let token = BearerToken::bare(text.as_bytes(), usize::MAX).map_err(|_| not_a_token())?;
        if !token.is_token68() {
            return Err(not_a_token());
        }
        if !token::is_jws(token) && !self.introspects {
            return match self.exchanger.0.settings.dangerously_accept_unverified {
                true => Ok(None),
                false => Err(Doubt::NotBelieved(OPAQUE.to_owned())),
            };
        }
        match self.verifier.verify(text).await {
            Ok(token) => Ok(Some(token)),
            Err(refusal @ (Refusal::Unavailable(_) | Refusal::Configuration(_))) => Err(Doubt::NotJudged(refusal)),
            Err(refusal) => Err(Doubt::NotBelieved(format!("the exchanged token was refused: {refusal}"))),
        }
    }

    /// Checks that the token is of the client's subject: a server may answer with a token of this server itself, or of another user.
    fn check_subject(&self, token: &VerifiedToken, client: &VerifiedToken) -> Result<(), String> {
        let subject = client.claims().subject();
        // A client's token of no issuer that anybody names is one of this server's.
        let is_comparable = subject.is_some() && issuer_of(client).is_none_or(|own| issuer_of(token) == Some(own));
        let is_other = is_comparable && subject != token.claims().subject();
        if !is_other || self.exchanger.0.settings.dangerously_accept_other_subjects {
            return Ok(());
        }
        Err("expected a token of the same subject (`sub`) as the client's, got one of another or of none: have the server keep it, or \
             allow it by `dangerously_accept_other_subjects`"
            .to_owned())
    }

    /// The time until which a token is handed on.
    fn until(
        &self,
        expiry: Option<SystemTime>,
        at: SystemTime,
        subject: Option<SystemTime>,
    ) -> Result<SystemTime, String> {
        let settings = &self.exchanger.0.settings;
        let kept = |longest: Duration| at.checked_add(longest).unwrap_or(at);
        let Some(subject) = subject else {
            return Ok(expiry.unwrap_or_else(|| kept(WITHOUT_EXPIRY)).min(kept(settings.longest)));
        };
        let Some(expiry) = expiry else {
            return Err("expected a token that expires with the client's, got one without an expiry".into());
        };
        let beyond = expiry.duration_since(subject).unwrap_or_default();
        if beyond > settings.may_outlive.saturating_add(self.leeway) {
            return Err(format!(
                "expected a token that expires no later than the client's, got one that expires {} s later: have the server \
                 shorten it, or allow it by `may_outlive`",
                beyond.as_secs()
            ));
        }
        Ok(expiry.min(subject).min(kept(settings.longest)))
    }
}

fn not_a_token() -> Doubt {
    Doubt::NotBelieved("expected a bearer token as `access_token`, got other characters".to_owned())
}

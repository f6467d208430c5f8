//! From a [`SignedToken`] or an [`IntrospectedToken`] to a [`VerifiedToken`].

use std::{sync::Arc, time::SystemTime};

use super::{rules::IssuerRules, verified::VerifiedToken};
use crate::{
    json::{Object, Value},
    refusal::Refusal,
    token::{IntrospectedToken, SignedToken},
};

impl IssuerRules {
    /// Accepts a signed token whose claims pass.
    pub(crate) fn accept(self: &Arc<Self>, token: SignedToken<'_>, now: SystemTime) -> Result<VerifiedToken, Refusal> {
        let checked = self.check_claims(&token.claims, now.into()).map_err(Refusal::Token)?;
        Ok(VerifiedToken::new(token, checked, self))
    }

    /// Accepts a token that its authorization server vouches for, if its claims pass.
    ///
    /// The server has checked the token's times; those in its answer are checked by our clock, too. `iss` may be absent,
    /// since that issuer's server was asked; `aud` must be present if an audience is required.
    pub(crate) fn accept_introspected(
        self: &Arc<Self>,
        token: IntrospectedToken,
        now: SystemTime,
    ) -> Result<VerifiedToken, Refusal> {
        let rules = self.of_introspected(&token.claims);
        let checked = rules.check_claims(&token.claims, now.into()).map_err(Refusal::Token)?;
        Ok(VerifiedToken::introspected(token, checked, self))
    }

    /// The rules that remain for claims that the authorization server vouches for.
    pub(crate) fn of_introspected(&self, claims: &Object) -> Self {
        // The server that was asked is known: a slash at the end does not make it another issuer.
        let told = claims.get("iss").and_then(Value::as_str);
        let same = |issuer: &String, told: &str| without_slash(issuer) == without_slash(told);
        let issuer = self.issuer.clone().filter(|_| claims.contains_key("iss")).map(|issuer| match told {
            Some(told) if same(&issuer, told) => told.to_owned(),
            _ => issuer,
        });
        // With a trust domain, the subject is checked, and not the server that was asked.
        Self { issuer, dangerously_accept_tokens_without_expiry: true, ..self.clone() }
    }
}

fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

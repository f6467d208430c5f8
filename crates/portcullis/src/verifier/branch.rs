//! One issuer: its keys and its rules.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    bearer::{BearerToken, DEFAULT_MAX_TOKEN_BYTES},
    claims::{Grounds, IssuerRules, VerifiedToken},
    clock::Clock,
    introspection::Introspector,
    jwks::{Due, JwksService},
    names::steps,
    refusal::Refusal,
    telemetry,
    token::{self, HeaderRules, SignedToken},
    token_cache::Limits,
};

/// Tells whether a tenant is accepted.
pub(super) type TenantRule = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The longest time for which a verdict may be kept elsewhere: a day.
const LONGEST_HOLD: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Branch {
    pub(crate) jwks: JwksService,
    pub(super) clock: Arc<dyn Clock>,
    /// True if `clock` is another than the clock of the keys.
    pub(super) own_clock: bool,
    pub(crate) header: HeaderRules,
    /// The issuer or trust domain that chooses this branch; none if it is for every token.
    pub(crate) issuer: Option<String>,
    pub(crate) rules: Arc<IssuerRules>,
    /// The rule of the application for tenants, if there is one.
    pub(super) tenants: Option<TenantRule>,
    /// The introspector for its opaque tokens.
    pub(crate) introspector: Option<Introspector>,
}

impl Branch {
    /// Tells whether this is an issuer of the template of this branch, and its tenant is accepted.
    pub(super) fn is_issuer_of_tenant(&self, issuer: &str) -> bool {
        let tenant = self.rules.tenant_of(issuer);
        tenant.is_some_and(|tenant| self.tenants.as_ref().is_none_or(|accepts| accepts(tenant)))
    }

    /// The keys of a tenant, by its issuer, where each tenant has its own.
    pub(crate) fn keys_of_tenant(&self, issuer: Option<&str>) -> Result<Option<JwksService>, Refusal> {
        match issuer.filter(|issuer| self.rules.tenant_of(issuer).is_some()) {
            Some(issuer) => self.jwks.of_tenant(issuer, !self.rules.tenants.is_empty()),
            None => Ok(None),
        }
    }

    /// Checks the header and verifies the signature of a JWT.
    pub(super) async fn signed<'a>(
        &self,
        token: BearerToken<'a>,
        rules: &HeaderRules,
    ) -> Result<SignedToken<'a>, Refusal> {
        telemetry::step(steps::DECODE_TOKEN);
        let unverified = token::parse(token)?;
        rules.check(unverified.header())?;
        let keys = self.jwks.key(unverified.header()).await?;
        keys.verify(unverified, self.rules.max_key_attempts)
    }

    /// Tells whether a token of this issuer is still good: it is within its times, and its keys are in use.
    #[inline]
    pub(super) fn upholds(&self, token: &VerifiedToken) -> bool {
        self.upholds_by(&self.jwks, token)
    }

    /// The same for a token of a tenant, by the tenant's keys.
    #[inline]
    pub(super) fn upholds_by(&self, jwks: &JwksService, token: &VerifiedToken) -> bool {
        let (&Grounds { window, keys, .. }, now) = (token.grounds(), self.clock.now());
        window.contains(now) && keys.is_none_or(|keys| jwks.still_uses(keys, self.now_for_keys(now)))
    }

    /// The time until which a token that is good now stays good by these keys; none if its keys have to be looked at each time, and with
    /// a clock of its own, which only a test has.
    pub(super) fn holds_until(&self, token: &VerifiedToken) -> Option<SystemTime> {
        if self.own_clock {
            return None;
        }
        let &Grounds { window, keys, .. } = token.grounds();
        let at_most = self.clock.now() + LONGEST_HOLD;
        let end = window.until().map_or(at_most, |until| until.min(at_most));
        match keys.map(|keys| self.jwks.fresh_until(keys)) {
            None | Some(Some(Due::Never)) => Some(end),
            Some(Some(Due::At(due))) => Some(end.min(due)),
            Some(None) => None,
        }
    }

    /// The limits of the cache for its tokens; none without a cache.
    pub(super) fn cache(&self) -> Option<Limits> {
        Limits::by(self.rules.token_cache)
    }

    /// The length of the longest accepted token, in bytes.
    pub(super) fn max_token_bytes(&self) -> usize {
        self.rules.max_token_bytes.unwrap_or(DEFAULT_MAX_TOKEN_BYTES)
    }

    pub(super) fn now_for_keys(&self, now: SystemTime) -> SystemTime {
        if self.own_clock { self.jwks.now() } else { now }
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jwks, rules, .. } = self;
        f.debug_struct("Branch").field("jwks", jwks).field("rules", rules).finish_non_exhaustive()
    }
}

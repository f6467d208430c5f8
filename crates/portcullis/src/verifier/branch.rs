//! One issuer: its keys and its rules.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::SystemTime,
};

use crate::{
    bearer::BearerToken,
    claims::ClaimRules,
    clock::Clock,
    introspection::Introspector,
    jwks::{JwksService, Lookup},
    keys::KeySet,
    names::steps,
    refusal::Refusal,
    telemetry,
    token::{self, HeaderRules, SignedToken, UnverifiedToken},
    token_cache::Limits,
};

pub(super) struct Branch {
    pub(super) jwks: JwksService,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether `clock` is not the one that the keys' age is measured by.
    pub(super) own_clock: bool,
    pub(super) header: HeaderRules,
    pub(super) claims: ClaimRules,
    /// The number of keys that are tried for a token that does not name its own.
    pub(super) key_attempts: usize,
    /// How much of its tokens may be kept; none, if nothing.
    pub(super) cache: Option<Limits>,
    /// Whom to ask about its opaque tokens.
    pub(super) introspector: Option<Introspector>,
    /// The longest token that is looked at.
    pub(super) max_token_bytes: usize,
}

impl Branch {
    /// Looks for the key without waiting; `now` is by this branch's clock.
    pub(super) fn lookup(&self, token: &UnverifiedToken<'_>, now: SystemTime) -> Lookup {
        self.jwks.lookup(token.header(), self.now_for_keys(now))
    }

    /// A JWT whose header is as it must be and whose signature verifies, with the keys that it does by.
    pub(super) async fn signed<'a>(
        &self,
        token: BearerToken<'a>,
        rules: &HeaderRules,
    ) -> Result<(SignedToken<'a>, Weak<KeySet>), Refusal> {
        telemetry::step(steps::DECODE_TOKEN);
        let unverified = token::parse(token)?;
        rules.check(unverified.header())?;
        let keys = self.jwks.key(unverified.header()).await?;
        Ok((keys.verify(unverified, self.key_attempts)?, keys.set()))
    }

    /// Whether these are still the keys that tokens are verified with; `now` is by this branch's clock.
    pub(super) fn still_uses(&self, keys: &Weak<KeySet>, now: SystemTime) -> bool {
        self.jwks.still_uses(keys, self.now_for_keys(now))
    }

    fn now_for_keys(&self, now: SystemTime) -> SystemTime {
        if self.own_clock { self.jwks.now() } else { now }
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jwks, header, claims, .. } = self;
        f.debug_struct("Branch").field("jwks", jwks).field("header", header).field("claims", claims).finish()
    }
}

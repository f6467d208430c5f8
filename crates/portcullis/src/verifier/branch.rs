//! One issuer: its keys and its rules.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    JwksService,
    claims::ClaimRules,
    clock::Clock,
    jwks::Lookup,
    token::{HeaderRules, UnverifiedToken},
};

pub(super) struct Branch {
    pub(super) jwks: JwksService,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether `clock` is not the one that the keys' age is measured by.
    pub(super) own_clock: bool,
    pub(super) header: HeaderRules,
    pub(super) claims: ClaimRules,
}

impl Branch {
    /// Judges the header, then looks for the key without waiting; `now` is by this branch's clock.
    pub(super) fn lookup(&self, token: &UnverifiedToken<'_>, now: SystemTime) -> Lookup {
        if let Err(refusal) = self.header.check(token.header()) {
            return Lookup::Refused(refusal);
        }
        let now = if self.own_clock { self.jwks.now() } else { now };
        self.jwks.lookup(token.header(), now)
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jwks, header, claims, .. } = self;
        f.debug_struct("Branch").field("jwks", jwks).field("header", header).field("claims", claims).finish()
    }
}

//! The keys and rules that judge one token.

use std::{sync::Arc, time::SystemTime};

use super::branch::Branch;
use crate::{
    claims::VerifiedToken,
    jwks::{JwksService, Lookup},
    refusal::Refusal,
    token::UnverifiedToken,
};

/// The issuer of a token and, where each tenant has keys of its own, the keys of the token's tenant.
pub(super) struct Judge {
    pub(super) branch: Arc<Branch>,
    tenant: Option<JwksService>,
}

impl Judge {
    /// The judge of a token of this issuer; a tenant that was not seen before may have to wait for its turn.
    pub(super) fn of(branch: &Arc<Branch>, token: &UnverifiedToken<'_>) -> Result<Self, Refusal> {
        let tenant = match branch.jwks.template() {
            Some(_) => branch.keys_of_tenant(token.claimed_issuer().ok())?,
            None => None,
        };
        Ok(Self { branch: Arc::clone(branch), tenant })
    }

    pub(super) fn jwks(&self) -> &JwksService {
        self.tenant.as_ref().unwrap_or(&self.branch.jwks)
    }

    /// Looks for the key without waiting; `now` is by the issuer's clock.
    pub(super) fn lookup(&self, token: &UnverifiedToken<'_>, now: SystemTime) -> Lookup {
        self.jwks().lookup(token.header(), self.branch.now_for_keys(now))
    }

    /// Tells whether a token that was accepted before is still good.
    #[inline]
    pub(super) fn upholds(&self, token: &VerifiedToken) -> bool {
        self.branch.upholds_by(self.jwks(), token)
    }

    /// Keeps the keys of the tenant, of which a token was accepted; tells whether a verdict by them may be kept, too.
    pub(super) fn keep_tenant(&self) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| self.branch.jwks.keep_tenant(tenant))
    }
}

//! Memory that several processes have in common: the workers of nginx judge as one.
//!
//! A key set that one has fetched is there for the others, a DPoP proof that one has seen is a replay at each, and a nonce that one has
//! given is good at each. A shared store of the configuration comes first, for proofs and nonces.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

use portcullis::{JwkSet, JwksBuilder, JwksCache, ReplayStore};

use crate::config::{Issuer, Secret};

/// Memory of several processes. Write access to it decides which tokens are accepted.
pub trait CommonMemory: Send + Sync + 'static {
    /// Returns the key set of an issuer that was kept last, and the time at which it was fetched.
    fn key_set(&self, issuer: &str) -> Option<(Vec<u8>, SystemTime)>;

    /// Keeps a key set that was fetched at this time.
    ///
    /// # Errors
    ///
    /// The reason why it is not kept, for the log.
    fn keep_key_set(&self, issuer: &str, set: &[u8], fetched_at: SystemTime) -> Result<(), String>;

    /// Keeps the identifier of a proof for this time, in one step for all processes; returns true if it is new, and none if there is no
    /// room.
    fn keep_new_proof(&self, id: &str, ttl: Duration) -> Option<bool>;

    /// Returns the secret that nonces come from, of 32 bytes or more.
    fn nonce_secret(&self) -> String;
}

/// Common memory, if there is some.
pub(crate) type Common<'a> = Option<&'a Arc<dyn CommonMemory>>;

/// Has the keys of an issuer kept. Those of tenants are not: their number has no bound.
pub(super) fn keeping(builder: JwksBuilder, issuer: &Issuer, common: Common<'_>) -> JwksBuilder {
    match common.filter(|_| issuer.rules.tenant_claim.is_none()) {
        Some(memory) => builder.cache(Kept { memory: Arc::clone(memory), name: name(issuer) }),
        None => builder,
    }
}

/// Returns the secret of nonces.
pub(super) fn secret(common: Common<'_>) -> Option<Secret> {
    common.map(|memory| Secret::new(memory.nonce_secret()))
}

/// Returns the name of an issuer's keys: with another configuration of the issuer, kept keys are not its own any more.
fn name(Issuer { name, keys, key_uses, fetching, dangerously_allow_http, .. }: &Issuer) -> String {
    format!("{:?}", (name, keys, key_uses, fetching, dangerously_allow_http))
}

struct Kept {
    memory: Arc<dyn CommonMemory>,
    name: String,
}

impl JwksCache for Kept {
    async fn get(&self) -> Result<Option<JwkSet>, Box<dyn Error + Send + Sync>> {
        let Some((set, fetched_at)) = self.memory.key_set(&self.name) else { return Ok(None) };
        Ok(Some(JwkSet::from_slice(&set)?.with_fetched_at(fetched_at)))
    }

    async fn set(&self, set: JwkSet) -> Result<(), Box<dyn Error + Send + Sync>> {
        let fetched_at = set.fetched_at().unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(self.memory.keep_key_set(&self.name, set.to_string().as_bytes(), fetched_at)?)
    }
}

/// The proofs that any of the processes has seen.
pub(super) struct SeenProofs(pub(super) Arc<dyn CommonMemory>);

impl ReplayStore for SeenProofs {
    async fn keep_new(&self, id: &str, ttl: Duration) -> Result<bool, Box<dyn Error + Send + Sync>> {
        self.0.keep_new_proof(id, ttl).ok_or_else(|| "no room for further proofs".into())
    }
}

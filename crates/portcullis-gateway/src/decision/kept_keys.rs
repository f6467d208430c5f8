//! Key sets that outlive the process that fetched them, where another program keeps them.

use std::{error::Error, sync::Arc, time::SystemTime};

use portcullis::{JwkSet, JwksBuilder, JwksCache};

use crate::config::Issuer;

/// A place for key sets: the shared memory of nginx's workers. Write access to it decides which tokens are accepted.
pub trait KeptKeys: Send + Sync + 'static {
    /// Returns the key set of an issuer that was kept last, and the time at which it was fetched.
    fn read(&self, issuer: &str) -> Option<(Vec<u8>, SystemTime)>;

    /// Keeps a key set that was fetched at this time.
    fn write(&self, issuer: &str, set: &[u8], fetched_at: SystemTime);
}

/// Has the keys of an issuer kept. Those of tenants are not: their number has no bound.
pub(super) fn keeping(builder: JwksBuilder, issuer: &Issuer, place: Option<&Arc<dyn KeptKeys>>) -> JwksBuilder {
    match place.filter(|_| issuer.rules.tenant_claim.is_none()) {
        Some(place) => builder.cache(Kept { place: Arc::clone(place), name: name(issuer) }),
        None => builder,
    }
}

/// Returns the name of an issuer's keys: with another configuration of the issuer, kept keys are not its own any more.
fn name(Issuer { name, keys, key_uses, fetching, dangerously_allow_http, .. }: &Issuer) -> String {
    format!("{:?}", (name, keys, key_uses, fetching, dangerously_allow_http))
}

struct Kept {
    place: Arc<dyn KeptKeys>,
    name: String,
}

impl JwksCache for Kept {
    async fn get(&self) -> Result<Option<JwkSet>, Box<dyn Error + Send + Sync>> {
        let Some((set, fetched_at)) = self.place.read(&self.name) else { return Ok(None) };
        Ok(Some(JwkSet::from_slice(&set)?.with_fetched_at(fetched_at)))
    }

    async fn set(&self, set: JwkSet) -> Result<(), Box<dyn Error + Send + Sync>> {
        let fetched_at = set.fetched_at().unwrap_or(SystemTime::UNIX_EPOCH);
        self.place.write(&self.name, set.to_string().as_bytes(), fetched_at);
        Ok(())
    }
}

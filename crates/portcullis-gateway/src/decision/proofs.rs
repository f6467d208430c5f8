//! DPoP in service (RFC 9449): the memory of used proofs, the keys of clients and the nonces.
//!
//! All layers share them, so that a proof of one route is a replay at each. A reload goes on with them, whatever it changes: it must not
//! let a used proof pass again.

use std::sync::Arc;

use portcullis::{ConfigurationError, Dpop, Nonces};

use super::{
    BuildError,
    common_memory::{self, Common, SeenProofs},
};
use crate::{
    config::{self, Config, Secret},
    store::RedisStore,
};

/// DPoP by one configuration.
#[derive(Clone)]
pub(crate) struct Proofs {
    /// The memory and the keys of all configurations.
    common: Dpop,
    nonces: Option<Arc<Given>>,
    /// DPoP as configured, without a public URL.
    dpop: Dpop,
    public_url: Option<String>,
}

/// Nonces, and the secret that they come from; none if it is random.
struct Given {
    secret: Option<Secret>,
    nonces: Nonces,
}

impl Proofs {
    /// Makes those of a configuration, with the memory, keys and nonces of `before`.
    ///
    /// # Errors
    ///
    /// The part of the configuration that the library refuses.
    pub(super) fn new(
        config: &Config,
        store: Option<&RedisStore>,
        before: Option<&Self>,
        memory: Common<'_>,
    ) -> Result<Self, BuildError> {
        let refused = |error: ConfigurationError| BuildError { issuer: None, problem: format!("[dpop]: {error}") };
        let asked = config.dpop.clone().unwrap_or_default();
        let common = before.map_or_else(Dpop::by_rules, |before| before.common.clone());
        let nonces = Given::new(&asked.nonces, config, before, memory).map_err(refused)?;
        let mut dpop = common.clone().rules(asked.rules).map_err(refused)?;
        dpop = match (store, memory) {
            (Some(store), _) => dpop.replay_store(store.clone(), asked.store_away),
            (None, Some(memory)) => dpop.replay_store(SeenProofs(Arc::clone(memory)), asked.store_away),
            (None, None) => dpop,
        };
        if let Some(given) = &nonces {
            dpop = dpop.nonces(given.nonces.clone());
        }
        Ok(Self { common, nonces, dpop, public_url: asked.public_url })
    }

    /// Returns true if another process with the same configuration knows the nonces, or if there are none.
    pub(super) fn shares_nonces(&self) -> bool {
        self.nonces.as_ref().is_none_or(|given| given.secret.is_some())
    }

    /// Returns DPoP for requests to no resource: proofs are for the public URL, or for the URL that the proxy describes.
    pub(super) fn apart(&self) -> Result<Dpop, ConfigurationError> {
        match &self.public_url {
            Some(url) => self.dpop.clone().public_url(url),
            None => Ok(self.dpop.clone()),
        }
    }

    /// Returns DPoP for requests to a resource: proofs are for URLs of its origin.
    pub(super) fn of(&self, resource: &config::Resource) -> Result<Dpop, ConfigurationError> {
        self.dpop.clone().public_url(&resource.origin)
    }
}

impl Given {
    fn new(
        asked: &config::Nonces,
        config: &Config,
        before: Option<&Proofs>,
        memory: Common<'_>,
    ) -> Result<Option<Arc<Self>>, ConfigurationError> {
        let secret = match asked {
            config::Nonces::Off => return Ok(None),
            config::Nonces::On => {
                config.store.as_ref().map(|store| store.secret.clone()).or_else(|| common_memory::secret(memory))
            }
            config::Nonces::Secret(secret) => Some(secret.clone()),
        };
        let before = before.and_then(|before| before.nonces.as_ref()).filter(|before| before.secret == secret);
        if let Some(same) = before {
            return Ok(Some(Arc::clone(same)));
        }
        let nonces = match &secret {
            Some(secret) => Nonces::new(secret.reveal())?,
            None => Nonces::random()?,
        };
        Ok(Some(Arc::new(Self { secret, nonces })))
    }
}

//! DPoP for endpoints: [`Dpop`].

use std::sync::Arc;

use napi::{
    Result,
    bindgen_prelude::{Buffer, Function},
};
use napi_derive::napi;
use portcullis::{Nonces, ReplayStoreAway};

use crate::{
    javascript::{JavaScript, JavaScriptReplayStore, Question},
    options::{self, seconds, unusable},
};

/// The rules for DPoP proofs, and the memory of used ones. Doors with the same object share the memory.
#[napi]
pub struct Dpop {
    pub(crate) dpop: portcullis::Dpop,
}

/// The options for nonces.
#[napi(object, object_to_js = false)]
pub struct NonceOptions {
    /// The secret that replicas share; a random one by default.
    pub secret: Option<Buffer>,
    /// The time for which a nonce is accepted at least, in seconds.
    pub lifetime: Option<f64>,
}

#[napi]
impl Dpop {
    /// Makes DPoP with these rules (`DpopRules`); `ask` asks the store of used proofs.
    #[napi(constructor)]
    pub fn new(
        rules: String,
        public_url: Option<String>,
        nonces: Option<NonceOptions>,
        ask: Option<Function<'_, Question, ()>>,
        when_store_is_away: String,
    ) -> Result<Self> {
        let away: ReplayStoreAway = options::word("whenStoreIsAway", &when_store_is_away)?;
        let mut dpop = portcullis::Dpop::by_rules().rules(options::read(&rules)?).map_err(unusable)?;
        if let Some(url) = public_url {
            dpop = dpop.public_url(&url).map_err(unusable)?;
        }
        if let Some(nonces) = nonces {
            dpop = dpop.nonces(made(nonces)?);
        }
        if let Some(ask) = ask {
            let store = JavaScriptReplayStore(Arc::new(JavaScript::new(&ask)?));
            dpop = dpop.replay_store(store, away);
        }
        Ok(Self { dpop })
    }
}

fn made(NonceOptions { secret, lifetime }: NonceOptions) -> Result<Nonces> {
    let nonces = secret.map_or_else(Nonces::random, Nonces::new).map_err(unusable)?;
    match lifetime {
        Some(lifetime) => Ok(nonces.lifetime(seconds("nonces.lifetime", lifetime)?)),
        None => Ok(nonces),
    }
}

//! The settings that all endpoints have.

use std::{sync::Arc, time::Duration};

use super::{
    Endpoint, Purpose, TokenStore,
    endpoint::Settings,
    store::{AnyTokenStore, SealedStore},
};
use crate::{
    client_authentication::ClientAuthentication,
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    crypto::MacKey,
    loopback::is_this_machine,
    transport::{AnyHttpClient, Authorities, Transport},
};

/// Builds an [`Endpoint`]: a builder for each purpose fills it.
pub(crate) struct EndpointBuilder {
    purpose: Purpose,
    url: String,
    client: ClientAuthentication,
    pub(crate) transport: Transport,
    pub(crate) assertion_audience: Option<String>,
    pub(crate) http: Option<Arc<dyn AnyHttpClient>>,
    pub(crate) authorities: Authorities,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeout: Duration,
    pub(crate) max_questions: usize,
    pub(crate) max_answer_bytes: usize,
    store: Option<(Box<dyn AnyTokenStore>, Option<MacKey>)>,
}

impl EndpointBuilder {
    pub(crate) fn new(purpose: Purpose, url: &str, client: ClientAuthentication) -> Self {
        Self {
            purpose,
            url: url.to_owned(),
            client,
            transport: Transport::Secure,
            assertion_audience: None,
            http: None,
            authorities: Authorities::Machine,
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(3),
            max_questions: 64,
            max_answer_bytes: 256 << 10,
            store: None,
        }
    }

    /// Shares answers in this store, sealed with a secret of 32 bytes or more.
    pub(crate) fn share_in(&mut self, store: impl TokenStore, secret: &[u8]) {
        self.store = Some((Box::new(store), MacKey::new(secret)));
    }

    /// Builds the endpoint. It asks nothing yet.
    pub(crate) fn build(self) -> Result<Endpoint, ConfigurationError> {
        let url = self.transport.url(&self.url)?;
        let http = self.authorities.client(self.http, is_this_machine(&url))?;
        let store = match self.store {
            Some((store, Some(key))) => Some(SealedStore::new(self.purpose, store, &key)),
            Some((_, None)) => return Err(ConfigurationError::ShortStoreSecret),
            None => None,
        };
        Ok(Endpoint::new(Settings {
            purpose: self.purpose,
            assertion_audience: self.assertion_audience.unwrap_or_else(|| url.to_string()),
            url,
            client: self.client,
            http,
            clock: self.clock,
            timeout: self.timeout,
            max_questions: self.max_questions.max(1),
            max_answer_bytes: self.max_answer_bytes,
            store,
        }))
    }
}

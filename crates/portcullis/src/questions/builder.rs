//! The settings that all endpoints have.

use std::{sync::Arc, time::Duration};

use super::{
    Endpoint, Purpose, TokenStore,
    endpoint::Settings,
    location::Source,
    store::{AnyTokenStore, SealedStore},
};
use crate::{
    client_authentication::ClientAuthentication,
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    crypto::MacKey,
    transport::{AnyHttpClient, Authorities, Transport},
};

/// Builds an [`Endpoint`]: a builder for each purpose fills it.
pub(crate) struct EndpointBuilder {
    purpose: Purpose,
    source: Source,
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
    pub(crate) fn new(purpose: Purpose, source: Source, client: ClientAuthentication) -> Self {
        Self {
            purpose,
            source,
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

    /// Checks that the metadata that name the endpoint are those of this issuer: any other could use its tokens.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if they are another's.
    pub(crate) fn check_issuer(&self, issuer: &str) -> Result<(), ConfigurationError> {
        match &self.source {
            Source::TokenEndpoint(keys) if keys.discovered_issuer().is_some_and(|other| other != issuer) => {
                let problem = "expected keys that are found by the metadata of the issuer of the rules, got those of another issuer";
                Err(ConfigurationError::rule("issuer", problem))
            }
            _ => Ok(()),
        }
    }

    /// Builds the endpoint. It asks nothing yet.
    pub(crate) fn build(self) -> Result<Endpoint, ConfigurationError> {
        let location = self.source.location(self.transport, self.client.is_by_certificate())?;
        let http = self.authorities.client(self.http, location.destination())?;
        let store = match self.store {
            Some((store, Some(key))) => Some(SealedStore::new(self.purpose, store, &key)),
            Some((_, None)) => return Err(ConfigurationError::ShortStoreSecret),
            None => None,
        };
        Ok(Endpoint::new(Settings {
            purpose: self.purpose,
            assertion_audience: self.assertion_audience,
            location,
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

//! The token endpoint of an issuer, by its metadata.

use std::sync::Arc;

use super::{
    discovery::place,
    endpoint::{Described, Endpoint, Place},
    fetch::FetchError,
    refresher::Refresher,
};

impl Refresher {
    /// The issuer by whose metadata the keys are found.
    pub(super) fn discovered_issuer(&self) -> Option<&str> {
        match &self.settings.endpoint {
            Endpoint::Fixed(_) => None,
            Endpoint::Discovered(issuer) => Some(&issuer.identifier),
        }
    }

    /// The token endpoint that the issuer's metadata name, for clients that authenticate by a certificate or for others.
    ///
    /// Metadata that were fetched before suffice, also while the keys cannot be fetched.
    pub(super) async fn token_endpoint(self: &Arc<Self>, by_certificate: bool) -> Result<Place, FetchError> {
        if let Some(known) = self.described() {
            return self.token_endpoint_of(&known, by_certificate);
        }
        let refreshed = self.refresh().await;
        let known = self.described().ok_or_else(|| refreshed.err().unwrap_or(FetchError::Interrupted))?;
        self.token_endpoint_of(&known, by_certificate)
    }

    /// The same, if the metadata are known.
    pub(super) fn known_token_endpoint(&self, by_certificate: bool) -> Option<Place> {
        self.token_endpoint_of(&self.described()?, by_certificate).ok()
    }

    fn token_endpoint_of(
        &self,
        Described { metadata, reach }: &Described,
        by_certificate: bool,
    ) -> Result<Place, FetchError> {
        let Endpoint::Discovered(issuer) = &self.settings.endpoint else { return Err(FetchError::NoTokenEndpoint) };
        // A client with a certificate is served at an address of its own, where there is one (RFC 8705 section 5).
        let alias = metadata.mtls_token_endpoint.as_ref().filter(|_| by_certificate);
        let text = alias.or(metadata.token_endpoint.as_ref()).ok_or(FetchError::NoTokenEndpoint)?;
        place(text, *reach, issuer, self.settings.transport).map_err(|_| FetchError::NoTokenEndpoint)
    }

    fn described(&self) -> Option<Described> {
        self.lock().described.clone()
    }
}

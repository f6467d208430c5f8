//! The location of an endpoint: from the configuration, or from the metadata of an issuer.

use std::borrow::Cow;

use url::Url;

use super::Failure;
use crate::{
    configuration_error::ConfigurationError,
    jwks::{JwksService, Place},
    shown_url::shown,
    transport::{Destination, Transport},
};

/// The location of an endpoint, as a builder is given it.
pub(crate) enum Source {
    /// A URL.
    Url(String),
    /// The token endpoint of the issuer by whose metadata these keys are found.
    TokenEndpoint(JwksService),
}

/// The location of an endpoint.
pub(crate) enum Location {
    Configured(Url),
    /// The token endpoint that an issuer's metadata name.
    Discovered {
        keys: JwksService,
        issuer: Url,
        /// The allowed URLs for tokens, whatever is allowed for keys.
        transport: Transport,
        /// True if this server authenticates by a certificate there.
        by_certificate: bool,
    },
}

impl Source {
    /// Reads the location.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is none, or not allowed, or if the keys are not found by an issuer's metadata.
    pub(super) fn location(self, transport: Transport, by_certificate: bool) -> Result<Location, ConfigurationError> {
        let keys = match self {
            Self::Url(url) => return transport.url(&url).map(Location::Configured),
            Self::TokenEndpoint(keys) => keys,
        };
        let issuer = keys.discovered_issuer().ok_or_else(|| {
            let problem = "expected the URL of the token endpoint, got none, and the keys are not found by the issuer's metadata: \
                           name it";
            ConfigurationError::rule("endpoint", problem)
        })?;
        let issuer = transport.url(issuer)?;
        Ok(Location::Discovered { keys, issuer, transport, by_certificate })
    }
}

impl Location {
    /// The server of the first request.
    pub(super) fn destination(&self) -> Destination {
        match self {
            Self::Configured(url) | Self::Discovered { issuer: url, .. } => Destination::of(url),
        }
    }

    /// The location, told apart from any other.
    pub(crate) fn identity(&self) -> Cow<'_, str> {
        match self {
            Self::Configured(url) => url.as_str().into(),
            // No URL has a space.
            Self::Discovered { issuer, .. } => format!("the token endpoint of {issuer}").into(),
        }
    }

    /// The location for people, without credentials and query.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Configured(url) => shown(url),
            Self::Discovered { keys, issuer, by_certificate, .. } => match keys.known_token_endpoint(*by_certificate) {
                Some(place) => shown(&place.url),
                None => format!("the token endpoint of {}", shown(issuer)),
            },
        }
    }

    /// The URL, with the addresses that it may lead to; metadata are fetched unless they were before.
    pub(super) async fn place(&self) -> Result<Place, Failure> {
        match self {
            Self::Configured(url) => Ok(Place::configured(url.clone())),
            Self::Discovered { keys, transport, by_certificate, .. } => {
                let place = keys.token_endpoint(*by_certificate).await.map_err(Failure::Undiscovered)?;
                transport.url(place.url.as_str()).map_err(|error| Failure::Undiscovered(error.to_string()))?;
                Ok(place)
            }
        }
    }
}

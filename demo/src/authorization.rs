//! The authorization server: the embedded one, or a real one.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use portcullis::{ConfigurationError, JwksService, Verifier, VerifierBuilder};
use portcullis_testkit::{Algorithm, AuthorizationServer};
use serde_json::Value;

use crate::args::Args;

/// The id and secret of the embedded server's client.
pub(crate) const CLIENT: &str = "demo";

/// The algorithms of the embedded server: one key for each, the first by default.
pub(crate) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// The `max-age` of the embedded server's keys: short, so that users can watch a refresh.
const KEYS_MAX_AGE: Duration = Duration::from_secs(60);

pub(crate) enum Authorization {
    Embedded {
        server: AuthorizationServer,
        /// The server's keys, as the resource server knows them.
        jwks: JwksService,
    },
    External,
}

impl Authorization {
    /// Starts the embedded server, unless the arguments name another server.
    pub(crate) async fn new(args: &Args) -> Result<Self, String> {
        if args.issuer.is_some() || args.jwks_uri.is_some() {
            return Ok(Self::External);
        }
        let server = AuthorizationServer::builder()
            .algorithms(ALGORITHMS)
            .key_id_prefix(prefix_of_this_start())
            .jwks_max_age(KEYS_MAX_AGE)
            .listen(args.as_listen.to_string())
            .client(CLIENT, CLIENT)
            .audience(one_or_many(args.audiences()))
            .rotation_endpoint(true)
            .start()
            .await
            .map_err(|error| {
                format!("cannot listen on {}: {error}; choose another address with --as-listen", args.as_listen)
            })?;
        // It listens without https, on any address of this machine.
        let jwks = JwksService::discover(server.issuer()).dangerously_allow_http().build();
        let jwks = jwks.map_err(|error| error.to_string())?;
        Ok(Self::Embedded { server, jwks })
    }

    /// The verifier of the resource server.
    pub(crate) fn verifier(&self, args: &Args) -> Result<Verifier, ConfigurationError> {
        let builder = match (self, args.issuer.as_deref(), args.jwks_uri.as_deref()) {
            (Self::Embedded { server, jwks }, ..) => Verifier::builder(jwks.clone()).issuer(server.issuer()),
            (Self::External, Some(issuer), None) => Verifier::discover(issuer)?,
            (Self::External, Some(issuer), Some(uri)) => Verifier::builder(JwksService::new(uri)?).issuer(issuer),
            (Self::External, None, uri) => Verifier::builder(JwksService::new(uri.unwrap_or_default())?),
        };
        let audiences = match self {
            Self::Embedded { .. } => args.audiences(),
            Self::External => args.audience.clone(),
        };
        audiences.into_iter().fold(builder, VerifierBuilder::audience).build()
    }

    pub(crate) async fn stop(&self) {
        if let Self::Embedded { server, .. } = self {
            server.stop().await;
        }
    }
}

/// A random text before the ids of keys: a gateway that knows the keys of an earlier start sees that these are others.
fn prefix_of_this_start() -> String {
    format!("{:08x}-", RandomState::new().hash_one(()) >> 32)
}

/// A string for one audience, an array for several (RFC 7519 section 4.1.3).
fn one_or_many(audiences: Vec<String>) -> Value {
    match <[String; 1]>::try_from(audiences) {
        Ok([one]) => one.into(),
        Err(many) => many.into(),
    }
}

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::desk::Desks;
use super::exchange::ExchangeFault;
use super::keyring::KeyRing;
use super::registry::Registry;
use crate::attack::Target;
use crate::clock::TestClock;
use crate::key::SigningKey;
use crate::provider::Provider;
use crate::sync::lock;
use crate::token::TokenBuilder;

/// The state shared by the handle and the request handlers.
pub(super) struct State {
    pub(super) settings: Settings,
    /// The server's base URL: scheme, address and path prefix, without a final slash.
    pub(super) base: String,
    pub(super) issuer: String,
    pub(super) desks: Desks,
    pub(super) keys: Mutex<KeyRing>,
    pub(super) registry: Mutex<Registry>,
    /// The fault of token exchanges; `None` if they have none.
    pub(super) exchange_fault: Mutex<Option<ExchangeFault>>,
    /// The nonce that DPoP proofs must have; `None` if they need none.
    pub(super) dpop_nonce: Mutex<Option<String>>,
}

/// The settings of the builder.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) path: String,
    /// The provider that is served, if it is a well-known one.
    pub(super) provider: Option<Provider>,
    pub(super) clock: Option<TestClock>,
    pub(super) clients: Vec<Client>,
    pub(super) audience: Value,
    pub(super) jwks_max_age: Option<Duration>,
    pub(super) etag: bool,
    pub(super) rotation_endpoint: bool,
    pub(super) openid_configuration: bool,
    pub(super) oauth_metadata: bool,
    pub(super) metadata_issuer: Option<String>,
    pub(super) dpop_nonces: bool,
    /// True if the server asks for client certificates and binds tokens to them.
    pub(super) client_certificates: bool,
}

/// A client of the authorization server and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

impl State {
    pub(super) fn now(&self) -> SystemTime {
        let clock = self.settings.clock.as_ref();
        clock.map_or_else(SystemTime::now, TestClock::now)
    }

    /// The URL of the key set.
    pub(super) fn jwks_uri(&self) -> String {
        let named = self.settings.provider.as_ref().and_then(Provider::jwks_uri);
        named.map_or_else(|| self.url("/jwks"), str::to_owned)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn signer(&self) -> SigningKey {
        lock(&self.keys).signer().clone()
    }

    /// A good token, signed with the current key.
    pub(super) fn token(&self) -> TokenBuilder {
        self.token_by(&self.signer())
    }

    /// A good token, signed with any key.
    pub(super) fn token_by(&self, key: &SigningKey) -> TokenBuilder {
        match &self.settings.provider {
            Some(provider) => provider.token(key, self.now()),
            None => TokenBuilder::new(key, &self.issuer, self.now()).audience(self.settings.audience.clone()),
        }
    }

    /// The start of attacks on this server.
    pub(super) fn target(&self, token: TokenBuilder) -> Target {
        let signers = lock(&self.keys).signers().to_vec();
        let elliptic = signers.iter().find(|key| key.algorithm().is_elliptic());
        let client = self.settings.clients.first();
        Target {
            elliptic: elliptic.map(|key| token.clone().rekeyed(key)),
            token,
            client_id: client.map(|client| client.id.clone()).unwrap_or_default(),
            attacker_url: self.url("/attacker"),
        }
    }

    pub(super) fn issue_opaque(&self, claims: Map<String, Value>) -> String {
        lock(&self.registry).issue(claims)
    }

    /// The claims of an active token; `None` for any other token.
    pub(super) fn introspect(&self, token: &str) -> Option<Map<String, Value>> {
        let keys = lock(&self.keys).published().to_vec();
        lock(&self.registry).active(token, &keys, self.now())
    }
}

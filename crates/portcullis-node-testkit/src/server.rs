//! The authorization server: [`Server`].

use std::collections::HashMap;

use napi::{Env, Error, Result, bindgen_prelude::Object};
use napi_derive::napi;
use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, Builder, Endpoint, provider};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    certificate::CertificateAuthority,
    clock::Clock,
    key::SigningKey,
    options::{self, ENDPOINTS, algorithm, endpoint, invalid, seconds},
    runtime,
    token::Changes,
};

/// The options of a server.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct ServerOptions {
    algorithms: Vec<String>,
    audience: Option<Value>,
    client: Option<Client>,
    dpop_nonces: bool,
    etag: Option<bool>,
    issuer: Option<String>,
    jwks_max_age: Option<f64>,
    metadata_issuer: Option<String>,
    oauth_metadata: Option<bool>,
    openid_configuration: Option<bool>,
    path: Option<String>,
    port: Option<u16>,
    provider: Option<String>,
}

/// A client of the server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    id: String,
    secret: String,
}

/// A faulty answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Fault {
    Status(u16),
    Delay(f64),
    Hang,
    CutOff,
    NotJson,
    HugeBody(usize),
    EndlessBody,
    NoKeys,
    Redirect(String),
    Body(String),
    Refuse,
}

/// An OAuth 2.0 authorization server in the process.
#[napi]
pub struct Server {
    pub(crate) server: AuthorizationServer,
    algorithms: Vec<Algorithm>,
}

#[napi]
impl Server {
    /// Starts a server; with https if there is an `authority`, which asks for certificates of `clients` if there is one.
    #[napi]
    pub fn start<'env>(
        env: &'env Env,
        options: String,
        clock: Option<&Clock>,
        authority: Option<&CertificateAuthority>,
        clients: Option<&CertificateAuthority>,
    ) -> Result<Object<'env>> {
        let (mut builder, algorithms) = options::read::<ServerOptions>(&options)?.builder()?;
        if let Some(Clock { clock }) = clock {
            builder = builder.clock(clock.clone());
        }
        if let Some(CertificateAuthority { authority }) = authority {
            builder = builder.tls(authority.clone());
        }
        if let Some(CertificateAuthority { authority }) = clients {
            builder = builder.client_authority(authority.clone());
        }
        runtime::promise(env, async move {
            let server = builder.start().await.map_err(told)?;
            let algorithms = if algorithms.is_empty() { vec![server.signing_key().algorithm()] } else { algorithms };
            Ok(Self { server, algorithms })
        })
    }

    /// The issuer.
    #[napi(getter)]
    pub fn issuer(&self) -> String {
        self.server.issuer().to_owned()
    }

    /// The URL of the key set.
    #[napi(getter)]
    pub fn jwks_uri(&self) -> String {
        self.server.jwks_uri()
    }

    /// The URL of a path under the server's base.
    #[napi]
    pub fn url(&self, path: String) -> String {
        self.server.url(&path)
    }

    /// Signs a token with these changes, by `key`, by the server's key of this algorithm, or by its default key.
    #[napi]
    pub fn token(&self, changes: String, key: Option<&SigningKey>, alg: Option<String>) -> Result<String> {
        let good = match (key, alg) {
            (Some(SigningKey { key }), _) => self.server.token_by(key),
            (None, Some(alg)) => self.server.token_with(self.own(&alg)?),
            (None, None) => self.server.token(),
        };
        Ok(options::read::<Changes>(&changes)?.of_token(good)?.sign())
    }

    /// The hostile tokens that resemble a good one with these changes, as JSON: an array of `name`, `description` and `token`.
    #[napi]
    pub fn hostile(&self, changes: String) -> Result<String> {
        let good = options::read::<Changes>(&changes)?.of_token(self.server.token())?;
        let tokens = Attack::ALL.iter().map(|attack| {
            let token = self.server.hostile_from(*attack, good.clone());
            json!({ "name": attack.name(), "description": attack.description(), "token": token })
        });
        Ok(tokens.collect::<Value>().to_string())
    }

    /// The names of the algorithms that the server has keys for.
    #[napi(getter)]
    pub fn algorithms(&self) -> Vec<&'static str> {
        self.algorithms.iter().map(|algorithm| algorithm.name()).collect()
    }

    /// Issues an opaque token for a good token's claims with these changes.
    #[napi]
    pub fn opaque_token(&self, changes: String) -> Result<String> {
        let good = options::read::<Changes>(&changes)?.of_token(self.server.token())?;
        Ok(self.server.issue_opaque(good))
    }

    /// Revokes a token: introspection tells that it is inactive.
    #[napi]
    pub fn revoke(&self, token: String) {
        self.server.revoke(&token);
    }

    /// Demands a new nonce of DPoP proofs at the token endpoint, and returns it.
    #[napi]
    pub fn renew_dpop_nonce(&self) -> String {
        self.server.renew_dpop_nonce()
    }

    /// The default signing key.
    #[napi(getter)]
    pub fn signing_key(&self) -> SigningKey {
        SigningKey { key: self.server.signing_key() }
    }

    /// Signs with a new key from now on; the old one stays published unless `withdraw` is set.
    #[napi]
    pub fn rotate(&self, withdraw: bool) -> SigningKey {
        let key = if withdraw { self.server.rotate_and_withdraw() } else { self.server.rotate() };
        SigningKey { key }
    }

    /// Removes a key from the published set.
    #[napi]
    pub fn withdraw(&self, kid: String) {
        self.server.withdraw(&kid);
    }

    /// Publishes one more JWK.
    #[napi]
    pub fn publish(&self, jwk: String) -> Result<()> {
        self.server.publish_jwk(options::read(&jwk)?);
        Ok(())
    }

    /// Publishes this document in place of the key set; none publishes the key set again.
    #[napi]
    pub fn replace_jwks(&self, document: Option<String>) -> Result<()> {
        self.server.set_jwks(document.map(|document| options::read(&document)).transpose()?);
        Ok(())
    }

    /// The number of requests to each endpoint.
    #[napi(getter)]
    pub fn counts(&self) -> HashMap<&'static str, f64> {
        #[expect(clippy::cast_precision_loss, reason = "fewer requests than that")]
        let count = |(name, endpoint)| (name, self.server.requests(endpoint) as f64);
        ENDPOINTS.into_iter().map(count).collect()
    }

    /// Sets all numbers of requests to zero.
    #[napi]
    pub fn reset_counts(&self) {
        self.server.reset_requests();
    }

    /// Waits for this many requests to an endpoint, for this many seconds at the most.
    #[napi]
    pub fn wait_for_requests<'env>(&self, env: &'env Env, at: String, count: u32, limit: f64) -> Result<Object<'env>> {
        let (server, asked, limit) = (self.server.clone(), endpoint(&at)?, seconds("timeout", limit)?);
        runtime::promise(env, async move {
            let arrived = server.wait_for_requests(asked, count.into());
            tokio::time::timeout(limit, arrived).await.map_err(|_| {
                let actual = server.requests(asked);
                Error::from_reason(format!(
                    "expected {count} requests to {at} within {} s, got {actual}",
                    limit.as_secs_f64()
                ))
            })
        })
    }

    /// The header fields of the last request to an endpoint: name, value, name, value…; none before the first.
    #[napi]
    pub fn last_fields(&self, at: String) -> Result<Option<Vec<String>>> {
        let fields = self.server.last_request_headers(endpoint(&at)?);
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Ok(fields
            .map(|fields| fields.iter().flat_map(|(name, value)| [name.to_string(), text(value.as_bytes())]).collect()))
    }

    /// Answers requests to these endpoints with a fault: the next one, or all until healed.
    #[napi]
    pub fn fault(&self, at: Vec<String>, fault: String, once: bool) -> Result<()> {
        let fault = options::read::<Fault>(&fault)?.of_kit()?;
        for endpoint in endpoints(&at)? {
            if once {
                self.server.fault_once(endpoint, fault.clone());
            } else {
                self.server.fault(endpoint, fault.clone());
            }
        }
        Ok(())
    }

    /// Ends the faults of these endpoints.
    #[napi]
    pub fn heal(&self, at: Vec<String>) -> Result<()> {
        endpoints(&at)?.into_iter().for_each(|endpoint| self.server.heal(endpoint));
        Ok(())
    }

    /// Stops listening.
    #[napi]
    pub fn stop<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let server = self.server.clone();
        runtime::promise(env, async move {
            server.stop().await;
            Ok(())
        })
    }

    /// Listens again on the same port with the same keys.
    #[napi]
    pub fn restart<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let server = self.server.clone();
        runtime::promise(env, async move { server.restart().await.map_err(told) })
    }
}

impl Server {
    /// The algorithm of this name, if the server has a key for it.
    fn own(&self, name: &str) -> Result<Algorithm> {
        let found = algorithm(name)?;
        if self.algorithms.contains(&found) {
            return Ok(found);
        }
        Err(invalid(format!(
            "expected an algorithm of the server, got {name}: name it in the option `algorithms` of start, which has {}",
            self.algorithms().join(", ")
        )))
    }
}

impl ServerOptions {
    /// The server's builder, and its algorithms if they are named.
    fn builder(self) -> Result<(Builder, Vec<Algorithm>)> {
        let algorithms = self.algorithms.iter().map(|name| algorithm(name)).collect::<Result<Vec<_>>>()?;
        let mut builder = AuthorizationServer::builder().dpop_nonces(self.dpop_nonces);
        if !algorithms.is_empty() {
            builder = builder.algorithms(algorithms.iter().copied());
        }
        if let Some(name) = self.provider {
            builder = builder.provider(shape(&name)?);
        }
        if let Some(audience) = self.audience {
            builder = builder.audience(audience);
        }
        if let Some(Client { id, secret }) = self.client {
            builder = builder.client(id, secret);
        }
        if let Some(etag) = self.etag {
            builder = builder.etag(etag);
        }
        if let Some(issuer) = self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(max_age) = self.jwks_max_age {
            builder = builder.jwks_max_age(seconds("jwksMaxAge", max_age)?);
        }
        if let Some(issuer) = self.metadata_issuer {
            builder = builder.metadata_issuer(issuer);
        }
        if let Some(on) = self.oauth_metadata {
            builder = builder.oauth_metadata(on);
        }
        if let Some(on) = self.openid_configuration {
            builder = builder.openid_configuration(on);
        }
        if let Some(path) = self.path {
            builder = builder.path(&path);
        }
        if let Some(port) = self.port {
            builder = builder.listen(format!("127.0.0.1:{port}"));
        }
        Ok((builder, algorithms))
    }
}

impl Fault {
    fn of_kit(self) -> Result<portcullis_testkit::Fault> {
        use portcullis_testkit::Fault as Kit;
        Ok(match self {
            Self::Status(status) => Kit::Status(status),
            Self::Delay(delay) => Kit::Delay(seconds("delay", delay)?),
            Self::Hang => Kit::Hang,
            Self::CutOff => Kit::CutOff,
            Self::NotJson => Kit::NotJson,
            Self::HugeBody(bytes) => Kit::HugeBody(bytes),
            Self::EndlessBody => Kit::EndlessBody,
            Self::NoKeys => Kit::NoKeys,
            Self::Redirect(to) => Kit::Redirect(to),
            Self::Body(body) => Kit::Body { content_type: "application/json".to_owned(), body },
            Self::Refuse => Kit::Refuse,
        })
    }
}

/// The names of the providers whose shapes the server can take.
#[napi]
pub fn providers() -> Vec<&'static str> {
    provider::all().iter().map(provider::Provider::name).collect()
}

fn shape(name: &str) -> Result<provider::Provider> {
    let found = provider::all().into_iter().find(|shape| shape.name() == name);
    found.ok_or_else(|| invalid(format!("expected a provider, got `{name}`: {}", providers().join(", "))))
}

/// The endpoints of these names; all if there are none.
fn endpoints(names: &[String]) -> Result<Vec<Endpoint>> {
    if names.is_empty() {
        return Ok(Endpoint::ALL.to_vec());
    }
    names.iter().map(|name| endpoint(name)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: std::io::Error) -> Error {
    Error::from_reason(format!("cannot listen on loopback: {error}"))
}

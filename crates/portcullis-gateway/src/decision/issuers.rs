//! The issuers of a configuration: keys, introspection, and the verifiers of their tokens.

use std::sync::Arc;

use portcullis::{
    ClientAuthentication, ConfigurationError, Exchanger, ExchangerBuilder, IntrospectedTokens, IntrospectionForm,
    Introspector, IntrospectorBuilder, IssuerRules, JwksBuilder, JwksService, ProtectedResource, ReqwestClient, Secure,
    TokenCacheSize, Verifier, VerifierBuilder,
};

use super::common_memory::{self, Common};
use crate::{
    config::{
        Client, Config, Exchange, Fetching, Introspection, Issuer, Keys, Resource, Secret, Store, without_secrets,
    },
    store::{RedisStore, StoreState},
};

/// The issuers of a configuration: keys, introspection, and the verifiers of their tokens.
///
/// A reload takes over what it does not change: keys, caches, and the state of failing servers.
#[derive(Clone)]
pub(crate) struct Issuers(Arc<Inner>);

struct Inner {
    asked: Asked,
    /// The verifier for requests to no resource.
    verifier: Verifier,
    /// A layer for each resource, without the rules of a route: tokens have to be for that resource.
    resources: Vec<Secure>,
    each: Vec<Served>,
    /// The connection to the store that gateways share.
    store: Option<RedisStore>,
}

/// The configuration of all issuers and of the resources; while it is the same, they stay.
#[derive(PartialEq)]
struct Asked {
    issuers: Vec<Issuer>,
    resources: Vec<Resource>,
    /// True if tokens are for a resource in any case.
    only_resources: bool,
    store: Option<Store>,
}

/// An issuer in service.
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) jwks: JwksService,
    pub(crate) introspector: Option<Introspector>,
    pub(crate) exchanger: Option<Exchanger>,
    /// The state of the shared store, if answers are shared.
    pub(crate) store: Option<StoreState>,
    /// True if tokens of this issuer can be judged without its keys.
    needs_no_keys: bool,
}

impl Served {
    /// Returns true if its tokens can be judged now.
    pub(crate) fn is_ready(&self) -> bool {
        self.needs_no_keys || self.jwks.ready()
    }
}

/// The reason why issuers cannot be served as configured.
#[derive(Debug)]
pub struct BuildError {
    pub(crate) issuer: Option<String>,
    pub(crate) problem: String,
}

impl Issuers {
    /// Builds the issuers, or takes those of `before` over where nothing changed.
    ///
    /// # Errors
    ///
    /// The part of the configuration that the library or the store refuses.
    pub(crate) fn new(config: &Config, before: Option<&Self>, common: Common<'_>) -> Result<Self, BuildError> {
        let asked = Asked {
            issuers: config.issuers.clone(),
            resources: config.resources.clone(),
            only_resources: config.has_only_resources(),
            store: config.store.clone(),
        };
        if let Some(before) = before.filter(|before| before.0.asked == asked) {
            return Ok(before.clone());
        }
        let store = shared_store(&asked, before)?;
        let serve = |issuer| serve(issuer, store.as_ref(), &asked, before, common);
        let each = asked.issuers.iter().map(serve).collect::<Result<Vec<_>, _>>()?;
        let verifier = verifier(&asked, &each)?;
        let resources =
            asked.resources.iter().map(|resource| secure(resource, &asked, &each)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner { asked, verifier, resources, each, store })))
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// Returns all verifiers: each has caches of its own.
    pub(crate) fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        std::iter::once(&self.0.verifier).chain(self.0.resources.iter().map(Secure::verifier))
    }

    /// Returns the layer of each resource, in the order of the configuration.
    pub(crate) fn resources(&self) -> &[Secure] {
        &self.0.resources
    }

    /// Returns the caches of all verifiers, by kind: the number of tokens, and of bytes.
    pub(crate) fn caches(&self) -> [(&'static str, (usize, usize)); 2] {
        let sum = |size: fn(&Verifier) -> TokenCacheSize| {
            self.verifiers().map(size).fold((0, 0), |(tokens, bytes), size| (tokens + size.tokens, bytes + size.bytes))
        };
        [("jwt", sum(Verifier::token_cache_size)), ("opaque", sum(Verifier::opaque_cache_size))]
    }

    pub(crate) fn each(&self) -> &[Served] {
        &self.0.each
    }

    /// Returns the store that gateways share.
    pub(crate) fn store(&self) -> Option<&RedisStore> {
        self.0.store.as_ref()
    }

    /// Fetches all missing keys at once, so that no request has to wait.
    pub(crate) async fn prefetch(&self) {
        let mut fetches = tokio::task::JoinSet::new();
        for served in &self.0.each {
            let jwks = served.jwks.clone();
            // A failure is logged and shown in the status; requests try again.
            fetches.spawn(async move { drop(jwks.prefetch().await) });
        }
        fetches.join_all().await;
    }

    /// Returns the key service of an issuer that was served before from the same place.
    fn keys_of(&self, issuer: &Issuer) -> Option<JwksService> {
        let same = |before: &Issuer| {
            before.name == issuer.name
                && before.keys == issuer.keys
                && before.key_uses == issuer.key_uses
                && before.fetching == issuer.fetching
                && before.dangerously_allow_http == issuer.dangerously_allow_http
        };
        let position = self.0.asked.issuers.iter().position(same)?;
        self.0.each.get(position).map(|served| served.jwks.clone())
    }
}

/// Connects to the store, or takes the connection over.
fn shared_store(asked: &Asked, before: Option<&Issuers>) -> Result<Option<RedisStore>, BuildError> {
    let before = before.filter(|before| before.0.asked.store == asked.store);
    match (before, &asked.store) {
        (Some(before), _) => Ok(before.0.store.clone()),
        (None, Some(store)) => {
            let refused = |error| BuildError { issuer: None, problem: told(&error) };
            RedisStore::new(store).map(Some).map_err(refused)
        }
        (None, None) => Ok(None),
    }
}

fn serve(
    issuer: &Issuer,
    store: Option<&RedisStore>,
    asked: &Asked,
    before: Option<&Issuers>,
    common: Common<'_>,
) -> Result<Served, BuildError> {
    let kept = before.and_then(|before| before.keys_of(issuer));
    let jwks = kept.map_or_else(|| keys(issuer, common), Ok).map_err(|error| of_issuer(issuer, &error))?;
    let secret = asked.store.as_ref().map(|store| &store.secret);
    let shared = store.zip(secret).filter(|_| issuer.introspection.is_some() || issuer.exchange.is_some());
    let introspector =
        issuer.introspection.as_ref().map(|introspection| introspector(issuer, introspection, shared)).transpose()?;
    let mut served =
        Served { name: issuer.name.clone(), jwks, introspector, exchanger: None, store: None, needs_no_keys: false };
    served.exchanger = issuer.exchange.as_ref().map(|asked| exchanger(issuer, asked, &served, shared)).transpose()?;
    served.store = shared.map(|(store, _)| store.state());
    // JWTs that are not introspected need the keys, and so do signed responses.
    served.needs_no_keys = issuer
        .introspection
        .as_ref()
        .is_some_and(|asked| asked.form == IntrospectionForm::Json && matches!(asked.tokens, IntrospectedTokens::All));
    Ok(served)
}

fn keys(issuer: &Issuer, common: Common<'_>) -> Result<JwksService, ConfigurationError> {
    let builder = match &issuer.keys {
        Keys::Local { text, .. } => return JwksService::from_text_for(text, &issuer.key_uses),
        Keys::Uri(uri) => JwksService::builder(uri),
        Keys::Discovery => JwksService::discover(&issuer.name),
    };
    let Fetching {
        timeout,
        max_age,
        max_stale,
        request_fields,
        authorities,
        bearer_token_file,
        max_keys,
        max_document_bytes,
        max_tenants,
    } = &issuer.fetching;
    let add = |builder: JwksBuilder, (name, value): &(String, Secret)| builder.header_field(name, value.reveal());
    let builder = request_fields
        .iter()
        .fold(builder, add)
        .key_uses(&issuer.key_uses)
        .with(*timeout, JwksBuilder::timeout)
        .with(*max_age, JwksBuilder::max_age)
        .with(*max_stale, JwksBuilder::max_stale)
        .with(authorities.as_deref(), JwksBuilder::ca_pem)
        .with(bearer_token_file.as_deref(), JwksBuilder::bearer_token_file)
        .with(*max_keys, JwksBuilder::max_keys)
        .with(*max_document_bytes, JwksBuilder::max_document_bytes)
        .with(*max_tenants, JwksBuilder::max_tenants);
    let builder = common_memory::keeping(builder, issuer, common);
    if issuer.dangerously_allow_http { builder.dangerously_allow_http().build() } else { builder.build() }
}

fn introspector(
    issuer: &Issuer,
    asked: &Introspection,
    shared: Option<(&RedisStore, &Secret)>,
) -> Result<Introspector, BuildError> {
    let refused = |error: &ConfigurationError| of_issuer(issuer, error);
    let client = authentication(&asked.client_id, &asked.client).map_err(|error| refused(&error))?;
    let mut builder = Introspector::builder(&asked.endpoint, client).form(asked.form).introspect(asked.tokens.clone());
    builder = match (&asked.client, &issuer.fetching.authorities) {
        (Client::Tls { certificate_pem, key_pem }, _) => {
            builder.http_client(client_with(certificate_pem, key_pem.reveal(), issuer)?)
        }
        (_, Some(authorities)) => builder.ca_pem(authorities.as_bytes()),
        (_, None) => builder,
    };
    if let Client::PrivateKeyJwt { audience, .. } = &asked.client {
        builder = builder.with(audience.as_deref(), IntrospectorBuilder::assertion_audience);
    }
    builder = builder
        .with(asked.timeout, IntrospectorBuilder::timeout)
        .with(asked.keep_for, IntrospectorBuilder::keep_for)
        .with(asked.cache_bytes, IntrospectorBuilder::cache_bytes)
        .with(asked.remember_refusals_for, IntrospectorBuilder::remember_refusals_for)
        .with(asked.remember_refusals, IntrospectorBuilder::remember_refusals)
        .with(asked.max_questions, IntrospectorBuilder::max_questions)
        .with(asked.max_answer_bytes, IntrospectorBuilder::max_answer_bytes)
        .with(asked.max_answer_age, IntrospectorBuilder::max_answer_age);
    if issuer.dangerously_allow_http {
        builder = builder.dangerously_allow_http();
    }
    if let Some((store, secret)) = shared {
        let store = store.for_answers_of(asked.max_answer_bytes.unwrap_or_default());
        builder = builder.store(store, secret.reveal().as_bytes());
    }
    builder.build().map_err(|error| refused(&error))
}

fn exchanger(
    issuer: &Issuer,
    asked: &Exchange,
    served: &Served,
    shared: Option<(&RedisStore, &Secret)>,
) -> Result<Exchanger, BuildError> {
    let refused = |error: &ConfigurationError| of_issuer(issuer, error);
    let client = authentication(&asked.client_id, &asked.client).map_err(|error| refused(&error))?;
    let rules = builder(served, issuer.rules.clone());
    let mut builder = match &asked.endpoint {
        Some(endpoint) => Exchanger::builder(endpoint, client, rules),
        None => Exchanger::discover(client, rules),
    };
    builder = match (&asked.client, &issuer.fetching.authorities) {
        (Client::Tls { certificate_pem, key_pem }, _) => {
            builder.http_client(client_with(certificate_pem, key_pem.reveal(), issuer)?)
        }
        (_, Some(authorities)) => builder.ca_pem(authorities.as_bytes()),
        (_, None) => builder,
    };
    if let Client::PrivateKeyJwt { audience, .. } = &asked.client {
        builder = builder.with(audience.as_deref(), ExchangerBuilder::assertion_audience);
    }
    builder = builder
        .with(asked.timeout, ExchangerBuilder::timeout)
        .with(asked.keep_for, ExchangerBuilder::keep_for)
        .with(asked.cache_bytes, ExchangerBuilder::cache_bytes)
        .with(asked.remember_refusals_for, ExchangerBuilder::remember_refusals_for)
        .with(asked.max_questions, ExchangerBuilder::max_questions)
        .with(asked.max_answer_bytes, ExchangerBuilder::max_answer_bytes)
        .with(asked.may_outlive, ExchangerBuilder::may_outlive);
    if issuer.dangerously_allow_http {
        builder = builder.dangerously_allow_http();
    }
    if asked.dangerously_accept_unverified_tokens {
        builder = builder.dangerously_accept_unverified_tokens();
    }
    if asked.dangerously_accept_other_subjects {
        builder = builder.dangerously_accept_other_subjects();
    }
    if let Some((store, secret)) = shared {
        let store = store.for_answers_of(asked.max_answer_bytes.unwrap_or_default());
        builder = builder.store(store, secret.reveal().as_bytes());
    }
    builder.build().map_err(|error| refused(&error))
}

fn authentication(id: &str, client: &Client) -> Result<ClientAuthentication, ConfigurationError> {
    let id = id.to_owned();
    match client {
        Client::Basic(secret) => Ok(ClientAuthentication::basic(id, secret.reveal())),
        Client::Post(secret) => Ok(ClientAuthentication::post(id, secret.reveal())),
        Client::PrivateKeyJwt { algorithm, key_pem, kid, .. } => {
            ClientAuthentication::private_key_jwt(id, key_pem.reveal(), kid.as_deref(), Some(*algorithm))
        }
        Client::Tls { .. } => Ok(ClientAuthentication::tls(id)),
        Client::None => Ok(ClientAuthentication::none()),
    }
}

/// Builds a client with a certificate (RFC 8705 section 2).
fn client_with(certificate: &str, key: &str, issuer: &Issuer) -> Result<ReqwestClient, BuildError> {
    let refused = |problem: String| BuildError { issuer: Some(issuer.name.clone()), problem };
    let identity = reqwest::Identity::from_pem(format!("{certificate}\n{key}").as_bytes())
        .map_err(|_| refused("expected a certificate and its key in PEM for introspection, got others".to_owned()))?;
    let authorities =
        reqwest::Certificate::from_pem_bundle(issuer.fetching.authorities.as_deref().unwrap_or_default().as_bytes())
            .map_err(|_| refused("expected certificates in PEM in `ca_file`, got an unreadable file".to_owned()))?;
    let builder = reqwest::Client::builder().identity(identity).tls_certs_merge(authorities);
    ReqwestClient::with_checked_names(builder).map_err(|error| refused(told(&error)))
}

fn verifier(asked: &Asked, each: &[Served]) -> Result<Verifier, BuildError> {
    let of_resources = || asked.resources.iter().flat_map(|resource| resource.audience.clone()).collect();
    let builders = asked.issuers.iter().zip(each).map(|(issuer, served)| {
        let mut rules = issuer.rules.clone();
        if asked.only_resources {
            rules.audience = of_resources();
        }
        builder(served, rules)
    });
    let built = match <[_; 1]>::try_from(builders.collect::<Vec<_>>()) {
        Ok([only]) => only.build(),
        Err(several) => Verifier::any_of(several),
    };
    built.map_err(|error| BuildError { issuer: None, problem: told(&error) })
}

/// Makes the layer of a resource: of its issuers, only tokens with its audience pass.
fn secure(resource: &Resource, asked: &Asked, each: &[Served]) -> Result<Secure, BuildError> {
    let is_its = |issuer: &Issuer| resource.issuers.is_empty() || resource.issuers.contains(&issuer.name);
    let its = asked.issuers.iter().zip(each).filter(|(issuer, _)| is_its(issuer));
    let described = its.fold(ProtectedResource::new(&resource.rules.resource), |described, (issuer, served)| {
        let mut rules = issuer.rules.clone();
        rules.audience.clone_from(&resource.audience);
        described.issuer(builder(served, rules))
    });
    Secure::protecting(described.rules(resource.rules.clone())).map_err(|error| BuildError {
        issuer: None,
        problem: format!("resource {}: {}", without_secrets(&resource.rules.resource), told(&error)),
    })
}

fn builder(served: &Served, rules: IssuerRules) -> VerifierBuilder {
    let builder = Verifier::builder(served.jwks.clone()).rules(rules);
    builder.with(served.introspector.clone(), VerifierBuilder::introspection)
}

/// Sets an option of a builder only if it is configured; else the library's default holds.
trait With: Sized {
    fn with<T>(self, value: Option<T>, set: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => set(self, value),
            None => self,
        }
    }
}

impl With for JwksBuilder {}
impl With for ExchangerBuilder {}
impl With for IntrospectorBuilder {}
impl With for VerifierBuilder {}

fn of_issuer(issuer: &Issuer, error: &ConfigurationError) -> BuildError {
    BuildError { issuer: Some(issuer.name.clone()), problem: told(error) }
}

/// Returns an error with its sources.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.issuer {
            Some(issuer) => write!(f, "issuer {}: {}", without_secrets(issuer), self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for BuildError {}

impl miette::Diagnostic for BuildError {}

//! The options that endpoints of an authorization server have in common: [`EndpointOptions`].

use std::{collections::BTreeMap, time::Duration};

use napi::Result;
use portcullis::{Algorithm, ClientAuthentication, EndpointStatus};
use serde::Deserialize;
use serde_json::json;

use crate::options::{invalid, seconds, unusable};

/// The options of a client at an endpoint, for the questions that it asks there and the answers that it keeps.
///
/// The times are in seconds, by the names of options.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct EndpointOptions {
    pub(crate) client: ClientOptions,
    pub(crate) times: BTreeMap<String, f64>,
    pub(crate) max_questions: Option<usize>,
    pub(crate) max_answer_bytes: Option<usize>,
    pub(crate) cache_bytes: Option<usize>,
    pub(crate) dangerously_allow_http: bool,
}

/// The authentication of the client.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClientOptions {
    client_id: Option<String>,
    client_secret: Option<String>,
    authentication: Authentication,
    private_key: Option<String>,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    /// The audience of assertions, if it is not the endpoint.
    pub(crate) assertion_audience: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Authentication {
    #[default]
    Basic,
    Post,
    PrivateKeyJwt,
    Tls,
    None,
}

impl EndpointOptions {
    /// Returns the duration of this name, if it is set.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Duration>> {
        self.times.get(name).map(|value| seconds(name, *value)).transpose()
    }
}

impl ClientOptions {
    pub(crate) fn authentication(&self) -> Result<ClientAuthentication> {
        use Authentication::{Basic, None, Post, PrivateKeyJwt, Tls};
        self.refuse_unused()?;
        let id = || required("clientId", self.client_id.as_deref());
        let secret = || required("clientSecret", self.client_secret.as_deref());
        match self.authentication {
            Basic => Ok(ClientAuthentication::basic(id()?, secret()?)),
            Post => Ok(ClientAuthentication::post(id()?, secret()?)),
            Tls => Ok(ClientAuthentication::tls(id()?)),
            None => Ok(ClientAuthentication::none()),
            PrivateKeyJwt => {
                let key = required("privateKey", self.private_key.as_deref())?;
                ClientAuthentication::private_key_jwt(id()?, key, self.kid.as_deref(), self.algorithm).map_err(unusable)
            }
        }
    }

    /// Refuses options of another authentication: they would have no effect.
    fn refuse_unused(&self) -> Result<()> {
        use Authentication::{Basic, None, Post, PrivateKeyJwt};
        let is = |these: &[Authentication]| these.contains(&self.authentication);
        let unused = [
            ("clientId", self.client_id.is_some() && is(&[None])),
            ("clientSecret", self.client_secret.is_some() && !is(&[Basic, Post])),
            ("privateKey", self.private_key.is_some() && !is(&[PrivateKeyJwt])),
            ("kid", self.kid.is_some() && !is(&[PrivateKeyJwt])),
            ("algorithm", self.algorithm.is_some() && !is(&[PrivateKeyJwt])),
            ("assertionAudience", self.assertion_audience.is_some() && !is(&[PrivateKeyJwt])),
        ];
        match unused.iter().find(|(_, is_unused)| *is_unused) {
            Some((name, _)) => Err(invalid(format!(
                "expected no `{name}` with this authentication, got one: change `authentication`, or leave `{name}` out"
            ))),
            Option::None => Ok(()),
        }
    }
}

fn required<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| invalid(format!("expected `{name}` for this authentication, got none")))
}

/// Returns the builder of an introspector or exchanger with the options that they have in common. The two types have the same methods,
/// and no trait.
macro_rules! by_endpoint {
    ($builder:expr, $options:expr, $javascript:expr, $store_secret:expr, $clock:expr) => {{
        let (mut builder, options, javascript) = ($builder, $options, $javascript);
        builder = builder.http_client(JavaScriptClient(::std::sync::Arc::clone(&javascript)));
        if let Some(time) = options.time("timeout")? {
            builder = builder.timeout(time);
        }
        if let Some(time) = options.time("keepFor")? {
            builder = builder.keep_for(time);
        }
        if let Some(time) = options.time("rememberRefusalsFor")? {
            builder = builder.remember_refusals_for(time);
        }
        if let Some(most) = options.max_questions {
            builder = builder.max_questions(most);
        }
        if let Some(most) = options.max_answer_bytes {
            builder = builder.max_answer_bytes(most);
        }
        if let Some(most) = options.cache_bytes {
            builder = builder.cache_bytes(most);
        }
        if let Some(audience) = &options.client.assertion_audience {
            builder = builder.assertion_audience(audience);
        }
        if options.dangerously_allow_http {
            builder = builder.dangerously_allow_http();
        }
        if let Some(clock) = $clock {
            builder = builder.clock(clock.shared());
        }
        if let Some(secret) = $store_secret {
            builder = builder.store(JavaScriptTokenStore(javascript), secret);
        }
        builder
    }};
}

pub(crate) use by_endpoint;

/// Returns the state of an endpoint as JSON.
pub(crate) fn status(status: &EndpointStatus) -> String {
    json!({
        "endpoint": status.endpoint,
        "failures": status.failures,
        "retryAfter": status.retry_after.map(|time| time.as_secs_f64()),
        "lastError": status.last_error,
    })
    .to_string()
}

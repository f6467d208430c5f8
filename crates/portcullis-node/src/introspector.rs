//! Introspection of opaque tokens: [`Introspector`].

use std::sync::Arc;

use napi::{Result, bindgen_prelude::Function};
use napi_derive::napi;
use portcullis::{ClaimRule, IntrospectedTokens, IntrospectionForm};
use serde::Deserialize;

use crate::{
    clock::Clock,
    endpoint::{self, EndpointOptions, by_endpoint},
    javascript::{JavaScript, JavaScriptClient, JavaScriptTokenStore, Question},
    options::{self, unusable},
};

/// Asks an authorization server about opaque tokens (RFC 7662).
#[napi]
pub struct Introspector {
    pub(crate) introspector: portcullis::Introspector,
}

/// The options of an introspector.
#[derive(Deserialize)]
struct IntrospectorOptions {
    endpoint: EndpointOptions,
    form: Form,
    introspect: Introspect,
    remember_refusals: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Json,
    Jwt,
    Phantom,
}

/// The introspected tokens: a word, or rules for the claims of JWTs.
#[derive(Deserialize)]
struct Introspect {
    all: bool,
    jwts: Vec<ClaimRule>,
}

#[napi]
impl Introspector {
    /// Makes an introspector for an endpoint; `ask` sends its questions, and asks the shared store, whose entries are sealed with the
    /// secret, if there is one.
    #[napi(constructor)]
    pub fn new(
        url: String,
        options: String,
        ask: Function<'_, Question, ()>,
        store_secret: Option<&[u8]>,
        clock: Option<&Clock>,
    ) -> Result<Self> {
        let options: IntrospectorOptions = options::read(&options)?;
        let javascript = Arc::new(JavaScript::new(&ask)?);
        let endpoint = &options.endpoint;
        let builder = portcullis::Introspector::builder(&url, endpoint.client.authentication()?)
            .form(options.form.into())
            .introspect(options.introspect.into());
        let mut builder = by_endpoint!(builder, endpoint, javascript, store_secret, clock);
        if let Some(time) = endpoint.time("maxAnswerAge")? {
            builder = builder.max_answer_age(time);
        }
        if let Some(most) = options.remember_refusals {
            builder = builder.remember_refusals(most);
        }
        Ok(Self { introspector: builder.build().map_err(unusable)? })
    }

    /// The state of the endpoint, as JSON.
    #[napi]
    pub fn status(&self) -> String {
        endpoint::status(&self.introspector.status())
    }
}

impl From<Form> for IntrospectionForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Json => Self::Json,
            Form::Jwt => Self::Jwt,
            Form::Phantom => Self::Phantom,
        }
    }
}

impl From<Introspect> for IntrospectedTokens {
    fn from(Introspect { all, jwts }: Introspect) -> Self {
        match (all, jwts.is_empty()) {
            (true, _) => Self::All,
            (false, true) => Self::Opaque,
            (false, false) => Self::JwtsToo(jwts),
        }
    }
}

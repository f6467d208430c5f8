//! Token exchange: [`Exchanger`].

use std::sync::Arc;

use napi::{Result, bindgen_prelude::Function};
use napi_derive::napi;
use serde::Deserialize;

use crate::{
    clock::Clock,
    endpoint::{self, EndpointOptions},
    issuer::Issuer,
    javascript::{JavaScript, JavaScriptClient, JavaScriptTokenStore, Question},
    options::{self, unusable},
};

/// Exchanges tokens at an authorization server (RFC 8693).
#[napi]
pub struct Exchanger {
    pub(crate) exchanger: portcullis::Exchanger,
}

/// The options of an exchanger.
#[derive(Deserialize)]
struct ExchangerOptions {
    endpoint: EndpointOptions,
    subject_issuer: Option<String>,
    dangerously_accept_unverified_tokens: bool,
    dangerously_accept_other_subjects: bool,
}

#[napi]
impl Exchanger {
    /// Makes an exchanger for a token endpoint, by default the one in the issuer's metadata. Its tokens are verified as those of this
    /// issuer; `ask` sends its questions, and asks the shared store, whose entries are sealed with the secret, if there is one.
    #[napi(constructor)]
    pub fn new(
        url: Option<String>,
        issuer: &Issuer,
        options: String,
        ask: Function<'_, Question, ()>,
        store_secret: Option<&[u8]>,
        clock: Option<&Clock>,
    ) -> Result<Self> {
        let options: ExchangerOptions = options::read(&options)?;
        let javascript = Arc::new(JavaScript::new(&ask)?);
        let endpoint = &options.endpoint;
        let client = endpoint.client.authentication()?;
        let builder = match url {
            Some(url) => portcullis::Exchanger::builder(&url, client, issuer.builder()?),
            None => portcullis::Exchanger::discover(client, issuer.builder()?),
        };
        let mut builder = builder.http_client(JavaScriptClient(Arc::clone(&javascript)));
        if let Some(time) = endpoint.time("timeout")? {
            builder = builder.timeout(time);
        }
        if let Some(time) = endpoint.time("keepFor")? {
            builder = builder.keep_for(time);
        }
        if let Some(time) = endpoint.time("rememberRefusalsFor")? {
            builder = builder.remember_refusals_for(time);
        }
        if let Some(time) = endpoint.time("mayOutlive")? {
            builder = builder.may_outlive(time);
        }
        if let Some(most) = endpoint.max_questions {
            builder = builder.max_questions(most);
        }
        if let Some(most) = endpoint.max_answer_bytes {
            builder = builder.max_answer_bytes(most);
        }
        if let Some(most) = endpoint.cache_bytes {
            builder = builder.cache_bytes(most);
        }
        if let Some(audience) = &endpoint.client.assertion_audience {
            builder = builder.assertion_audience(audience);
        }
        if let Some(issuer) = options.subject_issuer {
            builder = builder.subject_issuer(issuer);
        }
        if endpoint.dangerously_allow_http {
            builder = builder.dangerously_allow_http();
        }
        if options.dangerously_accept_unverified_tokens {
            builder = builder.dangerously_accept_unverified_tokens();
        }
        if options.dangerously_accept_other_subjects {
            builder = builder.dangerously_accept_other_subjects();
        }
        if let Some(clock) = clock {
            builder = builder.clock(clock.shared());
        }
        if let Some(secret) = store_secret {
            builder = builder.store(JavaScriptTokenStore(javascript), secret);
        }
        Ok(Self { exchanger: builder.build().map_err(unusable)? })
    }

    /// The state of the endpoint, as JSON.
    #[napi]
    pub fn status(&self) -> String {
        endpoint::status(&self.exchanger.status())
    }
}

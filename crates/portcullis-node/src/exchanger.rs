//! Token exchange: [`Exchanger`].

use std::sync::Arc;

use napi::{Result, bindgen_prelude::Function};
use napi_derive::napi;
use serde::Deserialize;

use crate::{
    clock::Clock,
    endpoint::{self, EndpointOptions, by_endpoint},
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
        let mut builder = by_endpoint!(builder, endpoint, javascript, store_secret, clock);
        if let Some(time) = endpoint.time("mayOutlive")? {
            builder = builder.may_outlive(time);
        }
        if let Some(issuer) = options.subject_issuer {
            builder = builder.subject_issuer(issuer);
        }
        if options.dangerously_accept_unverified_tokens {
            builder = builder.dangerously_accept_unverified_tokens();
        }
        if options.dangerously_accept_other_subjects {
            builder = builder.dangerously_accept_other_subjects();
        }
        Ok(Self { exchanger: builder.build().map_err(unusable)? })
    }

    /// The state of the endpoint, as JSON.
    #[napi]
    pub fn status(&self) -> String {
        endpoint::status(&self.exchanger.status())
    }
}

//! How Envoy asks by gRPC (`envoy.service.auth.v3`), and how it is told.

mod answer;
mod codec;
mod metadata;
mod pieces;
mod service;

use std::collections::HashMap;

use envoy_types::{ext_authz::v3::pb::CheckRequest, pb::envoy::service::auth::v3::attribute_context::HttpRequest};

use crate::{
    decision::{Decider, Decision, Fault, Original},
    telemetry::TRACEPARENT,
};
use codec::Answer;

/// The name of the field that carries a token, as Envoy spells it.
const AUTHORIZATION: &str = "authorization";

/// Answers Envoy.
#[derive(Clone)]
pub(crate) struct ExtAuthz {
    decider: Decider,
    /// The largest check that is read.
    check_bytes: usize,
}

impl ExtAuthz {
    pub(crate) fn new(decider: Decider, check_bytes: usize) -> Self {
        Self { decider, check_bytes }
    }

    async fn check(&self, check: CheckRequest) -> Answer {
        let http = check.attributes.and_then(|attributes| attributes.request).and_then(|request| request.http);
        match http {
            Some(http) => match self.decide(&http).await.outcome {
                Ok(pass) => answer::passed(&pass, &self.forged(&http)),
                Err(refused) => answer::refused(refused),
            },
            None => answer::undescribed(self.decider.refuse(Fault::NoOriginalRequest, &NOTHING)),
        }
    }

    async fn decide(&self, request: &HttpRequest) -> Decision {
        let authorization = authorization(request);
        let original = Original {
            method: &request.method,
            target: &request.path,
            authorization: &authorization,
            traceparent: self.decider.traceparent(|| traceparent(request)),
        };
        match self.decider.decide_now(&original) {
            Some(decision) => decision,
            None => self.decider.decide(&original).await,
        }
    }

    /// What the client sent under names that only the gateway may set, however they are spelled.
    fn forged<'a>(&self, request: &'a HttpRequest) -> Vec<&'a str> {
        let gateway = self.decider.gateway();
        names(request).filter(|name| gateway.owns_header(name)).collect()
    }
}

/// A check that is about no HTTP request.
const NOTHING: Original<'static> = Original { method: "", target: "", authorization: &[], traceparent: None };

fn authorization(request: &HttpRequest) -> Vec<&[u8]> {
    fields(request, AUTHORIZATION)
}

/// The one `traceparent` field: two name no parent.
fn traceparent(request: &HttpRequest) -> Option<&str> {
    let [field] = *fields(request, TRACEPARENT) else { return None };
    std::str::from_utf8(field).ok()
}

/// The value of each field of a name: Envoy joins several with a comma, unless it is asked for raw ones.
fn fields<'a>(request: &'a HttpRequest, name: &str) -> Vec<&'a [u8]> {
    let Some(raw) = &request.header_map else {
        return request.headers.get(name).map(String::as_bytes).into_iter().collect();
    };
    let fields = raw.headers.iter().filter(|field| field.key.eq_ignore_ascii_case(name));
    fields.map(|field| if field.raw_value.is_empty() { field.value.as_bytes() } else { &field.raw_value }).collect()
}

fn names(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let raw = request.header_map.iter().flat_map(|map| map.headers.iter().map(|field| field.key.as_str()));
    HashMap::keys(&request.headers).map(String::as_str).chain(raw)
}

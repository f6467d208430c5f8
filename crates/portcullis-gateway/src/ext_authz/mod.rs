//! Envoy's checks by gRPC (`envoy.service.auth.v3`), and their answers. Only trusted peers are answered.

mod answer;
mod codec;
mod content;
mod metadata;
mod pieces;
mod service;
mod slim;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use arc_swap::Guard;
use envoy_types::{
    ext_authz::v3::pb::{CheckRequest, HeaderValue},
    pb::envoy::{
        config::core::v3::address::Address,
        service::auth::v3::attribute_context::{HttpRequest, Peer},
    },
};
use http::HeaderName;
use portcullis::{ClientAddress, HeaderFields};

use crate::{
    decision::{CertificateIn, Decider, Deciding, Decision, Door, Fault, Gateway, Original, leads_past_us},
    listener::Peer as Connected,
    routes::Overrides,
};
use codec::Answer;
use content::content;

/// The name of the field that carries a token, as Envoy spells it.
const AUTHORIZATION: &str = "authorization";

/// The key of `context_extensions` by which Envoy's configuration chooses a route.
const ROUTE: &str = "portcullis_route";

/// The name of the field that names hop-by-hop fields.
const CONNECTION: &str = "connection";

/// The name of the field that asks for another protocol on the same connection.
const UPGRADE: &str = "upgrade";

/// Answers Envoy on one connection.
#[derive(Clone)]
pub(crate) struct ExtAuthz {
    decider: Decider,
    peer: IpAddr,
    /// The size limit of a check.
    check_bytes: usize,
}

impl ExtAuthz {
    pub(crate) fn new(decider: Decider, peer: Connected, check_bytes: usize) -> Self {
        Self { decider, peer: peer.address.ip(), check_bytes }
    }

    async fn check(&self, check: CheckRequest) -> Answer {
        let gateway = self.decider.gateway();
        if let Some(refused) = self.decider.refuse_stranger(&gateway, self.peer) {
            return answer::undescribed(refused);
        }
        let attributes = check.attributes.unwrap_or_default();
        let source = attributes.source.unwrap_or_default();
        let client = client(&source);
        let Some(mut http) = attributes.request.and_then(|request| request.http) else {
            let refused = self.decider.refuse(&gateway, &Fault::NoOriginalRequest, &Original::NOTHING);
            return answer::undescribed(refused);
        };
        let route = attributes.context_extensions.get(ROUTE).map(String::as_str);
        let deciding = self.decide(&gateway, &http, route, &source.certificate);
        drop(source);
        match deciding {
            Deciding::Done(decision) => told(&gateway, &http, decision),
            Deciding::Waits(waiting) => {
                let gateway = Guard::into_inner(gateway);
                // It has been judged; the rest may have to wait.
                http.raw_body = Vec::new();
                told(&gateway, &http, waiting.decision(client).await)
            }
        }
    }

    fn decide(&self, gateway: &Arc<Gateway>, http: &HttpRequest, route: Option<&str>, certificate: &str) -> Deciding {
        let client = Fields(http);
        let original = Original {
            method: &http.method,
            target: &http.path,
            host: (!http.host.is_empty()).then_some(&*http.host),
            scheme: (!http.scheme.is_empty()).then_some(&*http.scheme),
            overriding: overriding(http),
            route,
            fields: &client,
            content: content(http),
            certificate: match gateway.certificate_field(Door::ExtAuthz) {
                Some(field) => CertificateIn::Field(field),
                None => CertificateIn::Check(certificate),
            },
            before: None,
            traceparent: self.decider.traceparent(&client),
        };
        let is_hop_by_hop = fields(http, CONNECTION).iter().any(|connection| gateway.is_dropped_by(connection))
            || fields(http, UPGRADE).iter().any(|upgrade| leads_past_us(upgrade));
        match is_hop_by_hop {
            true => Deciding::Done(self.decider.refuse(gateway, &Fault::HopByHopHeader, &original)),
            false => self.decider.decide(gateway, &original),
        }
    }
}

fn told(gateway: &Gateway, request: &HttpRequest, decision: Decision) -> Answer {
    match decision.outcome {
        Ok(pass) => answer::passed(&pass, &forged(gateway, request)),
        Err(refused) => answer::refused(refused),
    }
}

/// Returns the client's fields under names that only the gateway may set, in any spelling.
fn forged<'a>(gateway: &Gateway, request: &'a HttpRequest) -> Vec<&'a str> {
    names(request).filter(|name| gateway.owns_header(name)).collect()
}

/// Returns the client, by the address that Envoy takes for its own: clients that wait are served in turn.
fn client(source: &Peer) -> Option<ClientAddress> {
    match source.address.as_ref()?.address.as_ref()? {
        Address::SocketAddress(socket) => socket.address.parse::<IpAddr>().ok().map(Into::into),
        _ => None,
    }
}

/// Returns the method or path by which fields override those of the request line.
fn overriding(request: &HttpRequest) -> Overrides<'_> {
    let Some(raw) = &request.header_map else {
        let fields = request.headers.iter();
        return fields.fold(Overrides::NOTHING, |before, (name, value)| before.and(name, value.as_bytes()));
    };
    raw.headers.iter().fold(Overrides::NOTHING, |before, field| before.and(&field.key, value(field)))
}

/// The header fields of a request. Envoy joins several of a name with a comma, unless it is configured to send raw
/// ones.
struct Fields<'a>(&'a HttpRequest);

impl HeaderFields for Fields<'_> {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        each(self.0, name.as_str(), visit);
    }
}

fn each<'a>(request: &'a HttpRequest, name: &str, visit: impl FnMut(&'a [u8])) {
    match &request.header_map {
        None => request.headers.get(name).map(String::as_bytes).into_iter().for_each(visit),
        Some(raw) => {
            raw.headers.iter().filter(|field| field.key.eq_ignore_ascii_case(name)).map(value).for_each(visit);
        }
    }
}

/// Returns the value of each field of a name.
fn fields<'a>(request: &'a HttpRequest, name: &str) -> Vec<&'a [u8]> {
    let mut values = Vec::new();
    each(request, name, |value| values.push(value));
    values
}

fn value(field: &HeaderValue) -> &[u8] {
    if field.raw_value.is_empty() { field.value.as_bytes() } else { &field.raw_value }
}

fn names(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let raw = request.header_map.iter().flat_map(|map| map.headers.iter().map(|field| field.key.as_str()));
    HashMap::keys(&request.headers).map(String::as_str).chain(raw)
}

//! The questions of nginx, Traefik, Caddy and Envoy by HTTP, and the answers.
//!
//! A proxy requests `/auth` and describes the client's request in header fields; Envoy appends the client's path to
//! `/auth`. Any other path is the original request itself, so that a token can be tried with curl. The answer to a
//! request that may pass is 200, with the header fields for the upstream; any other answer is the response for the
//! client. The metadata of protected resources are at their own paths. Only trusted peers are answered.

mod client;
mod metadata;
mod question;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, net::IpAddr};

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CACHE_CONTROL, COOKIE},
};
use http_body_util::Full;
use portcullis::{ClientCertificate, Content};

use crate::{
    answering::{Answer, Answering},
    decision::{Authorization, CertificateIn, DPOP_NONCE, Decider, Deciding, Decision, Door, Gateway, Original, Pass},
    listener::Peer,
    routes::Overrides,
};
use question::{Described, Form, Question};

/// The mark of an answer to a request whose own `Authorization` may reach the upstream, although nobody judged it.
const UNJUDGED: HeaderName = HeaderName::from_static("portcullis-unjudged");

/// Answers on one connection.
#[derive(Clone)]
pub(crate) struct ForwardAuth {
    decider: Decider,
    peer: IpAddr,
    /// The certificate of the connection.
    certificate: Option<ClientCertificate>,
}

impl ForwardAuth {
    pub(crate) fn new(decider: Decider, peer: Peer) -> Self {
        Self { decider, peer: peer.address.ip(), certificate: peer.certificate }
    }
}

impl<B: Send + 'static> hyper::service::Service<Request<B>> for ForwardAuth {
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<B>) -> Self::Future {
        // The body has no part in a decision.
        let (head, _) = request.into_parts();
        let gateway = self.decider.gateway();
        if let Some(refused) = self.decider.refuse_stranger(&gateway, self.peer) {
            return Answering::now(told(refused, Sent::default()));
        }
        if let Some(metadata) = metadata::answer(&gateway, &head) {
            return Answering::now(metadata);
        }
        let (original, form) = match self.original(&gateway, &head) {
            Ok(original) => original,
            Err(refused) => return Answering::now(told(*refused, Sent::default())),
        };
        // Envoy leaves the client's field where the answer has none.
        let cookies = if form == Form::Appended { None } else { cookies(&gateway, &head.headers) };
        let sent = Sent { authorization: head.headers.get(AUTHORIZATION), cookies, form };
        match self.decider.decide(&gateway, &original) {
            Deciding::Done(decision) => Answering::now(told(decision, sent)),
            Deciding::Waits(waiting) => {
                let client = client::address(&head.headers, self.peer, gateway.reads_forwarded(), |address| {
                    gateway.trusts(address)
                });
                let (authorization, cookies) = (sent.authorization.cloned(), sent.cookies);
                Answering::later(async move {
                    let decision = waiting.decision(client.map(Into::into)).await;
                    told(decision, Sent { authorization: authorization.as_ref(), cookies, form })
                })
            }
        }
    }
}

impl ForwardAuth {
    fn original<'a>(
        &self,
        gateway: &'a Gateway,
        head: &'a http::request::Parts,
    ) -> Result<(Original<'a>, Form), Box<Decision>> {
        let described = Question { head, gateway }.original();
        let Described { method, target, host, scheme, form } = described.as_ref().copied().unwrap_or_default();
        let traceparent = self.decider.traceparent(&head.headers);
        let overriding = overriding(&head.headers);
        let (fields, content) = (&head.headers, Content::Unseen);
        let certificate = self.certificate(gateway, form);
        let (route, before) = (None, None);
        let original = Original {
            method,
            target,
            host,
            scheme,
            overriding,
            route,
            fields,
            content,
            certificate,
            before,
            traceparent,
        };
        described.map(|_| (original, form)).map_err(|fault| Box::new(self.decider.refuse(gateway, &fault, &original)))
    }

    /// Returns the place of the client's certificate. That of the connection is the proxy's, unless the client itself asks.
    fn certificate<'a>(&self, gateway: &'a Gateway, form: Form) -> CertificateIn<'a> {
        match (gateway.certificate_field(Door::ForwardAuth), self.certificate) {
            (Some(field), _) => CertificateIn::Field(field),
            (None, Some(certificate)) if form == Form::Itself => CertificateIn::Connection(certificate),
            (None, _) => CertificateIn::Nothing,
        }
    }
}

/// Returns the method or path by which fields override those of the request line. `X-Original-URL` is not among them:
/// it is part of a proxy's description, or absent.
fn overriding(headers: &HeaderMap) -> Overrides<'_> {
    let fields = headers.iter().filter(|(name, _)| *name != question::ORIGINAL_URL);
    fields.fold(Overrides::NOTHING, |before, (name, value)| before.and(name.as_str(), value.as_bytes()))
}

/// The client's fields that an answer repeats: a proxy drops a field that it copies from the answer and does not find there.
#[derive(Default)]
struct Sent<'a> {
    authorization: Option<&'a HeaderValue>,
    /// All cookies in one field; none where no token comes in a cookie, so that proxies do not copy the field.
    cookies: Option<HeaderValue>,
    form: Form,
}

/// Returns the cookies of a request in one field, if proxies copy that.
fn cookies(gateway: &Gateway, headers: &HeaderMap) -> Option<HeaderValue> {
    if !gateway.moves_cookies() {
        return None;
    }
    let mut fields = headers.get_all(COOKIE).iter();
    match (fields.next()?, fields.next()) {
        (only, None) => Some(only.clone()),
        _ => {
            let all: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
            HeaderValue::from_bytes(&all.join(&b"; "[..])).ok()
        }
    }
}

/// Makes the answer to the proxy.
fn told(decision: Decision, sent: Sent<'_>) -> Answer {
    let mut answer = match decision.outcome {
        Ok(pass) => passed(pass, sent),
        Err(refused) => refused.response.map(Full::new),
    };
    // A proxy that caches answers needs its own configuration for that.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Makes the answer of a pass. It sets each field of the gateway, some to an empty value: a field that the proxy copies
/// replaces the client's.
fn passed(pass: Pass, sent: Sent<'_>) -> Answer {
    let mut answer = Response::new(Full::default());
    let headers = answer.headers_mut();
    for (name, value) in pass.headers {
        headers.insert(name, value.unwrap_or(const { HeaderValue::from_static("") }));
    }
    if let Some(cookies) = sent.cookies {
        headers.entry(COOKIE).or_insert(cookies);
    }
    // Traefik and Caddy drop the client's field unless it is repeated. One that was not judged is not repeated: it may
    // have any size, and a proxy that cannot take in the answer would mark the gateway as failing.
    let authorization = match pass.authorization {
        Authorization::AsSent if pass.access.is_some() => sent.authorization.cloned(),
        Authorization::AsSent => {
            headers.insert(UNJUDGED, const { HeaderValue::from_static("1") });
            None
        }
        Authorization::Replaced(authorization) => Some(authorization),
        // Envoy leaves the client's field unless it is told another value.
        Authorization::Removed => (sent.form == Form::Appended).then_some(const { HeaderValue::from_static("") }),
    };
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization);
    }
    if let Some(nonce) = pass.dpop_nonce {
        headers.insert(DPOP_NONCE, nonce);
    }
    answer
}

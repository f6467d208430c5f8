//! The admin listener: health, metrics, status and console for operators.
//!
//! | path | answer |
//! |---|---|
//! | `/` | an index of the others |
//! | `/healthz` | 200 as long as the process serves |
//! | `/readyz` | 200 if every issuer has keys and the gateway is not draining, else 503; JSON says what is missing |
//! | `/metrics` | metrics for Prometheus |
//! | `/status` | the state of issuers, caches and store, as JSON |
//! | `/console` | a page of all this, if the configuration enables it |
//!
//! All but the two probes must be requested by an address or a known name (`host.rs`).

mod console;
mod host;
#[cfg(test)]
mod tests;

pub(crate) use console::Console;
pub(crate) use host::Hosts;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use http_body::Body;
use http_body_util::Full;
use hyper::service::Service;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

use crate::{
    answering::{Answer, Answering},
    terminal::escaped,
};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const INDEX: &str = "portcullis\n\n/healthz  is it alive\n/readyz   can it decide\n/metrics  for Prometheus\n/status   as JSON\n\
     /console  for people, with `console = true`\n";

/// The view of the gateway that the admin listener may show. It holds no secret, token or claim.
pub(crate) trait Observed: Send + Sync + 'static {
    /// Returns the gateway's readiness for requests.
    fn readiness(&self) -> Readiness;
    /// Returns the state of the gateway, for people and their tools.
    fn status(&self) -> Value;
    /// Sets the gauges that are computed on request.
    fn refresh_gauges(&self);
}

/// The gateway's readiness for requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// True once the gateway is about to end.
    pub(crate) draining: bool,
    /// The issuers whose tokens cannot be judged now.
    pub(crate) issuers_without_keys: Vec<String>,
}

/// The service of the admin listener.
#[derive(Clone)]
pub(crate) struct Admin {
    observed: Arc<dyn Observed>,
    metrics: PrometheusHandle,
    console: Option<Console>,
    hosts: Hosts,
}

impl Admin {
    /// Serves the state of `observed`, and the metrics.
    pub(crate) fn new(observed: Arc<dyn Observed>, metrics: PrometheusHandle, console: Option<Console>) -> Self {
        Self { observed, metrics, console, hosts: Hosts::default() }
    }

    /// Accepts these names as the requested host, too.
    pub(crate) fn named(self, hosts: Hosts) -> Self {
        Self { hosts, ..self }
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let page = match path {
            "/" | "/healthz" | "/readyz" | "/metrics" | "/status" => path,
            _ => return response(StatusCode::NOT_FOUND, TEXT, "not found\n"),
        };
        match *method {
            Method::GET => self.page(page),
            Method::HEAD => without_body(self.page(page)),
            _ => not_allowed(),
        }
    }

    fn page(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/healthz" => response(StatusCode::OK, TEXT, "ok"),
            "/readyz" => on_readiness(&self.observed.readiness()),
            "/metrics" => {
                self.observed.refresh_gauges();
                response(StatusCode::OK, PROMETHEUS, self.metrics.render())
            }
            "/status" => response(StatusCode::OK, JSON, escaped(&format!("{:#}\n", self.observed.status()))),
            _ => response(StatusCode::OK, TEXT, INDEX),
        }
    }
}

impl<B> Service<Request<B>> for Admin
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<B>) -> Self::Future {
        if !self.hosts.have(request.headers(), request.uri()) {
            if is_probe(request.uri().path()) {
                // Process supervisors may use any name, and get the status alone.
                let status = self.answer(request.method(), request.uri().path()).status();
                return Answering::now(response(status, TEXT, ""));
            }
            let text =
                "expected a host that is an address, localhost or a name in admin_hosts, got another: add it there\n";
            return Answering::now(response(StatusCode::MISDIRECTED_REQUEST, TEXT, text));
        }
        match &self.console {
            Some(console) if Console::has(request.uri().path()) => console.answer(request, self.observed.as_ref()),
            _ => Answering::now(self.answer(request.method(), request.uri().path())),
        }
    }
}

impl Readiness {
    /// Returns true if requests should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        !self.draining && self.issuers_without_keys.is_empty()
    }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

fn on_readiness(readiness: &Readiness) -> Response<Full<Bytes>> {
    let ready = readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "draining": readiness.draining,
        "issuers_without_keys": readiness.issuers_without_keys,
    });
    response(status, JSON, format!("{body}\n"))
}

fn not_allowed() -> Response<Full<Bytes>> {
    let mut response = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Turns the response to a GET into that to a HEAD (RFC 9110 section 9.3.2).
fn without_body(response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.map(|_| Full::default())
}

//! The export of spans to the collector: OTLP over HTTP, by the HTTP client of all other fetches.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use metrics::counter;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use portcullis::is_this_machine;
use reqwest::{Client, redirect::Policy};
use tokio::runtime::Handle;
use url::Url;

use crate::telemetry::names;

/// The time limit of an export, including retries.
const EXPORT_TIME: Duration = Duration::from_secs(5);
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// The longest answer of a collector that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 << 10;

/// The reason why there can be no client for the collector.
#[derive(Debug)]
pub(crate) enum CollectorError {
    Client(reqwest::Error),
    Exporter(ExporterBuildError),
}

/// The `User-Agent` of each export, like that of all other requests.
const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// Makes an exporter to this URL; the variables `OTEL_EXPORTER_OTLP_HEADERS` and the like apply, too.
pub(super) fn exporter(endpoint: &Url) -> Result<SpanExporter, CollectorError> {
    SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(endpoint).map_err(CollectorError::Client)?)
        .with_endpoint(endpoint.as_str())
        // Spelled as the exporter spells its own, which this replaces.
        .with_headers([("User-Agent".to_owned(), USER_AGENT.to_owned())].into())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIME)
        .build()
        .map_err(CollectorError::Exporter)
}

/// A client that sends from the runtime, since the exporting thread has none; logs once that the collector fails.
#[derive(Debug)]
struct Sender {
    client: Client,
    runtime: Handle,
    failing: AtomicBool,
}

impl Sender {
    fn new(endpoint: &Url) -> Result<Self, reqwest::Error> {
        let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIME).timeout(EXPORT_TIME);
        // Loopback is reached directly, past any proxy of the environment.
        let is_here = is_this_machine(endpoint);
        let client = if is_here { client.no_proxy() } else { client };
        // It needs no certificate authorities by http, and a container may have none.
        let client = if is_here && endpoint.scheme() == "http" { client.tls_certs_only([]) } else { client };
        Ok(Self { client: client.build()?, runtime: Handle::current(), failing: AtomicBool::new(false) })
    }

    fn tell(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let problem = match outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("expected status 200, got {}", response.status())),
            Err(error) => Some(with_causes(&**error)),
        };
        let outcome = if problem.is_none() { "ok" } else { "failed" };
        counter!(names::TRACE_EXPORTS.name, "outcome" => outcome).increment(1);
        match (problem, self.failing.load(Relaxed)) {
            (Some(error), false) => tracing::warn!(error, "spans cannot be exported, and are lost"),
            (None, true) => tracing::info!("spans are exported again"),
            _ => {}
        }
        self.failing.store(outcome == "failed", Relaxed);
    }
}

#[tonic::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = match self.runtime.spawn(send(self.client.clone(), request)).await {
            Ok(outcome) => outcome,
            // The process ends, which says nothing about the collector.
            Err(broken_off) => return Err(broken_off.into()),
        };
        self.tell(&outcome);
        outcome
    }
}

async fn send(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    // A query may hold a key, so the URL is left out.
    let response = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let (head, body) = Response::from(response).into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// Returns an error's text with that of its causes, which tell the actual failure.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl std::fmt::Display for CollectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Exporter(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CollectorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => error.source(),
            Self::Exporter(error) => error.source(),
        }
    }
}

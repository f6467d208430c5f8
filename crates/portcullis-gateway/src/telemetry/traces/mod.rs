//! OpenTelemetry traces, if configured: a span for each decision, with a child for each fetch that it needed.
//!
//! 1. A span is a child of the client's `traceparent` (W3C Trace Context), and sampled as its parent is; without one,
//!    by the configured ratio. `tracestate` is not taken over: it is client text.
//! 2. Ended spans wait in a bounded queue for a thread that exports them. Spans beyond its bound are lost: a slow or
//!    absent collector blocks no decision.
//! 3. No token, no path and no claim is in a span; an issuer is, once its token has verified.

mod collector;
mod fetches;

use std::time::{Duration, SystemTime};

use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanKind, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider},
};
use portcullis::names::TARGET;

use super::names;
use crate::config;

pub(crate) use self::collector::CollectorError;
pub(super) use self::fetches::Fetches;

/// The field that names the parent of a span.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The time limit to export the last spans at the end of the process.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// The maker and exporter of spans.
#[derive(Debug, Clone)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Begins to export; must be called inside the runtime that exports.
    ///
    /// # Errors
    ///
    /// The reason why there can be no client for the collector.
    pub(crate) fn start(config: &config::Traces) -> Result<Self, CollectorError> {
        let exporter = collector::exporter(&config.endpoint)?;
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample))))
            .with_resource(resource.build())
            .build();
        Ok(Self { tracer: provider.tracer(TARGET), provider })
    }

    /// Begins the span of a decision, and returns its context.
    pub(crate) fn begin(&self, traceparent: Option<&str>, started: SystemTime) -> Context {
        let parent = traceparent.map_or_else(Context::new, parent);
        let span = self.tracer.span_builder(names::DECIDE).with_kind(SpanKind::Server).with_start_time(started);
        parent.with_span(self.tracer.build_with_context(span, &parent))
    }

    /// Returns the layer that makes spans of the library's fetches.
    pub(super) fn fetches(&self) -> Fetches {
        Fetches::new(self.tracer.clone())
    }

    /// Exports the remaining spans, for a second at most.
    pub(crate) async fn end(self) {
        let end = move || self.provider.shutdown_with_timeout(LAST_SPANS);
        // The sender has logged any failure.
        drop(tokio::task::spawn_blocking(end).await);
    }
}

/// The only header field that is read for a span.
struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// Returns the parent named by the field; a malformed field names none.
fn parent(traceparent: &str) -> Context {
    // The propagator would pad a short id with zeros.
    let lengths = traceparent.split('-').map(str::len).take(4);
    if !lengths.eq([2, 32, 16, 2]) {
        return Context::new();
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Traceparent(traceparent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_names_a_parent_or_nothing() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        const SPAN: &str = "b7ad6b7169203331";
        let zeros = "0".repeat(32);
        for (field, is_parent) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), true),
            (format!("01-{TRACE}-{SPAN}-01-later"), true),
            (format!("00-{TRACE}-{SPAN}-01-later"), false),
            (format!("ff-{TRACE}-{SPAN}-01"), false),
            (format!("00-{zeros}-{SPAN}-01"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), false),
            (format!("00-{TRACE}-{SPAN}"), false),
            (format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"), false),
            (format!("00-{}-{SPAN}-01", "ä".repeat(16)), false),
            (format!("00-1-{SPAN}-01"), false),
            ("Bearer x".to_owned(), false),
            (String::new(), false),
        ] {
            let context = parent(&field);
            assert_eq!(context.span().span_context().is_valid(), is_parent, "{field}");
        }
    }
}

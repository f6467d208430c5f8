//! Spans of the library's fetches: key sets and introspection.
//!
//! The library fetches in a task of its own, and marks it with a span of `tracing` made where the fetch is requested.
//! The OpenTelemetry span begins there, too, so that it is a child of the decision that requested it first.

use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use portcullis::names::{TARGET, spans};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer, layer,
    registry::{LookupSpan, SpanRef},
};

/// The layer that makes spans of the library's fetches.
pub(in crate::telemetry) struct Fetches {
    tracer: SdkTracer,
}

impl Fetches {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer }
    }

    /// Returns true for a span of the library that is exported.
    pub(in crate::telemetry) fn is_one(span: &Metadata<'_>) -> bool {
        let exported = matches!(span.name(), spans::FETCH_JWKS | spans::INTROSPECT | spans::EXCHANGE_TOKEN);
        span.is_span() && span.target() == TARGET && exported
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Fetches {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let Some(marked) = context.span(id) else { return };
        let begun = self.tracer.span_builder(marked.name()).with_kind(SpanKind::Client);
        let mut span = self.tracer.build_with_context(begun, &parent(&marked));
        attributes.record(&mut Fields(&mut span));
        marked.extensions_mut().insert(span);
    }

    fn on_close(&self, id: Id, context: layer::Context<'_, S>) {
        if let Some(mut span) = context.span(&id).and_then(|marked| marked.extensions_mut().remove::<Span>()) {
            span.end();
        }
    }
}

/// Returns the parent: a fetch within another fetch is its child, not the decision's.
fn parent<'a, S: Subscriber + LookupSpan<'a>>(marked: &SpanRef<'a, S>) -> Context {
    let outer = marked.parent();
    let outer =
        outer.as_ref().and_then(|outer| outer.extensions().get::<Span>().map(|span| span.span_context().clone()));
    outer.map_or_else(Context::current, |outer| Context::new().with_remote_span_context(outer))
}

/// Copies text fields: the URL of the request.
struct Fields<'a>(&'a mut Span);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.set_attribute(KeyValue::new(field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

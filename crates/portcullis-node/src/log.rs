//! The library's log for JavaScript: warnings and errors, one text each.
//!
//! Refusals are left out, because JavaScript gets them by `onError`.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    sync::{LazyLock, Mutex, PoisonError},
};

use napi::{
    Result, Status,
    bindgen_prelude::Function,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use portcullis::names::events;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

type Line = ThreadsafeFunction<String, (), String, Status, false, true>;

/// The listening threads of JavaScript. The first living one gets each line, because a key service belongs to no thread.
static LISTENERS: LazyLock<Mutex<Vec<Line>>> = LazyLock::new(Mutex::default);

/// Sends each line to `listener` while its thread lives.
#[napi]
pub fn listen(listener: Function<'_, String, ()>) -> Result<()> {
    let line = listener.build_threadsafe_function::<String>().weak::<true>().build()?;
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    // It is set already for a second listener.
    let _ = tracing::subscriber::set_global_default(Warnings);
    Ok(())
}

fn tell(line: &str) {
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(first) = listeners.first() {
        if first.call(line.to_owned(), ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok {
            return;
        }
        listeners.remove(0);
    }
}

/// The warnings of verifiers that do not check issuer or audience: each is told once, however many guards have the same rules.
static TOLD_UNCHECKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.is_event() && metadata.name() != events::REQUEST_REFUSED
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let line = text.message + &text.fields;
        let is_unchecked = event.metadata().name() == events::CLAIMS_UNCHECKED;
        if !is_unchecked || TOLD_UNCHECKED.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
            tell(&line);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// An event as `message name=value name=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

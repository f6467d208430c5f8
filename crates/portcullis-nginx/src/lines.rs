//! The lines of the module in nginx's error log: the events of the library and of the gateway, at nginx's levels.
//!
//! | event | level |
//! |---|---|
//! | a refused request | `error`, as nginx logs its own refusals; `info` without a token |
//! | an error, a warning | `error`, `warn` |
//! | another event, of `info` | `notice`; a request that passes: `info` |
//! | details | `debug` |

use std::{
    cell::RefCell,
    fmt::{self, Write},
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use portcullis_gateway::door::is_refusal_of_library;
use tracing::{
    Event, Level as Severity, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::set_global_default,
};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::{self, SubscriberExt},
    registry,
};

use crate::nginx::{self, Level};

/// A line to be written into the log of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    level: Level,
    text: String,
}

impl Line {
    /// Writes the line into the log of the callback that runs now.
    pub(crate) fn write(&self) {
        nginx::log(self.level, &self.text);
    }
}

thread_local! {
    /// The lines of the task that runs now; none outside of tasks for requests.
    static KEPT: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
}

/// Runs a future, and keeps the lines that are written meanwhile.
pub(crate) async fn kept<F: Future>(future: F) -> (F::Output, Vec<Line>) {
    let mut keeping = Keeping { future: Box::pin(future), lines: Vec::new() };
    let output = (&mut keeping).await;
    (output, keeping.lines)
}

struct Keeping<F> {
    future: Pin<Box<F>>,
    lines: Vec<Line>,
}

impl<F: Future> Future for &mut Keeping<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        KEPT.set(Some(std::mem::take(&mut this.lines)));
        let polled = this.future.as_mut().poll(context);
        this.lines = KEPT.take().unwrap_or_default();
        polled
    }
}

/// Has the events of the process written into nginx's log.
pub(crate) fn install() {
    let is_wanted = filter_fn(|event| event.is_event() && !is_refusal_of_library(event));
    let lines = Lines.with_filter(is_wanted.with_max_level_hint(LevelFilter::INFO));
    // In a process of one worker that is both master and worker it is there already.
    let _ = set_global_default(registry().with(lines));
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let line = Line { level: text.level(*event.metadata().level()), text: text.line() };
        KEPT.with_borrow_mut(|kept| match kept {
            Some(kept) => kept.push(line),
            None => nginx::write(line.level, line.text),
        });
    }
}

/// The text of an event.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
    code: Option<String>,
}

impl Text {
    fn level(&self, severity: Severity) -> Level {
        match (self.code.as_deref(), severity) {
            (Some("pass" | "no_credentials"), _) => Level::Information,
            (Some(_), _) | (None, Severity::ERROR) => Level::Error,
            (None, Severity::WARN) => Level::Warning,
            (None, Severity::INFO) => Level::Notice,
            (None, _) => Level::Debug,
        }
    }

    fn line(self) -> String {
        self.message + &self.fields
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "code" {
            self.code = Some(value.to_owned());
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Quoted text has no control characters.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

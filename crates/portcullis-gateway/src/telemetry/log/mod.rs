//! Log lines, for people or as JSON.

mod look;
mod queue;

use std::io;

use portcullis::names::{TARGET, events};
use tracing::{Level, Metadata, Subscriber, subscriber::set_global_default};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    registry,
};

use self::{
    look::Look,
    queue::{LogGuard, Queue},
};
use super::traces::{Fetches, Traces};
use crate::config::{Log, LogFormat};

/// The variable with the log filter, such as `info,portcullis=debug`.
const FILTER: &str = "PORTCULLIS_LOG";
/// The number of lines that may wait to be written.
const QUEUE: usize = 4096;
/// Begins to log, by the variable `PORTCULLIS_LOG` or else from `info` on; the spans of the library's fetches begin
/// here, too.
///
/// # Errors
///
/// If the system gives no thread, or a logger is installed already.
pub(crate) fn init(log: &Log, traces: Option<&Traces>) -> io::Result<LogGuard> {
    let look = Look::on_stderr(log.format);
    let queue = Queue::start(io::stderr(), look, QUEUE)?;
    let filter = std::env::var(FILTER).ok().filter(|filter| !filter.is_empty()).map(EnvFilter::try_new).transpose();
    let (filter, fault) = match filter {
        Ok(filter) => (filter, None),
        Err(error) => (None, Some(error)),
    };
    set_global_default(subscriber(look, filter, queue.clone(), traces.map(Traces::fetches)))
        .map_err(io::Error::other)?;
    if let Some(error) = fault {
        tracing::warn!(
            error = error.to_string(),
            "expected a filter in {FILTER}, such as info,portcullis=debug, got another text: logging from info on"
        );
    }
    Ok(LogGuard(queue))
}

/// Builds the subscriber. Without an operator's filter it logs all from `info` on but the library's lines on refusals.
fn subscriber(
    look: Look,
    filter: Option<EnvFilter>,
    queue: Queue,
    fetches: Option<Fetches>,
) -> Box<dyn Subscriber + Send + Sync> {
    let every_line = filter.is_some();
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    // A failed write would be reported by a write to stderr, which would panic if stderr is the trouble.
    let lines = fmt::layer().log_internal_errors(false).with_writer(queue);
    let wanted = filter_fn(move |event| every_line || !is_refusal_of_library(event));
    let wanted = filter.and(wanted.with_max_level_hint(LevelFilter::TRACE));
    let lines = match look.format {
        LogFormat::Human => lines.compact().with_ansi(look.colours).with_filter(wanted).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            lines.with_filter(wanted).boxed()
        }
    };
    match fetches {
        // An absent layer would have each event and span checked again; `None` costs nothing.
        None => Box::new(registry().with(lines)),
        Some(fetches) => Box::new(registry().with(lines).with(fetches.with_filter(filter_fn(Fetches::is_one)))),
    }
}

/// Returns true for the library's own line on a refusal: the gateway's line on its decision says more. An unreachable server has a
/// line of its own, too. Faults of the program stay.
pub fn is_refusal_of_library(event: &Metadata<'_>) -> bool {
    let is_refusal = matches!(event.name(), events::REQUEST_REFUSED | events::REQUEST_WOULD_BE_REFUSED);
    event.is_event() && event.target() == TARGET && is_refusal && *event.level() != Level::ERROR
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so")]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use tracing::subscriber::with_default;

    use super::*;

    /// The written text, for a test to read.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn plain(format: LogFormat) -> Look {
        Look { format, colours: false }
    }

    fn logged(format: LogFormat, filter: Option<&str>, log: impl FnOnce()) -> String {
        let (sink, look) = (Sink::default(), plain(format));
        let queue = Queue::start(sink.clone(), look, QUEUE).unwrap();
        let guard = LogGuard(queue.clone());
        with_default(subscriber(look, filter.map(EnvFilter::new), queue, None), log);
        drop(guard);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn without_traces_nothing_below_the_filter_is_even_looked_at() {
        for (filter, level) in [
            (None, LevelFilter::INFO),
            (Some("info"), LevelFilter::INFO),
            (Some("off"), LevelFilter::OFF),
            (Some("a=debug"), LevelFilter::DEBUG),
        ] {
            let look = plain(LogFormat::Json);
            let queue = Queue::start(Sink::default(), look, QUEUE).unwrap();
            let subscriber = subscriber(look, filter.map(EnvFilter::new), queue, None);
            assert_eq!(subscriber.max_level_hint(), Some(level), "{filter:?}");
        }
    }

    #[test]
    fn the_librarys_line_on_a_refusal_is_left_to_the_gateways_unless_asked_for() {
        let refusals = || {
            tracing::info!(name: events::REQUEST_REFUSED, target: TARGET, code = "expired", "refused");
            tracing::info!(name: events::REQUEST_WOULD_BE_REFUSED, target: TARGET, code = "expired", "would be");
            tracing::warn!(name: events::REQUEST_REFUSED, target: TARGET, code = "keys_unavailable", "refused, too");
            tracing::error!(name: events::REQUEST_REFUSED, target: TARGET, code = "no_layer", "our own fault");
            tracing::info!(name: events::REQUEST_REFUSED, target: "another", code = "expired", "of another crate");
            tracing::info!(target: TARGET, code = "expired", "another event");
        };
        for (filter, lines) in [(None, 3), (Some("info"), 6)] {
            let text = logged(LogFormat::Human, filter, refusals);
            assert_eq!(text.lines().count(), lines, "{filter:?}: {text}");
            assert!(text.contains("our own fault"), "{text}");
        }
    }

    #[test]
    fn lines_for_people() {
        let text = logged(LogFormat::Human, None, || {
            tracing::info!(code = "expired", "refused");
            tracing::debug!("too fine");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("INFO") && text.contains("refused") && text.contains("code=\"expired\""), "{text}");
        assert!(!text.contains('\u{1b}'), "no colours in a file: {text}");
    }

    #[test]
    fn nothing_in_a_line_steers_a_terminal() {
        let foreign = "a\u{1b}[31m\u{7}\u{9b}31m\u{202e}\u{e0041}\rb";
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = logged(format, None, || {
                tracing::info!(text = foreign, display = %foreign, debug = ?foreign, "message {foreign}");
            });
            let steers = |character: char| character != '\n' && crate::terminal::is_dangerous(character);
            assert!(!text.contains(steers), "{text:?}");
        }
        let text = logged(LogFormat::Human, None, || tracing::warn!(error = %"a\n2026 INFO forged", "lines"));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  ")), "{text}");
    }

    #[test]
    fn lines_of_json() {
        let text = logged(LogFormat::Json, None, || tracing::warn!(code = "ex\"pired", "refused\nagain"));
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(
            (&line["level"], &line["code"], &line["message"]),
            (&"WARN".into(), &"ex\"pired".into(), &"refused\nagain".into())
        );
    }
}

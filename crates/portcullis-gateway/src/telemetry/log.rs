//! Log lines, for people or as JSON.
//!
//! A thread of their own writes them, so that a terminal which stands still or a pipe that nobody reads holds up no
//! request: what the queue cannot take is lost, and its number is told. A stderr that was closed is no fault.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use portcullis::names::{TARGET, events};
use tracing::{Level, Metadata, Subscriber, subscriber::set_global_default};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
};

use super::traces::{Fetches, Traces};
use crate::{
    config::{Log, LogFormat},
    terminal::{coloured, escaped, safe},
};

/// Names what is logged, as `info,portcullis=debug`.
const FILTER: &str = "PORTCULLIS_LOG";
/// Lines that may wait to be written.
const QUEUE: usize = 4096;
/// How long the end of the process waits for lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Waits, when dropped, until the lines so far are written, for a second at most.
#[derive(Debug)]
#[must_use = "the last lines of the process are lost without it"]
pub(crate) struct LogGuard(Queue);

/// Lines on their way to a thread that writes them.
#[derive(Debug, Clone)]
struct Queue {
    lines: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

/// The look of lines.
#[derive(Debug, Clone, Copy)]
struct Look {
    format: LogFormat,
    /// Puts colours into lines for people.
    colours: bool,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

/// Begins to log, as the variable `PORTCULLIS_LOG` says or else from `info` on; what the library fetches is traced
/// from here, too.
///
/// # Errors
///
/// When the system gives no thread, or something logs already.
pub(crate) fn init(log: &Log, traces: Option<&Traces>) -> io::Result<LogGuard> {
    let format = log.format;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let queue = Queue::start(io::stderr(), Look { format, colours }, QUEUE)?;
    let wanted = std::env::var(FILTER).ok().filter(|filter| !filter.is_empty());
    let parsed = wanted.as_deref().map(EnvFilter::try_new);
    let own_filter = matches!(parsed, Some(Ok(_)));
    let fault = match &parsed {
        Some(Err(error)) => Some(error.to_string()),
        _ => None,
    };
    let filter = parsed.and_then(Result::ok).unwrap_or_else(|| EnvFilter::new("info"));
    let fetches = traces.map(Traces::fetches);
    let subscriber = subscriber(format, filter, own_filter, colours, queue.clone(), fetches);
    set_global_default(subscriber).map_err(io::Error::other)?;
    if let Some(error) = fault {
        tracing::warn!(error, "{FILTER} is not understood: logging from info on");
    }
    Ok(LogGuard(queue))
}

fn subscriber(
    format: LogFormat,
    filter: EnvFilter,
    every_line: bool,
    colours: bool,
    queue: Queue,
    fetches: Option<Fetches>,
) -> Box<dyn Subscriber + Send + Sync> {
    // What goes wrong in writing is told by a write to stderr, which would panic where that is the trouble.
    let lines = fmt::layer().log_internal_errors(false).with_writer(queue);
    let wanted = filter_fn(move |event| every_line || !is_refusal_of_library(event));
    let wanted = filter.and(wanted.with_max_level_hint(LevelFilter::TRACE));
    let lines = match format {
        LogFormat::Human => lines.compact().with_ansi(colours).with_filter(wanted).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            lines.with_filter(wanted).boxed()
        }
    };
    match fetches {
        // An absent layer would have each event and span be asked about anew: a layer that is not there costs nothing.
        None => Box::new(registry().with(lines)),
        Some(fetches) => Box::new(registry().with(lines).with(fetches.with_filter(filter_fn(Fetches::is_one)))),
    }
}

/// Whether this is the library's own line on a refusal: the gateway's line on its decision says more. A
/// warning, that keys or an introspection are out of reach, stays.
fn is_refusal_of_library(event: &Metadata<'_>) -> bool {
    let is_refusal = matches!(event.name(), events::REQUEST_REFUSED | events::REQUEST_WOULD_BE_REFUSED);
    event.is_event() && event.target() == TARGET && is_refusal && *event.level() == Level::INFO
}

impl Queue {
    fn start(sink: impl Write + Send + 'static, look: Look, length: usize) -> io::Result<Self> {
        let (lines, incoming) = sync_channel(length);
        let counts = Arc::new(Counts::default());
        let queue = Self { lines, counts: Arc::clone(&counts) };
        thread::Builder::new().name("log".into()).spawn(move || write_lines(&incoming, sink, look, &counts))?;
        Ok(queue)
    }
}

fn write_lines(lines: &Receiver<Vec<u8>>, mut sink: impl Write, look: Look, counts: &Counts) {
    while let Ok(line) = lines.recv() {
        // Who closed it does not want to know.
        let _ = sink.write_all(shown(&line, look).as_bytes());
        let lost = counts.lost.swap(0, SeqCst);
        if lost > 0 {
            let _ = sink.write_all(on_lost_lines(lost, look.format).as_bytes());
        }
        let _ = sink.flush();
        counts.waiting.fetch_sub(1, SeqCst);
    }
}

/// A line as a terminal may show it, whoever's words are in it; what follows a line break in it begins no line of its own.
fn shown(line: &[u8], look: Look) -> Cow<'_, str> {
    let line = String::from_utf8_lossy(line);
    let within = line.strip_suffix('\n').unwrap_or(&line);
    match look.format {
        _ if within.bytes().all(|byte| matches!(byte, b' '..=b'~')) => line,
        LogFormat::Json => format!("{}\n", escaped(within)).into(),
        LogFormat::Human => {
            let safe = if look.colours { coloured(within) } else { safe(within) };
            format!("{}\n", safe.replace('\n', "\n  ")).into()
        }
    }
}

fn on_lost_lines(lost: u64, format: LogFormat) -> String {
    match format {
        LogFormat::Human => format!("WARN {lost} log lines were lost: they came faster than they could be written\n"),
        LogFormat::Json => format!("{{\"level\":\"WARN\",\"message\":\"log lines were lost\",\"lines\":{lost}}}\n"),
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Queue {
    /// Takes a whole line: the formatter writes an event at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.counts.waiting.fetch_add(1, SeqCst);
        if self.lines.try_send(line.to_vec()).is_err() {
            self.counts.waiting.fetch_sub(1, SeqCst);
            self.counts.lost.fetch_add(1, SeqCst);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_LINES;
        while self.0.counts.waiting.load(SeqCst) > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so")]
mod tests {
    use std::sync::{Mutex, mpsc};

    use tracing::subscriber::with_default;

    use super::*;

    /// What was written, for a test to read.
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

    /// A pipe that nobody reads, until told.
    struct Stuck(mpsc::Receiver<()>, Sink);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A stderr that was closed.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    fn plain(format: LogFormat) -> Look {
        Look { format, colours: false }
    }

    fn logged(format: LogFormat, filter: &str, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let queue = Queue::start(sink.clone(), plain(format), QUEUE).unwrap();
        let guard = LogGuard(queue.clone());
        with_default(subscriber(format, EnvFilter::new(filter), false, false, queue, None), log);
        drop(guard);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn without_traces_nothing_below_the_filter_is_even_looked_at() {
        for (filter, level) in [("info", LevelFilter::INFO), ("off", LevelFilter::OFF), ("a=debug", LevelFilter::DEBUG)]
        {
            let queue = Queue::start(Sink::default(), plain(LogFormat::Json), QUEUE).unwrap();
            let subscriber = subscriber(LogFormat::Json, EnvFilter::new(filter), false, false, queue, None);
            assert_eq!(subscriber.max_level_hint(), Some(level), "{filter}");
        }
    }

    #[test]
    fn lines_for_people() {
        let text = logged(LogFormat::Human, "info", || {
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
            let text = logged(format, "info", || {
                tracing::info!(text = foreign, display = %foreign, debug = ?foreign, "message {foreign}");
            });
            let steers = |character: char| character != '\n' && crate::terminal::is_dangerous(character);
            assert!(!text.contains(steers), "{text:?}");
        }
        let text = logged(LogFormat::Human, "info", || tracing::warn!(error = %"a\n2026 INFO forged", "lines"));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  ")), "{text}");
    }

    #[test]
    fn lines_of_json() {
        let text = logged(LogFormat::Json, "info", || tracing::warn!(code = "ex\"pired", "refused\nagain"));
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(
            (&line["level"], &line["code"], &line["message"]),
            (&"WARN".into(), &"ex\"pired".into(), &"refused\nagain".into())
        );
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_up() {
        let (go, wait) = mpsc::channel();
        let sink = Sink::default();
        let queue = Queue::start(Stuck(wait, sink.clone()), plain(LogFormat::Human), 2).unwrap();
        for _ in 0..10 {
            (&queue).write_all(b"line\n").unwrap();
        }
        assert!(queue.counts.lost.load(SeqCst) >= 7, "the queue holds two, the thread one");
        drop(go);
        drop(LogGuard(queue));
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("log lines were lost"), "{text}");
    }

    #[test]
    fn a_closed_stderr_is_no_fault() {
        let queue = Queue::start(Closed, plain(LogFormat::Human), 2).unwrap();
        for _ in 0..3 {
            (&queue).write_all(b"line\n").unwrap();
            drop(LogGuard(queue.clone()));
        }
        assert_eq!(queue.counts.waiting.load(SeqCst), 0);
    }
}

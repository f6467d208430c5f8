//! The queue of lines on their way to stderr.
//!
//! A thread of its own writes them, so that a stopped terminal or an unread pipe blocks no request: lines beyond the
//! queue's length are lost, and the log tells their number. A closed stderr is no fault.
//!
//! tracing-appender's `NonBlocking` loses lines that this queue keeps: at the end of the process it drops all waiting
//! lines if the reader pauses for 100 ms (here it has a second), and reports it on stdout, where `println!` panics if
//! stdout is closed. It does not report lines that its queue cannot take. The tests below cover all three.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

use super::look::Look;

/// The time limit for the last lines at the end of the process.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The lines on their way to the writing thread.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    lines: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

/// Waits, when dropped, until the lines so far are written, for a second at most.
#[derive(Debug)]
#[must_use = "the last lines of the process are lost without it"]
pub(crate) struct LogGuard(pub(super) Queue);

impl Queue {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(super) fn start(sink: impl Write + Send + 'static, look: Look, length: usize) -> io::Result<Self> {
        let (lines, incoming) = sync_channel(length);
        let counts = Arc::new(Counts::default());
        let queue = Self { lines, counts: Arc::clone(&counts) };
        thread::Builder::new().name("log".into()).spawn(move || write_lines(&incoming, sink, look, &counts))?;
        Ok(queue)
    }
}

fn write_lines(lines: &Receiver<Vec<u8>>, mut sink: impl Write, look: Look, counts: &Counts) {
    while let Ok(line) = lines.recv() {
        // An error means that the reader is gone.
        let _ = sink.write_all(look.of(&line).as_bytes());
        let lost = counts.lost.swap(0, SeqCst);
        if lost > 0 {
            let _ = sink.write_all(look.of_lost_lines(lost).as_bytes());
        }
        let _ = sink.flush();
        counts.waiting.fetch_sub(1, SeqCst);
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
#[allow(clippy::unwrap_used, reason = "a test that fails says so")]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::config::LogFormat;

    const PLAIN: Look = Look { format: LogFormat::Human, colours: false };

    /// A pipe whose reader pauses until it is told to read, or its time is over.
    struct Pausing {
        read: mpsc::Receiver<()>,
        pause: Duration,
        written: Arc<Mutex<String>>,
    }

    impl Write for Pausing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.read.recv_timeout(self.pause);
            self.pause = Duration::ZERO;
            self.written.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A closed stderr.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Makes a queue of this length, whose reader begins when the sender is dropped, or after the pause.
    fn paused(length: usize, pause: Duration) -> (Queue, mpsc::Sender<()>, Arc<Mutex<String>>) {
        let ((go, read), written) = (mpsc::channel(), Arc::<Mutex<String>>::default());
        let sink = Pausing { read, pause, written: Arc::clone(&written) };
        (Queue::start(sink, PLAIN, length).unwrap(), go, written)
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_up() {
        let (queue, go, written) = paused(2, Duration::MAX);
        for _ in 0..10 {
            (&queue).write_all(b"line\n").unwrap();
        }
        assert!(queue.counts.lost.load(SeqCst) >= 7, "the queue holds two, the thread one");
        drop(go);
        drop(LogGuard(queue));
        assert!(written.lock().unwrap().contains("log lines were lost"), "{written:?}");
    }

    #[test]
    fn a_reader_that_pauses_at_the_end_gets_each_line() {
        const LINES: usize = 1000;
        let (queue, _go, written) = paused(LINES, Duration::from_millis(300));
        for _ in 0..LINES {
            (&queue).write_all(b"line\n").unwrap();
        }
        drop(LogGuard(queue));
        assert_eq!(*written.lock().unwrap(), "line\n".repeat(LINES));
    }

    #[test]
    fn a_closed_stderr_is_no_fault() {
        let queue = Queue::start(Closed, PLAIN, 2).unwrap();
        for _ in 0..3 {
            (&queue).write_all(b"line\n").unwrap();
            drop(LogGuard(queue.clone()));
        }
        assert_eq!(queue.counts.waiting.load(SeqCst), 0);
    }
}

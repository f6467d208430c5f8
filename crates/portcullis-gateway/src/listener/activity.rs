//! The activity of a connection, written by its stream and its service, read by its watchdog.
//!
//! A request costs a few plain stores here, and no look at the clock: the watchdog looks now and then, and takes an
//! unchanged state as having lasted since its last look.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use http::Version;

/// The state that the parts of one connection share.
#[derive(Debug)]
pub(super) struct Activity {
    /// The phase in the lowest two bits; above them a number that each change increments.
    ///
    /// Only the connection's own task writes it, so that load and store need not be one step.
    mark: AtomicU64,
    /// The number of requests in progress. On HTTP/2 each of them is a task of its own.
    calls: AtomicUsize,
    multiplexed: AtomicBool,
}

/// The next step that the client owes, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The rest of a header section that began to arrive; before the first, also a TLS handshake.
    Head,
    /// Reading the answer.
    Reading,
    /// Nothing.
    Idle,
}

/// The state of a connection at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    mark: u64,
    pub(super) calls: usize,
}

/// A request in progress; ends when dropped.
#[derive(Debug)]
pub(super) struct Call(Arc<Activity>);

impl Activity {
    /// Makes the state of a new connection: it owes its first header section.
    pub(super) fn new() -> Self {
        Self { mark: AtomicU64::new(0), calls: AtomicUsize::new(0), multiplexed: AtomicBool::new(false) }
    }

    /// Notes that bytes arrived.
    pub(super) fn received(&self) {
        // During a request they are its body. On HTTP/2 they may be control frames, which begin nothing.
        let begins = self.phase() == Phase::Idle && self.calls.load(Relaxed) == 0;
        if begins && !self.multiplexed.load(Relaxed) {
            self.enter(Phase::Head);
        }
    }

    /// Notes that a header section is complete.
    pub(super) fn called(self: &Arc<Self>, version: Version) -> Call {
        if version == Version::HTTP_2 {
            self.multiplexed.store(true, Relaxed);
        }
        self.calls.fetch_add(1, Relaxed);
        self.enter(Phase::Idle);
        Call(Arc::clone(self))
    }

    /// Notes that the client does not take our bytes.
    pub(super) fn stalled(&self) {
        if self.phase() != Phase::Reading {
            self.enter(Phase::Reading);
        }
    }

    /// Notes that all our bytes were taken.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Reading {
            self.enter(Phase::Idle);
        }
    }

    /// Returns the present state.
    pub(super) fn seen(&self) -> Seen {
        Seen { mark: self.mark.load(Relaxed), calls: self.calls.load(Relaxed) }
    }

    fn phase(&self) -> Phase {
        Phase::of(self.mark.load(Relaxed))
    }

    fn enter(&self, phase: Phase) {
        let changes = self.mark.load(Relaxed) >> 2;
        self.mark.store((changes.wrapping_add(1) << 2) | phase.bits(), Relaxed);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

impl Seen {
    pub(super) fn phase(self) -> Phase {
        Phase::of(self.mark)
    }

    /// Returns true if nothing began or ended between the two looks.
    pub(super) fn same_as(self, earlier: Self) -> bool {
        self.mark == earlier.mark
    }
}

impl Phase {
    fn of(mark: u64) -> Self {
        match mark & 0b11 {
            0 => Self::Head,
            1 => Self::Reading,
            _ => Self::Idle,
        }
    }

    fn bits(self) -> u64 {
        match self {
            Self::Head => 0,
            Self::Reading => 1,
            Self::Idle => 2,
        }
    }
}

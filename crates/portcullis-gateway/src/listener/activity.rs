//! What a connection is busy with, told by its stream and its service, read by its watchdog.
//!
//! A request costs a few plain stores here, and no look at the clock: the watchdog looks now and then, and what it
//! sees unchanged has lasted since its last look.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use http::Version;

/// Shared by the parts of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    /// The phase in the lowest two bits, above them a number that each change raises.
    ///
    /// Only the connection's own task writes it, so that load and store need not be one step.
    mark: AtomicU64,
    /// Requests being answered. On HTTP/2 each of them is a task of its own.
    calls: AtomicUsize,
    multiplexed: AtomicBool,
}

/// What the client owes us, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A header section (and a TLS handshake before the first) that began to arrive.
    Head,
    /// To read what it asked for.
    Reading,
    /// Nothing.
    Idle,
}

/// A connection at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    mark: u64,
    pub(super) calls: usize,
}

/// A request being answered; ends when dropped.
#[derive(Debug)]
pub(super) struct Call(Arc<Activity>);

impl Activity {
    /// A new connection: it owes its first header section.
    pub(super) fn new() -> Self {
        Self { mark: AtomicU64::new(0), calls: AtomicUsize::new(0), multiplexed: AtomicBool::new(false) }
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        // While a request is answered they are its body. On HTTP/2 they may be frames of control, which are no
        // beginning of anything.
        let begins = self.phase() == Phase::Idle && self.calls.load(Relaxed) == 0;
        if begins && !self.multiplexed.load(Relaxed) {
            self.enter(Phase::Head);
        }
    }

    /// A header section is complete.
    pub(super) fn called(self: &Arc<Self>, version: Version) -> Call {
        if version == Version::HTTP_2 {
            self.multiplexed.store(true, Relaxed);
        }
        self.calls.fetch_add(1, Relaxed);
        self.enter(Phase::Idle);
        Call(Arc::clone(self))
    }

    /// The client does not take what we write.
    pub(super) fn stalled(&self) {
        if self.phase() != Phase::Reading {
            self.enter(Phase::Reading);
        }
    }

    /// All that we wrote was taken.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Reading {
            self.enter(Phase::Idle);
        }
    }

    /// A look at it.
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

    /// Whether nothing began or ended between the two looks.
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

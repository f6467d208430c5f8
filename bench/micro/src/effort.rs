//! The length of measurements.

/// The number and length of windows, and the number of tokens.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The number of windows of each contender.
    pub rounds: usize,
    /// The length of a window in nanoseconds.
    pub window_ns: u64,
    /// The greatest number of tokens for one figure.
    pub most_tokens: usize,
}

impl Effort {
    /// The effort for reports.
    pub const FULL: Self = Self { rounds: 151, window_ns: 2_000_000, most_tokens: 1_000_000 };

    /// The effort for a trial run.
    pub const QUICK: Self = Self { rounds: 5, window_ns: 1_000_000, most_tokens: 20_000 };
}

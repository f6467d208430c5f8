//! How long everything is measured.

/// How often and how long, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How many windows each contender gets.
    pub rounds: usize,
    /// How long such a window is.
    pub window_ns: u64,
    /// The most tokens that are minted for one figure.
    pub most_tokens: usize,
}

impl Effort {
    /// For figures that are to be believed.
    pub const FULL: Self = Self { rounds: 151, window_ns: 2_000_000, most_tokens: 1_000_000 };

    /// To see that everything runs.
    pub const QUICK: Self = Self { rounds: 5, window_ns: 1_000_000, most_tokens: 20_000 };
}

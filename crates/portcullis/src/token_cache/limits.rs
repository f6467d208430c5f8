//! How much a cache may keep.

/// How much a cache may keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) tokens: usize,
}

impl Default for Limits {
    /// 32 MiB are about 10,000 tokens of 1 KB.
    fn default() -> Self {
        Self { bytes: 32 << 20, tokens: 100_000 }
    }
}

impl Limits {
    /// What is enough for both.
    pub(crate) fn widest(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), tokens: self.tokens.max(other.tokens) }
    }
}

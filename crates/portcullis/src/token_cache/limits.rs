//! The limits of a cache.

use crate::claims::TokenCacheRules;

/// The limits of a cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let TokenCacheRules { bytes, tokens, .. } = TokenCacheRules::default();
        Self { bytes, tokens }
    }
}

impl Limits {
    /// The limits of a cache by these rules, unless it is off.
    pub(crate) fn by(rules: TokenCacheRules) -> Option<Self> {
        let TokenCacheRules { bytes, tokens, off } = rules;
        (!off).then_some(Self { bytes, tokens })
    }

    /// The larger of both limits.
    pub(crate) fn widest(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), tokens: self.tokens.max(other.tokens) }
    }
}

//! The loads: which tokens a server gets in a window.

use std::path::Path;

use super::{NEW, ROTATING, SAME};
use crate::{plan::Plan, tokens::Tokens};

/// Which tokens a server gets in a window.
pub(crate) struct Load<'a> {
    /// The name of its table.
    pub(crate) table: &'static str,
    /// A file with the tokens.
    pub(crate) tokens: &'a Path,
    /// A file with tokens that warm a server up.
    pub(crate) warm_up: &'a Path,
    /// How long a window is.
    pub(crate) seconds: usize,
    /// Whether each window gets a fresh server, which has seen none of the tokens.
    pub(crate) fresh: bool,
    /// How many requests there may be in a window, so that no token comes twice.
    pub(crate) most: Option<usize>,
    /// Whether the raw verification is measured in every round, to be compared with.
    pub(crate) beside_raw: bool,
}

impl<'a> Load<'a> {
    /// All loads.
    pub(crate) fn all(plan: &Plan, tokens: &'a Tokens) -> [Self; 3] {
        let again = |table, tokens: &'a Path| Self {
            table,
            tokens,
            warm_up: tokens,
            seconds: plan.seconds,
            fresh: false,
            most: None,
            beside_raw: false,
        };
        let new = Self {
            warm_up: &tokens.rotating,
            seconds: plan.seconds_for(tokens.new_count),
            fresh: true,
            most: Some(tokens.new_count),
            beside_raw: true,
            ..again(NEW, &tokens.new)
        };
        [again(SAME, &tokens.same), again(ROTATING, &tokens.rotating), new]
    }
}

//! The loads: which servers get which tokens in a window.

use std::path::Path;

use super::{
    EXPRESS_NEW, EXPRESS_ROTATING, EXPRESS_SAME, INLINE, NEW, ROTATING, SAME,
    series::{AXUM, EXPRESS, Field, INLINE_OR_POOL},
};
use crate::{plan::Plan, tokens::Tokens};

/// Which servers get which tokens in a window.
pub(crate) struct Load<'a> {
    /// The name of its table.
    pub(crate) table: &'static str,
    /// The servers.
    pub(crate) field: &'static Field,
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
    pub(crate) fn all(plan: &Plan, tokens: &'a Tokens) -> [Self; 7] {
        let again = |table, field, tokens: &'a Path| Self {
            table,
            field,
            tokens,
            warm_up: tokens,
            seconds: plan.seconds,
            fresh: false,
            most: None,
            beside_raw: false,
        };
        let new = |table, field, file: &'a Path, count| Self {
            warm_up: &tokens.rotating,
            seconds: plan.seconds_for(tokens.new_count),
            fresh: true,
            most: Some(count),
            ..again(table, field, file)
        };
        [
            again(SAME, &AXUM, &tokens.same),
            again(ROTATING, &AXUM, &tokens.rotating),
            Self { beside_raw: true, ..new(NEW, &AXUM, &tokens.new, tokens.new_count) },
            again(EXPRESS_SAME, &EXPRESS, &tokens.same),
            again(EXPRESS_ROTATING, &EXPRESS, &tokens.rotating),
            new(EXPRESS_NEW, &EXPRESS, &tokens.fewer, tokens.fewer_count),
            // None of these servers keeps anything of a token.
            again(INLINE, &INLINE_OR_POOL, &tokens.rotating),
        ]
    }
}

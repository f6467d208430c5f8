//! The loads: servers and tokens of a window.

use std::path::Path;

use harness::Result;

use super::{
    EXPRESS_NEW, EXPRESS_NEW_PACED, EXPRESS_PROOFS, EXPRESS_ROTATING, EXPRESS_ROTATING_AT_ONCE,
    EXPRESS_ROTATING_ON_LTS, EXPRESS_ROTATING_PACED, EXPRESS_SAME, EXPRESS_SAME_AT_ONCE, EXPRESS_SAME_ON_LTS,
    EXPRESS_SAME_PACED, INLINE, MCP_CALL, NEW, PROOFS, REQUESTS, ROTATING, Request, SAME, SAME_ON_ACTIX,
    series::{
        ACTIX, AXUM, AXUM_AGAINST, EXPRESS, EXPRESS_AGAINST, Field, INLINE_OR_POOL, MCP, PROVING, PROVING_ON_EXPRESS,
        SIDE_BY_SIDE,
    },
    wrk::Question,
};
use crate::{plan::Plan, programs::Node, results::Results, tokens::Tokens};

/// The fixed pace, as a share of the bare framework's requests at full load.
const SHARE: f64 = 0.4;

/// The servers and tokens of a window.
pub(crate) struct Load<'a> {
    /// The name of its table.
    pub(crate) table: &'static str,
    /// The servers.
    pub(crate) field: &'static Field,
    /// A file with the tokens.
    pub(crate) tokens: &'a Path,
    /// A file with tokens that warm a server up.
    pub(crate) warm_up: &'a Path,
    /// The length of a window.
    pub(crate) seconds: usize,
    /// True if each window gets a fresh server.
    pub(crate) fresh: bool,
    /// The greatest number of requests in a window, so that no token comes twice.
    pub(crate) most: Option<usize>,
    /// The table of these servers at full load from which the pace is taken, for loads at one pace.
    pub(crate) paced_by: Option<&'static str>,
    /// True if all servers are measured at the same time, on one shared core.
    pub(crate) at_once: bool,
    /// True if the raw verification is measured in every round, to compare with it.
    pub(crate) beside_raw: bool,
    /// True if the tokens are bound, and each request has a new proof.
    pub(crate) with_proofs: bool,
    /// The version of Node.js, for servers that run on it.
    pub(crate) node: Node,
}

impl<'a> Load<'a> {
    /// The loads on axum for a comparison of two builds.
    pub(crate) fn on_axum_against(plan: &Plan, tokens: &'a Tokens) -> Vec<Self> {
        vec![
            Self::again(SAME, &AXUM_AGAINST, plan, &tokens.same),
            Self::again(ROTATING, &AXUM_AGAINST, plan, &tokens.rotating),
            Self::new(NEW, &AXUM_AGAINST, plan, tokens),
        ]
    }

    /// The loads on Express for a comparison of two builds.
    pub(crate) fn on_express_against(plan: &Plan, tokens: &'a Tokens) -> Vec<Self> {
        let seconds = plan.seconds * EXPRESS_AGAINST.series.len();
        let at_once = |load| Self { seconds, fresh: true, at_once: true, ..load };
        vec![
            at_once(Self::again(EXPRESS_SAME_AT_ONCE, &EXPRESS_AGAINST, plan, &tokens.same)),
            at_once(Self::again(EXPRESS_ROTATING_AT_ONCE, &EXPRESS_AGAINST, plan, &tokens.rotating)),
            Self::new(EXPRESS_NEW, &EXPRESS_AGAINST, plan, tokens),
        ]
    }

    /// The loads on axum and on actix-web, and a call of an MCP tool.
    pub(crate) fn on_axum(plan: &Plan, tokens: &'a Tokens) -> Vec<Self> {
        vec![
            Self::again(SAME, &AXUM, plan, &tokens.same),
            Self::again(SAME_ON_ACTIX, &ACTIX, plan, &tokens.same),
            Self::again(ROTATING, &AXUM, plan, &tokens.rotating),
            Self { beside_raw: true, ..Self::new(NEW, &AXUM, plan, tokens) },
            Self::again(MCP_CALL, &MCP, plan, &tokens.same),
            Self::with_proofs(PROOFS, &PROVING, plan, tokens),
        ]
    }

    /// The loads on Express.
    pub(crate) fn on_express(plan: &Plan, tokens: &'a Tokens) -> Vec<Self> {
        let same = |table| Self::again(table, &EXPRESS, plan, &tokens.same);
        let rotating = |table| Self::again(table, &EXPRESS, plan, &tokens.rotating);
        let new = |table| Self::new(table, &EXPRESS, plan, tokens);
        // Each server gets as much of the core as in its own window.
        let seconds = plan.seconds * SIDE_BY_SIDE.series.len();
        let at_once = |load| Self { field: &SIDE_BY_SIDE, seconds, fresh: true, at_once: true, ..load };
        vec![
            at_once(same(EXPRESS_SAME_AT_ONCE)),
            at_once(rotating(EXPRESS_ROTATING_AT_ONCE)),
            Self { node: Node::Lts, ..at_once(same(EXPRESS_SAME_ON_LTS)) },
            Self { node: Node::Lts, ..at_once(rotating(EXPRESS_ROTATING_ON_LTS)) },
            // V8 compiles the same program differently in each process.
            Self { fresh: true, ..same(EXPRESS_SAME) },
            Self { paced_by: Some(EXPRESS_SAME), ..same(EXPRESS_SAME_PACED) },
            Self { fresh: true, ..rotating(EXPRESS_ROTATING) },
            Self { paced_by: Some(EXPRESS_ROTATING), ..rotating(EXPRESS_ROTATING_PACED) },
            new(EXPRESS_NEW),
            Self { paced_by: Some(EXPRESS_NEW), ..new(EXPRESS_NEW_PACED) },
            // None of these servers caches tokens.
            Self::again(INLINE, &INLINE_OR_POOL, plan, &tokens.rotating),
            Self::with_proofs(EXPRESS_PROOFS, &PROVING_ON_EXPRESS, plan, tokens),
        ]
    }

    /// Tokens that a server sees again and again.
    fn again(table: &'static str, field: &'static Field, plan: &Plan, tokens: &'a Path) -> Self {
        Self {
            table,
            field,
            tokens,
            warm_up: tokens,
            seconds: plan.seconds,
            fresh: false,
            most: None,
            paced_by: None,
            at_once: false,
            beside_raw: false,
            with_proofs: false,
            node: Node::Newest,
        }
    }

    /// A bound token that a server sees again and again, with proofs that it sees once.
    fn with_proofs(table: &'static str, field: &'static Field, plan: &Plan, tokens: &'a Tokens) -> Self {
        let [proofs, warm_up] = &tokens.proofs;
        Self {
            warm_up,
            fresh: true,
            most: Some(plan.proofs(field.framework, plan.seconds)),
            with_proofs: true,
            ..Self::again(table, field, plan, proofs)
        }
    }

    /// Tokens that a server sees once.
    fn new(table: &'static str, field: &'static Field, plan: &Plan, tokens: &'a Tokens) -> Self {
        Self {
            warm_up: &tokens.rotating,
            seconds: plan.seconds_for(field.framework, tokens.new_count),
            fresh: true,
            most: Some(tokens.new_count),
            ..Self::again(table, field, plan, &tokens.new)
        }
    }

    /// The requests with these tokens, at full load.
    pub(crate) fn question(&self, tokens: &'a Path) -> Question<'a> {
        let Request { fields, content } = self.field.request;
        Question { fields, content, ..Question::with(tokens) }
    }

    /// The pace of all requests, in requests per second; `None` for full load.
    ///
    /// # Errors
    ///
    /// If the table with the pace was not measured.
    pub(crate) fn pace(&self, results: &Results) -> Result<Option<f64>> {
        let Some(table) = self.paced_by else { return Ok(None) };
        let bare = self.field.series.first().and_then(|bare| results.get(table, bare.name, REQUESTS));
        let bare = bare.ok_or_else(|| format!("expected a measured pace in {table}, got none"))?;
        Ok(Some((bare.median * SHARE).round()))
    }
}

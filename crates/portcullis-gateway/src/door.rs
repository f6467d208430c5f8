//! The parts of the gateway for a door in another program: the module within nginx. The same configuration gives the same decisions there.
//!
//! ```text
//! Config ── Gateway::build ──► Decider ── decide(&Original) ──► Deciding::Done(Decision)
//!                                                         └──► Deciding::Waits(Waiting)   ── .decision().await ──► Decision
//! ```

pub use crate::{
    config::{Config, Mistake},
    decision::{
        Authorization, BuildError, CertificateIn, CommonMemory, Decider, Deciding, Decision, Door, Fault, Gateway,
        Original, Pass, Refused, Reported, Waiting, leads_past_us, told_in_field,
    },
    routes::Overrides,
    telemetry::{BUCKETS, describe, is_refusal_of_library, timed_out},
};

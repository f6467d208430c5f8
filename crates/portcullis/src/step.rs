//! The steps that a request takes at most once, as TRACE events of the target `portcullis::step`: tests count them.
//!
//! A request that has to wait takes none of them twice.

/// The target of these events.
pub(crate) const TARGET: &str = "portcullis::step";

/// The places that may carry the token are read.
pub(crate) const FIND: &str = "find token";
/// The token is looked for among those that were verified before.
pub(crate) const LOOK_UP: &str = "look up token";
/// The JWT is decoded.
pub(crate) const DECODE: &str = "decode token";

/// Tells that a step is taken.
pub(crate) fn taken(step: &'static str) {
    tracing::trace!(target: TARGET, step);
}

//! Proof of possession: a request shows that its client holds the key that the token is bound to (RFC 7800).
//!
//! ```text
//! VerifiedToken ──┐
//! Sender ─────────┴── PossessionRules::check ──► ProvenToken      made by nothing else
//! ```
//!
//! - **Bound means bound.** A token with `jkt` or `x5t#S256` passes only if each of these is met, whatever the scheme.
//! - A bearer token takes no step but one comparison.

mod certificate;
mod possession;

pub use certificate::ClientCertificate;
pub use possession::DpopUse;
pub(crate) use possession::{PossessionRules, ProvenToken, Sender};

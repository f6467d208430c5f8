//! Proof of possession: a request shows that its client holds the key that the token is bound to (RFC 7800).
//!
//! ```text
//! VerifiedToken ──┐
//! Sender ─────────┴── PossessionRules::check ──┬─────────────────► ProvenToken      made by nothing else
//!                                              └──► ShownProof ──────┘  after the look for its first use
//! ```
//!
//! - **Bound means bound.** A token with `jkt` or `x5t#S256` passes only if each of these is met, whatever the scheme.
//! - **The token first, then the proof's signature.** A client without a good token causes no signature to be verified, and enters
//!   no key into [`ClientKeys`].
//! - A bearer token takes no step but one comparison.

mod certificate;
mod claims;
mod client_keys;
mod header;
mod nonce;
mod possession;
mod request_url;
mod rows;
mod rules;
#[cfg(test)]
mod tests;
mod unverified;

pub use certificate::{ClientCertificate, MalformedClientCertificate};
pub use nonce::Nonces;
pub use possession::DpopUse;
pub use rules::DpopRules;

pub(crate) use claims::ProofTime;
pub(crate) use client_keys::ClientKeys;
pub(crate) use possession::{Possession, PossessionRules, ProvenToken, Sender, ShownProof};
pub(crate) use request_url::RequestUrl;
pub(crate) use unverified::{ProofRequest, UnverifiedProof, VerifiedProof};

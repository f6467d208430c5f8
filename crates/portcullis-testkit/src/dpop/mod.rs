//! A DPoP client (RFC 9449): proofs of possession, good ones and hostile ones.

mod case;
mod client;
mod proof;

pub use case::{DpopAttempt, DpopCase};
pub use client::DpopClient;
pub use proof::ProofBuilder;

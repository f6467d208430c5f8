//! The clients' side of the benchmarks: two cores, a server on one of them, and tokens.

mod cores;
mod server;
mod tokens;

pub use cores::Cores;
pub use server::Server;
pub use tokens::{AUDIENCE, access_token, bound_token, forged_token, mint, opaque_token, proofs, token_for};

/// A value, or one line with the reason for the failure.
pub type Result<T = ()> = std::result::Result<T, String>;

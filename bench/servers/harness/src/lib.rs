//! What asks the servers needs: two cores, a server on one of them, and tokens.

mod cores;
mod server;
mod tokens;

pub use cores::Cores;
pub use server::Server;
pub use tokens::{AUDIENCE, access_token, forged_token, mint, opaque_token};

/// What a benchmark comes to: a value, or a line that tells a person what went wrong.
pub type Result<T = ()> = std::result::Result<T, String>;

//! Tests of the test kit over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers may fail as the test does"
)]

mod attacks;
mod bound_tokens;
mod dpop;
mod faults;
mod introspection;
mod jwks;
mod lifecycle;
mod metadata;
mod providers;
mod signatures;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod token_endpoint;

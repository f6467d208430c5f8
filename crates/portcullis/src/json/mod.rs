//! JSON objects in a compact form, such as the claims of a token.
//!
//! 1. Read once, strictly: no member named twice at any depth, a bounded depth, numbers that are finite
//!    (RFC 8259 section 4, RFC 8725 section 2.5).
//! 2. Kept in two allocations, the text and a tape of words that point into it, so that a cached token
//!    is small and its size is known.
//! 3. Read through [`Value`], a view that costs nothing to make or copy.

mod decimal;
mod deserialize;
mod object;
mod parse;
mod tape;
mod value;

pub use object::Object;
pub use value::Value;

pub(crate) use decimal::Decimal;
pub(crate) use object::Document;
pub(crate) use parse::{document, object};

#[cfg(test)]
mod tests;

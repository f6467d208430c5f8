//! Measurements over growing numbers of keys, issuers, claims and tokens.

pub mod claims;
pub mod issuers;
pub mod keys;
pub mod tokens;

/// `1,000` for 1000.
pub fn grouped(number: usize) -> String {
    match number / 1000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), number % 1000),
    }
}

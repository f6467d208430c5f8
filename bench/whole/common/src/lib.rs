//! One whole verification by each library: signature, times, issuer and audience, into typed claims.
//!
//! Each library has its own binary, so that none changes the features of another:
//!
//! ```text
//! BINARY [--allocations] TOKENS JWKS ISSUER AUDIENCE
//! ```
//!
//! `TOKENS` is a file with a token a line, `JWKS` a file with a JWK Set. It prints the nanoseconds per token, or,
//! with `--allocations`, the number and the bytes of Rust's heap allocations per token.

mod claims;

pub use claims::{Claims, OwnClaims};

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use figures::heap_of;

/// Errors of all libraries.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WARM_UP: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(200);

/// A library's verification of access tokens.
pub trait Library: Sized {
    /// The typed claims of the library.
    type Claims;

    /// Imports the keys and the rules, once.
    ///
    /// # Errors
    ///
    /// As the library says.
    fn import(rules: &Rules) -> Result<Self>;

    /// Verifies one token, whose key its `kid` names.
    ///
    /// # Errors
    ///
    /// As the library says.
    fn verify(&self, token: &str) -> Result<Self::Claims>;
}

/// The keys and rules for tokens.
#[derive(Debug)]
pub struct Rules {
    /// A JWK Set, as JSON.
    pub jwks: String,
    /// The required `iss`.
    pub issuer: String,
    /// The required `aud`.
    pub audience: String,
}

/// Measures according to the command line and prints one line.
///
/// # Errors
///
/// If an argument is missing, or a token is refused.
pub fn measure<L: Library>() -> Result<()> {
    let (flags, arguments): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [tokens, jwks, issuer, audience] = <[String; 4]>::try_from(arguments)
        .map_err(|_| "usage: [--allocations] TOKENS JWKS ISSUER AUDIENCE".to_owned())?;
    let tokens = fs::read_to_string(tokens)?;
    let tokens: Vec<&str> = tokens.lines().filter(|line| !line.is_empty()).collect();
    let library = L::import(&Rules { jwks: fs::read_to_string(jwks)?, issuer, audience })?;
    per_token(&library, &tokens, WARM_UP)?;
    if flags.iter().any(|flag| flag == "--allocations") {
        print_allocations(&library, &tokens)
    } else {
        println!("{:.1}", per_token(&library, &tokens, WINDOW)?);
        Ok(())
    }
}

/// The nanoseconds per token; the tokens take turns for this time.
fn per_token<L: Library>(library: &L, tokens: &[&str], long: Duration) -> Result<f64> {
    let started = Instant::now();
    for (verified, token) in (1_u32..).zip(tokens.iter().cycle()) {
        black_box(library.verify(black_box(token))?);
        let elapsed = started.elapsed();
        if elapsed >= long {
            return Ok(elapsed.as_nanos() as f64 / f64::from(verified));
        }
    }
    Err("expected at least one token, got none".into())
}

fn print_allocations<L: Library>(library: &L, tokens: &[&str]) -> Result<()> {
    let verify_all = || tokens.iter().try_for_each(|token| library.verify(token).map(drop));
    let (verified, heap) = heap_of(verify_all);
    verified?;
    let each = |total: u64| total as f64 / tokens.len() as f64;
    println!("{:.1} {:.1}", each(heap.allocations), each(heap.bytes));
    Ok(())
}

//! One whole verification, library by library: signature, times, issuer and audience, into typed claims.
//!
//! Each library has a binary of its own, so that none changes the features of another:
//!
//! ```text
//! BINARY [--allocations] TOKENS JWKS ISSUER AUDIENCE
//! ```
//!
//! `TOKENS` is a file with a token a line, `JWKS` a file with a JWK Set. It prints the nanoseconds per token, or,
//! with `--allocations`, how often and for how many bytes Rust's heap is asked per token.

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

/// How a library is used to verify access tokens.
pub trait Library: Sized {
    /// Its claims, typed.
    type Claims;

    /// Takes the keys and the rules, once.
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

/// Which tokens are good.
#[derive(Debug)]
pub struct Rules {
    /// A JWK Set, as JSON.
    pub jwks: String,
    /// The `iss` to be there.
    pub issuer: String,
    /// The `aud` to be there.
    pub audience: String,
}

/// Measures as the command line says, and prints one line.
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

/// Nanoseconds per token; the tokens take turns for that long.
fn per_token<L: Library>(library: &L, tokens: &[&str], long: Duration) -> Result<f64> {
    let started = Instant::now();
    for (verified, token) in (1_u32..).zip(tokens.iter().cycle()) {
        black_box(library.verify(black_box(token))?);
        let elapsed = started.elapsed();
        if elapsed >= long {
            return Ok(elapsed.as_nanos() as f64 / f64::from(verified));
        }
    }
    Err("there is no token".into())
}

fn print_allocations<L: Library>(library: &L, tokens: &[&str]) -> Result<()> {
    let verify_all = || tokens.iter().try_for_each(|token| library.verify(token).map(drop));
    let (verified, heap) = heap_of(verify_all);
    verified?;
    let each = |total: u64| total as f64 / tokens.len() as f64;
    println!("{:.1} {:.1}", each(heap.allocations), each(heap.bytes));
    Ok(())
}

//! Keys: from a JWK Set (RFC 7517), PEM or a secret to [`VerificationKey`]s, each bound to its algorithms.
//!
//! A bad or unknown key is skipped with its reason and never spoils the set.

mod jwk;
mod jwk_set;
mod key_set;
mod pem;
mod problem;
mod verification_key;

pub use jwk_set::{JwkSet, NotAJwkSet};
pub use problem::{KeyProblem, SkippedKey};

pub(crate) use key_set::{Candidates, KeySet, Miss, Origin};
pub(crate) use pem::keys_from_pem;
pub(crate) use verification_key::VerificationKey;

#[cfg(test)]
mod tests;

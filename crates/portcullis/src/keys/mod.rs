//! Keys: from a JWK Set (RFC 7517), PEM or a secret to [`VerificationKey`]s, each bound to its algorithms.
//!
//! A bad or unknown key is skipped with its reason, and never affects the other keys.

mod form;
mod gathered;
mod jwk;
mod jwk_set;
mod key_issuer;
mod key_set;
mod local;
mod members;
mod notation;
mod oddity;
mod pem;
mod presented;
mod problem;
mod secret;
mod thumbprint;
mod verification_key;

pub use jwk_set::{JwkSet, NotAJwkSet};
pub use notation::Notation;
pub use oddity::{KeyOddity, KeyWarning};
pub use problem::{KeyProblem, SkippedKey};
pub use thumbprint::jwk_thumbprint;

pub(crate) use jwk_set::without_byte_order_mark;
pub(crate) use key_set::{Candidates, ImportRules, KeySet, KeySetId, Miss, Origin};
pub(crate) use local::{Unreadable, keys_from_text};
pub(crate) use pem::keys_from_pem;
pub(crate) use presented::PresentedKey;
pub(crate) use secret::secret;
pub(crate) use verification_key::VerificationKey;

#[cfg(test)]
mod tests;

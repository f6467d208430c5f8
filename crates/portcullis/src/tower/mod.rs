//! [`Secure`]: the tower layer that lets a request pass only with an access token that may pass.
//!
//! 1. A request that may pass reaches the inner service with [`Access`](crate::Access) in its extensions.
//! 2. Any other gets the challenge and never reaches it.
//! 3. The readied inner service is the one that is called, so the layer works behind and in front of
//!    `ConcurrencyLimit`, `Buffer` and the like. Any body goes through untouched.
//! 4. Layers nest: one inside another with the same verifier runs its own policy on the token that
//!    the outer one has verified.

mod body;
mod future;
mod gate;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::Secure;
pub use service::SecureService;

#[cfg(feature = "axum")]
pub(crate) use gate::Verdict;

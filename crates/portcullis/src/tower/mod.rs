//! [`Secure`](crate::Secure) as a layer: the tower layer that lets a request pass only with an access token that may pass.
//!
//! 1. A request that may pass reaches the inner service with [`Access`](crate::Access) in its extensions.
//! 2. Any other gets the challenge and never reaches it.
//! 3. The readied inner service is the one that is called, so the layer works behind and in front of
//!    `ConcurrencyLimit`, `Buffer` and the like. Any body goes through untouched.
//! 4. Layers nest. Each finds its own token, by its own sources and limits, and runs its own policy. What an outer layer
//!    with the same verifier has verified is not verified again if it is the same token, to the byte; nothing else that an
//!    outer layer came to counts: neither that it let nobody in particular pass, nor that it only reports.

mod body;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use service::SecureService;

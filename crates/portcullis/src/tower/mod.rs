//! [`Secure`](crate::Secure) as a tower layer.
//!
//! 1. A request that may pass reaches the inner service with [`Access`](crate::Access) in its extensions.
//! 2. Any other request gets the challenge, and never reaches the inner service.
//!    For an [MCP server](crate::Secure::mcp), the content is read if a rule depends on it, and the same bytes go on.
//! 3. The very service that was polled ready is called, so the layer works behind and in front of
//!    `ConcurrencyLimit`, `Buffer` and the like. Bodies of any type pass unchanged.
//! 4. Layers nest. Each finds its own token, by its own sources and limits, and checks its own rules. A token that an
//!    outer layer with the same verifier has verified is not verified again if its bytes are the same. Nothing else of an
//!    outer layer's verdict counts: neither an anonymous pass nor a pass in shadow mode.

mod body;
#[cfg(feature = "axum")]
mod content;
#[cfg(not(feature = "axum"))]
#[path = "content/unseen.rs"]
mod content;
mod credentials;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use service::SecureService;

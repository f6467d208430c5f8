//! The gate: it decides if a request may pass. Every door calls it, and it depends on none of them.
//!
//! ```text
//! header fields, method, target URI, client certificate,
//! content ────────────────────────────────────────────────► Presented          borrowed, nothing copied
//! verifier, rules, challenge ─────────────────────────────► Secure
//!
//! Secure::judge(&Presented) ──► Judging::Done(Verdict)
//!                          └──► Judging::Waits(Pending)     ── .await ──► Verdict
//! ```
//!
//! - **One line with a stop.** [`Secure::judge`] goes as far as possible without waiting. If keys have to be fetched, or a
//!   token introspected, [`Pending`] owns all that was found so far, and goes on from there. Each of the
//!   [`steps`](crate::names::steps) is taken once for a request, waiting or not.
//! - **A known token** takes no allocation and no wait.
//! - **Evidence.** Only the gate makes [`Access`] and [`Anonymous`], and a door lets a request pass only with one of them.
//! - **Shadow mode** is decided here and nowhere else: [`Anonymous::would_refuse`].

mod access;
mod builder;
mod dpop;
mod exchanges;
mod exchanging;
mod forwarded;
mod judge;
mod judging;
mod mcp_server;
mod presented;
mod protected_resource;
mod rejection;
mod secure;

pub use access::{Access, Anonymous};
pub use dpop::{ClientAuthority, Dpop};
pub use exchanges::DeclaredExchange;
pub use exchanging::Exchanging;
pub use forwarded::{ConnectionPeer, ForwardedElement};
pub use judging::{Admitted, Judging, Pending, Verdict};
pub use presented::Presented;
pub use protected_resource::ProtectedResource;
pub use rejection::AccessRejection;
pub use secure::Secure;

#[cfg(any(feature = "actix", feature = "axum"))]
mod extract;
#[cfg(any(feature = "actix", feature = "axum"))]
mod gathered;
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) use extract::Guarded;
#[cfg(any(feature = "actix", feature = "axum"))]
pub use extract::{Granted, RequiredScope};
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) use gathered::Gathered;

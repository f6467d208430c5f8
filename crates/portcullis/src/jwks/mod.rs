//! Keeping an issuer's keys: [`JwksService`].
//!
//! 1. Reading never waits: a request whose key is known reads an immutable snapshot.
//! 2. The set is refreshed ahead of its age in the background, and revalidated by ETag.
//! 3. An unknown `kid` causes one fetch, shared by all who need it; a token bucket bounds such
//!    fetches, and never holds back the scheduled refresh. While it is empty nobody can tell whether an
//!    unknown key is new: that is 503, not a refusal of the token.
//! 4. Failures back off with jitter. Keys stay usable meanwhile, up to `max_stale`.
//! 5. A key that left the set stops verifying with the next snapshot.
//!
//! When to fetch and when to wait is one pure function, `decision::decide`; `refresher` carries it out.

mod attempt;
mod bucket;
mod builder;
mod cache;
mod decision;
mod discovery;
mod endpoint;
mod fetch;
mod freshness;
mod refresher;
mod service;
mod snapshot;
mod sought;
mod status;
mod withdrawn;

pub use builder::JwksBuilder;
pub use cache::{InMemoryCache, JwksCache};
pub use service::{JwksError, JwksService};
pub use status::JwksStatus;

pub(crate) use service::Lookup;

//! The keys of an issuer: fetched, cached and kept fresh by [`JwksService`].
//!
//! `decision` decides, `refresher` carries the decision out, `attempt` is one fetch in a task of its own.
//! `decision::decide` is a pure function, `(now, state, event) -> use | refresh behind | join | fetch | refuse`, and is
//! tested as a table.
//!
//! # Reading and refreshing
//!
//! - A lookup of a known key reads an immutable snapshot and never waits. Only for an unknown key, or without a usable
//!   set, it takes the lock, decides, and perhaps waits.
//! - The set is refreshed in the background before its age is over, and revalidated by ETag. The schedule runs from the
//!   first fetch on, so that an idle service does not accept a withdrawn key hours later; it ends with the last handle.
//! - A key that left the set stops verifying with the next snapshot.
//! - At most one attempt runs. Every waiting request is woken at its end, however it ends: success, failure,
//!   timeout, a panic of the HTTP client, or the end of its runtime.
//! - A request that joined an older fetch may wait for one more, since the older one may have missed the newest key.
//!   None waits for a third.
//! - Times are wall-clock times of the configured `Clock`. A clock that goes back makes a set due, not stale; the next
//!   fetch anchors it anew.
//!
//! # Unknown key ids
//!
//! - An unknown `kid` causes one fetch, shared by all requests that need it. Such fetches draw on a bucket (`bucket`:
//!   5, then one per 10 s). A refresh that is due is never charged, so forged ids cannot hold a rotation back for
//!   longer than the age of the set.
//! - While the bucket is empty or the endpoint fails, an unknown `kid` gets 503, not `invalid_token`: the key may
//!   exist. It is known to be missing if it was withdrawn (`withdrawn`), or if a fetch has not brought it within the
//!   last second (`sought`).
//!
//! # Tenants
//!
//! - An issuer with a placeholder for the tenant has a service for each tenant (`tenants`), made when a token names it. All are
//!   bounded in number and age, and share one name in logs, metrics and the status.
//!
//! # Failures
//!
//! - Failures back off with jitter. Keys stay usable meanwhile, up to `max_stale`.
//! - A set without a usable key withdraws the old one and counts as an outage (503), since no token was judged.
//! - The set comes from the issuer, not from a client: an oddity that leaves no doubt which key is meant is tolerated
//!   and reported as a warning (`keys/members.rs`). What a key may be used for is never guessed.
//!
//! # Addresses of keys
//!
//! Metadata name the URL of the keys. It may lead to public addresses and to those of the issuer's own kind only
//! (`transport/reach.rs`). The default client checks each address that a name resolves to, and connects to that very
//! address (`transport/names.rs`); other clients call `HttpRequest::may_connect_to`.

mod attempt;
mod bucket;
mod builder;
mod cache;
mod decision;
mod discovery;
mod endpoint;
mod fetch;
mod freshness;
mod metadata;
mod refresher;
mod service;
mod snapshot;
mod sought;
mod status;
mod tenants;
mod token_endpoint;
mod withdrawn;

pub use builder::JwksBuilder;
pub use cache::{InMemoryCache, JwksCache};
pub use metadata::IssuerMetadata;
pub use service::{JwksError, JwksService};
pub use status::JwksStatus;

pub(crate) use endpoint::Place;
pub(crate) use service::{Due, Lookup};

//! `ngx_http_portcullis_module.so`: judges OAuth 2.0 access tokens within nginx.
//!
//! ```text
//! nginx/                         nginx's structures behind safe types; all unsafe code
//! settings location              directives -> the gateway's configuration -> a guard for each block
//! door                           the access phase: request -> decision -> header fields for the upstream, or the refusal
//! worker lines counters memory   the runtime beside nginx's loop; lines in the error log; metrics and further shared memory
//! ```
//!
//! - The module decides nothing by itself: a guard is a decider of the gateway, so that the same configuration gives the same
//!   answers, codes and lines.
//! - A known token is judged within the access phase, without a thread or a task. Another request waits on the worker's runtime, and
//!   comes back through an eventfd on nginx's loop (`nginx/arrivals.rs`).
//! - The master process reads the configuration, and builds it once to find mistakes; each worker builds it for itself, with its own
//!   keys and caches.

mod counters;
mod door;
mod lines;
mod location;
mod memory;
mod nginx;
mod settings;
mod worker;

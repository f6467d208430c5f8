//! The gateway behind real proxies, each with its configuration from `examples/`, started as in `docs/gateway.md`.
//!
//! `cargo xtask test` installs the proxies and names the folder of their programs in `PORTCULLIS_PROXIES`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod certificates;
mod client;
mod docs;
mod dpop;
mod each_proxy;
mod envoy;
mod handed_on;
mod haproxy;
mod helm;
mod ingress_nginx;
mod init;
mod kubernetes;
mod load;
mod lost_answers;
mod oidc_provider;
mod preflight;
mod process;
mod replicas;
mod resources;
mod scene;
mod sizes;
mod strangers;
mod upstreams;

//! The gateway as its users run it: the binary, a configuration file, real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that fails says so"
)]

mod admin;
mod client_certificates;
mod commands;
mod described;
mod dpop;
mod exchange;
mod explain;
mod explain_dpop;
mod ext_authz;
mod fetching;
mod forward_auth;
mod init;
mod keys;
mod log_lines;
mod mcp;
mod memory;
mod metrics;
mod ml_dsa;
mod outage;
mod protected_resources;
mod provider_book;
mod redis_server;
mod reload;
mod replays;
mod resource;
mod robustness;
mod routing;
mod rules;
mod shared_store;
mod steps;
mod strangers;
mod support;
mod tenants;
mod terminal;
mod tls;
mod traces;
mod troubleshooting;
mod upstream;

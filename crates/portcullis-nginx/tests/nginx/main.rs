//! The module in a real nginx: its directives, what it does to requests, and its life.
//!
//! `cargo xtask test` runs these tests with Debian's nginx, and with the one in the variables `PORTCULLIS_NGINX` (the program) and
//! `PORTCULLIS_NGINX_MODULE`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod beside;
mod clients;
mod common;
mod connections;
mod directives;
mod docs;
mod fields;
mod life;
mod outage;
mod panics;
mod redirects;
mod reload;
mod satisfy;
mod scene;
mod shared;
mod site;
mod soak;
mod status;
mod unsafe_code;
mod variables;
mod waiting;

//! The library from outside: over HTTP, with an authorization server in the same process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test that cannot go on fails"
)]

#[cfg(feature = "actix")]
mod actix;
mod chaos;
mod claims;
mod client_certificate;
mod discovery;
mod dpop;
mod dpop_layers;
mod dpop_store;
mod dpop_url;
mod exchange;
mod explain;
mod express_oauth_jwt;
mod extractors;
mod gate;
mod held_verdicts;
mod hostile;
mod https;
mod introspection;
mod issuer_rules;
mod issuers;
mod jwt_svid;
mod key_sets;
mod layers;
mod local_keys;
mod mcp;
mod metrics;
mod ml_dsa;
mod nested;
mod outages;
mod protected_resource;
mod provider_book;
mod refusals;
mod rotation;
mod rules;
mod sender_constrained;
mod single_flight;
mod step_up;
mod steps;
mod support;
mod tenants;
mod testing_an_axum_app;
mod token_cache;
mod tower_contract;
mod verifier;
mod wild_keys;

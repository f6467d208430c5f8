//! The native half of the npm package `portcullis`: keys, verifiers and doors, as JavaScript sees them.
//!
//! What stays in JavaScript is what belongs to it: requests and responses of Express, `next`, error classes,
//! claims as objects, rules that are functions, and how keys are fetched (Node's own `https`, so that its
//! certificates, agents and test doubles count). What decides stays here, in the library.
//!
//! `lib/*.js` is the only caller: names and shapes here are no public interface.

#![cfg_attr(test, allow(dead_code, reason = "napi's macros register nothing in a test's build"))]

mod door;
mod field;
mod javascript;
mod judge;
mod key_service;
mod log;
mod options;
mod refused;
mod runtime;
mod token_verifier;
mod verdict;

/// Apart from Node's: what is kept of tokens would lie scattered between what Node allocates for each request, and slow that down.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! The native half of `portcullis/testkit`: the test kit of Rust for tests in Node.
//!
//! It is an addon of its own, so that the addon for production has no signing keys and no code of tests. `lib/testkit/*.js` of
//! the npm package `portcullis` is the only caller: names and types here are not a public interface. Options come as JSON texts
//! with JavaScript's names, and lists go back as JSON.
//!
//! Servers run on threads of the addon, which do not keep the process alive.

#![cfg_attr(test, allow(dead_code, reason = "napi's macros register nothing in a test's build"))]

mod certificate;
mod clock;
mod dpop;
mod key;
mod options;
mod runtime;
mod server;
mod token;

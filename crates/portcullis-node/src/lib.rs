//! The native half of the npm package `portcullis`: keys, verifiers and doors for JavaScript.
//!
//! JavaScript does its own part: requests and responses of Express, `next`, error classes, claims as objects, rules that are
//! functions, and fetching keys. Tokens are judged here, by the library. `lib/*.js` is the only caller: names and types here
//! are not a public interface.
//!
//! # A request
//!
//! `lib/middleware.js` hands the `Authorization` field to `judge`, which answers with a number or with the whole refusal.
//! JavaScript then looks up the token's claims, runs the rules that are functions, and calls `next` or sends the
//! refusal. Nothing is decided twice.
//!
//! - A cached token takes one call and no promise; only waiting, for keys or for a signature on another thread, needs
//!   one. The number is the token's (`VerifiedToken::id`), so that its claims are one object, frozen and shared.
//! - Each door hands out a function written against Node-API itself (`judge`): calling a method of a native object
//!   costs twice as much, and napi-rs allocates around each call.
//! - Up to four new tokens in a turn of the event loop are verified on Node's own thread, because waking another takes
//!   longer. More go to threads of the addon, so that a burst delays no other request (docs/profile.md has the
//!   measurements).
//! - `auth` and `claims` are properties of the request. Up to Node 22 its prototype has them (`lib/attach.js` has the
//!   reason).
//!
//! # Options
//!
//! `secure` and `anyOf` hand the library's options over as JSON, and the addon reads them into `Rules` and `IssuerRules`
//! (`camel_case`): a field of these is an option without a line of mapping. `lib/options.js` has readers for some options, which
//! bring a value into the library's form or refuse it in better words; `options` lists the few fields that are not offered, with
//! the reasons. An option needs its types (`index.d.ts`) and its row in README.md; tests check both.
//!
//! # Resources
//!
//! `protectedResource` and `mcp` hand over the description of a resource (`ResourceRules`) in the same way, and get a
//! `TokenVerifier` whose doors are all of this resource. Guards of an MCP server hand over the method, all fields and the content
//! (`Message`), which `lib/mcp/content.js` reads and puts back.
//!
//! # Keys
//!
//! - Node fetches them, through its own `https`, so that its certificate authorities, agents and test doubles apply.
//!   The key service is the library's, on its own thread, which does not keep the process alive.
//! - A `getKey` is called for each request, so that a withdrawn key admits nothing. Each of its keys has its own verifier; a
//!   verifier without keys judges a token before `getKey` is called.
//! - The time is the machine's. A key service of a test has another clock ([`clock`]), which only `portcullis/testkit` makes: a package
//!   of its own that production does not install.
//!
//! # Senders
//!
//! A request with a DPoP proof or a client certificate takes another way: `lib/sender` collects the raw fields, the parts of
//! the client's URL and the certificate, and `judge_message` judges them. Its verdict may be an object, with the nonce for the
//! response and the evidence for guards behind, for which the same proof is no replay. Proofs are verified on Node's thread or on
//! others as new tokens are. Guards with the same options share one `Dpop`, with its memory of used proofs.
//!
//! # Memory
//!
//! The addon has its own heap (mimalloc): cached tokens between Node's allocations for each request would slow those down.

#![cfg_attr(test, allow(dead_code, reason = "napi's macros register nothing in a test's build"))]

mod camel_case;
mod clock;
mod door;
mod dpop;
mod endpoint;
mod epoch;
mod exchange;
mod exchanger;
mod field;
mod introspector;
mod issuer;
mod javascript;
mod judge;
mod key_service;
mod log;
mod message;
mod options;
mod refused;
mod request;
mod runtime;
mod token_verifier;
mod verdict;

/// The addon's own heap: cached tokens between Node's allocations for each request would slow those down.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

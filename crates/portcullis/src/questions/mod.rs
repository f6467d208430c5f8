//! Questions to an authorization server about the token of a request: [`Endpoint`], where a client asks them.
//!
//! Introspection (RFC 7662) and token exchange (RFC 8693) ask alike: a form with the token goes to an endpoint, with the
//! credentials of this server, while the request waits. This room asks, and bounds the waiting; the rooms above know the form and
//! judge the answer.
//!
//! - One question for each token is in flight, in a task of its own ([`single_flight`]): a request that is dropped cancels
//!   nothing for others.
//! - `max_questions` are in flight in all ([`turns`]). Others wait for a turn, for as long as a question may take, and
//!   then get 503. A client whose address is known takes no more turns than it leaves to others.
//! - Client assertions are signed in `crypto/signing.rs`, the only signing code.
//!
//! # Failures
//!
//! - After five failures in a row no questions are asked for a while ([`breaker`], a pure decision). Meanwhile kept
//!   answers count until their time is over; every other token gets 503.
//! - Only a failure that any token would have met counts against the server: no connection, no answer in time, 5xx,
//!   408, or credentials that it refuses and has not accepted within the last minute. Any other status, and an answer
//!   that is not credible, is 503 for that token alone. Otherwise a client could block the endpoint with a made-up token.
//! - Failures count against the client that caused them ([`door`]): if its address is known, only this client has to wait,
//!   and all clients only after failures of five. After a 429 that client waits for the `Retry-After`, at most 30 s.
//!
//! # Answers
//!
//! - Refused tokens are remembered for seconds, apart from the others, so that a flood of bad tokens displaces no good
//!   one ([`refused`]).
//! - A shared store is not trusted ([`store`]): an entry is sealed for its token, its times and the question
//!   ([`Question`]), and judged anew by its reader. It holds the time of the answer, so that no process relies on it for longer
//!   than it would on an answer of its own.

mod attempt;
mod breaker;
mod builder;
mod client_address;
mod door;
mod endpoint;
mod failure;
mod location;
mod purpose;
mod question;
mod refused;
mod single_flight;
mod status;
mod store;
mod turns;

pub use client_address::ClientAddress;
pub use status::EndpointStatus;
pub use store::TokenStore;

pub(crate) use attempt::Attempt;
pub(crate) use builder::EndpointBuilder;
pub(crate) use endpoint::{Answer, Asking, Endpoint};
pub(crate) use failure::Failure;
pub(crate) use location::Source;
pub(crate) use purpose::Purpose;
pub(crate) use question::{Parts, Question};
pub(crate) use refused::RefusedTokens;
pub(crate) use single_flight::{NoResult, SingleFlight};

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

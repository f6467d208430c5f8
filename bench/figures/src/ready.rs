//! The smallest executor.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// The output of a future that does not wait, without the cost of an executor.
///
/// # Panics
///
/// When the future waits.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("expected a future that does not wait, because all keys are known"),
    }
}

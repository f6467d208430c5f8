//! Stores that several processes share: the limit of each wait, the names of entries, and the rate of warnings.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::Poll,
    time::{Duration, SystemTime},
};

use tokio::{runtime::Handle, time::timeout};

use crate::{crypto::Digest, transport::BoxError};

/// The longest wait for a store.
pub(crate) const TIME_LIMIT: Duration = Duration::from_millis(250);

/// The allowed difference between the clocks of processes that share entries.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(5);

/// The shortest time between warnings of the same kind; all cases are counted.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Awaits an operation of a store for no longer than the limit. A panic of the store is a failure like any other.
pub(crate) async fn in_time<T, F>(operation: impl FnOnce() -> F) -> Result<T, BoxError>
where
    F: Future<Output = Result<T, BoxError>>,
{
    // Without a runtime there is no timer.
    Handle::try_current().map_err(|_| "expected a tokio runtime to ask the store on, got none")?;
    // Called in there, since a store may panic before it returns its future, too.
    let mut operation = pin!(async { operation().await });
    let caught = poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| operation.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err("expected an answer of the store, got a panic".into())))
    });
    timeout(TIME_LIMIT, caught)
        .await
        .unwrap_or_else(|_| Err("expected an answer of the store in time, got none".into()))
}

/// Returns a digest as the name of an entry: 64 characters of lower-case hex.
pub(crate) fn name(digest: &Digest) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The time of the last warning of one kind.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<Option<SystemTime>>);

impl Warnings {
    /// Returns true if another warning is due.
    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // After a clock went back, warnings go on.
        let recent = last.is_some_and(|last| now.duration_since(last).is_ok_and(|ago| ago < WARNING_INTERVAL));
        if !recent {
            *last = Some(now);
        }
        !recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_due_once_a_minute_and_after_the_clock_went_back() {
        let (warnings, start) = (Warnings::default(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        for (seconds, due) in [(0, true), (0, false), (59, false), (60, true), (61, false), (30, true), (31, false)] {
            assert_eq!(warnings.is_due(start + Duration::from_secs(seconds)), due, "{seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_operation_is_awaited_for_longer_than_the_limit() {
        let begun = tokio::time::Instant::now();
        assert!(in_time(std::future::pending::<Result<(), BoxError>>).await.is_err());
        assert!(begun.elapsed() < TIME_LIMIT + Duration::from_millis(2), "{:?}", begun.elapsed());
        assert_eq!(in_time(|| async { Ok(1) }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_before_and_after_the_first_wait() {
        let before = in_time(|| -> std::future::Ready<Result<(), BoxError>> { panic!("of the test") });
        let after = in_time(|| async {
            tokio::task::yield_now().await;
            if true { panic!("of the test") } else { Ok(()) }
        });
        for error in [before.await.unwrap_err(), after.await.unwrap_err()] {
            assert_eq!(error.to_string(), "expected an answer of the store, got a panic");
        }
    }

    #[test]
    fn without_a_runtime_an_operation_fails_and_nothing_panics() {
        let mut asked = std::pin::pin!(in_time(|| async { Ok(()) }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(asked.as_mut().poll(&mut context), std::task::Poll::Ready(Err(_))));
    }
}

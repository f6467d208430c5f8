//! One piece of work for each key at a time, shared by all callers.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use tokio::{runtime::Handle, sync::watch};

use super::lock;
use crate::crypto::Digest;

type Flights<T> = Mutex<HashMap<Digest, watch::Receiver<Option<T>>>>;

/// Runs work in tasks of its own, and gives each result to all waiting callers.
pub(crate) struct SingleFlight<T>(Arc<Flights<T>>);

/// The reason why there is no result.
#[derive(Debug, PartialEq)]
pub(crate) enum NoResult {
    /// There is no tokio runtime.
    NoRuntime,
    /// The work ended without a result: a panic, or the end of its runtime.
    Interrupted,
}

/// Work that is under way; after its end, however it ends, the next caller starts new work.
struct Flight<T> {
    flights: Arc<Flights<T>>,
    key: Digest,
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The result of the work for this key: of the work under way, or else of new work from `start`.
    pub(crate) async fn run<F>(&self, key: Digest, start: impl FnOnce() -> F) -> Result<T, NoResult>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut result = self.join(key, start)?;
        let landed = result.wait_for(Option::is_some).await;
        landed.ok().and_then(|result| result.clone()).ok_or(NoResult::Interrupted)
    }

    fn join<F>(&self, key: Digest, start: impl FnOnce() -> F) -> Result<watch::Receiver<Option<T>>, NoResult>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = lock(&self.0);
        if let Some(under_way) = flights.get(&key) {
            return Ok(under_way.clone());
        }
        let runtime = Handle::try_current().map_err(|_| NoResult::NoRuntime)?;
        let (land, result) = watch::channel(None);
        flights.insert(key, result.clone());
        let (flight, work) = (Flight { flights: Arc::clone(&self.0), key }, start());
        runtime.spawn(async move {
            let result = work.await;
            // Later callers find the stored result of the work.
            drop(flight);
            land.send_replace(Some(result));
        });
        Ok(result)
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        lock(&self.flights).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn many_who_need_the_same_cause_one_work() {
        let (flights, works, go) =
            (Arc::new(SingleFlight::new()), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let waiters: Vec<_> = (0..100)
            .map(|_| {
                let (flights, works, go) = (Arc::clone(&flights), Arc::clone(&works), Arc::clone(&go));
                tokio::spawn(async move {
                    let work = || async move {
                        go.notified().await;
                        works.fetch_add(1, Ordering::Relaxed)
                    };
                    flights.run([1; 32], work).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        go.notify_one();
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), Ok(0));
        }
        assert!(lock(&flights.0).is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_cancels_nothing() {
        let (flights, go) = (Arc::new(SingleFlight::new()), Arc::new(Notify::new()));
        let work = |go: Arc<Notify>| async move { go.notified().await };
        let first = tokio::spawn({
            let (flights, go) = (Arc::clone(&flights), Arc::clone(&go));
            async move { flights.run([1; 32], || work(go)).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        let second = tokio::spawn({
            let flights = Arc::clone(&flights);
            async move { flights.run([1; 32], || async { panic!("a second work was started") }).await }
        });
        tokio::task::yield_now().await;
        go.notify_one();
        assert_eq!(second.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_leaves_nothing_behind() {
        let flights = SingleFlight::<()>::new();
        let broken = flights.run([1; 32], || async { panic!("on purpose") }).await;
        assert_eq!(broken, Err(NoResult::Interrupted));
        assert_eq!(flights.run([1; 32], || async {}).await, Ok(()));
    }

    #[test]
    fn without_a_runtime_that_is_told() {
        let flights = SingleFlight::<()>::new();
        let mut run = std::pin::pin!(flights.run([1; 32], || async {}));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(run.as_mut().poll(&mut context), std::task::Poll::Ready(Err(NoResult::NoRuntime))));
    }
}

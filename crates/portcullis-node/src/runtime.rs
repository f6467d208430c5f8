//! The threads that wait for keys and verify the tokens for which Node's own thread has no time.

use std::{cell::Cell, future::Future, mem, sync::LazyLock, thread::available_parallelism};

use napi::{
    Env, Result,
    bindgen_prelude::{Object, ToNapiValue},
};
use tokio::runtime::{Builder, Runtime};

/// The greatest number of threads, enough for all tokens that one process of Node can receive.
const MOST_THREADS: usize = 4;

/// The runtime of the process, for its whole life. Its threads do not keep the process alive and nearly always sleep.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    let threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    Builder::new_multi_thread().worker_threads(threads).thread_name("portcullis").enable_time().build()
});

/// A function that makes a JavaScript value on its event loop's thread.
type Resolver<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

fn runtime() -> Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|error| napi::Error::from_reason(format!("cannot start the key service's threads: {error}")))
}

thread_local! {
    static IS_ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// Lets key services start their fetches on this thread from now on.
///
/// It enters the runtime once for the thread's life instead of at each request. No other code on a thread of JavaScript has
/// such a runtime.
pub(crate) fn enter_for_good() -> Result<()> {
    if !IS_ENTERED.get() {
        mem::forget(runtime()?.enter());
        IS_ENTERED.set(true);
    }
    Ok(())
}

/// A promise of the output of `future`. It keeps Node's event loop alive until it is settled.
pub(crate) fn promise<'env, T, F>(env: &'env Env, future: F) -> Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let runtime = runtime()?;
    let (deferred, promise) = env.create_deferred::<T, Resolver<T>>()?;
    runtime.spawn(async move {
        // In a separate task, so that the promise is settled even after a panic.
        match tokio::spawn(future).await {
            Ok(Ok(value)) => deferred.resolve(Box::new(move |_| Ok(value))),
            Ok(Err(error)) => deferred.reject(error),
            Err(_) => deferred.reject(napi::Error::from_reason("portcullis failed by a defect: please report it")),
        }
    });
    Ok(promise)
}

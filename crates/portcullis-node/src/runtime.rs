//! The threads that wait for keys, and verify tokens that there is no time for on Node's own.

use std::{cell::Cell, future::Future, mem, sync::LazyLock, thread::available_parallelism};

use napi::{
    Env, Result,
    bindgen_prelude::{Object, ToNapiValue},
};
use tokio::runtime::{Builder, Runtime};

/// More threads than this verify no more than one process of Node can take in.
const MOST_THREADS: usize = 4;

/// One for the process, as long as it lives. Its threads keep no process alive, and are asleep nearly always.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    let threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    Builder::new_multi_thread().worker_threads(threads).thread_name("portcullis").enable_time().build()
});

/// What makes a JavaScript value on the thread of its loop.
type Resolver<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

fn runtime() -> Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|error| napi::Error::from_reason(format!("the key service's threads cannot start: {error}")))
}

thread_local! {
    static IS_ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// Lets key services start their fetches on this thread, from now on.
///
/// Once for the thread's life, since to enter and to leave would be done at each request. Nothing else on a thread of
/// JavaScript has a runtime of this kind.
pub(crate) fn enter_for_good() -> Result<()> {
    if !IS_ENTERED.get() {
        mem::forget(runtime()?.enter());
        IS_ENTERED.set(true);
    }
    Ok(())
}

/// A promise of what `future` comes to. It keeps Node's loop alive until then.
pub(crate) fn promise<'env, T, F>(env: &'env Env, future: F) -> Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let runtime = runtime()?;
    let (deferred, promise) = env.create_deferred::<T, Resolver<T>>()?;
    runtime.spawn(async move {
        // In a task of its own, so that the promise is settled whatever happens in there.
        match tokio::spawn(future).await {
            Ok(Ok(value)) => deferred.resolve(Box::new(move |_| Ok(value))),
            Ok(Err(error)) => deferred.reject(error),
            Err(_) => deferred.reject(napi::Error::from_reason("portcullis failed: please report this")),
        }
    });
    Ok(promise)
}

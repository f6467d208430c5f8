//! The threads of the servers.

use std::{future::Future, sync::LazyLock};

use napi::{
    Env, Error, Result,
    bindgen_prelude::{Object, ToNapiValue},
};
use tokio::runtime::{Builder, Runtime};

/// The runtime of the process, for its whole life. Its threads do not keep the process alive.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).thread_name("portcullis-testkit").enable_all().build()
});

/// A function that makes a JavaScript value on its event loop's thread.
type Resolver<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

/// A promise of the output of `future`. It keeps Node's event loop alive until it is settled, so the future has to end.
pub(crate) fn promise<'env, T, F>(env: &'env Env, future: F) -> Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let runtime = RUNTIME
        .as_ref()
        .map_err(|error| Error::from_reason(format!("cannot start the test kit's threads: {error}")))?;
    let (deferred, promise) = env.create_deferred::<T, Resolver<T>>()?;
    runtime.spawn(async move {
        // In a separate task, so that the promise is settled even after a panic.
        match tokio::spawn(future).await {
            Ok(Ok(value)) => deferred.resolve(Box::new(move |_| Ok(value))),
            Ok(Err(error)) => deferred.reject(error),
            Err(_) => deferred.reject(Error::from_reason("the test kit failed by a defect: please report it")),
        }
    });
    Ok(promise)
}

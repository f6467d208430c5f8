//! A worker: the runtime beside nginx's loop, on which requests wait, and the deciders of its configuration.

use std::{
    future::Future,
    panic,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use nix::sys::signal::{SigSet, SigmaskHow};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::AbortHandle,
};

use crate::{counters, lines, location::Guards, nginx};

/// The runtime; none before the worker begins and after it has ended.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);
static HANDLE: OnceLock<Handle> = OnceLock::new();

/// The time for tasks at the end of a worker. Their requests have ended before.
const END: Duration = Duration::from_millis(100);

/// Begins the work of a worker.
///
/// # Errors
///
/// The reason why it cannot work.
pub(crate) fn begin(guards: &Guards, number: usize, watch: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        nginx::write(nginx::Level::Error, format!("a fault of the module, please report it: panic at {place}"));
    }));
    lines::install();
    counters::install(number);
    watch()?;
    let runtime = without_signals(|| {
        Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("portcullis").build()
    });
    let runtime = runtime.map_err(|error| format!("the system gives no thread: {error}"))?;
    let handle = HANDLE.get_or_init(|| runtime.handle().clone());
    // Judging a request may begin a fetch in the background. Entering the runtime for each would cost more.
    std::mem::forget(handle.enter());
    RUNTIME.lock().unwrap_or_else(PoisonError::into_inner).replace(runtime);
    for decider in guards.deciders()? {
        handle.spawn(decider.gateway().prefetch());
    }
    Ok(())
}

/// Runs a function with all signals blocked, as the threads that it starts have them: nginx waits for signals on its own thread.
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
    let started = start();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    started
}

/// Ends the work of a worker.
pub(crate) fn end() {
    let runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(runtime) = runtime {
        runtime.shutdown_timeout(END);
    }
}

/// Starts a task on the runtime; none if there is no runtime.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
    HANDLE.get().map(|handle| handle.spawn(task).abort_handle())
}

/// Returns the metrics of all workers, in the text form of Prometheus.
pub(crate) fn metrics(guards: Option<&Guards>) -> String {
    let deciders = guards.and_then(|guards| guards.deciders().ok()).unwrap_or_default();
    for decider in deciders {
        decider.gateway().refresh_gauges();
    }
    counters::text()
}

//! Lines in nginx's error log.

use std::{cell::Cell, ptr};

use ngx::ffi::{
    NGX_LOG_DEBUG, NGX_LOG_EMERG, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN, ngx_cycle,
    ngx_log_error_core, ngx_log_t,
};

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A configuration or a worker that cannot be used.
    Emergency,
    /// A refused request, or a fault.
    Error,
    /// A fault that passes by itself.
    Warning,
    /// An event in the life of the module.
    Notice,
    /// A request that passes, or one without a token.
    Information,
    /// A detail for the makers of the module.
    Debug,
}

impl Level {
    fn number(self) -> usize {
        let number = match self {
            Self::Emergency => NGX_LOG_EMERG,
            Self::Error => NGX_LOG_ERR,
            Self::Warning => NGX_LOG_WARN,
            Self::Notice => NGX_LOG_NOTICE,
            Self::Information => NGX_LOG_INFO,
            Self::Debug => NGX_LOG_DEBUG,
        };
        number as usize
    }
}

thread_local! {
    /// The log of the callback that runs now; null outside of callbacks, and on threads of the module.
    static CURRENT: Cell<*mut ngx_log_t> = const { Cell::new(ptr::null_mut()) };
}

/// The time in which lines go into a certain log.
pub(super) struct Lines(*mut ngx_log_t);

impl Lines {
    /// Begins it; it ends with the value.
    ///
    /// # Safety
    ///
    /// The log is null, or lives as long as the value.
    pub(super) unsafe fn into(log: *mut ngx_log_t) -> Self {
        Self(CURRENT.replace(log))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Writes a line into the log of the callback that runs now; returns false if none runs on this thread.
pub(crate) fn log(level: Level, line: &str) -> bool {
    let current = CURRENT.get();
    if current.is_null() {
        return false;
    }
    // SAFETY: it lives as long as the callback (`Lines::into`).
    unsafe { write(current, level, line) };
    true
}

/// Writes a line into the log of the cycle.
///
/// # Safety
///
/// On nginx's thread, between the start of a worker and its end.
pub(super) unsafe fn log_of_cycle(level: Level, line: &str) {
    // SAFETY: one thread; there is a cycle in a worker.
    unsafe { write((*ngx_cycle).log, level, line) };
}

/// # Safety
///
/// The log lives.
unsafe fn write(log: *mut ngx_log_t, level: Level, line: &str) {
    let number = level.number();
    // SAFETY: the log lives; the format takes a length and a pointer to as many bytes.
    unsafe {
        if (*log).log_level >= number {
            ngx_log_error_core(number, log, 0, c"portcullis: %*s".as_ptr(), line.len(), line.as_ptr());
        }
    }
}

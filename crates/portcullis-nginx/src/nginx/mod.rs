//! nginx's structures behind safe types. All unsafe code of the module is in this folder.
//!
//! Each block names the facts that it relies on:
//!
//! - **One thread.** nginx calls a module on one thread of a process, and never while another of its calls runs further up the stack
//!   with the same structure borrowed: no reference to a structure of nginx is kept over a call to nginx.
//! - **Request.** The memory of a request's pool lives until the clean-ups of the pool have run. Types that borrow from it carry a
//!   lifetime that ends with the callback.
//! - **Configuration.** Structures of a configuration live as long as its cycle, and only requests of that cycle get to them.
//! - **Nulls.** nginx zeroes the structures that it makes; a null pointer in one stands for nothing.
//!
//! A panic ends at the callback that it happens in ([`caught`]): the request gets 500, the worker lives on.

#![allow(unsafe_code, reason = "the one folder that talks to C")]

#[cfg(test)]
#[allow(non_upper_case_globals, reason = "nginx's names")]
mod absent;
mod arrivals;
mod configuration;
mod fields;
mod log;
mod module;
mod request;
mod response;
mod state;
mod text;
mod variables;
mod zone;

pub(crate) use arrivals::{Ticket, mailbox, write};
pub(crate) use fields::Fields;
pub(crate) use log::{Level, log};
pub(crate) use request::{Request, Token};
pub(crate) use zone::{common, metrics};

use std::panic::{AssertUnwindSafe, catch_unwind};

use ngx::ffi::{NGX_ERROR, ngx_int_t, ngx_log_t};

/// Runs the body of a callback, with its lines in this log. A panic becomes `fault`.
///
/// # Safety
///
/// The log is null, or lives as long as the callback.
unsafe fn caught<T>(log: *mut ngx_log_t, fault: T, body: impl FnOnce() -> T) -> T {
    // SAFETY: as the caller promises.
    let _lines = unsafe { log::Lines::into(log) };
    // A structure that is half changed is that of a request that ends now.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fault)
}

/// The return value of nginx's functions for a failure.
const FAILED: ngx_int_t = NGX_ERROR as ngx_int_t;

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_panic_ends_at_its_callback() {
        for (is_good, expected) in [(true, 1), (false, FAILED)] {
            // SAFETY: the log is null.
            let got = unsafe {
                caught(ptr::null_mut(), FAILED, || {
                    assert!(is_good, "on purpose");
                    1
                })
            };
            assert_eq!(got, expected);
        }
    }
}

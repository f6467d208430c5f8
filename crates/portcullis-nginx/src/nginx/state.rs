//! The module's knowledge about a request: kept by its pool, since nginx forgets contexts at an internal redirect.

use std::{
    cell::RefCell,
    ffi::c_void,
    ptr::{self, NonNull},
};

use ngx::ffi::{ngx_http_request_t, ngx_list_part_t, ngx_pool_cleanup_add, ngx_table_elt_t};

use super::{caught, module, text::untyped};
use crate::door::State;

/// The knowledge about a request.
pub(super) struct Held {
    pub(super) state: State,
    /// The client's header fields, before the module changed any.
    pub(super) fields: ngx_list_part_t,
    /// The fields that the module has added to the answer.
    pub(super) told: RefCell<Vec<NonNull<ngx_table_elt_t>>>,
}

/// Returns the knowledge about a request, if there is some.
///
/// # Safety
///
/// The request lives as long as `'r`.
pub(super) unsafe fn of<'r>(request: *mut ngx_http_request_t) -> Option<&'r Held> {
    // SAFETY: request; the contexts are an array with a place for each module, and a main request is its own `main`.
    unsafe {
        let main = (*request).main;
        let context = (*main).ctx.add(module::index());
        if (*context).is_null() {
            let mut cleanup = (*(*main).pool).cleanup;
            while let Some(this) = cleanup.as_ref() {
                if this.handler.is_some_and(|handler| ptr::fn_addr_eq(handler, forget as Handler)) {
                    *context = this.data;
                    break;
                }
                cleanup = this.next;
            }
        }
        (*context).cast::<Held>().as_ref()
    }
}

/// Begins to know about a request; none if there is no memory.
///
/// # Safety
///
/// The request lives as long as `'r`, and nothing is known about it.
pub(super) unsafe fn give<'r>(request: *mut ngx_http_request_t, state: State) -> Option<&'r Held> {
    // SAFETY: request; the pool drops the value with the request.
    unsafe {
        let main = (*request).main;
        let cleanup = ngx_pool_cleanup_add((*main).pool, 0).as_mut()?;
        let held = Held { state, fields: (*request).headers_in.headers.part, told: RefCell::default() };
        cleanup.data = untyped(Box::into_raw(Box::new(held)));
        cleanup.handler = Some(forget);
        *(*main).ctx.add(module::index()) = cleanup.data;
        cleanup.data.cast::<Held>().as_ref()
    }
}

type Handler = unsafe extern "C" fn(*mut c_void);

unsafe extern "C" fn forget(data: *mut c_void) {
    // SAFETY: `give` has made it of a box, and nginx calls a clean-up once.
    unsafe { caught(ptr::null_mut(), (), || drop(Box::from_raw(data.cast::<Held>()))) };
}

//! Texts of nginx.

use std::{
    ffi::{CStr, c_void},
    ptr, slice,
};

use ngx::ffi::{ngx_hash_strlow, ngx_pnalloc, ngx_pool_t, ngx_str_t, u_char};

/// Returns the bytes of a text.
///
/// # Safety
///
/// The text is empty, or its bytes live as long as `'a` and do not change meanwhile.
pub(super) unsafe fn bytes<'a>(text: ngx_str_t) -> &'a [u8] {
    if text.len == 0 || text.data.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises; `len` is the number of bytes at `data`.
    unsafe { slice::from_raw_parts(text.data, text.len) }
}

/// Returns a constant as a text.
pub(super) const fn of(text: &'static str) -> ngx_str_t {
    // nginx does not write to the names of directives, variables and modules.
    ngx_str_t { len: text.len(), data: text.as_ptr().cast_mut() }
}

/// Returns a constant as a text with a zero behind it, as nginx expects it of the names of directives.
pub(super) const fn of_c(text: &'static CStr) -> ngx_str_t {
    ngx_str_t { len: text.count_bytes(), data: text.as_ptr().cast_mut().cast() }
}

/// Copies bytes into a pool; none if there is no memory.
///
/// # Safety
///
/// The pool lives.
pub(super) unsafe fn copy(pool: *mut ngx_pool_t, bytes: &[u8]) -> Option<ngx_str_t> {
    if bytes.is_empty() {
        return Some(of(""));
    }
    // SAFETY: the pool lives.
    let data: *mut u_char = unsafe { ngx_pnalloc(pool, bytes.len()) }.cast();
    if data.is_null() {
        return None;
    }
    // SAFETY: `data` has room for as many bytes, and is new, so that the two do not overlap.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len()) };
    Some(ngx_str_t { len: bytes.len(), data })
}

/// Copies a name in lower case into a pool; returns it with its hash.
///
/// # Safety
///
/// The pool lives.
pub(super) unsafe fn lower_case(pool: *mut ngx_pool_t, name: &[u8]) -> Option<(*mut u_char, usize)> {
    // SAFETY: the pool lives.
    let copied = unsafe { copy(pool, name) }?;
    // SAFETY: both point at the copy, which is written in place.
    let hash = unsafe { ngx_hash_strlow(copied.data, copied.data, copied.len) };
    Some((copied.data, hash))
}

/// A pointer to data that a callback gets.
pub(super) fn untyped<T>(pointer: *mut T) -> *mut c_void {
    pointer.cast()
}

//! The text of a header field from JavaScript: [`Field`].

use std::{cell::Cell, ptr};

use napi::{
    Result,
    bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue},
    check_status, sys,
};

/// The initial size of the buffer, in bytes: nearly every field fits.
const ROOM: usize = 4 * 1024;

/// The greatest size of a kept buffer.
const MOST_ROOM: usize = 64 * 1024;

/// The bytes of the longest character in UTF-8: a text that ends closer to the buffer's end may be cut off.
const LONGEST_CHARACTER: usize = 4;

thread_local! {
    /// The buffer of the last field, kept because an allocation at each request costs as much as looking up the token.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A string of JavaScript in UTF-8, in which characters outside of tokens stay such.
pub struct Field(Vec<u8>);

impl Field {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        if self.0.capacity() <= MOST_ROOM {
            // On a thread that ends, the buffer is not needed.
            let _ = BUFFER.try_with(|buffer| buffer.set(std::mem::take(&mut self.0)));
        }
    }
}

impl FromNapiValue for Field {
    #[expect(unsafe_code, reason = "napi reads strings into buffers of its own only")]
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes.reserve(ROOM);
        loop {
            let mut written = 0;
            // SAFETY: `env` and `value` are the caller's, and good for this call. The buffer has room for `capacity`
            // bytes, and Node writes no more; `written` does not count the zero at the end.
            check_status!(unsafe {
                sys::napi_get_value_string_utf8(env, value, bytes.as_mut_ptr().cast(), bytes.capacity(), &mut written)
            })?;
            if written + LONGEST_CHARACTER < bytes.capacity() {
                // SAFETY: Node has written that many bytes.
                unsafe { bytes.set_len(written) };
                return Ok(Self(bytes));
            }
            let mut length = 0;
            // SAFETY: as above; without a buffer, Node only returns the length.
            check_status!(unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut length) })?;
            bytes.reserve(length + 2 * LONGEST_CHARACTER);
        }
    }
}

impl TypeName for Field {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> napi::ValueType {
        napi::ValueType::String
    }
}

impl ValidateNapiValue for Field {}

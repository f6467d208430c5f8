//! The library's epoch as JavaScript sees it: [`epoch`].

use std::sync::{Arc, atomic::AtomicU32};

use napi::{Env, Result, bindgen_prelude::ArrayBuffer};
use napi_derive::napi;

/// Returns a word of memory that changes whenever verdicts on tokens may change for another reason than time; null where the engine
/// cannot share memory.
///
/// JavaScript reads it at each request, without a call. Each thread of JavaScript has a word of its own, since V8 allows no two
/// buffers at one address.
#[napi]
pub fn epoch<'env>(env: &'env Env) -> Result<Option<ArrayBuffer<'env>>> {
    let word = portcullis::epoch();
    let address = Arc::as_ptr(&word).cast::<u8>().cast_mut();
    #[expect(unsafe_code, reason = "napi cannot know for how long memory is good")]
    // SAFETY: the memory is that of an `Arc`, which the buffer holds until it is collected. Rust changes it only by atomic writes of
    // the whole, aligned word, and JavaScript only reads it.
    let buffer =
        unsafe { ArrayBuffer::from_external(env, address, size_of::<AtomicU32>(), word, |_, word| drop(word)) }?;
    // Engines without shared memory, as that of Electron, make a copy, which would never change.
    Ok((buffer.as_ptr() == address.cast_const()).then_some(buffer))
}

//! The shared memory of the workers, which outlives reloads.

use std::{
    ffi::c_void,
    ptr, slice,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

use ngx::ffi::{ngx_conf_t, ngx_int_t, ngx_shared_memory_add, ngx_shm_zone_t, ngx_slab_calloc, ngx_slab_pool_t};

use super::{FAILED, caught, module, text};
use crate::memory;

/// The number of 8-byte words for metrics.
const METRICS: usize = 1 << 16;
/// The number of words in all: those for metrics, and then the memory that workers have in common.
const WORDS: usize = METRICS + memory::WORDS;
/// The size of the zone: the words, and nginx's own book-keeping.
const SIZE: usize = WORDS * size_of::<AtomicU64>() + (64 << 10);

/// The first word; null before there is a zone. The newest configuration's stays mapped as long as the process.
static FIRST: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// Adds the zone to a configuration; none if there is no memory.
///
/// # Safety
///
/// The configuration lives.
pub(super) unsafe fn add(cf: *mut ngx_conf_t) -> Option<()> {
    let mut name = text::of("portcullis");
    // SAFETY: as the caller promises; nginx keeps the name, which is static, and compares the tag only.
    unsafe {
        let tag: *mut c_void = (&raw mut module::ngx_http_portcullis_module).cast();
        let zone = ngx_shared_memory_add(cf, &raw mut name, SIZE, tag).as_mut()?;
        zone.init = Some(begin);
        Some(())
    }
}

/// Makes the words in a new zone, or finds them in that of the cycle before.
unsafe extern "C" fn begin(zone: *mut ngx_shm_zone_t, _before: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls it with a live zone, whose memory begins with a pool.
    unsafe {
        caught((*zone).shm.log, FAILED, || {
            let pool = (*zone).shm.addr.cast::<ngx_slab_pool_t>();
            if (*pool).data.is_null() {
                (*pool).data = ngx_slab_calloc(pool, WORDS * size_of::<AtomicU64>());
                let words: *mut AtomicU64 = (*pool).data.cast();
                if words.is_null() || !memory::begin(slice::from_raw_parts(words.add(METRICS), memory::WORDS)) {
                    (*pool).data = ptr::null_mut();
                    return FAILED;
                }
            }
            FIRST.store((*pool).data.cast(), Ordering::Relaxed);
            0
        })
    }
}

/// Returns the words for metrics; none if there is no zone.
pub(crate) fn metrics() -> Option<&'static [AtomicU64]> {
    words()?.get(..METRICS)
}

/// Returns the words that workers have in common otherwise; none if there is no zone.
pub(crate) fn common() -> Option<&'static [AtomicU64]> {
    words()?.get(METRICS..)
}

fn words() -> Option<&'static [AtomicU64]> {
    let first = FIRST.load(Ordering::Relaxed);
    // SAFETY: nginx maps the zone for the life of a worker; the words are aligned as pages are, and were zero in the beginning.
    (!first.is_null()).then(|| unsafe { slice::from_raw_parts(first, WORDS) })
}

//! The header fields of a request.

use std::marker::PhantomData;

use http::HeaderName;
use ngx::ffi::{ngx_list_part_t, ngx_table_elt_t};
use portcullis::HeaderFields;

use super::text;

/// The header fields of the client, as they were before the module changed any.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'r> {
    /// A copy of the first part: nginx adds to its own.
    first: ngx_list_part_t,
    request: PhantomData<&'r ()>,
}

// SAFETY: one thread; the library's trait asks for it since other doors move their fields between threads.
unsafe impl Sync for Fields<'_> {}

impl<'r> Fields<'r> {
    /// # Safety
    ///
    /// It is the first part of a list of `ngx_table_elt_t` in the pool of a request, which lives as long as `'r`, and nothing is
    /// added to the parts behind it.
    pub(super) unsafe fn of(first: ngx_list_part_t) -> Self {
        Self { first, request: PhantomData }
    }

    /// Returns the fields in nginx's form.
    pub(super) fn elements(&self) -> impl Iterator<Item = &ngx_table_elt_t> {
        let mut part = Some(&self.first);
        let mut index = 0;
        std::iter::from_fn(move || {
            loop {
                let current = part?;
                if index < current.nelts {
                    // SAFETY: request; a part has `nelts` elements at `elts`.
                    let element = unsafe { &*current.elts.cast::<ngx_table_elt_t>().add(index) };
                    index += 1;
                    return Some(element);
                }
                // SAFETY: request; the next part, or null.
                part = unsafe { current.next.as_ref() };
                index = 0;
            }
        })
    }

    /// Returns the name and the value of each field, in the order of the request.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'r [u8], &'r [u8])> {
        // SAFETY: request; nginx does not change the texts of fields.
        self.elements().map(|element| unsafe { (text::bytes(element.key), text::bytes(element.value)) })
    }
}

impl HeaderFields for Fields<'_> {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        let name = name.as_str().as_bytes();
        let named = self.iter().filter(|(own, _)| own.len() == name.len() && own.eq_ignore_ascii_case(name));
        named.for_each(|(_, value)| visit(value));
    }
}

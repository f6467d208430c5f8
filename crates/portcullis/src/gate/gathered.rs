//! The pieces of a content that a door reads: [`Gathered`].

use bytes::{Bytes, BytesMut};

/// Bytes in one piece: those of a single frame are not copied.
#[derive(Default)]
pub(crate) struct Gathered {
    first: Bytes,
    all: BytesMut,
}

impl Gathered {
    pub(crate) fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() {
            self.first = bytes;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&bytes);
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

//! Without axum there is no body that this layer can make: content stays unseen.

use std::convert::Infallible;

use http::Request;

use crate::mcp::Content;

/// No content.
#[derive(Debug)]
pub(super) struct Read(Infallible);

pub(super) fn take<B: 'static>(_: &mut Request<B>) -> Option<Infallible> {
    None
}

impl Read {
    pub(super) async fn up_to(_: usize, body: Infallible) -> Self {
        Self(body)
    }

    pub(super) fn content(&self) -> Content<'_> {
        match self.0 {}
    }

    pub(super) fn put_back<B: 'static>(self, _: &mut Request<B>) {
        match self.0 {}
    }
}

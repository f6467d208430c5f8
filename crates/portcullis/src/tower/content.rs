//! The content of a request that has to be judged: read up to a limit, and handed on as it came.
//!
//! A layer is generic over bodies, and can only read one and hand it on if it can make one of the same type: axum's
//! [`Body`]. Content of another type stays unseen, and the header fields have to be enough.
//!
//! The time that a client takes is the server's to limit.

use std::{
    any::Any,
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use ::axum::{Error, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body as _, Frame, SizeHint};

use crate::{gate::Gathered, mcp::Content};

/// Takes the body out of a request, if it is axum's.
pub(super) fn take<B: 'static>(request: &mut Request<B>) -> Option<Body> {
    slot(request).map(mem::take)
}

fn slot<B: 'static>(request: &mut Request<B>) -> Option<&mut Body> {
    (request.body_mut() as &mut dyn Any).downcast_mut()
}

/// The content of a request, as far as it was read.
#[derive(Debug)]
pub(super) struct Read {
    data: Bytes,
    end: End,
}

/// The reason for the end of reading.
#[derive(Debug)]
enum End {
    Whole(Option<HeaderMap>),
    TooLarge(Body),
    CutOff(Option<Error>),
}

impl Read {
    /// Reads a body up to its end, or a little beyond the limit.
    pub(super) async fn up_to(limit: usize, mut body: Body) -> Self {
        let (mut data, mut trailers) = (Gathered::default(), None);
        let is_larger = |length: usize, rest: &Body| rest.size_hint().lower() > limit.saturating_sub(length) as u64;
        let end = loop {
            if data.len() > limit || is_larger(data.len(), &body) {
                break End::TooLarge(body);
            }
            match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                None => break End::Whole(trailers),
                Some(Err(error)) => break End::CutOff(Some(error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => data.push(bytes),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
            }
        };
        Self { data: data.finish(), end }
    }

    pub(super) fn content(&self) -> Content<'_> {
        match self.end {
            End::Whole(_) => Content::Whole(&self.data),
            End::TooLarge(_) => Content::TooLarge,
            End::CutOff(_) => Content::CutOff,
        }
    }

    /// Puts the same content back into the request.
    pub(super) fn put_back<B: 'static>(self, request: &mut Request<B>) {
        let Some(slot) = slot(request) else { return };
        *slot = match self {
            Self { data, end: End::Whole(None) } => Body::from(data),
            read => Body::new(read),
        };
    }
}

/// The bytes that were read, then the rest.
impl http_body::Body for Read {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(mem::take(&mut self.data)))));
        }
        match &mut self.end {
            End::Whole(trailers) => Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))),
            End::TooLarge(rest) => Pin::new(rest).poll_frame(cx),
            End::CutOff(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = match &self.end {
            End::TooLarge(rest) => rest.size_hint(),
            End::Whole(_) => SizeHint::with_exact(0),
            End::CutOff(_) => SizeHint::default(),
        };
        let read = self.data.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(hint.lower().saturating_add(read));
        hint
    }
}

//! The content of a request that has to be judged: read up to a limit, and handed on as it came.
//!
//! The time that a client takes is the server's to limit.

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    dev::{Payload, ServiceRequest},
    error::PayloadError,
};
use bytes::Bytes;
use futures_core::Stream;

use crate::{gate::Gathered, mcp::Content};

/// The content of a request, as far as it was read.
pub(super) struct Read {
    data: Bytes,
    end: End,
}

/// The reason for the end of reading.
enum End {
    Whole,
    TooLarge(Payload),
    CutOff(Option<PayloadError>),
}

impl Read {
    /// Reads a payload up to its end, or a little beyond the limit.
    pub(super) async fn up_to(limit: usize, mut payload: Payload) -> Self {
        let mut data = Gathered::default();
        let end = loop {
            if data.len() > limit {
                break End::TooLarge(payload);
            }
            match poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
                None => break End::Whole,
                Some(Err(error)) => break End::CutOff(Some(error)),
                Some(Ok(bytes)) => data.push(bytes),
            }
        };
        Self { data: data.finish(), end }
    }

    pub(super) fn content(&self) -> Content<'_> {
        match self.end {
            End::Whole => Content::Whole(&self.data),
            End::TooLarge(_) => Content::TooLarge,
            End::CutOff(_) => Content::CutOff,
        }
    }

    /// Puts the same content back into the request.
    pub(super) fn put_back(self, request: &mut ServiceRequest) {
        request.set_payload(Payload::Stream { payload: Box::pin(self) });
    }
}

/// The bytes that were read, then the rest.
impl Stream for Read {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.data.is_empty() {
            return Poll::Ready(Some(Ok(mem::take(&mut self.data))));
        }
        match &mut self.end {
            End::Whole => Poll::Ready(None),
            End::TooLarge(rest) => Pin::new(rest).poll_next(cx),
            End::CutOff(error) => Poll::Ready(error.take().map(Err)),
        }
    }
}

//! A body in small pieces, which HTTP/2 writes together.
//!
//! Pieces of 1 KiB or more are written one by one, and so would each answer with a JWT in it: two system calls for each
//! answer, where otherwise a dozen answers share one.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// The size of a piece: below the size of pieces that are written one by one.
const LARGEST_PIECE: usize = 1_000;

/// The size above which a message is written as it is; such messages are few.
const LARGEST_CUT: usize = 16 * LARGEST_PIECE;

pin_project! {
    /// A body in small pieces.
    #[derive(Debug, Default)]
    pub(crate) struct Pieces<B> {
        #[pin]
        body: B,
        rest: Bytes,
    }
}

impl<B> Pieces<B> {
    pub(super) fn of(body: B) -> Self {
        Self { body, rest: Bytes::new() }
    }
}

impl<B: Body<Data = Bytes>> Body for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(next(this.rest)))));
        }
        let frame = match ready!(this.body.poll_frame(context)) {
            Some(Ok(frame)) => frame,
            end => return Poll::Ready(end),
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) if data.len() > LARGEST_PIECE && data.len() <= LARGEST_CUT => {
                *this.rest = data;
                Frame::data(next(this.rest))
            }
            Ok(data) => Frame::data(data),
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

fn next(rest: &mut Bytes) -> Bytes {
    rest.split_to(rest.len().min(LARGEST_PIECE))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says so")]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_in_pieces() {
        for (length, pieces) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (2_500, 3), (16_000, 16), (16_001, 1)] {
            let text: Vec<u8> = (0..length).map(|at: u32| at.to_le_bytes()[0]).collect();
            let mut body = Pieces::of(Full::new(Bytes::from(text.clone())));
            assert_eq!(body.size_hint().exact(), Some(u64::from(length)));
            let (mut came, mut count) = (Vec::new(), 0);
            while let Some(frame) = body.frame().await {
                came.extend_from_slice(&frame.unwrap().into_data().unwrap());
                count += 1;
            }
            assert_eq!((came, count), (text, pieces), "{length}");
            assert!(body.is_end_stream());
        }
    }
}

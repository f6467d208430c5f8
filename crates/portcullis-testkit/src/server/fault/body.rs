use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

/// A body that sends its bytes and then fails, which drops the connection.
pub(super) struct CutOffBody {
    step: Step,
}

enum Step {
    Send(Bytes),
    /// Waits for one poll, in which the server writes its buffer.
    Flush,
    Fail,
}

impl CutOffBody {
    pub(super) fn new(start: Vec<u8>) -> Self {
        Self { step: Step::Send(start.into()) }
    }
}

impl Body for CutOffBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match std::mem::replace(&mut self.step, Step::Fail) {
            Step::Send(start) => {
                self.step = Step::Flush;
                Poll::Ready(Some(Ok(Frame::data(start))))
            }
            Step::Flush => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Fail => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }
}

/// A body that opens a JSON document and sends white space without end.
pub(super) struct EndlessBody {
    next: &'static [u8],
}

impl EndlessBody {
    pub(super) fn new() -> Self {
        Self { next: br#"{"keys":["# }
    }
}

impl Body for EndlessBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let chunk = std::mem::replace(&mut self.next, &[b' '; 16 * 1024]);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(chunk)))))
    }
}

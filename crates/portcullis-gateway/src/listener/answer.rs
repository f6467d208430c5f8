//! The time limit of a request.

use std::{convert::Infallible, future::poll_fn, pin::pin, task::Poll, time::Duration};

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};

use super::activity::Call;
use crate::telemetry::Seldom;

/// Returns the answer, or 503 if it takes longer than `limit`: a request that is not judged must not pass.
///
/// Most answers are ready at once; only the others get a timer.
pub(super) async fn in_time<F, B>(answer: F, limit: Duration, call: Call) -> Result<Response<B>, Infallible>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Default,
{
    let _until_answered = call;
    let mut answer = pin!(answer);
    if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
        return answer;
    }
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Ok(too_late()))
}

fn too_late<B: Default>() -> Response<B> {
    static TOLD: Seldom = Seldom::new();
    crate::telemetry::timed_out();
    if TOLD.is_due() {
        tracing::warn!("a request was answered with 503: it took longer than limits.request_time");
    }
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

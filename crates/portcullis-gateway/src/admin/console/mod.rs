//! The console: a page of the admin listener, off unless the configuration says `console = true`.
//!
//! | path | answer |
//! |---|---|
//! | `/console` | the page, with `/console/page.js` and `/console/page.css` |
//! | `/console/state` | issuers, counts and the last refusals, as JSON |
//! | `POST /console/explain` | why a token passes or is refused, as JSON |
//!
//! Every client of the admin listener may read it. Pages of other sites are kept out by two checks: the requested host,
//! as everywhere on this listener, and the media type of a question, which only this page may send.

mod explain;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::{JSON, Observed, TEXT, not_allowed, response};
use crate::{
    answering::{Answer, Answering},
    decision::{Gateway, Recent},
};

const PATH: &str = "/console";

/// The bytes of a question beside its token.
const REST_OF_A_QUESTION: usize = 32 << 10;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The console of the current configuration.
#[derive(Clone)]
pub(crate) struct Console {
    current: Arc<ArcSwap<Gateway>>,
    recent: Arc<Recent>,
    /// The length limit of a question: room for the longest token that is ever judged.
    question_bytes: usize,
}

impl Console {
    pub(crate) fn new(current: Arc<ArcSwap<Gateway>>, recent: Arc<Recent>, header_bytes: usize) -> Self {
        Self { current, recent, question_bytes: header_bytes + REST_OF_A_QUESTION }
    }

    /// Returns true if the console has this path.
    pub(super) fn has(path: &str) -> bool {
        path.strip_prefix(PATH).is_some_and(|page| page.is_empty() || page.starts_with('/'))
    }

    /// The answer to a request for one of its paths.
    pub(super) fn answer<B>(&self, request: Request<B>, observed: &dyn Observed) -> Answering
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match request.uri().path().strip_prefix(PATH).unwrap_or_default() {
            "/explain" => self.explain(request),
            page => Answering::now(safe(self.page(request.method(), page, observed))),
        }
    }

    fn page(&self, method: &Method, page: &str, observed: &dyn Observed) -> Answer {
        if *method != Method::GET {
            return not_allowed();
        }
        match page {
            "" | "/" => response(StatusCode::OK, "text/html; charset=utf-8", include_str!("page.html")),
            "/page.js" => response(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("page.js")),
            "/page.css" => response(StatusCode::OK, "text/css; charset=utf-8", include_str!("page.css")),
            "/state" => response(StatusCode::OK, JSON, self.state(observed).to_string()),
            _ => response(StatusCode::NOT_FOUND, TEXT, "not found\n"),
        }
    }

    fn state(&self, observed: &dyn Observed) -> Value {
        let readiness = observed.readiness();
        json!({ "ready": readiness.is_ready(), "status": observed.status(), "recent": self.recent.snapshot() })
    }

    fn explain<B>(&self, request: Request<B>) -> Answering
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if request.method() != Method::POST {
            return Answering::now(safe(not_allowed()));
        }
        if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != JSON) {
            let text = "expected application/json\n";
            return Answering::now(safe(response(StatusCode::UNSUPPORTED_MEDIA_TYPE, TEXT, text)));
        }
        let (gateway, longest) = (self.current.load_full(), self.question_bytes);
        Answering::later(async move {
            let body = Limited::new(request.into_body(), longest).collect().await;
            if body.as_ref().is_err_and(|error| error.is::<LengthLimitError>()) {
                let text = "expected a question with a token that fits into limits.header_bytes, got a longer one\n";
                return safe(response(StatusCode::PAYLOAD_TOO_LARGE, TEXT, text));
            }
            let question = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
            safe(match question {
                Some(question) => {
                    response(StatusCode::OK, JSON, explain::explain(&gateway, question).await.to_string())
                }
                None => response(StatusCode::BAD_REQUEST, TEXT, "expected a JSON object with `token`\n"),
            })
        })
    }
}

/// Adds the header fields that limit the browser to what the page needs.
fn safe(mut answer: Answer) -> Answer {
    let fields: [(HeaderName, &'static str); 2] = [(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer")];
    for (name, value) in fields {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

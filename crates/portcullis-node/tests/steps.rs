//! A request takes each step of judging at most once, for a known token, a token verified at once, and a token that waits for
//! keys or another thread.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../src/request.rs"]
mod request;

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use portcullis::{Judging, JwksService, Secure, names::steps};
use portcullis_testkit::AuthorizationServer;
use request::Request;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry};

/// The steps taken, on any thread.
static TAKEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

const KNOWN: [&str; 2] = [steps::FIND_TOKEN, steps::LOOK_UP_TOKEN];
const NEW: [&str; 3] = [steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN];

#[tokio::test(flavor = "multi_thread")]
async fn a_request_takes_each_step_once() {
    subscriber::set_global_default(registry().with(Steps)).unwrap();
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let token = |subject: &str| server.token().claim("sub", subject).sign();

    let first = token("first");
    assert_eq!(judge(&secure, &first, true).await, (true, NEW.to_vec()), "waits for keys");
    assert_eq!(judge(&secure, &first, true).await, (false, KNOWN.to_vec()), "is known");
    assert_eq!(judge(&secure, &first, false).await, (false, KNOWN.to_vec()), "is known, and waits for no thread");
    assert_eq!(judge(&secure, &token("second"), true).await, (false, NEW.to_vec()), "is verified at once");
    assert_eq!(judge(&secure, &token("third"), false).await, (true, NEW.to_vec()), "waits for another thread");
    server.rotate();
    assert_eq!(judge(&secure, &token("fourth"), false).await, (true, NEW.to_vec()), "waits for both");
    assert_eq!(judge(&secure, "nonsense", true).await, (false, NEW.to_vec()), "is no token");
}

/// Judges as the addon does, and returns true for a request that waited, and its steps.
async fn judge(secure: &Secure, token: &str, verify: bool) -> (bool, Vec<&'static str>) {
    taken();
    let authorization = format!("Bearer {token}");
    let request = Request { authorization: Some(authorization.as_bytes()), several: false, verify };
    let waits = match request.judge(secure) {
        Judging::Done(verdict) => {
            assert_eq!(verdict.outcome.is_ok(), token.contains('.'));
            false
        }
        Judging::Waits(pending) => {
            assert!(tokio::spawn(pending.into_future()).await.unwrap().outcome.is_ok());
            true
        }
    };
    (waits, taken())
}

/// Takes the steps since the last call.
fn taken() -> Vec<&'static str> {
    let taken = std::mem::take(&mut *TAKEN.lock().unwrap_or_else(PoisonError::into_inner));
    let known = |step: String| *NEW.iter().find(|known| **known == step).expect("a step of this list");
    taken.into_iter().map(known).collect()
}

/// A subscriber that collects the steps.
struct Steps;

impl<S: Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == steps::TARGET {
            event.record(&mut Self);
        }
    }
}

impl Visit for Steps {
    fn record_str(&mut self, _: &Field, step: &str) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push(step.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

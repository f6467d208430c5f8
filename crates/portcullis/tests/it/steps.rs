//! A request takes each step of judging once, waiting or not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::Router;
use portcullis::{ClientAuthentication, IntrospectionForm, Introspector, Secure, Verifier, names::steps};
use portcullis_testkit::Endpoint;
use tracing::{Event, Subscriber, field};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry};

use crate::support::{Answer, Setup, answer, app, bearer, listen};

type Steps = BTreeMap<String, usize>;

/// Counts the steps that are traced on this thread.
#[derive(Clone, Default)]
struct Count(Arc<Mutex<Steps>>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == steps::TARGET {
            event.record(&mut self.clone());
        }
    }
}

impl field::Visit for Count {
    fn record_str(&mut self, _: &field::Field, step: &str) {
        *self.0.lock().unwrap().entry(step.to_owned()).or_default() += 1;
    }

    fn record_debug(&mut self, _: &field::Field, _: &dyn std::fmt::Debug) {}
}

/// The steps of a request with this token, which passes.
async fn steps_of(app: &Router, token: &str) -> Steps {
    steps_to(answer(app, bearer(token))).await
}

/// The steps to this answer, of a request that passes.
pub(crate) async fn steps_to(answer: impl Future<Output = Answer>) -> Steps {
    let count = Count::default();
    // The runtime of a test has one thread: all tasks run here.
    let counting = listen(registry().with(count.clone()));
    let status = answer.await.status;
    drop(counting);
    assert_eq!(status, 200);
    let steps = count.0.lock().unwrap();
    steps.clone()
}

pub(crate) fn once<const N: usize>(steps: [&str; N]) -> Steps {
    steps.map(|step| (step.to_owned(), 1)).into()
}

#[tokio::test]
async fn a_request_that_waits_for_a_key_takes_each_step_once() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()));
    let waiting = once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN]);
    assert_eq!(steps_of(&app, &setup.server.token().sign()).await, waiting, "the first key");
    setup.server.rotate();
    let fetches = setup.server.requests(Endpoint::Jwks);
    assert_eq!(steps_of(&app, &setup.server.token().sign()).await, waiting, "a new key");
    assert_eq!(setup.server.requests(Endpoint::Jwks), fetches + 1, "it had to wait");
    let other = setup.server.token().subject("other").sign();
    assert_eq!(steps_of(&app, &other).await, waiting, "a known key");
    assert_eq!(steps_of(&app, &other).await, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN]), "a known token");
}

#[tokio::test]
async fn a_request_that_waits_for_an_introspection_takes_each_step_once() {
    for (form, expected) in [
        (IntrospectionForm::Json, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN])),
        (IntrospectionForm::Jwt, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN])),
        (IntrospectionForm::Phantom, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN, steps::DECODE_TOKEN])),
    ] {
        let setup = Setup::new().await;
        let client = ClientAuthentication::basic("test-client", "test-secret");
        let (endpoint, clock) = (format!("{}/introspect", setup.server.issuer()), setup.clock.clone());
        let introspector = Introspector::builder(&endpoint, client).form(form).clock(move || clock.now());
        let verifier = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
        let verifier = verifier.audience("https://api.example.com").introspection(introspector.build().unwrap());
        let app = app(Secure::new(verifier.build().unwrap()));

        let token = setup.server.issue_opaque(setup.server.token().subject("alice"));
        assert_eq!(steps_of(&app, &token).await, expected, "{form:?}");
        assert_eq!(steps_of(&app, &token).await, once([steps::FIND_TOKEN, steps::LOOK_UP_TOKEN]), "{form:?}, known");
    }
}

//! Failures of the server, and the fate of requests without an answer.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use portcullis::{ClientAuthentication, IntrospectionForm, Introspector, IntrospectorBuilder, Secure};
use portcullis_testkit::{Endpoint, Fault, TestClock};

use super::{Answer, By, FORMS, asked, canned, introspector, opaque, verdict, verifier};
use crate::support::{Setup, app};

pub(super) fn unavailable() -> (u16, String) {
    (503, "introspection_unavailable".into())
}

/// An introspector without a server.
pub(super) fn alone() -> IntrospectorBuilder {
    Introspector::builder("http://127.0.0.1:1/introspect", ClientAuthentication::basic("a", "b"))
}

/// Needs two seconds for each answer: inactive, with this status.
#[derive(Clone)]
pub(super) struct Slow {
    status: u16,
    pub(super) asked: Arc<AtomicUsize>,
}

impl Slow {
    pub(super) fn new(status: u16) -> Self {
        Self { status, asked: Arc::default() }
    }
}

impl portcullis::HttpClient for Slow {
    async fn send(&self, _request: portcullis::HttpRequest) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(2)).await;
        canned(self.status, "application/json", r#"{"active":false}"#)
    }
}

/// Sends this number of requests at once, each with its own token, and counts the verdicts.
async fn flood(app: &Router, requests: usize) -> HashMap<(u16, String), usize> {
    let requests: Vec<_> = (0..requests)
        .map(|number| {
            let app = app.clone();
            tokio::spawn(async move { verdict(&app, &format!("random-{number}")).await })
        })
        .collect();
    let mut verdicts = HashMap::new();
    for request in requests {
        *verdicts.entry(request.await.unwrap()).or_default() += 1;
    }
    verdicts
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_turn_is_told_to_come_again_and_that_is_no_failure_of_the_server() {
    let introspector = alone().http_client(Slow::new(200)).build().unwrap();
    let app = app(Secure::new(introspector.clone()).problem_json());
    let verdicts = flood(&app, 200).await;
    // 64 at a time, of two seconds each; no request waits for a turn for longer than three.
    assert_eq!(verdicts, HashMap::from([((403, "inactive_token".into()), 128), (unavailable(), 72)]));
    assert_eq!(introspector.status().failures, 0);
    assert_eq!(verdict(&app, "another").await, (403, "inactive_token".into()));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_while_the_server_fails_asks_no_more() {
    let (client, clock) = (Slow::new(500), TestClock::new());
    let introspector = alone().http_client(client.clone()).clock(move || clock.now()).build().unwrap();
    let app = app(Secure::new(introspector.clone()).problem_json());
    assert_eq!(flood(&app, 200).await, HashMap::from([(unavailable(), 200)]));
    assert_eq!(client.asked.load(Ordering::Relaxed), 64, "questions that were under way at the fifth failure");
    assert_eq!(introspector.status().failures, 5, "and they make the pause no longer");
}

/// The server's answer to a made-up token.
fn crafted(case: &str) -> Answer {
    match case {
        "no connection" => Err("connection refused".into()),
        "a page" => canned(200, "text/html", "<html>"),
        "no JSON" => canned(200, "application/json", "<html>"),
        "no answer" => canned(200, "application/json", r#"{"error":"invalid_request"}"#),
        "no text" => canned(200, "application/json", &b"\xff"[..]),
        "too long" => canned(200, "application/json", vec![b' '; 1 << 20]),
        status => canned(status.parse().unwrap(), "application/json", r#"{"active":true}"#),
    }
}

#[tokio::test]
async fn what_one_token_brings_about_is_not_held_against_the_server() {
    for (case, counts) in [
        ("no connection", true),
        ("500", true),
        ("502", true),
        ("503", true),
        ("408", true),
        ("401", false),
        ("429", false),
        ("204", false),
        ("302", false),
        ("400", false),
        ("403", false),
        ("404", false),
        ("413", false),
        ("422", false),
        ("a page", false),
        ("no JSON", false),
        ("no answer", false),
        ("no text", false),
        ("too long", false),
    ] {
        let questions = Arc::new(AtomicUsize::new(0));
        let client = By({
            let questions = Arc::clone(&questions);
            move |token: &str| {
                questions.fetch_add(1, Ordering::Relaxed);
                if token.starts_with("crafted") {
                    return crafted(case);
                }
                canned(200, "application/json", r#"{"active":true}"#)
            }
        });
        let introspector = alone().http_client(client).build().unwrap();
        let app = app(Secure::new(introspector.clone()).problem_json());
        for number in 0..10 {
            assert_eq!(verdict(&app, &format!("crafted-{number}")).await, unavailable(), "{case}");
        }
        let status = introspector.status();
        assert!(status.last_error.is_some(), "{case}");
        if counts {
            assert_eq!((questions.load(Ordering::Relaxed), status.failures), (5, 5), "{case}");
            assert_eq!(verdict(&app, "good").await, unavailable(), "{case}: it is left alone");
        } else {
            assert_eq!((questions.load(Ordering::Relaxed), status.failures), (10, 0), "{case}");
            assert_eq!(verdict(&app, "good").await.0, 200, "{case}");
        }
    }
}

#[tokio::test]
async fn an_odd_answer_when_it_is_tried_again_settles_nothing() {
    let clock = TestClock::new();
    let client = By(|token: &str| match token {
        "good" => canned(200, "application/json", r#"{"active":true}"#),
        "odd" => canned(400, "application/json", "{}"),
        _ => canned(500, "application/json", "{}"),
    });
    let introspector = alone().http_client(client).clock({
        let clock = clock.clone();
        move || clock.now()
    });
    let introspector = introspector.build().unwrap();
    let app = app(Secure::new(introspector.clone()).problem_json());
    for number in 0..5 {
        assert_eq!(verdict(&app, &format!("bad-{number}")).await, unavailable());
    }
    assert_eq!(verdict(&app, "good").await, unavailable(), "it is left alone");
    clock.advance(Duration::from_secs(2));
    assert_eq!(verdict(&app, "odd").await, unavailable());
    assert_eq!(introspector.status().failures, 5, "neither a failure nor a success");
    assert_eq!(verdict(&app, "good").await.0, 200, "the next question finds out");
    assert_eq!(introspector.status().failures, 0);
}

#[tokio::test]
async fn answers_in_no_form_refuse_nobody_and_let_nobody_pass() {
    for form in FORMS {
        for fault in [Fault::NotJson, Fault::HugeBody(1 << 20), Fault::Status(400), Fault::NoKeys] {
            let setup = Setup::new().await;
            let introspector = introspector(&setup, form).build().unwrap();
            let app = app(Secure::new(verifier(&setup, introspector.clone())).problem_json());
            let token = opaque(&setup);
            setup.server.fault(Endpoint::Introspection, fault.clone());
            for _ in 0..10 {
                assert_eq!(verdict(&app, &token).await, unavailable(), "{form:?} {fault:?}");
            }
            assert_eq!((asked(&setup), introspector.status().failures), (10, 0), "{form:?} {fault:?}");
            setup.server.heal(Endpoint::Introspection);
            assert_eq!(verdict(&app, &token).await.0, 200, "{form:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_for_longer_than_the_time_out() {
    let setup = Setup::new().await;
    let introspector = introspector(&setup, IntrospectionForm::Json).timeout(Duration::from_millis(100));
    let introspector = introspector.build().unwrap();
    let app = app(Secure::new(verifier(&setup, introspector.clone())).problem_json());
    setup.server.fault(Endpoint::Introspection, Fault::Hang);
    let token = opaque(&setup);
    let verdicts = async {
        for _ in 0..7 {
            assert_eq!(verdict(&app, &token).await, unavailable());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), verdicts).await.unwrap();
    assert_eq!((asked(&setup), introspector.status().failures), (5, 5));
    setup.server.heal(Endpoint::Introspection);
    setup.clock.advance(Duration::from_secs(2));
    assert_eq!(verdict(&app, &token).await.0, 200);
}

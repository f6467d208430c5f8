//! A client with made-up tokens cannot harm other clients.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use http::Response;
use portcullis::{Introspector, Secure};
use portcullis_testkit::TestClock;

use super::{
    Answer, By, canned,
    failures::{Slow, alone, unavailable},
    verdict, verdict_from,
};
use crate::support::app;

/// An app, its introspector and the count of its questions; `good…` is active, other tokens get this answer.
fn scene(
    clock: &TestClock,
    otherwise: impl Fn() -> Answer + Send + Sync + 'static,
) -> (Router, Introspector, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let client = By({
        let asked = Arc::clone(&asked);
        move |token: &str| {
            asked.fetch_add(1, Ordering::Relaxed);
            if token.starts_with("good") { canned(200, "application/json", r#"{"active":true}"#) } else { otherwise() }
        }
    });
    let clock = clock.clone();
    let introspector = alone().http_client(client).clock(move || clock.now()).build().unwrap();
    (app(Secure::new(introspector.clone()).problem_json()), introspector, asked)
}

fn inactive() -> (u16, String) {
    (403, "inactive_token".into())
}

#[tokio::test]
async fn an_error_that_says_no_refuses_the_one_token() {
    for (status, body) in [
        (401, r#"{"active":false}"#),
        (403, r#"{"active":false}"#),
        (404, r#"{"active": false, "error": "invalid_token"}"#),
        (400, r#"{"error":"invalid_token","error_description":"Token was not recognised"}"#),
        (401, r#"{"error":"invalid_token"}"#),
    ] {
        let (app, introspector, asked) = scene(&TestClock::new(), move || canned(status, "application/json", body));
        for number in 0..10 {
            assert_eq!(verdict(&app, &format!("made-up-{number}")).await, inactive(), "{status} {body}");
        }
        assert_eq!(verdict(&app, "made-up-0").await, inactive());
        assert_eq!(asked.load(Ordering::Relaxed), 10, "a refusal is remembered");
        assert_eq!(introspector.status().last_error, None);
        assert_eq!(verdict(&app, "good").await.0, 200, "{status} {body}");
    }
}

#[tokio::test]
async fn a_401_to_unknown_tokens_shuts_out_nobody() {
    for (media_type, body) in [
        ("application/json", ""),
        ("application/json", r#"{"error":"request_unauthorized"}"#),
        ("application/json", r#"{"active":true}"#),
        ("text/plain", r#"{"active":false}"#),
        ("text/html", "<html>"),
    ] {
        let clock = TestClock::new();
        let (app, introspector, asked) = scene(&clock, move || canned(401, media_type, body));
        // Our credentials may be wrong.
        for number in 0..10 {
            assert_eq!(verdict(&app, &format!("made-up-{number}")).await, unavailable(), "{body}");
        }
        assert!(introspector.status().last_error.unwrap().contains("credentials"));
        assert_eq!(verdict(&app, "good-1").await.0, 200, "{body}");
        assert_eq!(asked.load(Ordering::Relaxed), 11);
        // Now they are known to be right: the 401 is about the token.
        for number in 10..20 {
            assert_eq!(verdict(&app, &format!("made-up-{number}")).await, inactive(), "{body}");
        }
        assert_eq!(verdict(&app, "good-2").await.0, 200, "{body}");
        // For a while only, which a stranger's questions do not extend: the server may have forgotten us.
        clock.advance(Duration::from_secs(59));
        assert_eq!(verdict(&app, "made-up-20").await, inactive(), "{body}");
        clock.advance(Duration::from_secs(2));
        assert_eq!(verdict(&app, "made-up-21").await, unavailable(), "{body}");
        assert_eq!(verdict(&app, "good-3").await.0, 200, "{body}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_us_refuses_nobody() {
    let body = r#"{"error":"invalid_client"}"#;
    let (app, introspector, asked) = scene(&TestClock::new(), move || canned(401, "application/json", body));
    assert_eq!(verdict(&app, "good-1").await.0, 200);
    for number in 0..10 {
        assert_eq!(verdict(&app, &format!("another-{number}")).await, unavailable());
    }
    assert!(introspector.status().last_error.unwrap().contains("invalid_client"));
    assert_eq!((verdict(&app, "good-2").await.0, asked.load(Ordering::Relaxed)), (200, 12));
}

#[tokio::test]
async fn a_server_that_has_not_known_us_of_late_is_left_alone_for_a_while() {
    let clock = TestClock::new();
    let body = r#"{"error":"invalid_client"}"#;
    let (app, introspector, asked) = scene(&clock, move || canned(401, "application/json", body));
    for number in 0..10 {
        assert_eq!(verdict(&app, &format!("another-{number}")).await, unavailable());
    }
    assert_eq!((introspector.status().failures, asked.load(Ordering::Relaxed)), (5, 5));
    // The next question is the probe.
    clock.advance(Duration::from_secs(60));
    assert_eq!(verdict(&app, "good").await.0, 200);
    assert_eq!(introspector.status().failures, 0);
}

fn too_many(retry_after: Option<&'static str>) -> Answer {
    let mut answer = Response::builder().status(429);
    if let Some(retry_after) = retry_after {
        answer = answer.header("retry-after", retry_after);
    }
    Ok(answer.body("".into())?)
}

#[tokio::test]
async fn too_many_questions_hold_up_whoever_brought_them_about() {
    for (told, rest) in [
        (None, 1),
        (Some("0"), 1),
        (Some("5"), 5),
        (Some("86400"), 30),
        (Some("18446744073709551615"), 30),
        (Some("soon"), 1),
    ] {
        let clock = TestClock::new();
        let (app, introspector, asked) = scene(&clock, move || too_many(told));
        let (stranger, user) = ("203.0.113.9", "198.51.100.7");
        for number in 0..10 {
            assert_eq!(verdict_from(&app, &format!("made-up-{number}"), stranger).await, unavailable(), "{told:?}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{told:?}: the client waits for `Retry-After`");
        assert_eq!(introspector.status().failures, 0, "that is no outage");
        assert_eq!(verdict_from(&app, "good-1", user).await.0, 200, "{told:?}");
        assert_eq!(verdict(&app, "good-2").await.0, 200, "{told:?}");
        clock.advance(Duration::from_secs(rest - 1));
        assert_eq!(verdict_from(&app, "good-3", stranger).await, unavailable(), "{told:?}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(verdict_from(&app, "good-3", stranger).await.0, 200, "{told:?}");
    }
}

#[tokio::test]
async fn too_many_questions_of_nobody_known_hold_up_nobody() {
    let (app, introspector, asked) = scene(&TestClock::new(), || too_many(Some("5")));
    for number in 0..10 {
        assert_eq!(verdict(&app, &format!("made-up-{number}")).await, unavailable());
    }
    assert_eq!((asked.load(Ordering::Relaxed), introspector.status().retry_after), (10, None));
    assert_eq!(verdict(&app, "good").await.0, 200);
}

#[tokio::test]
async fn tokens_that_the_server_fails_at_shut_it_for_their_client_alone() {
    for failure in [500, 502, 503, 408] {
        let clock = TestClock::new();
        let (app, introspector, asked) = scene(&clock, move || canned(failure, "text/plain", ""));
        // A client with many addresses of one network counts as one.
        for number in 0..10 {
            let address = format!("2001:db8::{number}");
            assert_eq!(verdict_from(&app, &format!("made-up-{number}"), &address).await, unavailable(), "{failure}");
        }
        assert_eq!((asked.load(Ordering::Relaxed), introspector.status().failures), (5, 5), "{failure}");
        assert_eq!(introspector.status().retry_after, None, "no pause for all");
        assert_eq!(verdict_from(&app, "good", "2001:db8:0:1::1").await.0, 200, "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_fails_for_several_clients_is_left_alone() {
    let clock = TestClock::new();
    let (app, introspector, asked) = scene(&clock, || canned(500, "text/plain", ""));
    for number in 0..10 {
        let address = format!("192.0.2.{number}");
        assert_eq!(verdict_from(&app, &format!("token-{number}"), &address).await, unavailable());
    }
    assert_eq!((asked.load(Ordering::Relaxed), introspector.status().failures), (5, 5));
    assert_eq!(verdict_from(&app, "good", "198.51.100.7").await, unavailable());
    clock.advance(Duration::from_secs(2));
    assert_eq!(verdict_from(&app, "good", "198.51.100.7").await.0, 200);
    assert_eq!(introspector.status().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn one_client_takes_no_more_turns_than_it_leaves() {
    let client = Slow::new(200);
    let introspector = alone().http_client(client.clone()).build().unwrap();
    let app = app(Secure::new(introspector).problem_json());
    let flood: Vec<_> = (0..200)
        .map(|number| {
            let app = app.clone();
            tokio::spawn(async move { verdict_from(&app, &format!("flood-{number}"), "203.0.113.9").await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(client.asked.load(Ordering::Relaxed), 32);
    // Another client waits for its own answer only.
    let started = tokio::time::Instant::now();
    assert_eq!(verdict_from(&app, "another", "198.51.100.7").await, inactive());
    assert_eq!(started.elapsed().as_secs(), 2);
    let mut refused = 0;
    for request in flood {
        refused += usize::from(request.await.unwrap() == unavailable());
    }
    assert_eq!(refused, 200 - 2 * 32, "requests without a turn within three seconds");
}

#[tokio::test(start_paused = true)]
async fn a_flood_from_many_networks_makes_nobody_wait_behind_all_of_it() {
    let client = Slow::new(200);
    let introspector = alone().http_client(client.clone()).build().unwrap();
    let app = app(Secure::new(introspector).problem_json());
    for number in 0..600 {
        let app = app.clone();
        let address = format!("203.0.113.{}", number % 20);
        tokio::spawn(async move { verdict_from(&app, &format!("flood-{number}"), &address).await });
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let under_way = client.asked.load(Ordering::Relaxed);
    assert!((56..64).contains(&under_way), "{under_way} are many, and leave a turn to the next client");
    let started = tokio::time::Instant::now();
    assert_eq!(verdict_from(&app, "another", "198.51.100.7").await, inactive());
    assert_eq!(started.elapsed().as_secs(), 2);
}

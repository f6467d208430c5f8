//! The shared store of used proofs, slow or broken, at the doors of axum and actix-web: each answer, and the longest wait.

use std::{future::pending, time::Duration};

use actix_web::{App, web};
use axum::{Router, body::Body, routing::get};
use http::Request;
use portcullis::{Dpop, ReplayStore, ReplayStoreAway, Secure};
use portcullis_testkit::{Algorithm, DpopClient};
use tokio::time::Instant;

use crate::{
    actix::answer as by_actix,
    support::{Answer, Setup, answer as by_axum},
};

/// The longest wait for a store.
const LIMIT: Duration = Duration::from_millis(250);
/// The timer of tokio counts in milliseconds.
const TICK: Duration = Duration::from_millis(5);

const URL: &str = "https://api.example.com/notes";

type Fields = Vec<(&'static str, String)>;

#[derive(Debug, Clone, Copy)]
enum Store {
    Answers(Duration),
    Never,
    Fails,
    PanicsAtOnce,
    PanicsLater,
}

impl ReplayStore for Store {
    fn keep_new(
        &self,
        _: &str,
        _: Duration,
    ) -> impl Future<Output = Result<bool, Box<dyn std::error::Error + Send + Sync>>> + Send {
        assert!(!matches!(self, Self::PanicsAtOnce), "of the test");
        async move {
            match self {
                Self::Answers(time) => tokio::time::sleep(*time).await,
                Self::Never => pending().await,
                Self::Fails => return Err("away".into()),
                Self::PanicsAtOnce | Self::PanicsLater => {
                    tokio::task::yield_now().await;
                    panic!("of the test")
                }
            }
            Ok(true)
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Door {
    Axum,
    Actix,
}

impl Door {
    async fn send(self, secure: &Secure, fields: &Fields) -> Answer {
        match self {
            Self::Axum => {
                let app = Router::new().route("/notes", get(|| async { "made" })).layer(secure.clone());
                let request = Request::get("/notes").header("host", "api.example.com");
                let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
                by_axum(&app, request.body(Body::empty()).unwrap()).await
            }
            Self::Actix => {
                let app = App::new().route("/notes", web::get().to(|| async { "made" })).wrap(secure.clone());
                let mut sent = vec![("host", "api.example.com")];
                sent.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
                by_actix!(app, "/notes", &sent)
            }
        }
    }
}

/// The status, and the code of a refusal.
fn told(answer: &Answer) -> (u16, String) {
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status.as_u16(), problem["code"].as_str().unwrap_or("pass").to_owned())
}

#[tokio::test]
async fn a_slow_or_broken_store_holds_no_request_up_and_lets_no_replay_pass() {
    let setup = Setup::new().await;
    let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let proof = || client.fields("GET", URL, &token);
    setup.jwks.prefetch().await.unwrap();
    tokio::time::pause();
    // The store; the wait of the first requests, and of one that comes after them.
    let stores = [
        (Store::Answers(LIMIT / 2), true, LIMIT / 2, LIMIT / 2),
        (Store::Answers(LIMIT * 2), false, LIMIT, Duration::ZERO),
        (Store::Never, false, LIMIT, Duration::ZERO),
        (Store::Fails, false, Duration::ZERO, Duration::ZERO),
        (Store::PanicsAtOnce, false, Duration::ZERO, Duration::ZERO),
        (Store::PanicsLater, false, Duration::ZERO, Duration::ZERO),
    ];
    for (store, is_there, first_wait, next_wait) in stores {
        for (away, without) in [
            (ReplayStoreAway::JudgeLocally, (200, "pass")),
            (ReplayStoreAway::Refuse, (503, "replay_store_unavailable")),
        ] {
            for door in [Door::Axum, Door::Actix] {
                let what = format!("{store:?} {away:?} {door:?}");
                let secure = Secure::new(setup.jwks.clone()).dpop(Dpop::required().replay_store(store, away));
                let secure = secure.problem_json();
                let (status, code) = if is_there { (200, "pass") } else { without };
                let expected = (status, code.to_owned());

                let (start, fields) = (Instant::now(), [proof(), proof(), proof()]);
                let [one, two, three] = fields.each_ref().map(|fields| door.send(&secure, fields));
                let (one, two, three) = tokio::join!(one, two, three);
                let waited = start.elapsed();
                assert!(waited >= first_wait && waited < first_wait + TICK, "{what}: {waited:?}");
                for answer in [&one, &two, &three] {
                    assert_eq!(told(answer), expected, "{what}");
                    assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{what}");
                }

                let start = Instant::now();
                assert_eq!(told(&door.send(&secure, &proof()).await), expected, "{what}");
                let waited = start.elapsed();
                assert!(waited >= next_wait && waited < next_wait + TICK, "{what}: {waited:?}");
                for fields in &fields {
                    let again = told(&door.send(&secure, fields).await);
                    assert_eq!(again, (401, "dpop_replayed".to_owned()), "{what}");
                }
            }
        }
    }
}

//! A steady load of good and bad requests, while something breaks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use crate::{
    client::{Answer, try_ask},
    process::until,
};

/// The number of concurrent clients.
const CLIENTS: usize = 6;

/// Clients that send one request after another, until they are stopped.
pub(crate) struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<()>,
}

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    rounds: AtomicUsize,
    wrong: std::sync::Mutex<Vec<String>>,
}

impl Load {
    /// Starts the clients. Each sends all good tokens, which have to pass, and all bad ones, which must not, in turn.
    pub(crate) fn start(port: u16, good: &[String], bad: &[String]) -> Self {
        let tally = Arc::new(Tally::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(client(port, good.to_vec(), bad.to_vec(), tally.clone()));
        }
        Self { tally, clients }
    }

    /// Waits until each client has sent all tokens a few more times.
    pub(crate) async fn goes_on(&self) {
        let target = self.tally.rounds.load(Ordering::Relaxed) + 5 * CLIENTS;
        until("the load goes on", async || self.tally.rounds.load(Ordering::Relaxed) >= target).await;
    }

    /// Takes the good tokens without a whole answer from the record: at most one for each client, and each answered 503. A process
    /// that is killed can be in the middle of an answer, and proxies ask again only before its first byte.
    pub(crate) fn excuse_cut_answers(&self) {
        let cut = std::mem::take(&mut *self.tally.wrong.lock().unwrap());
        let is_cut = |wrong: &String| wrong.starts_with("good: Ok(Answer { status: 503,");
        assert!(cut.len() <= CLIENTS && cut.iter().all(is_cut), "{} wrong, such as {:#?}", cut.len(), cut.first());
    }

    /// Stops, and fails if a good token was refused or lost, or a bad one passed.
    pub(crate) async fn stop(self) {
        self.tally.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        let wrong = self.tally.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    }
}

async fn client(port: u16, good: Vec<String>, bad: Vec<String>, tally: Arc<Tally>) {
    while !tally.stop.load(Ordering::Relaxed) {
        for token in &good {
            check("good", port, token, &tally, |answer| answer.is_ok_and(|answer| answer.status == 200)).await;
        }
        for token in &bad {
            // A connection that is cut lets nothing pass either.
            check("bad", port, token, &tally, |answer| !answer.is_ok_and(|answer| answer.status == 200)).await;
        }
        tally.rounds.fetch_add(1, Ordering::Relaxed);
        // Two cores for all: this measures losses, not speed.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn check(
    what: &str,
    port: u16,
    token: &str,
    tally: &Tally,
    right: impl Fn(Result<&Answer, &std::io::Error>) -> bool,
) {
    let bearer = format!("Bearer {token}");
    let answer = try_ask(port, "GET /orders/1", &[("Authorization", &bearer)]).await;
    if !right(answer.as_ref()) {
        tally.wrong.lock().unwrap().push(format!("{what}: {answer:?}"));
    }
}

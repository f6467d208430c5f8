//! A mixed load for a while: right answers only, no crash, and flat memory.
//!
//! `PORTCULLIS_NGINX_SOAK_SECONDS` is the time of each test. To run an hour by hand:
//! `PORTCULLIS_NGINX_SOAK_SECONDS=3600 cargo test -p portcullis-nginx --release soak -- --nocapture`, with
//! `PORTCULLIS_NGINX_SOAK_PAUSE_MS=20` before each request of a client on a machine with other work to do.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::task::JoinSet;

use crate::{
    clients::{Client, FILE, SITE, site_of},
    scene::{Scene, signal, until},
};

/// The clients that ask at the same time.
const CLIENTS: u64 = 8;
/// The answers without which a second of a test proves nothing.
const AT_LEAST: u64 = 100;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}

fn time() -> Duration {
    Duration::from_secs(number("PORTCULLIS_NGINX_SOAK_SECONDS").unwrap_or(8))
}

async fn pause() {
    if let Some(pause) = number("PORTCULLIS_NGINX_SOAK_PAUSE_MS") {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// A load of all kinds of requests, which ends with its value.
struct Mixed {
    clients: JoinSet<()>,
    shared: Arc<Shared>,
    scene: Arc<Scene>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answers: AtomicU64,
    gone: AtomicU64,
    faults: AtomicU64,
}

impl Mixed {
    /// Starts nginx with these lines above the blocks, and the load.
    async fn begin(main: &str) -> Self {
        // Answers are soon forgotten, and the cache of tokens is full after some hundred: requests wait all the time.
        let file = FILE.replace("mode =", "keep_for = \"100ms\", remember_refusals = 100, mode =");
        let file = format!("{file}[cache]\nbytes = 262144\n");
        // An hour of refused requests is no line of the log.
        let quiet = format!("error_log stderr crit;{SITE}").replace("access_log access.log short;", "");
        let scene = Arc::new(site_of(AuthorizationServer::start().await, main, &file, &quiet).await);
        scene.knows_keys().await;
        scene.authorization.fault(Endpoint::Introspection, Fault::Delay(Duration::from_millis(2)));
        let shared = Arc::new(Shared::default());
        // The tokens of the beginning are good to the end.
        let lasting = || scene.read().expires_in(time() + Duration::from_secs(600));
        let (jwt, opaque) =
            (lasting().sign(), (0..20).map(|_| scene.authorization.issue_opaque(lasting())).collect::<Vec<_>>());
        let clients = (0..CLIENTS).map(|number| {
            let (scene, shared) = (Arc::clone(&scene), Arc::clone(&shared));
            let (jwt, opaque) = (jwt.clone(), opaque.clone());
            async move {
                let mut client = Client::of(scene.port);
                for step in number.. {
                    if shared.is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    pause().await;
                    let by_turns = &opaque[usize::try_from(step).unwrap() % opaque.len()];
                    let unique = format!("{number}-{step}");
                    let (token, status) = match step % 9 {
                        0 | 1 => (jwt.clone(), 200),
                        2 => (scene.read().claim("jti", unique).sign(), 200),
                        3 | 4 => (by_turns.clone(), 200),
                        5 => (unique, 401),
                        6 => (format!("{jwt}x"), 401),
                        7 => (scene.authorization.token().scope("other").claim("jti", unique).sign(), 403),
                        _ => {
                            drop(scene.begin("/gone", by_turns).await);
                            shared.gone.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                    };
                    match client.ask("/", Some(&token)).await {
                        Ok(answer) => {
                            assert_eq!(answer.status, status, "{step}: {answer:?}");
                            shared.answers.fetch_add(1, Ordering::Relaxed);
                        }
                        // A killed worker takes its connections with it.
                        Err(_) => drop(shared.faults.fetch_add(1, Ordering::Relaxed)),
                    }
                }
            }
        });
        Self { clients: clients.collect(), shared, scene }
    }

    fn answers(&self) -> u64 {
        self.shared.answers.load(Ordering::Relaxed)
    }

    /// Lets the load run until then. A client that got a wrong answer ends it.
    async fn until(&mut self, then: Instant) {
        let ended = tokio::time::timeout_at(then.into(), self.clients.join_next()).await;
        if let Ok(Some(ended)) = ended {
            ended.unwrap();
        }
    }

    /// Ends the load, and returns the numbers of answers and of faults of connections.
    async fn end(mut self) -> (u64, u64) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
        assert!(self.shared.gone.load(Ordering::Relaxed) > 0);
        (self.answers(), self.shared.faults.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "numbers for the one who runs it by hand")]
async fn reloads_and_killed_workers_in_a_mixed_load() {
    let mut load = Mixed::begin("worker_processes 2;").await;
    let scene = Arc::clone(&load.scene);
    let (begun, mut killed) = (Instant::now(), 0);
    for round in 1.. {
        load.until(Instant::now() + Duration::from_secs(2).min(time() / 4)).await;
        match round % 3 {
            0 => {
                let worker = scene.nginx.workers()[0];
                signal(worker, "KILL");
                killed += 1;
                until("a successor", async || {
                    let workers = scene.nginx.workers();
                    workers.len() == 2 && !workers.contains(&worker)
                })
                .await;
            }
            _ => scene.reload().await,
        }
        if begun.elapsed() >= time() {
            break;
        }
    }
    let (answers, faults) = load.end().await;
    println!("{answers} answers, {faults} faults of connections after {killed} ends");
    assert!(answers >= AT_LEAST * time().as_secs(), "{answers}");
    assert!(killed > 0 && faults <= killed * CLIENTS, "{faults} faults of connections after {killed} ends");
    scene.has_no_alert(&["exited on signal 9"]);
}

/// Returns the memory of a process, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "numbers for the one who runs it by hand")]
async fn memory_of_a_worker_is_flat() {
    let mut load = Mixed::begin("").await;
    let worker = load.scene.nginx.workers()[0];
    let begun = Instant::now();
    load.until(begun + time() / 3).await;
    let (early, early_answers) = (memory(worker), load.answers());
    load.until(begun + time()).await;
    let late = memory(worker);
    let scene = Arc::clone(&load.scene);
    let (answers, faults) = load.end().await;
    scene.waits_for(0).await;
    println!("{early} KiB after {early_answers} answers, {late} KiB after {answers}");
    assert!(answers >= AT_LEAST * time().as_secs() && faults == 0, "{answers} answers, {faults} faults");
    assert!(late <= early + early / 20, "{early} KiB after {early_answers} answers, {late} KiB after {answers}");
    assert_eq!(scene.nginx.workers(), [worker]);
    scene.has_no_alert(&[]);
}

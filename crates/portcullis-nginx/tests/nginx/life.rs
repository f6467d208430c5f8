//! Processes of nginx: workers that are killed, ends, upgrades, and processes that judge nothing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::net::TcpStream;

use crate::{
    clients::{FILE, Load, SITE, ended, runs, site, site_of},
    scene::{api, ask, children, command, configuration, folder, free_port, in_place, signal, until},
};

/// The metric of all decisions.
const DECISIONS: &str = "portcullis_gateway_decisions_total";

#[tokio::test]
async fn workers_that_are_killed_have_successors_that_count_on() {
    let scene = site("worker_processes 4;", FILE).await;
    scene.knows_keys().await;
    let (good, opaque) = (scene.read().sign(), scene.opaque());
    let load = Load::begin(
        scene.port,
        6,
        &[("/", Some(good), 200), ("/", Some(opaque), 200), ("/", None, 401), ("/", Some("bad".to_owned()), 401)],
    );
    load.goes_on(100).await;
    let mut counted = scene.metric(DECISIONS).await;
    assert!(counted >= 100.0, "{counted}");
    let killed = scene.nginx.workers();
    assert_eq!(killed.len(), 4);
    for worker in &killed {
        signal(*worker, "KILL");
        ended(*worker).await;
        load.goes_on(50).await;
        until("the count", async || scene.metric(DECISIONS).await >= counted + 50.0).await;
        counted = scene.metric(DECISIONS).await;
    }
    until("four new workers", async || scene.nginx.workers().len() == 4).await;
    // Connections to a killed worker end, as with nginx alone.
    let done = load.end().await;
    assert!(done.wrong.is_empty(), "{done:?}");
    assert!(scene.metric(DECISIONS).await >= done.answers as f64 - 10.0, "{done:?}");
    scene.has_no_alert(&["exited on signal 9"]);
}

#[tokio::test]
async fn quit_waits_for_waiting_requests_and_term_does_not() {
    for (end, is_answered) in [("QUIT", true), ("TERM", false)] {
        let scene = site("", FILE).await;
        scene.knows_keys().await;
        scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
        let (token, worker) = (scene.opaque(), scene.nginx.workers()[0]);
        let waiting = scene.begin("/", &token).await;
        scene.waits_for(1).await;
        let begun = Instant::now();
        scene.nginx.signal(end);
        until("no new connections", async || TcpStream::connect(("127.0.0.1", scene.port)).await.is_err()).await;
        if is_answered {
            assert!(runs(worker) && runs(scene.nginx.id()));
            scene.authorization.heal(Endpoint::Introspection);
            assert_eq!(waiting.answer().await.unwrap().status, 200);
        } else {
            waiting.answer().await.unwrap_err();
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
        ended(worker).await;
        ended(scene.nginx.id()).await;
        scene.has_no_alert(&[]);
    }
}

/// A master that has left its starter, as nginx does by default, and its successor. They end with the test.
struct Daemon(PathBuf);

impl Daemon {
    fn start(folder: &Path) -> Self {
        // nginx starts its successor by the name that it was started by, without a search.
        let name = command(folder).get_program().to_owned();
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&paths).map(|path| path.join(&name)).find(|path| path.is_file());
        let mut started = Command::new(program.expect("nginx in a folder of PATH"));
        let status = started
            .args(command(folder).get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let log = folder.join("error.log");
        assert!(status.unwrap().success(), "{}", fs::read_to_string(log).unwrap_or_default());
        Self(folder.to_owned())
    }

    /// Returns the process in a file with the id of one.
    fn id(&self, name: &str) -> Option<u32> {
        fs::read_to_string(self.0.join(name)).ok()?.trim().parse().ok()
    }

    /// Waits for the process in a file.
    async fn process(&self, name: &str, other_than: u32) -> u32 {
        let id = || self.id(name).filter(|id| *id != other_than && runs(*id));
        until(name, async || id().is_some()).await;
        id().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for id in ["nginx.pid", "nginx.pid.oldbin"].into_iter().filter_map(|name| self.id(name)) {
            signal(id, "TERM");
        }
    }
}

#[tokio::test]
async fn the_program_is_replaced_without_a_wrong_answer() {
    let (folder, port, authorization) = (folder(), free_port(), AuthorizationServer::start().await);
    let api = api().await;
    let conf = configuration(folder.path(), "worker_processes 2;", SITE);
    let conf = conf.replace("daemon off;", "daemon on;").replace("error_log stderr", "error_log error.log");
    for (name, text) in [("nginx.conf", &*conf), ("portcullis.toml", FILE), ("secret", "test-secret\n")] {
        fs::write(folder.path().join(name), in_place(text, port, authorization.issuer(), &api)).unwrap();
    }
    let daemon = Daemon::start(folder.path());
    let old = daemon.process("nginx.pid", 0).await;
    let (good, opaque) =
        (authorization.token().scope("read").sign(), authorization.issue_opaque(authorization.token().scope("read")));
    let load = Load::begin(
        port,
        4,
        &[("/", Some(good), 200), ("/", Some(opaque), 200), ("/", None, 401), ("/open", None, 200)],
    );
    load.goes_on(50).await;
    // As in "Upgrading Executable on the Fly" of nginx's documentation.
    let old_workers = children(old);
    assert_eq!(old_workers.len(), 2);
    signal(old, "USR2");
    let new = daemon.process("nginx.pid", old).await;
    assert_eq!(daemon.id("nginx.pid.oldbin"), Some(old));
    until("new workers", async || children(new).len() == 2).await;
    load.goes_on(50).await;
    signal(old, "WINCH");
    for worker in old_workers {
        ended(worker).await;
    }
    load.goes_on(50).await;
    signal(old, "QUIT");
    ended(old).await;
    load.goes_on(50).await;
    assert!(runs(new));
    let done = load.end().await;
    assert!(done.wrong.is_empty() && done.faults.is_empty(), "{done:?}");
    let status = ask(port, "GET /status", &[]).await.body;
    assert!(status.contains(DECISIONS), "{status}");
    let log = fs::read_to_string(folder.path().join("error.log")).unwrap();
    assert!(!log.contains("[alert]") && !log.contains("[emerg]"), "{log}");
    drop(daemon);
    ended(new).await;
}

#[tokio::test]
async fn one_process_without_a_master_judges_as_well() {
    let scene = site("master_process off;", FILE).await;
    scene.knows_keys().await;
    assert!(scene.nginx.workers().is_empty());
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let token = scene.opaque();
    let waiting = scene.begin("/", &token).await;
    scene.waits_for(1).await;
    assert_eq!(scene.ask("GET /", None).await.status, 401);
    scene.authorization.heal(Endpoint::Introspection);
    assert_eq!(waiting.answer().await.unwrap().status, 200);
    assert!(scene.metric(DECISIONS).await >= 3.0);
    let id = scene.nginx.id();
    // Without a master, nginx misses a signal that comes just before it waits for events, until the next event.
    until("the end", async || {
        scene.nginx.signal("QUIT");
        !runs(id)
    })
    .await;
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn four_workers_have_keys_and_caches_each() {
    let scene = site("worker_processes 4;", FILE).await;
    let token = scene.read().sign();
    let answered = Mutex::new(BTreeSet::new());
    until("an answer of each worker", async || {
        let answer = scene.ask("GET /", Some(&token)).await;
        assert_eq!(answer.status, 200);
        answered.lock().unwrap().insert(answer.all("x-worker").join(","));
        answered.lock().unwrap().len() == 4
    })
    .await;
    assert_eq!(scene.authorization.requests(Endpoint::Jwks), 4);
}

#[tokio::test]
async fn processes_that_judge_nothing_have_no_threads() {
    let cache = "proxy_cache_path cache keys_zone=pages:1m;";
    let site = format!("{cache}{}", SITE.replace("proxy_pass", "proxy_cache pages; proxy_pass"));
    let scene = site_of(AuthorizationServer::start().await, "", FILE, &site).await;
    scene.knows_keys().await;
    let named = |what: &'static str| {
        let children = scene.nginx.workers().into_iter();
        children.filter(move |id| fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default().contains(what))
    };
    let threads = |id: u32| {
        let names = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        names.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect::<Vec<_>>()
    };
    let worker = named("worker process").next().expect("a worker");
    assert!(threads(worker).iter().any(|name| name.trim() == "portcullis"), "{:?}", threads(worker));
    // The loader begins a minute after the start, and ends at once.
    let helpers: Vec<_> = named("cache manager").chain(named("cache loader")).collect();
    assert!(!helpers.is_empty());
    for process in helpers.into_iter().chain([scene.nginx.id()]) {
        assert_eq!(threads(process).len(), 1, "{:?}", threads(process));
    }
}

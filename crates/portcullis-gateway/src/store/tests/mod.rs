//! The store against a real `redis-server`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod server;

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusBuilder;
use portcullis::{ReplayStore, TokenStore};

use self::server::{RedisServer, config, free_port};
use super::{RedisStore, StoreError};
use crate::config::Secret;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ENTRY: Bytes = Bytes::from_static(b"an entry\0\r\n\xff");
const MINUTE: Duration = Duration::from_secs(60);

/// The time limit of a command that does not wait, on a busy machine; one that waits takes 200 ms.
const AT_ONCE: Duration = Duration::from_millis(150);

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within twenty seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn connected(store: RedisStore) -> RedisStore {
    until("the store is up", async || store.state().is_up()).await;
    store
}

async fn works(store: &RedisStore) -> bool {
    store.set(KEY, ENTRY, MINUTE).await.is_ok() && store.get(KEY).await.is_ok_and(|entry| entry == Some(ENTRY))
}

/// Asserts that the store fails at once.
async fn fails_at_once(store: &RedisStore) {
    let begun = Instant::now();
    assert!(store.get(KEY).await.is_err());
    assert!(store.set(KEY, ENTRY, MINUTE).await.is_err());
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_entry_comes_back_until_its_time_is_over() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    assert_eq!(store.get(KEY).await.unwrap(), None);
    store.set(KEY, ENTRY, MINUTE).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), Some(ENTRY));

    let name = format!("portcullis:introspection:{KEY}");
    let left: u64 = server.ask(redis::cmd("PTTL").arg(&name));
    assert!((50_000..=60_000).contains(&left), "{left}");

    store.set(KEY, ENTRY, Duration::from_millis(30)).await.unwrap();
    until("the entry is gone", async || store.get(KEY).await.unwrap().is_none()).await;
    // A time below the resolution of Redis, and a longer one.
    store.set(KEY, ENTRY, Duration::ZERO).await.unwrap();
    store.set(KEY, ENTRY, Duration::MAX).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), Some(ENTRY));
}

#[tokio::test]
async fn who_can_write_to_redis_cannot_fill_our_memory() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    let name = format!("portcullis:introspection:{KEY}");
    let () = server.ask(redis::cmd("SETRANGE").arg(&name).arg(100 << 20).arg("x"));
    assert!(store.get(KEY).await.unwrap_err().to_string().contains("got a longer one"));
    // Answers may be longer, and their entries with them.
    let larger = connected(RedisStore::new(&server.config()).unwrap().for_answers_of(1 << 20)).await;
    let entry = Bytes::from(vec![b'x'; 1 << 20]);
    larger.set(KEY, entry.clone(), MINUTE).await.unwrap();
    assert_eq!(larger.get(KEY).await.unwrap(), Some(entry));
    assert!(store.get(KEY).await.is_err());
    let () = server.ask(redis::cmd("DEL").arg(&name));
    let () = server.ask(redis::cmd("LPUSH").arg(&name).arg("another type"));
    assert!(store.get(KEY).await.is_err());
    assert!(store.state().is_up());
    until("it works", async || works(&store).await).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_costs_nothing_until_it_is() {
    let mut server = RedisServer::stopped(&[]);
    let store = RedisStore::new(&server.config()).unwrap();
    fails_at_once(&store).await;
    server.restart();
    let store = connected(store).await;
    until("it works", async || works(&store).await).await;
}

#[tokio::test]
async fn a_server_that_was_killed_costs_nothing_and_is_found_again() {
    let mut server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    until("it works", async || works(&store).await).await;
    for _ in 0..2 {
        server.kill();
        fails_at_once(&store).await;
        until("the store is down", async || !store.state().is_up()).await;
        fails_at_once(&store).await;
        server.restart();
        until("the store works again", async || works(&store).await).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    server.signal("STOP");
    let begun = Instant::now();
    assert!(store.get(KEY).await.is_err());
    assert!(begun.elapsed() < Duration::from_millis(240), "the library would have given up: {:?}", begun.elapsed());
    until("the store is down", async || !store.state().is_up()).await;
    fails_at_once(&store).await;
    server.signal("CONT");
    until("the store works again", async || works(&store).await).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_written_to_is_none() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    let primary = free_port().to_string();
    let () = server.ask(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(&primary));
    until("the store is down", async || !store.state().is_up()).await;
    let () = server.ask(redis::cmd("REPLICAOF").arg("NO").arg("ONE"));
    until("the store works again", async || works(&store).await).await;
}

#[tokio::test]
async fn the_password_opens_it_and_is_never_told() {
    let log = Log::default();
    let _guard = log.listen();
    let mut server = RedisServer::start(&["--requirepass", "hunter2"]);
    let without = RedisStore::new(&server.config()).unwrap();
    let wrong = RedisStore::new(&config(format!("redis://:wr0ng@127.0.0.1:{}", server.port()))).unwrap();
    let mut right = server.config();
    right.password = Some(Secret::new("hunter2"));
    let right = connected(RedisStore::new(&right).unwrap()).await;
    until("it works", async || works(&right).await).await;
    until("both are told", async || log.text().matches("WARN").count() == 2).await;
    assert!(!without.state().is_up() && !wrong.state().is_up());
    server.kill();
    until("the store is down", async || !right.state().is_up()).await;

    let text = format!("{}{right:?}{wrong:?}", log.text());
    assert!(text.contains(&format!("127.0.0.1:{}", server.port())), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("wr0ng"), "{text}");
}

#[tokio::test]
async fn a_user_with_no_more_rights_than_the_documentation_names_is_enough() {
    let keys = "~portcullis:introspection:* ~portcullis:dpop:*";
    let user = ["--user", "gateway", "on", ">hunter2", keys, "+getrange", "+set"].join(" ");
    let options: Vec<&str> = user.split(' ').collect();
    let server = RedisServer::start(&options);
    let mut config = server.config();
    config.username = Some("gateway".into());
    config.password = Some(Secret::new("hunter2"));
    let store = connected(RedisStore::new(&config).unwrap()).await;
    until("it works", async || works(&store).await).await;
    assert!(store.keep_new(KEY, MINUTE).await.unwrap());
}

#[tokio::test]
async fn tls_goes_by_the_authority_that_is_configured_and_by_the_name() {
    let (server, authority) = RedisServer::start_tls("127.0.0.1");
    let mut config = server.config();
    config.ca_pem = Some(authority.clone());
    let store = connected(RedisStore::new(&config).unwrap()).await;
    until("it works", async || works(&store).await).await;

    let (other_name, its_authority) = RedisServer::start_tls("redis.example.com");
    let mut wrong_name = other_name.config();
    wrong_name.ca_pem = Some(its_authority);
    let mut another_authority = other_name.config();
    another_authority.ca_pem = Some(authority);
    for refused in [server.config(), wrong_name, another_authority] {
        let log = Log::default();
        let _guard = log.listen();
        let store = RedisStore::new(&refused).unwrap();
        until("the certificate is refused", async || log.text().contains("WARN")).await;
        let text = log.text();
        assert!(text.contains("certificate"), "{text}");
        assert!(!store.state().is_up());
    }
}

#[tokio::test]
async fn a_cluster_works_goes_and_comes_back() {
    let mut server = RedisServer::start_cluster();
    let mut config = server.config();
    config.cluster = true;
    let one = connected(RedisStore::new(&config).unwrap()).await;
    assert!(works(&one).await);
    // Several URLs are a cluster, too, of which some may be gone.
    config.cluster = false;
    config.urls.insert(0, format!("redis://127.0.0.1:{}", free_port()));
    let two = connected(RedisStore::new(&config).unwrap()).await;
    assert_eq!(two.get(KEY).await.unwrap(), Some(ENTRY));
    assert!(one.keep_new(KEY, MINUTE).await.unwrap() && !two.keep_new(KEY, MINUTE).await.unwrap());

    server.kill();
    until("both are down", async || {
        let _ = one.get(KEY).await;
        !one.state().is_up() && !two.state().is_up()
    })
    .await;
    fails_at_once(&one).await;
    server.restart();
    until("the store works again", async || works(&one).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_that_keep_a_name_at_once_through_two_stores_one_is_told_that_it_is_new() {
    let server = RedisServer::start(&[]);
    let stores = [(); 2].map(|()| RedisStore::new(&server.config()).unwrap());
    for store in &stores {
        until("the store is up", async || store.state().is_up()).await;
    }
    for round in 0..10 {
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let (store, name) = (stores[number % 2].clone(), format!("{KEY}{round}"));
                tokio::spawn(async move { store.keep_new(&name, MINUTE).await.unwrap() })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            new += usize::from(task.await.unwrap());
        }
        assert_eq!(new, 1);
    }
}

#[tokio::test]
async fn a_kept_name_is_new_again_when_its_time_is_over_and_no_answer_has_it() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    assert!(store.keep_new(KEY, MINUTE).await.unwrap());
    assert!(!store.keep_new(KEY, Duration::ZERO).await.unwrap(), "which does not shorten its time");
    let left: u64 = server.ask(redis::cmd("PTTL").arg(format!("portcullis:dpop:{KEY}")));
    assert!((50_000..=60_000).contains(&left), "{left}");
    assert_eq!(store.get(KEY).await.unwrap(), None);
    store.set(KEY, ENTRY, MINUTE).await.unwrap();
    assert!(!store.keep_new(KEY, MINUTE).await.unwrap());
    assert!(store.keep_new("short", Duration::from_millis(30)).await.unwrap());
    until("it is new again", async || store.keep_new("short", Duration::from_millis(30)).await.unwrap()).await;
    assert!(store.keep_new("longest", Duration::MAX).await.unwrap());
    // A name with a value of another client is kept, whatever it is.
    let () = server.ask(redis::cmd("LPUSH").arg("portcullis:dpop:list").arg("another type"));
    assert!(!store.keep_new("list", MINUTE).await.unwrap());
}

#[tokio::test]
async fn names_are_kept_by_a_store_that_was_killed_or_hangs_as_soon_as_it_is_back() {
    let mut server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    server.kill();
    let begun = Instant::now();
    assert!(store.keep_new(KEY, MINUTE).await.is_err());
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    server.restart();
    until("it works again", async || store.keep_new(KEY, MINUTE).await.is_ok_and(|new| !new)).await;
    server.signal("STOP");
    let begun = Instant::now();
    assert!(store.keep_new(KEY, MINUTE).await.is_err());
    assert!(begun.elapsed() < Duration::from_millis(240), "the library would have given up: {:?}", begun.elapsed());
    server.signal("CONT");
    until("it works again", async || store.keep_new(KEY, MINUTE).await.is_ok()).await;
}

#[tokio::test]
async fn a_connection_lasts_as_long_as_a_clone_of_its_store() {
    let server = RedisServer::start(&[]);
    let store = connected(RedisStore::new(&server.config()).unwrap()).await;
    let larger = store.for_answers_of(1 << 20);
    drop(store);
    assert!(works(&larger).await && larger.keep_new(KEY, MINUTE).await.unwrap());
    let clients: String = server.ask(redis::cmd("CLIENT").arg("LIST"));
    assert_eq!(clients.lines().count(), 2, "the store's and this question's: {clients}");
}

#[tokio::test]
async fn metrics_and_log_tell_of_a_change_once() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let log = Log::default();
    let _guard = log.listen();
    let gauge = |value: u8| metrics.render().contains(&format!("portcullis_gateway_store_up {value}\n"));

    let mut server = RedisServer::stopped(&[]);
    let store = RedisStore::new(&server.config()).unwrap();
    until("it is told to be down", async || gauge(0) && log.text().contains("WARN")).await;
    // A few more attempts.
    until("it is tried again", async || log.text().matches("still cannot be used").count() > 2).await;
    server.restart();
    until("it is told to be up", async || gauge(1)).await;
    until("it works", async || works(&store).await).await;
    server.kill();
    until("it is told to be down", async || gauge(0)).await;
    let text = log.text();
    let told: Vec<_> = text.split_whitespace().filter(|word| ["WARN", "INFO"].contains(word)).collect();
    // Down, up, down; and sometimes once more, where a busy machine took too long to answer.
    assert!(told.len() >= 3 && told.windows(2).all(|two| two[0] != two[1]), "{text}");
    assert_eq!((told.first(), told.last()), (Some(&"WARN"), Some(&"WARN")), "{text}");
}

#[tokio::test]
async fn a_store_that_is_dropped_connects_no_more() {
    let server = RedisServer::start(&[]);
    drop(connected(RedisStore::new(&server.config()).unwrap()).await);
    until("its connection is gone", async || {
        let clients: String = server.ask(redis::cmd("CLIENT").arg("LIST"));
        clients.lines().count() == 1
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let url = |url: &str| RedisStore::new(&config(url)).map(drop);
    let with_ca = |url: &str, ca: &str| {
        let mut config = config(url);
        config.ca_pem = Some(ca.into());
        RedisStore::new(&config).map(drop)
    };
    let several = |urls: &[&str]| {
        let mut config = config("");
        config.urls = urls.iter().map(|&url| url.to_owned()).collect();
        RedisStore::new(&config).map(drop)
    };
    assert_eq!(several(&[]), Err(StoreError::NoUrl));
    for bad in ["", "127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://:s3cret@host/x", "redis://0.0.0.0"] {
        let error = url(bad).unwrap_err();
        assert!(matches!(error, StoreError::Url { number: 1, .. }), "{bad}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    assert_eq!(url("rediss://host/#insecure"), Err(StoreError::Insecure { number: 1 }));
    assert_eq!(with_ca("redis://host", "any"), Err(StoreError::AuthorityWithoutTls));
    assert!(matches!(with_ca("rediss://host", "no PEM"), Err(StoreError::Authority(_))));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(with_ca("rediss://host", broken), Err(StoreError::Authority(_))));
    assert!(matches!(several(&["redis://a", "rediss://b"]), Err(StoreError::Cluster(_))));
    assert!(matches!(several(&["redis://:one@a", "redis://:two@b"]), Err(StoreError::Cluster(_))));
}

#[test]
fn without_a_runtime_there_is_no_store() {
    assert_eq!(RedisStore::new(&config("redis://host")).map(drop), Err(StoreError::NoRuntime));
}

/// The log lines of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        // Without a listener of all threads, one that meets an event first may have it switched off for all others.
        static FOR_ALL: std::sync::Once = std::sync::Once::new();
        FOR_ALL.call_once(|| drop(tracing::subscriber::set_global_default(tracing_subscriber::registry())));
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || log.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

//! Redis as the store that workers share.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use portcullis_testkit::Endpoint;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    clients::{FILE, site},
    scene::{Scene, until},
};

/// A `redis-server` on a free port; it ends with its test.
struct Redis(Child, SocketAddr);

impl Redis {
    async fn start() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &address.port().to_string()]);
        let redis = Self(command.stdout(Stdio::null()).spawn().expect("this test needs redis-server"), address);
        until("redis", async || TcpStream::connect(address).await.is_ok()).await;
        redis
    }

    /// Waits until the store has so many answers of the authorization server.
    async fn has(&self, entries: usize) {
        until("entries of the store", async || {
            let mut stream = TcpStream::connect(self.1).await.unwrap();
            stream.write_all(b"KEYS portcullis:introspection:?????????*\r\n").await.unwrap();
            let mut answer = [0; 1024];
            let length = stream.read(&mut answer).await.unwrap();
            answer[..length].starts_with(format!("*{entries}\r\n").as_bytes())
        })
        .await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns the worker that answered.
async fn passes(scene: &Scene, token: &str) -> String {
    let answer = scene.ask("GET /", Some(token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.all("x-worker").concat()
}

#[tokio::test]
async fn an_introspected_token_is_known_to_all_workers() {
    let redis = Redis::start().await;
    let file = format!("{FILE}\n[store]\nurl = \"redis://{}\"\nsecret_file = \"long-secret\"\n", redis.1);
    let scene = site("worker_processes 3;", &file).await;
    until("connections to the store", async || scene.nginx.log().matches("the store is connected").count() == 3).await;
    // The master has built it, too, to find mistakes, and nothing of it is left there: forked threads would be lost.
    assert_eq!(std::fs::read_dir(format!("/proc/{}/task", scene.nginx.id())).unwrap().count(), 1);
    let token = scene.opaque();
    let mut workers = BTreeSet::from([passes(&scene, &token).await]);
    redis.has(1).await;
    while workers.len() < 3 {
        workers.insert(passes(&scene, &token).await);
    }
    assert_eq!(scene.authorization.requests(Endpoint::Introspection), 1);

    // Without the store each worker asks for itself, and known tokens pass.
    drop(redis);
    let other = scene.opaque();
    let mut workers = BTreeSet::new();
    while workers.len() < 3 {
        workers.insert(passes(&scene, &other).await);
        passes(&scene, &token).await;
    }
    assert_eq!(scene.authorization.requests(Endpoint::Introspection), 4);
    assert_eq!(scene.ask("GET /", Some("unknown")).await.status, 401);
    scene.has_no_alert(&[]);
}

//! A `redis-server` of a single test.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use crate::support::within;

/// A `redis-server` on a free port; killed when dropped.
pub struct Redis {
    child: Child,
    pub address: SocketAddr,
}

impl Redis {
    pub async fn start() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let redis = Self { child: spawn(address), address };
        redis.listens().await;
        redis
    }

    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it again on the same port, with nothing in it.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.address);
        self.listens().await;
    }

    /// Returns the names of entries that fit.
    pub fn names(&self, pattern: &str) -> Vec<String> {
        let client = redis::Client::open(("127.0.0.1", self.address.port())).unwrap();
        redis::cmd("KEYS").arg(pattern).query(&mut client.get_connection().unwrap()).unwrap()
    }

    async fn listens(&self) {
        within(|| TcpStream::connect(self.address).ok()).await.unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(address: SocketAddr) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--port", &address.port().to_string()]);
    command.stdout(Stdio::null()).spawn().expect("this test needs redis-server")
}

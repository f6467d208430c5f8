use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::transport::Transport;

/// The pause after a failed accept, for example when file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A bound port that does not answer yet.
pub(crate) struct Port {
    socket: TcpListener,
    address: SocketAddr,
}

impl Port {
    pub(crate) async fn bind(address: &str) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn open(self, transport: Transport, router: Router) -> Listener {
        let (close, closing) = oneshot::channel();
        let task = tokio::spawn(accept(self.socket, transport, router, closing));
        Listener { close, task }
    }
}

/// A port that answers until this value is closed or dropped.
pub(crate) struct Listener {
    /// The signal to close the port; dropping it closes the port too.
    close: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Stops listening and drops every connection before it returns.
    pub(crate) async fn close(self) {
        drop(self.close);
        // An error means that the runtime ended the task, so the port is closed.
        let _ = self.task.await;
    }
}

async fn accept(socket: TcpListener, transport: Transport, router: Router, mut closing: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closing => break,
            Some(_) = connections.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(transport.clone().serve(stream, router.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(socket);
    connections.shutdown().await;
}

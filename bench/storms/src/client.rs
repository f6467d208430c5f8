//! One connection to a server, and requests on it, one after another.

use std::{net::SocketAddr, time::Duration};

use harness::Result;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// The time limit for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A connection that stays open.
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // Its failure shows at the next request.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender })
    }

    /// Opens many connections.
    pub(crate) async fn open_many(address: SocketAddr, count: usize) -> Result<Vec<Self>> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Self::open(address).await?);
        }
        Ok(connections)
    }

    /// Sends a request with a token and reads the whole answer.
    pub(crate) async fn ask(&mut self, bearer: &Bearer) -> Result<StatusCode> {
        timeout(ANSWER_LIMIT, self.exchange(bearer)).await.map_err(|_| "no answer in time".to_owned())?
    }

    async fn exchange(&mut self, bearer: &Bearer) -> Result<StatusCode> {
        let request = Request::get("/").header(HOST, "127.0.0.1").header(AUTHORIZATION, &bearer.0);
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        self.sender.ready().await.map_err(|error| format!("the connection is closed: {error}"))?;
        let answer = self.sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
        let status = answer.status();
        answer.into_body().collect().await.map_err(|error| format!("half an answer: {error}"))?;
        Ok(status)
    }
}

/// The value of an `Authorization` field.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(HeaderValue);

impl Bearer {
    /// The value with this token.
    pub(crate) fn new(token: &str) -> Result<Self> {
        HeaderValue::from_str(&format!("Bearer {token}")).map(Self).map_err(|error| error.to_string())
    }
}

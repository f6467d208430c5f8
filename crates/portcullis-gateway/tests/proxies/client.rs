//! A client that sends any path and fields unchanged.

use std::time::Duration;

use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::TlsConnector;

/// The time limit of a request, with any proxy in between.
const LIMIT: Duration = Duration::from_secs(30);

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Sends a request on a connection of its own.
pub(crate) async fn try_ask(port: u16, line: &str, fields: &[(&str, &str)]) -> std::io::Result<Answer> {
    let text = exchange(port, request(line, fields).as_bytes()).await?;
    Answer::parse(&text).ok_or_else(|| std::io::Error::other(format!("not a whole response: {text:?}")))
}

/// Sends a request, such as `GET /orders/1`, and fails without an answer.
pub(crate) async fn ask(port: u16, line: &str, fields: &[(&str, &str)]) -> Answer {
    try_ask(port, line, fields).await.unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Sends a request with a token.
pub(crate) async fn ask_with(port: u16, line: &str, token: &str) -> Answer {
    ask(port, line, &[("Authorization", &format!("Bearer {token}"))]).await
}

/// Like [`ask`], from this address of the machine.
pub(crate) async fn ask_from(address: [u8; 4], port: u16, line: &str, fields: &[(&str, &str)]) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    let stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let request = request(line, fields);
    let exchanged = tokio::time::timeout(LIMIT, exchange_on(stream, request.as_bytes()));
    let text = exchanged.await.expect("no answer in time").unwrap();
    Answer::parse(&text).unwrap_or_else(|| panic!("{line}: {text}"))
}

/// Like [`try_ask`], over TLS with this configuration.
pub(crate) async fn try_ask_over(
    tls: &TlsConnector,
    port: u16,
    line: &str,
    fields: &[(&str, &str)],
) -> std::io::Result<Answer> {
    let exchanged = tokio::time::timeout(LIMIT, async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let stream = tls.connect(ServerName::try_from("api.example.com").unwrap(), stream).await?;
        exchange_on(stream, request(line, fields).as_bytes()).await
    });
    let text = exchanged.await.map_err(|_| std::io::Error::other("no answer in time"))??;
    Answer::parse(&text).ok_or_else(|| std::io::Error::other(format!("not a whole response: {text:?}")))
}

fn request(line: &str, fields: &[(&str, &str)]) -> String {
    let mut request = format!("{line} HTTP/1.1\r\n");
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request.push_str("Host: api.example.com\r\n");
    }
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
        request.push_str("Connection: close\r\n");
    }
    for (name, value) in fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request
}

/// Sends these bytes, and reads to the end of the connection.
pub(crate) async fn exchange(port: u16, request: &[u8]) -> std::io::Result<String> {
    let exchanged = tokio::time::timeout(LIMIT, exchange_unbounded(port, request));
    exchanged.await.map_err(|_| std::io::Error::other("no answer in time"))?
}

async fn exchange_unbounded(port: u16, request: &[u8]) -> std::io::Result<String> {
    exchange_on(TcpStream::connect(("127.0.0.1", port)).await?, request).await
}

async fn exchange_on(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> std::io::Result<String> {
    // A proxy may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response).await;
    match response.is_empty() {
        true => read.and(Err(std::io::Error::other("closed without an answer"))),
        false => Ok(String::from_utf8_lossy(&response).into_owned()),
    }
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields: Vec<_> = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let is_chunked = fields.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if is_chunked { whole(body)? } else { body.to_owned() };
        Some(Self { status, fields, body })
    }

    /// Returns the values of a field, whose name is in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the challenge: one field at most, or it could be read in two ways.
    pub(crate) fn challenge(&self) -> &str {
        let all = self.all("www-authenticate");
        assert!(all.len() <= 1, "{self:?}");
        all.first().copied().unwrap_or_default()
    }

    /// Returns the request as the upstream received it.
    pub(crate) fn echo(&self) -> Echo {
        assert_eq!(self.status, 200, "{self:?}");
        Echo(serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}")))
    }
}

/// Returns the text in the chunks, if all of them are there (RFC 9112 section 7.1).
fn whole(mut rest: &str) -> Option<String> {
    let mut text = String::new();
    loop {
        let (size, chunk) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(text);
        }
        text.push_str(chunk.get(..size)?);
        rest = chunk.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// A request as the upstream received it.
#[derive(Debug)]
pub(crate) struct Echo(Value);

impl Echo {
    pub(crate) fn method(&self) -> &str {
        self.0["method"].as_str().unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        self.0["url"].as_str().unwrap()
    }

    /// Returns the values of a field, whose name is in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields().filter(|(field, _)| *field == name).map(|(_, value)| value).collect()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (field[0].as_str().unwrap(), field[1].as_str().unwrap()))
    }
}

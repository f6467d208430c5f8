use portcullis_testkit::{Algorithm, AuthorizationServer};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Token, client, get, get_json};

async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    builder.start().await.unwrap()
}

/// Opens a connection and keeps it open after one request.
async fn kept_alive(server: &AuthorizationServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = b"GET /none HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 404");
    stream
}

#[tokio::test]
async fn stopping_closes_the_port_and_open_connections() {
    let server = server().await;
    let mut open = kept_alive(&server).await;
    server.stop().await;

    let mut rest = Vec::new();
    // The end of the stream, or a reset: the server has ended the connection either way.
    let _ = open.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(server.address()).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn a_restarted_server_has_its_port_and_keys() {
    let server = server().await;
    let token = Token::read(&server.token().sign());
    let client = client();
    client.get(server.jwks_uri()).send().await.unwrap();

    server.stop().await;
    assert!(client.get(server.jwks_uri()).send().await.is_err());
    server.restart().await.unwrap();
    let response = client.get(server.jwks_uri()).send().await.unwrap();
    assert!(token.verifies(&response.json().await.unwrap()));

    server.restart().await.unwrap();
    assert!(token.verifies(&get_json(server.jwks_uri()).await));
}

#[tokio::test]
async fn the_server_stops_with_its_last_handle() {
    let server = server().await;
    let other = server.clone();
    let address = server.address();
    drop(server);
    assert_eq!(get(other.jwks_uri()).await.status(), StatusCode::OK);

    let mut open = kept_alive(&other).await;
    drop(other);
    let _ = open.read_to_end(&mut Vec::new()).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let server = server().await;
    let taken = AuthorizationServer::builder().listen(server.address().to_string());
    assert!(taken.start().await.is_err());
    let none = AuthorizationServer::builder().algorithms([]);
    assert!(none.start().await.is_err());
}

#[tokio::test]
async fn debug_shows_issuer_and_keys() {
    let server = server().await;
    let text = format!("{server:?}");
    assert!(text.contains(server.issuer()) && text.contains("es256-1"), "{text}");
}

#[tokio::test]
#[should_panic(expected = "the server has no key for RS256")]
async fn an_algorithm_has_to_be_named_in_the_builder() {
    let _ = server().await.token_with(Algorithm::RS256);
}

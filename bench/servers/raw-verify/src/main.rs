//! axum and the signature, nothing else: the minimum cost of a new token.
//!
//! It is no guard: it only verifies a token's signature, with a key parsed once; or with `--dpop` that of a proof.

mod proof;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use server::{Arguments, Outcome};

async fn hello(State(key): State<Arc<ParsedPublicKey>>, headers: HeaderMap) -> Result<&'static str, StatusCode> {
    if verifies(&key, &headers).is_some() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

fn verifies(key: &ParsedPublicKey, headers: &HeaderMap) -> Option<()> {
    let token = headers.get(AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
    let dot = token.iter().rposition(|byte| *byte == b'.')?;
    let (input, signature) = token.split_at(dot);
    let signature = URL_SAFE_NO_PAD.decode(signature.get(1..)?).ok()?;
    key.verify_sig(input, &signature).ok()
}

/// The first key of the issuer's set, over plain HTTP from this machine.
fn key(jwks_uri: &str) -> Result<ParsedPublicKey, Box<dyn std::error::Error>> {
    let (authority, path) =
        jwks_uri.strip_prefix("http://").and_then(|uri| uri.split_once('/')).ok_or("expected an http URL")?;
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let json = answer.find('{').zip(answer.rfind('}')).and_then(|(start, end)| answer.get(start..=end));
    let set: serde_json::Value = serde_json::from_str(json.ok_or("no JSON")?)?;
    let bytes = |member: &str| URL_SAFE_NO_PAD.decode(set["keys"][0][member].as_str().unwrap_or_default());
    let components = PublicKeyComponents { n: bytes("n")?, e: bytes("e")? };
    Ok(components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| "no RSA key")?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::from_command_line();
    let app = match arguments.dpop {
        true => Router::new().route("/", get(proof::hello)),
        false => Router::new().route("/", get(hello)).with_state(Arc::new(key(&arguments.jwks_uri)?)),
    };
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}

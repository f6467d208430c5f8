//! Your own door, for a framework without one in Portcullis: here hyper, without tower.
//!
//! A door reads a request, calls `Secure::judge`, and lets the request pass only with the verdict's `Admitted`.
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-tower --example own_door
//! ```

use std::{convert::Infallible, net::IpAddr};

use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use portcullis::{Admitted, Judging, JwksService, Presented, Secure, Verdict};
use tokio::net::TcpListener;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    serve(TcpListener::bind("127.0.0.1:8080").await?, &uri).await
}

async fn serve(listener: TcpListener, jwks_uri: &str) -> Result<(), Error> {
    let secure = Secure::new(JwksService::new(jwks_uri)?).realm("example").optional();
    loop {
        let (stream, peer) = listener.accept().await?;
        let secure = secure.clone();
        let service = service_fn(move |request| respond(secure.clone(), request, peer.ip()));
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

async fn respond(
    secure: Secure,
    request: Request<Incoming>,
    client: IpAddr,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match judge(&secure, &request, client).await.outcome {
        Ok(admitted) => Response::new(hello(&admitted).into()),
        // Status, challenge and body according to the rules; the refusal is also counted and logged.
        Err(refusal) => secure.answer(&refusal).map(Full::new),
    })
}

async fn judge(secure: &Secure, request: &Request<Incoming>, client: IpAddr) -> Verdict {
    let presented = Presented::new(request.headers()).request(request.method().as_str(), request.uri().path());
    match secure.judge(&presented) {
        // Most requests, because their keys are cached.
        Judging::Done(verdict) => verdict,
        // The address lets the introspection of opaque tokens tell clients apart.
        Judging::Waits(pending) => pending.by_client(Some(client.into())).await,
    }
}

/// The handler, which requires evidence that the request passed; only the gate makes it.
fn hello(admitted: &Admitted) -> String {
    let subject = admitted.access().and_then(|access| access.claims().subject());
    format!("hello {}", subject.unwrap_or("stranger"))
}

#[tokio::test]
async fn a_good_token_passes_a_bad_one_does_not_and_none_is_a_stranger() -> Result<(), Error> {
    use portcullis_testkit::{Attack, AuthorizationServer};
    let server = AuthorizationServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let jwks_uri = server.jwks_uri();
    let client = reqwest::Client::new();
    let requests = async {
        let good = client.get(&url).bearer_auth(server.token().sign()).send().await?;
        assert_eq!((good.status().as_u16(), good.text().await?), (200, "hello alice".to_owned()));
        let bad = client.get(&url).bearer_auth(server.hostile(Attack::Expired)).send().await?;
        assert_eq!(bad.status(), 403);
        let challenge = bad.headers()["www-authenticate"].to_str()?;
        assert!(challenge.starts_with("Bearer realm=\"example\", error=\"invalid_token\""), "{challenge}");
        let none = client.get(&url).send().await?;
        assert_eq!((none.status().as_u16(), none.text().await?), (200, "hello stranger".to_owned()));
        Ok::<_, Error>(())
    };
    tokio::select! {
        served = serve(listener, &jwks_uri) => served,
        requests = requests => requests,
    }
}

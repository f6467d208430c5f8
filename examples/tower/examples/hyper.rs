//! Without a framework: a plain tower service behind the layer, served by hyper.
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-tower --example hyper
//! ```

use std::convert::Infallible;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use portcullis::{Access, JwksService, Secure};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    serve(TcpListener::bind("127.0.0.1:8080").await?, &uri).await
}

async fn serve(listener: TcpListener, jwks_uri: &str) -> Result<(), Error> {
    let service = ServiceBuilder::new()
        .layer(Secure::new(JwksService::new(jwks_uri)?).realm("example").problem_json())
        .service(service_fn(hello));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

/// Reads the `Access` that the layer puts into the request's extensions.
async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let subject = request.extensions().get::<Access>().and_then(|access| access.claims().subject());
    Ok(Response::new(format!("hello {}", subject.unwrap_or("you")).into()))
}

#[tokio::test]
async fn a_good_token_passes_over_tcp_and_a_bad_one_does_not() -> Result<(), Error> {
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
        assert!(bad.text().await?.contains("\"code\":\"expired\""));
        Ok::<_, Error>(())
    };
    tokio::select! {
        served = serve(listener, &jwks_uri) => served,
        requests = requests => requests,
    }
}

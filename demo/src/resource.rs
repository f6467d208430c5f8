//! The resource server: three endpoints, each secured in another way.

use std::{
    io::{self, Write},
    time::Duration,
};

use axum::{Json, Router, extract::MatchedPath, routing::get};
use portcullis::{Claims, Secure, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{authorization::base_url, error::Error, samples::REALM, signals};

/// How long requests under way may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A resource server that has its port.
pub(crate) struct ResourceServer {
    listener: TcpListener,
    url: String,
}

impl ResourceServer {
    /// Takes the port.
    pub(crate) async fn bind(address: &str) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: address.to_owned(), flag: "--listen", source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = base_url(listener.local_addr()?);
        Ok(Self { listener, url })
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Prints the page and answers requests until the process is told to stop.
    pub(crate) async fn serve(self, verifier: Verifier, page: String) -> Result<(), Error> {
        let (stop, give_up) = (signals::stop()?, signals::stop()?);
        print(&page)?;
        let serving = axum::serve(self.listener, router(verifier, page)).with_graceful_shutdown(stop);
        tokio::select! {
            served = serving => served?,
            () = async { give_up.await; tokio::time::sleep(GRACE).await } => {}
        }
        Ok(())
    }
}

/// The endpoints, and a page at `/` that lists them.
pub(crate) fn router(verifier: Verifier, page: String) -> Router {
    let secure = Secure::new(verifier).realm(REALM);
    let scope = secure.clone().scope(["read"]);
    let claim = secure.clone().claim("sub").claim_value("myClaim", "someRequiredValue");
    Router::new()
        .route("/secured/token", get(reached).layer(secure))
        .route("/secured/scope", get(reached).layer(scope))
        .route("/secured/claim", get(reached).layer(claim))
        .route("/", get(async || page))
}

/// What stands behind each gate: the token's claims are at hand.
async fn reached(endpoint: MatchedPath, claims: Claims) -> Json<Value> {
    let endpoint = endpoint.as_str();
    Json(json!({
        "message": format!("you reached {endpoint}"),
        "endpoint": endpoint,
        "claims": *claims,
    }))
}

fn print(page: &str) -> io::Result<()> {
    match io::stdout().write_all(page.as_bytes()) {
        // Nobody reads it; the page is at `/`, too.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

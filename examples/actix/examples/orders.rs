//! Middleware for an application, further rules for a part of it, typed claims, and the address of the client.
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-actix --example orders
//! ```

use actix_web::{
    App, HttpMessage, HttpServer,
    dev::{Service, ServiceRequest},
    web::{self, ServiceConfig},
};
use portcullis::{Claims, ClientAddress, JwksService, OptionalClaims, Secure};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Customer {
    sub: String,
    tenant: String,
}

#[actix_web::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    // Made once: all workers share the keys and the cache of tokens.
    let routes = routes(&uri)?;
    let app = move || {
        App::new().configure(routes.clone()).wrap_fn(|request, service| {
            remember_client(&request);
            service.call(request)
        })
    };
    Ok(HttpServer::new(app).bind(("127.0.0.1", 8080))?.run().await?)
}

fn routes(jwks_uri: &str) -> Result<impl FnOnce(&mut ServiceConfig) + Clone + use<>, Error> {
    let secure = Secure::new(JwksService::new(jwks_uri)?).realm("orders");
    let optional = secure.clone().optional();
    let write = secure.clone().scope(["orders:write"]);
    Ok(move |config: &mut ServiceConfig| {
        let orders = web::scope("/orders")
            .wrap(secure)
            .route("", web::get().to(orders))
            // The token is verified once, by the outer of the two.
            .service(web::resource("/new").wrap(write).to(async || "a form"));
        config.service(orders).service(web::resource("/").wrap(optional).to(hello));
    })
}

/// Lets the introspection of opaque tokens tell clients apart. Behind your own proxy, use the address that it forwards:
/// `request.connection_info().realip_remote_addr()`. Without such a proxy, clients can forge that address.
fn remember_client(request: &ServiceRequest) {
    if let Some(peer) = request.peer_addr() {
        request.extensions_mut().insert(ClientAddress::from(peer.ip()));
    }
}

async fn orders(claims: Claims<Customer>) -> String {
    format!("the orders of {} at {}", claims.sub, claims.tenant)
}

async fn hello(OptionalClaims(claims): OptionalClaims) -> String {
    format!("hello {}", claims.as_ref().and_then(|claims| claims.subject()).unwrap_or("stranger"))
}

#[actix_web::test]
async fn each_route_asks_for_its_own() -> Result<(), Error> {
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use portcullis_testkit::{Attack, AuthorizationServer};

    let server = AuthorizationServer::start().await;
    let app = init_service(App::new().configure(routes(&server.jwks_uri())?)).await;
    let token = |scope: &str| server.token().claim("tenant", "acme").scope(scope).sign();
    let table = [
        ("/", String::new(), 200, "hello stranger"),
        ("/", token("orders"), 200, "hello alice"),
        ("/", server.hostile(Attack::AlgNone), 403, ""),
        ("/orders", String::new(), 401, ""),
        ("/orders", token("orders"), 200, "the orders of alice at acme"),
        ("/orders", server.token().sign(), 403, ""),
        ("/orders/new", token("orders"), 403, ""),
        ("/orders/new", token("orders:write"), 200, "a form"),
    ];
    for (path, token, status, body) in table {
        let mut request = TestRequest::with_uri(path);
        if !token.is_empty() {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(read_body(response).await, body, "{path}");
    }
    Ok(())
}

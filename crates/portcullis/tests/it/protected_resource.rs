//! Protected resources at the doors: the document, the challenge that leads to it, and the audience (RFC 9728).

mod agreement;
#[cfg(feature = "actix")]
mod at_actix;

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use portcullis::{
    Access, ConfigurationError, Granted, JwksService, ProtectedResource, RequiredScope, Secure, TokenSource, Verifier,
    VerifierBuilder,
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Answer, Setup, answer};

const ORDERS: &str = "https://api.example.com/orders";
const DOCUMENT: &str = "/.well-known/oauth-protected-resource/orders";

fn issuer(setup: &Setup) -> VerifierBuilder {
    Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer())
}

fn orders(setup: &Setup) -> Secure {
    Secure::protecting(ProtectedResource::new(ORDERS).issuer(issuer(setup)).name("Orders")).unwrap()
}

fn request(method: &str, path: &str, token: Option<&str>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

async fn at(app: &Router, path: &str, token: Option<&str>) -> Answer {
    answer(app, request("GET", path, token)).await
}

async fn scopes(app: &Router) -> Value {
    let document = at(app, DOCUMENT, None).await;
    assert_eq!(document.status, StatusCode::OK);
    serde_json::from_str::<Value>(&document.body).unwrap()["scopes_supported"].clone()
}

#[tokio::test]
async fn a_client_finds_its_way_from_the_first_challenge_to_a_token_that_passes() {
    let setup = Setup::new().await;
    let secure = orders(&setup).scope(["orders:read"]);
    let app = secure.protect(Router::new().route("/orders", get(|| async { "the orders" })));
    let first = at(&app, "/orders", None).await;
    assert_eq!(first.status, StatusCode::UNAUTHORIZED);
    let expected = format!(r#"Bearer scope="orders:read", resource_metadata="https://api.example.com{DOCUMENT}""#);
    assert_eq!(first.challenge(), Some(expected.as_str()));

    let document = at(&app, DOCUMENT, None).await;
    assert_eq!(document.status, StatusCode::OK);
    assert_eq!(document.headers["content-type"], "application/json");
    assert_eq!(document.headers["access-control-allow-origin"], "*");
    assert_eq!(document.headers["cache-control"], "public, max-age=300");
    let metadata: Value = serde_json::from_str(&document.body).unwrap();
    let expected = json!({
        "resource": ORDERS,
        "authorization_servers": [setup.server.issuer()],
        "scopes_supported": ["orders:read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Orders",
    });
    assert_eq!(metadata, expected);

    let token = setup.server.token().audience(ORDERS).scope("orders:read").sign();
    assert_eq!(at(&app, "/orders", Some(&token)).await.body, "the orders");
    // A token for another resource of the same authorization server, or for a twin with a slash.
    for audience in ["https://api.example.com", "https://api.example.com/orders/", "https://api.example.com/orders/1"] {
        let token = setup.server.token().audience(audience).scope("orders:read").sign();
        let refused = at(&app, "/orders", Some(&token)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{audience}");
        let challenge = refused.challenge().unwrap();
        assert!(challenge.contains(r#"error="invalid_token""#) && challenge.contains(DOCUMENT), "{challenge}");
    }
}

#[tokio::test]
async fn the_document_alone_is_public_to_the_letter_of_its_path() {
    let setup = Setup::new().await;
    let app = orders(&setup).protect(Router::new().route("/orders", get(|| async { "the orders" })));
    for path in [
        "/",
        "/orders",
        "/nowhere",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/orders/",
        "/.well-known/oauth-protected-resource/orders/..",
        "/.well-known/oauth-protected-resource/../orders",
        "/.well-known/oauth-protected-resource//orders",
        "//.well-known/oauth-protected-resource/orders",
        "/.well-known/oauth-protected-resource%2Forders",
        "/.well-known/oauth-protected-resource/%6Frders",
        "/.well-known/oauth-protected-resource/ORDERS",
        "/.WELL-KNOWN/oauth-protected-resource/orders",
        "/.well-known/oauth-protected-resource/orders;a",
    ] {
        assert_eq!(at(&app, path, None).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    // A query changes nothing, nor does a Host that is not the resource's: the document names the true one.
    let other_host = Request::get(DOCUMENT).header("host", "evil.example").body(Body::empty()).unwrap();
    for request in [request("GET", &format!("{DOCUMENT}?a=b"), None), other_host] {
        assert!(answer(&app, request).await.body.contains(ORDERS));
    }
    let preflight = answer(&app, request("OPTIONS", DOCUMENT, None)).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers["access-control-allow-headers"], "*");
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let refused = answer(&app, request(method, DOCUMENT, None)).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(refused.headers["allow"], "GET, HEAD, OPTIONS");
    }
    // A token, good or bad, is not looked at.
    assert_eq!(at(&app, DOCUMENT, Some("nonsense")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_document_is_served_behind_a_layer_for_everything_and_in_any_tower_service() {
    let setup = Setup::new().await;
    let secure = orders(&setup);
    let app = secure.clone().protect(Router::new().route("/orders", get(|| async {}))).layer(secure.clone());
    let app = Router::new().merge(app).route("/health", get(|| async { "well" }));
    assert_eq!(at(&app, DOCUMENT, None).await.status, StatusCode::OK);
    assert_eq!(at(&app, "/orders", None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(at(&app, "/health", None).await.body, "well");

    let echo = service_fn(|_: Request<Body>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from("in")))
    });
    let service = secure.layer(echo);
    let status = async |path: &str| service.clone().oneshot(request("GET", path, None)).await.unwrap().status();
    assert_eq!(status(DOCUMENT).await, StatusCode::OK);
    assert_eq!(status("/orders").await, StatusCode::UNAUTHORIZED);
    // Without a resource there is no document, and the path is guarded like any other.
    let plain = Secure::new(setup.jwks.clone());
    assert!(plain.resource_document().is_none() && plain.metadata_response("GET", DOCUMENT).is_none());
    let app = plain.protect(Router::new().route("/", get(|| async {})));
    assert_eq!(at(&app, DOCUMENT, None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_route_has_its_scope_in_its_first_challenge_and_all_are_in_the_document() {
    let setup = Setup::new().await;
    let secure = orders(&setup).realm("orders");
    let (read, write) = (secure.clone().scope(["orders:read"]), secure.clone().any_scope(["orders:write", "admin"]));
    let app: Router = secure
        .metadata_router()
        .route("/orders", get(|| async { "list" }).layer(read))
        .route("/orders/new", get(|| async { "new" }).layer(write));
    for (path, scope) in [("/orders", "orders:read"), ("/orders/new", "orders:write admin")] {
        let first = at(&app, path, None).await;
        assert_eq!(first.status, StatusCode::UNAUTHORIZED);
        let begins = format!(r#"Bearer realm="orders", scope="{scope}", resource_metadata="https://"#);
        assert!(first.challenge().unwrap().starts_with(&begins), "{:?}", first.challenge());
        let poor = setup.server.token().audience(ORDERS).scope("openid").sign();
        let refused = at(&app, path, Some(&poor)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let challenge = refused.challenge().unwrap();
        assert!(challenge.contains(&format!(r#"scope="{scope}", resource_metadata="#)), "{challenge}");
        assert!(!challenge.contains("openid"), "the token's scope is nobody's business: {challenge}");
    }
    assert_eq!(scopes(&app).await, json!(["orders:read", "orders:write", "admin"]));
    // A layer that is made and thrown away leaves nothing behind.
    drop(secure.clone().scope(["never"]));
    assert_eq!(scopes(&app).await, json!(["orders:read", "orders:write", "admin"]));
    let added = secure.scope(["late"]);
    assert_eq!(scopes(&app).await, json!(["orders:read", "orders:write", "admin", "late"]));
    drop(added);
}

struct Cancel;

impl RequiredScope for Cancel {
    const SCOPE: &'static [&'static str] = &["orders:cancel", "orders:read"];
}

#[tokio::test]
async fn the_scope_of_a_handler_is_told_with_that_of_its_layer_and_is_in_the_document() {
    let setup = Setup::new().await;
    let secure = orders(&setup).scope(["orders:read"]);
    let cancel = |access: Granted<Cancel>| async move { access.claims().subject().unwrap_or_default().to_owned() };
    let app = secure.protect(Router::new().route("/orders", get(cancel)));
    let token = |scope: &str| setup.server.token().audience(ORDERS).scope(scope).sign();
    let refused = at(&app, "/orders", Some(&token("orders:read"))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = refused.challenge().unwrap();
    assert!(challenge.contains(r#"scope="orders:read orders:cancel", resource_metadata="#), "{challenge}");
    assert_eq!(scopes(&app).await, json!(["orders:read", "orders:cancel"]));
    assert_eq!(at(&app, "/orders", Some(&token("orders:read orders:cancel"))).await.body, "alice");
}

#[tokio::test]
async fn several_issuers_are_named_in_order_and_each_has_its_audience() {
    let (ours, theirs) = (Setup::new().await, Setup::new().await);
    let resource = ProtectedResource::new(ORDERS)
        .issuer(issuer(&theirs).audience("orders-client"))
        .issuer(issuer(&ours))
        .scopes_supported(["openid"]);
    let secure = Secure::protecting(resource).unwrap();
    let app = secure.protect(Router::new().route(
        "/orders",
        get(|access: Access| async move { access.claims().issuer().unwrap_or_default().to_owned() }),
    ));
    let document: Value = serde_json::from_str(&at(&app, DOCUMENT, None).await.body).unwrap();
    assert_eq!(document["authorization_servers"], json!([theirs.server.issuer(), ours.server.issuer()]));
    assert_eq!(document["scopes_supported"], json!(["openid"]));
    let table =
        [(&ours, ORDERS, 200), (&ours, "orders-client", 403), (&theirs, "orders-client", 200), (&theirs, ORDERS, 403)];
    for (setup, audience, status) in table {
        let token = setup.server.token().audience(audience).sign();
        assert_eq!(at(&app, "/orders", Some(&token)).await.status.as_u16(), status, "{audience}");
    }
}

#[tokio::test]
async fn a_server_in_front_of_the_issuers_is_named_instead() {
    let setup = Setup::new().await;
    let resource = ProtectedResource::new(ORDERS)
        .issuer(Verifier::builder(setup.jwks.clone()))
        .authorization_servers(["https://front.example.com"])
        .documentation("https://example.com/docs")
        .policy_uri("https://example.com/policy")
        .tos_uri("https://example.com/tos")
        .jwks_uri("https://api.example.com/jwks");
    let secure = Secure::protecting(resource).unwrap().token_from([TokenSource::cookie("at")]);
    let document: Value = serde_json::from_slice(secure.resource_document().unwrap().body()).unwrap();
    let expected = json!({
        "resource": ORDERS,
        "authorization_servers": ["https://front.example.com"],
        "jwks_uri": "https://api.example.com/jwks",
        "bearer_methods_supported": [],
        "resource_documentation": "https://example.com/docs",
        "resource_policy_uri": "https://example.com/policy",
        "resource_tos_uri": "https://example.com/tos",
    });
    assert_eq!(document, expected);
}

#[test]
fn a_resource_that_clients_cannot_use_is_refused_when_it_is_built() {
    let keys = || JwksService::new("https://as.example.com/jwks").unwrap();
    let named = || Verifier::builder(keys()).issuer("https://as.example.com");
    let table = [
        (ProtectedResource::new(ORDERS), "expected at least one issuer, got none"),
        (
            ProtectedResource::new(ORDERS).authorization_servers(["https://as.example.com"]),
            "expected at least one issuer",
        ),
        (
            ProtectedResource::new(ORDERS).issuer(Verifier::builder(keys())),
            "`authorization_servers`: expected an authorization",
        ),
        (
            ProtectedResource::new(ORDERS).issuer(Verifier::builder(keys()).trust_domain("example.org")),
            "`authorization_servers`: expected an authorization",
        ),
        (ProtectedResource::new(ORDERS).issuer(named()).issuer(named()), "got `https://as.example.com` twice"),
        (ProtectedResource::new(ORDERS).issuer(named()).issuer(Verifier::builder(keys())), "expected a name for each"),
        (ProtectedResource::new("http://api.example.com").issuer(named()), "`resource`: expected an https URL"),
        (
            ProtectedResource::new(format!("{ORDERS}#a")).issuer(named()),
            "`resource`: expected a URL without a fragment",
        ),
        (ProtectedResource::default().issuer(named()), "`resource`: expected an absolute URL"),
        (ProtectedResource::new(ORDERS).issuer(named()).scopes_supported(["a b"]), "`scopes_supported[0]`"),
    ];
    for (resource, expected) in table {
        let error: ConfigurationError = Secure::protecting(resource).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

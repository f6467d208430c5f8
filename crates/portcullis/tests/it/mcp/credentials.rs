//! The token is never passed on, unless the rules ask for it.

use super::*;

#[tokio::test]
async fn the_server_behind_gets_no_token() {
    let setup = Setup::new().await;
    let token = token(&setup, "read").sign();
    let get = || Request::get("/mcp").header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
    assert_eq!(answer(&app(secure(&setup)), get()).await.body, "without token: ");
    let forwarding = Secure::mcp(resource(&setup).forward_authorization()).unwrap();
    assert_eq!(answer(&app(forwarding), get()).await.body, "with token: ");
    // Other resources are as before.
    let issuer = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let plain = Secure::protecting(ProtectedResource::new(RESOURCE).issuer(issuer)).unwrap();
    assert_eq!(answer(&app(plain), get()).await.body, "with token: ");
}

#[tokio::test]
async fn a_request_that_only_shadow_mode_lets_pass_has_no_token_either() {
    let setup = Setup::new().await;
    let app = app(secure(&setup).report_only());
    let passed = answer(&app, post(Some("nonsense"), &[], call("list"))).await;
    assert_eq!(passed.body, format!("without token: {}", call("list")));
}

#[tokio::test]
async fn a_layer_within_finds_the_token_and_passes_none_on() {
    let setup = Setup::new().await;
    let outer = secure(&setup);
    let inner = outer.clone().scope(["admin"]);
    let router = Router::new().route("/mcp", any(server).layer(inner));
    let app = outer.protect(router);
    let (plain, admin) = (token(&setup, "read").sign(), token(&setup, "read admin").sign());
    let refused = answer(&app, post(Some(&plain), &[], call("list"))).await;
    assert_eq!(refused.status, 403);
    assert!(refused.challenge().unwrap().contains(r#"scope="read admin""#));
    let passed = answer(&app, post(Some(&admin), &[], call("list"))).await;
    assert_eq!((passed.status.as_u16(), passed.body), (200, format!("without token: {}", call("list"))));
}

#[tokio::test]
async fn a_layer_of_another_kind_within_finds_the_token_and_passes_none_on() {
    let setup = Setup::new().await;
    let outer = secure(&setup);
    let inner = Secure::new(outer.verifier().clone()).scope(["admin"]);
    let app = outer.protect(Router::new().route("/mcp", any(server).layer(inner)));
    let (plain, admin) = (token(&setup, "read").sign(), token(&setup, "read admin").sign());
    let refused = answer(&app, post(Some(&plain), &[], call("list"))).await;
    assert_eq!(refused.status, 403);
    let passed = answer(&app, post(Some(&admin), &[], call("list"))).await;
    assert_eq!((passed.status.as_u16(), passed.body), (200, format!("without token: {}", call("list"))));
}

#[tokio::test]
async fn actix_middleware_of_another_kind_within_finds_the_token_and_passes_none_on() {
    use actix_web::{
        App, HttpRequest,
        test::{TestRequest, call_service, init_service},
        web,
    };

    let setup = Setup::new().await;
    let outer = secure(&setup);
    let inner = Secure::new(outer.verifier().clone()).scope(["admin"]);
    let server = async |request: HttpRequest| request.headers().contains_key("authorization").to_string();
    let guarded = web::scope("/mcp").wrap(inner).default_service(web::to(server));
    let app = init_service(App::new().wrap(outer).service(guarded)).await;
    for (scope, status, body) in [("read", 403, ""), ("read admin", 200, "false")] {
        let bearer = format!("Bearer {}", token(&setup, scope).sign());
        let request = TestRequest::get().uri("/mcp/x").insert_header(("authorization", bearer)).to_request();
        let answer = crate::actix::read(call_service(&app, request).await).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
}

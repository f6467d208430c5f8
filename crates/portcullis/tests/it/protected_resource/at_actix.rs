//! The same at actix-web.

use actix_web::{App, web};

use super::*;
use crate::actix::{answer, read};

#[tokio::test]
async fn one_call_mounts_the_document_and_middleware_for_everything_serves_it_too() {
    let setup = Setup::new().await;
    let secure = orders(&setup).scope(["orders:read"]);
    let token = setup.server.token().audience(ORDERS).scope("orders:read").sign();
    let field = format!("Bearer {token}");
    let list = || web::get().to(|| async { "the orders" });
    for whole in [false, true] {
        let app = || {
            let app = App::new().configure(secure.metadata());
            app.service(web::scope("/orders").wrap(secure.clone()).route("", list()))
        };
        let answer = async |path: &str, fields: &[(&str, &str)]| {
            if whole { answer!(app().wrap(secure.clone()), path, fields) } else { answer!(app(), path, fields) }
        };
        let first = answer("/orders", &[]).await;
        let expected = format!(r#"Bearer scope="orders:read", resource_metadata="https://api.example.com{DOCUMENT}""#);
        assert_eq!((first.status.as_u16(), first.challenge()), (401, Some(expected.as_str())));
        let document = answer(DOCUMENT, &[]).await;
        assert_eq!(document.status, StatusCode::OK);
        assert_eq!(document.headers["content-type"], "application/json");
        assert_eq!(document.body.as_bytes(), secure.resource_document().unwrap().body());
        assert_eq!(answer("/orders", &[("authorization", &field)]).await.body, "the orders");
        for path in ["/.well-known/oauth-protected-resource", &format!("{DOCUMENT}/"), &format!("/a/..{DOCUMENT}")] {
            let expected = if whole { 401 } else { 404 };
            assert_eq!(answer(path, &[]).await.status.as_u16(), expected, "{path}");
        }
        let app = actix_web::test::init_service(app()).await;
        let post = actix_web::test::TestRequest::post().uri(DOCUMENT).to_request();
        let refused = read(actix_web::test::call_service(&app, post).await).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers["allow"], "GET, HEAD, OPTIONS");
    }
    let plain = Secure::new(setup.jwks.clone());
    assert_eq!(answer!(App::new().configure(plain.metadata()), DOCUMENT, &[]).status, StatusCode::NOT_FOUND);
}

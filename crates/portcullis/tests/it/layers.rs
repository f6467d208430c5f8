//! Places of the layer: on a router, on a route, nested; optional layers; other token sources.

use axum::{Router, body::Body, routing::get};
use http::{HeaderName, Request, StatusCode};
use portcullis::{Claims, Secure, TokenSource, Verifier, names::steps};
use portcullis_testkit::Endpoint;

use crate::{
    steps::steps_to,
    support::{Answer, Setup, answer, app, bearer, request},
};

async fn at(app: &Router, path: &str, token: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    answer(app, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
pub(crate) async fn the_layer_secures_a_router_and_a_route() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let app = Router::new()
        .route("/open", get(|| async { "open" }))
        .route("/guarded", get(|| async { "guarded" }).layer(secure));
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(answer(&app, request("/open")).await.status, StatusCode::OK);
    assert_eq!(answer(&app, request("/guarded")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(at(&app, "/guarded", &setup.server.token().sign()).await.status, StatusCode::OK);
}

#[tokio::test]
pub(crate) async fn an_inner_layer_adds_its_policy_and_its_realm() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).realm("outer");
    let inner = secure.clone().realm("inner").scope(["admin"]);
    let app = Router::new()
        .route("/", get(|| async { "all" }))
        .route("/admin", get(|| async { "admin" }).layer(inner))
        .layer(secure);
    let (plain, admin) = (setup.server.token().sign(), setup.server.token().scope("admin").sign());
    assert_eq!(at(&app, "/", &plain).await.status, StatusCode::OK);
    assert_eq!(at(&app, "/admin", &admin).await.status, StatusCode::OK);
    let refused = at(&app, "/admin", &plain).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.challenge().unwrap().starts_with(r#"Bearer realm="inner", error="insufficient_scope""#));
    let refused = answer(&app, Request::get("/admin").body(Body::empty()).unwrap()).await;
    assert_eq!(refused.challenge(), Some(r#"Bearer realm="outer""#));
}

#[tokio::test]
pub(crate) async fn nested_layers_of_one_verifier_verify_once_and_of_two_twice() {
    let setup = Setup::new().await;
    let verifier = || Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).build().unwrap();
    setup.jwks.prefetch().await.unwrap();
    let token = setup.server.token().sign();
    let secure = Secure::new(verifier());
    let shared = app(secure.clone().claim("sub")).layer(secure.clone().claim("iss")).layer(secure);
    let steps = steps_to(at(&shared, "/", &token)).await;
    assert_eq!([steps::FIND_TOKEN, steps::DECODE_TOKEN].map(|step| steps.get(step)), [Some(&3), Some(&1)]);

    let separate = app(Secure::new(verifier())).layer(Secure::new(verifier()));
    let steps = steps_to(at(&separate, "/", &token)).await;
    assert_eq!([steps::FIND_TOKEN, steps::DECODE_TOKEN].map(|step| steps.get(step)), [Some(&2), Some(&2)]);
}

#[tokio::test]
pub(crate) async fn an_inner_layer_with_another_verifier_judges_for_itself() {
    let (ours, theirs) = (Setup::new().await, Setup::new().await);
    let app = ours.app().layer(Secure::new(theirs.jwks.clone()));
    assert_eq!(theirs.status(&app).await, StatusCode::FORBIDDEN, "the outer layer accepts, the inner refuses");
    assert_eq!(ours.status(&app).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
pub(crate) async fn an_optional_layer_lets_nobody_in_as_somebody() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).optional();
    async fn who(claims: Option<Claims>) -> String {
        claims.as_ref().and_then(|claims| claims.subject()).unwrap_or("anonymous").to_owned()
    }
    let app = Router::new()
        .route("/", get(who))
        .route("/inner", get(who).layer(Secure::new(setup.jwks.clone())))
        .layer(secure);
    let good = format!("Bearer {}", setup.server.token().sign());
    let expired = format!("Bearer {}", setup.server.token().expired_for(std::time::Duration::from_secs(60)).sign());
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let table: &[(Fields<'_>, u16, &str)] = &[
        (&[], 200, "anonymous"),
        (&[("authorization", "Basic YTpi")], 200, "anonymous"),
        (&[("authorization", &good)], 200, "alice"),
        (&[("authorization", &expired)], 403, ""),
        (&[("authorization", "Bearer x.y.z")], 403, ""),
        (&[("authorization", "Bearer ")], 401, ""),
        (&[("authorization", &good), ("authorization", &good)], 400, ""),
    ];
    for (fields, status, body) in table {
        let answer = answer(&app, request(fields)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (*status, *body), "{fields:?}");
    }
    let inner = Request::get("/inner").body(Body::empty()).unwrap();
    assert_eq!(answer(&app, inner).await.status, StatusCode::UNAUTHORIZED, "the inner layer is not optional");
}

#[tokio::test]
pub(crate) async fn what_an_outer_layer_found_is_not_the_word_of_an_inner_one() {
    let (outer, inner) = (Setup::new().await, Setup::new().await);
    let cookie = Secure::new(inner.jwks.clone()).token_from([TokenSource::cookie("at")]).optional();
    let handler = |claims: Option<Claims>, request: axum::extract::Request| async move {
        format!("{} {}", claims.is_some(), request.extensions().get::<portcullis::Access>().is_some())
    };
    let app = Router::new().route("/", get(handler)).layer(cookie).layer(Secure::new(outer.jwks.clone()));
    assert_eq!(answer(&app, bearer(&outer.server.token().sign())).await.body, "false false");
}

#[tokio::test]
pub(crate) async fn an_optional_layer_does_not_hide_an_outage() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, portcullis_testkit::Fault::Status(500));
    let app = app(Secure::new(setup.jwks.clone()).optional());
    assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
pub(crate) async fn a_token_may_stand_elsewhere_but_only_once() {
    let setup = Setup::new().await;
    let own = HeaderName::from_static("x-access-token");
    let sources = [TokenSource::authorization(), TokenSource::cookie("at"), TokenSource::header(own)];
    let app = app(Secure::new(setup.jwks.clone()).token_from(sources));
    let token = setup.server.token().sign();
    let (field, cookie) = (format!("Bearer {token}"), format!("theme=dark; at={token}"));
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[("authorization", &field)], 200),
        (&[("cookie", &cookie)], 200),
        (&[("x-access-token", &token)], 200),
        (&[("authorization", &field), ("cookie", &cookie)], 400),
        (&[("x-access-token", &token), ("x-access-token", &token)], 400),
        (&[("cookie", "at=")], 401),
        (&[("cookie", "theme=dark")], 401),
    ];
    // Twice: first with keys to wait for, then with keys at hand.
    for _ in 0..2 {
        for (fields, status) in table {
            assert_eq!(answer(&app, request(fields)).await.status.as_u16(), *status, "{fields:?}");
        }
    }
    let only_cookie = self::app(Secure::new(setup.jwks.clone()).token_from([TokenSource::cookie("at")]));
    assert_eq!(answer(&only_cookie, bearer(&token)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
pub(crate) async fn a_layer_that_only_reports_lets_pass_what_it_would_refuse() {
    let setup = Setup::new().await;
    let app = Router::new()
        .route("/", get(|claims: Option<Claims>| async move { claims.map_or("anonymous", |_| "known") }))
        .layer(Secure::new(setup.jwks.clone()).scope(["read"]).report_only());
    let good = setup.server.token().scope("read").sign();
    let unknown_key = setup.server.hostile(portcullis_testkit::Attack::UnknownKey);
    let expected = [
        (&*good, "known"),
        (&*setup.server.token().sign(), "anonymous"),
        ("nonsense", "anonymous"),
        (&*unknown_key, "anonymous"),
    ];
    for (token, body) in expected {
        let answer = at(&app, "/", token).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, body), "{token}");
    }
    assert_eq!(answer(&app, request(&[])).await.body, "anonymous");
}

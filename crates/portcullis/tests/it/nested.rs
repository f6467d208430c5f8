//! Nested layers: each finds its own token, and shares only the verification of the same bytes.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, middleware, routing::get};
use http::HeaderValue;
use portcullis::{
    Access, Claims, ClientAuthentication, IntrospectionForm, Introspector, JwksService, Presented, Secure, TokenSource,
    Verifier, names::steps,
};
use portcullis_testkit::Endpoint;

use crate::{
    steps::steps_to,
    support::{Setup, answer, fields, judge, request},
};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// An app behind two layers; `GET /` answers with the token's subject.
fn nested(outer: Secure, inner: Secure) -> Router {
    Router::new().route("/", get(who)).layer(inner).layer(outer)
}

async fn who(claims: Option<Claims>, request: Request) -> String {
    let (claims, access) = (claims.as_ref().and_then(|claims| claims.subject()), request.extensions().get::<Access>());
    assert_eq!(claims, access.and_then(|access| access.claims().subject()), "extractor and extension are of one token");
    claims.unwrap_or("anonymous").to_owned()
}

async fn hold(app: &Router, table: &[(Fields<'_>, u16, &str)]) {
    for (row, (fields, status, body)) in table.iter().enumerate() {
        let answer = answer(app, request(fields)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (*status, *body), "row {row}");
    }
}

#[tokio::test]
async fn an_inner_layer_takes_its_token_from_its_own_places() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let token = |subject: &str| setup.server.token().subject(subject).sign();
    let (alice, bob) = (token("alice"), token("bob"));
    let expired = setup.server.token().expired_for(Duration::from_secs(60)).sign();
    let cookie = format!("at={alice}");
    let [by_alice, by_bob, by_expired, lower] =
        [("Bearer", &alice), ("Bearer", &bob), ("Bearer", &expired), ("bearer", &alice)]
            .map(|(scheme, token)| format!("{scheme} {token}"));
    let by_cookie = ("cookie", cookie.as_str());
    let app = nested(secure.clone().token_from([TokenSource::cookie("at")]), secure.clone());
    // Twice: first with keys to wait for, then with tokens that are cached.
    for _ in 0..2 {
        hold(
            &app,
            &[
                (&[by_cookie], 401, ""),
                (&[by_cookie, ("authorization", "Basic YTpi")], 401, ""),
                (&[by_cookie, ("authorization", "Bearer ")], 401, ""),
                (&[by_cookie, ("authorization", "Bearer x.y.z")], 403, ""),
                (&[by_cookie, ("authorization", &by_expired)], 403, ""),
                (&[by_cookie, ("authorization", &by_alice), ("authorization", &by_alice)], 400, ""),
                (&[by_cookie, ("authorization", &by_alice)], 200, "alice"),
                (&[by_cookie, ("authorization", &lower)], 200, "alice"),
                (&[by_cookie, ("authorization", &by_bob)], 200, "bob"),
            ],
        )
        .await;
    }
    let either = [TokenSource::authorization(), TokenSource::cookie("at")];
    let wider = nested(secure.clone(), secure.clone().token_from(either));
    hold(
        &wider,
        &[(&[("authorization", &by_alice)], 200, "alice"), (&[by_cookie, ("authorization", &by_alice)], 400, "")],
    )
    .await;
    let narrower = nested(secure.clone(), secure.max_token_bytes(20));
    hold(&narrower, &[(&[("authorization", &by_alice)], 403, "")]).await;
}

#[tokio::test]
async fn a_token_that_changes_between_the_layers_is_judged_anew() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let alice = format!("Bearer {}", setup.server.token().subject("alice").sign());
    for (token, status) in [("x.y.z".to_owned(), 403), (setup.server.token().subject("bob").sign(), 200)] {
        let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let exchange = middleware::from_fn(move |mut request: Request, next: middleware::Next| {
            request.headers_mut().insert("authorization", field.clone());
            next.run(request)
        });
        let app = Router::new().route("/", get(who)).layer(secure.clone()).layer(exchange).layer(secure.clone());
        let body = if status == 200 { "bob" } else { "" };
        hold(&app, &[(&[("authorization", &alice)], status, body)]).await;
    }
}

#[tokio::test]
async fn access_that_another_request_was_given_counts_for_nothing() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let token = setup.server.token().subject("alice").sign();
    let field = format!("Bearer {token}");
    let stolen = judge(&secure, &[field.as_bytes()]).await.unwrap().unwrap();
    let kept: Arc<std::sync::Mutex<Option<Access>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let keeping = get(move |access: Access| async move { *keep.lock().unwrap() = Some(access) });
    let app = Router::new().route("/", keeping).layer(secure.clone());
    assert_eq!(answer(&app, request(&[("authorization", &field)])).await.status, 200);
    let left = kept.lock().unwrap().clone().unwrap();
    for access in [stolen, left] {
        let leave = axum::Extension(access);
        let app = Router::new().route("/", get(who)).layer(secure.clone()).layer(leave.clone());
        let bob = format!("Bearer {}", setup.server.token().subject("bob").sign());
        hold(
            &app,
            &[
                (&[], 401, ""),
                (&[("authorization", "Bearer x.y.z")], 403, ""),
                (&[("authorization", &bob)], 200, "bob"),
            ],
        )
        .await;
        let optional = Router::new().route("/", get(who)).layer(secure.clone().optional()).layer(leave);
        hold(&optional, &[(&[], 200, "anonymous")]).await;
    }
}

#[tokio::test]
async fn access_that_is_kept_outlives_neither_the_times_of_its_token_nor_its_key() {
    // With and without a cache, which knows that by itself.
    for cache in [true, false] {
        let secure = |setup: &Setup| {
            let builder = Verifier::builder(setup.jwks.clone());
            Secure::new(if cache { builder } else { builder.without_token_cache() }.build().unwrap())
        };
        let judged = async |secure: &Secure, token: &str, kept: &Access| {
            let field = format!("Bearer {token}");
            let fields = fields(&[field.as_bytes()]);
            let verdict = secure.judge(&Presented::new(&fields).after(Some(kept))).verdict().await;
            verdict.outcome.map_or_else(|refusal| refusal.code(), |_| "passed")
        };
        let pass = async |secure: &Secure, token: &str| {
            judge(secure, &[format!("Bearer {token}").as_bytes()]).await.unwrap().unwrap()
        };

        let setup = Setup::new().await;
        let (token, ours) = (setup.server.token().expires_in(Duration::from_secs(60)).sign(), secure(&setup));
        let kept = pass(&ours, &token).await;
        assert_eq!(judged(&ours, &token, &kept).await, "passed");
        setup.clock.advance(Duration::from_secs(65));
        assert_eq!(judged(&ours, &token, &kept).await, "expired");

        let (token, ours) = (setup.server.token().sign(), secure(&setup));
        let kept = pass(&ours, &token).await;
        setup.server.rotate_and_withdraw();
        setup.jwks.refresh().await.unwrap();
        assert_eq!(judged(&ours, &token, &kept).await, "unknown_key");
    }
}

#[tokio::test]
async fn access_that_is_kept_outlives_no_answer_about_an_opaque_token() {
    let setup = Setup::new().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let (endpoint, clock) = (format!("{}/introspect", setup.server.issuer()), setup.clock.clone());
    let introspector = Introspector::builder(&endpoint, client).clock(move || clock.now()).build().unwrap();
    let clock = setup.clock.clone();
    let verifier = Verifier::builder(JwksService::empty()).clock(move || clock.now()).introspection(introspector);
    let secure = Secure::new(verifier.build().unwrap());
    let token = setup.server.issue_opaque(setup.server.token().subject("alice"));
    let field = format!("Bearer {token}");
    let kept = judge(&secure, &[field.as_bytes()]).await.unwrap().unwrap();
    setup.server.revoke(&token);
    setup.clock.advance(Duration::from_secs(61));
    let fields = fields(&[field.as_bytes()]);
    let verdict = secure.judge(&Presented::new(&fields).after(Some(&kept))).verdict().await;
    assert_eq!(verdict.outcome.unwrap_err().code(), "inactive_token");
}

#[tokio::test]
async fn layers_that_let_anybody_pass_are_nobodys_word() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let (optional, reporting) = (secure.clone().optional(), secure.clone().report_only());
    let strict = secure.clone().scope(["admin"]);
    let plain = format!("Bearer {}", setup.server.token().subject("alice").sign());
    let admin = format!("Bearer {}", setup.server.token().subject("alice").scope("admin").sign());
    let (plain, admin): ([_; 1], [_; 1]) = ([("authorization", plain.as_str())], [("authorization", admin.as_str())]);
    let bad = [("authorization", "Bearer x.y.z")];
    let table = [
        (nested(optional.clone(), secure.clone()), [401, 403, 200, 200]),
        (nested(reporting.clone(), secure.clone()), [401, 403, 200, 200]),
        (nested(reporting.clone(), strict.clone()), [401, 403, 403, 200]),
        (nested(strict.clone().report_only(), secure.clone()), [401, 403, 200, 200]),
        (nested(reporting, optional.clone()), [200, 403, 200, 200]),
        (nested(secure.clone(), optional), [401, 403, 200, 200]),
        (nested(secure, strict.report_only()), [401, 403, 200, 200]),
    ];
    for (row, (app, expected)) in table.iter().enumerate() {
        for (fields, status) in [&[][..], &bad, &plain, &admin].iter().zip(expected) {
            let answer = answer(app, request(fields)).await;
            assert_eq!(answer.status.as_u16(), *status, "row {row}");
        }
    }
}

#[tokio::test]
async fn a_handler_gets_the_token_of_the_layer_next_to_it() {
    let (ours, theirs) = (Setup::new().await, Setup::new().await);
    let cookie = Secure::new(theirs.jwks.clone()).token_from([TokenSource::cookie("at")]);
    let app = nested(Secure::new(ours.jwks.clone()), cookie);
    let (alice, bob) = (ours.server.token().subject("alice").sign(), theirs.server.token().subject("bob").sign());
    let (field, cookie) = (format!("Bearer {alice}"), format!("at={bob}"));
    hold(
        &app,
        &[
            (&[("authorization", &field), ("cookie", &cookie)], 200, "bob"),
            (&[("authorization", &field)], 401, ""),
            (&[("cookie", &cookie)], 401, ""),
            (&[("authorization", &field), ("cookie", &format!("at={alice}"))], 403, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_same_token_is_verified_once_wherever_it_stands() {
    let setup = Setup::new().await;
    setup.jwks.prefetch().await.unwrap();
    let secure = Secure::new(Verifier::builder(setup.jwks.clone()).without_token_cache().build().unwrap());
    let token = setup.server.token().subject("alice").sign();
    let (field, cookie) = (format!("Bearer {token}"), format!("at={token}"));
    let by_cookie = secure.clone().token_from([TokenSource::cookie("at")]);
    for (app, fields) in [
        (nested(secure.clone(), secure.clone()), [("authorization", field.as_str())].as_slice()),
        (nested(secure, by_cookie), &[("authorization", &field), ("cookie", &cookie)]),
    ] {
        let steps = steps_to(answer(&app, request(fields))).await;
        assert_eq!([steps::FIND_TOKEN, steps::DECODE_TOKEN].map(|step| steps.get(step)), [Some(&2), Some(&1)]);
    }
}

#[tokio::test]
async fn an_opaque_token_is_asked_about_once_and_another_for_itself() {
    let setup = Setup::new().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let endpoint = format!("{}/introspect", setup.server.issuer());
    let clock = setup.clock.clone();
    let introspector =
        Introspector::builder(&endpoint, client).form(IntrospectionForm::Json).clock(move || clock.now());
    let introspector = introspector.keep_for(Duration::ZERO).build().unwrap();
    let secure = Secure::new(Verifier::from(introspector));
    let opaque = |subject: &str| setup.server.issue_opaque(setup.server.token().subject(subject));
    let (field, cookie) = (format!("Bearer {}", opaque("bob")), format!("at={}", opaque("alice")));
    let app = nested(secure.clone(), secure.clone());
    hold(&app, &[(&[("authorization", &field)], 200, "bob")]).await;
    assert_eq!(setup.server.requests(Endpoint::Introspection), 1);
    let app = nested(secure.clone().token_from([TokenSource::cookie("at")]), secure);
    hold(&app, &[(&[("cookie", &cookie), ("authorization", &field)], 200, "bob"), (&[("cookie", &cookie)], 401, "")])
        .await;
}

#[tokio::test]
async fn a_place_that_is_named_twice_is_one() {
    let setup = Setup::new().await;
    let twice = [TokenSource::cookie("at"), TokenSource::cookie("at"), TokenSource::authorization()];
    let app = Router::new().route("/", get(who)).layer(Secure::new(setup.jwks.clone()).token_from(twice));
    let token = setup.server.token().subject("alice").sign();
    let request = Request::get("/").header("cookie", format!("at={token}")).body(Body::empty()).unwrap();
    assert_eq!(answer(&app, request).await.status, 200);
}

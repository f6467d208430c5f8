//! [`Secure`] among other middleware: nested, on applications, scopes, resources and routes.

use actix_web::{
    App, HttpMessage, HttpRequest,
    dev::Service,
    http::header::{self, HeaderValue},
    middleware::DefaultHeaders,
    web,
};
use portcullis::{Access, Secure, TokenSource, Verifier, names::steps};

use super::{answer, who};
use crate::{
    client_certificate::{OTHER, OWN, bound},
    steps::steps_to,
    support::{Setup, judge},
};

fn bearer(setup: &Setup, subject: &str, scope: &str) -> String {
    format!("Bearer {}", setup.server.token().subject(subject).scope(scope).sign())
}

#[tokio::test]
async fn it_guards_applications_scopes_resources_and_routes() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).realm("outer");
    let admin = secure.clone().realm("inner").scope(["admin"]);
    let (plain, scoped) = (bearer(&setup, "alice", "read"), bearer(&setup, "root", "admin"));
    let table = [
        ("/open", None, 200, "open"),
        ("/scope/who", None, 401, ""),
        ("/scope/who", Some(&plain), 200, "alice"),
        ("/scope/resource", None, 401, ""),
        ("/scope/resource", Some(&plain), 403, ""),
        ("/scope/resource", Some(&scoped), 200, "root"),
        ("/route", None, 401, ""),
        ("/route", Some(&plain), 403, ""),
        ("/route", Some(&scoped), 200, "root"),
    ];
    for (path, field, status, body) in table {
        let app = App::new()
            .route("/open", web::get().to(|| async { "open" }))
            .route("/route", web::get().to(who).wrap(admin.clone()))
            .service(
                web::scope("/scope")
                    .wrap(secure.clone())
                    .route("/who", web::get().to(who))
                    .service(web::resource("/resource").wrap(admin.clone()).to(who)),
            );
        let fields: Vec<_> = field.iter().map(|field| ("authorization", field.as_str())).collect();
        let answer = answer!(app, path, &fields);
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body), "{path} {}", fields.len());
        let realm = if path == "/route" || status == 403 { "inner" } else { "outer" };
        assert!(answer.challenge().is_none_or(|challenge| challenge.contains(realm)), "{:?}", answer.challenge());
    }
}

#[tokio::test]
async fn each_finds_its_own_token_and_takes_nobodys_word() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let (optional, reporting) = (secure.clone().optional(), secure.clone().report_only());
    let strict = secure.clone().scope(["admin"]);
    let cookie = secure.clone().token_from([TokenSource::cookie("at")]);
    let (plain, admin) = (bearer(&setup, "alice", "read"), bearer(&setup, "root", "admin"));
    let at = format!("at={}", setup.server.token().subject("bob").sign());
    let requests: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "Bearer x.y.z")],
        &[("authorization", &plain)],
        &[("authorization", &admin)],
        &[("authorization", &plain), ("cookie", &at)],
    ];
    let table = [
        (&optional, &secure, ["401", "403", "alice", "root", "alice"]),
        (&reporting, &secure, ["401", "403", "alice", "root", "alice"]),
        (&reporting, &strict, ["401", "403", "403", "root", "403"]),
        (&strict.clone().report_only(), &secure, ["401", "403", "alice", "root", "alice"]),
        (&reporting, &optional, ["anonymous", "403", "alice", "root", "alice"]),
        (&secure, &optional, ["401", "403", "alice", "root", "alice"]),
        (&secure, &strict.clone().report_only(), ["401", "403", "anonymous", "root", "anonymous"]),
        (&secure, &cookie, ["401", "403", "401", "401", "bob"]),
        (&cookie, &secure, ["401", "401", "401", "401", "alice"]),
        (&secure, &cookie.clone().optional(), ["401", "403", "anonymous", "anonymous", "bob"]),
    ];
    for (row, (outer, inner, expected)) in table.into_iter().enumerate() {
        for (fields, expected) in requests.iter().zip(expected) {
            let app = App::new().service(web::resource("/").wrap(inner.clone()).wrap(outer.clone()).to(
                async |request: HttpRequest| {
                    let extensions = request.extensions();
                    let access = extensions.get::<Access>();
                    access.and_then(|access| access.claims().subject()).unwrap_or("anonymous").to_owned()
                },
            ));
            let answer = answer!(app, fields);
            let told = if answer.status == 200 { answer.body } else { answer.status.as_u16().to_string() };
            assert_eq!(told, expected, "row {row}, {} fields", fields.len());
        }
    }
}

#[tokio::test]
async fn a_token_that_changes_between_two_is_judged_anew_and_stolen_access_counts_for_nothing() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let alice = bearer(&setup, "alice", "read");
    for (field, status) in [("Bearer x.y.z".to_owned(), 403), (bearer(&setup, "bob", "read"), 200)] {
        let field = HeaderValue::try_from(field).unwrap();
        let app = App::new()
            .route("/", web::get().to(who))
            .wrap(secure.clone())
            .wrap_fn(move |mut request, service| {
                request.headers_mut().insert(header::AUTHORIZATION, field.clone());
                service.call(request)
            })
            .wrap(secure.clone());
        let answer = answer!(app, &[("authorization", &alice)]);
        let body = if status == 200 { "bob" } else { "" };
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
    let stolen = judge(&secure, &[alice.as_bytes()]).await.unwrap().unwrap();
    for (secure, status, body) in [(secure.clone(), 401, ""), (secure.optional(), 200, "anonymous")] {
        let stolen = stolen.clone();
        let app = App::new().route("/", web::get().to(who)).wrap(secure).wrap_fn(move |request, service| {
            request.extensions_mut().insert(stolen.clone());
            service.call(request)
        });
        let answer = answer!(app, &[]);
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
}

#[tokio::test]
async fn the_same_token_is_verified_once_however_many_guards_there_are() {
    let setup = Setup::new().await;
    setup.jwks.prefetch().await.unwrap();
    let secure = Secure::new(Verifier::builder(setup.jwks.clone()).without_token_cache().build().unwrap());
    let app = App::new()
        .wrap(secure.clone())
        .service(web::resource("/").wrap(secure.clone().claim("sub")).route(web::get().to(who).wrap(secure)));
    let field = bearer(&setup, "alice", "read");
    let steps = steps_to(async {
        let answer = answer!(app, &[("authorization", &field)]);
        assert_eq!(answer.body, "alice");
        answer
    })
    .await;
    assert_eq!([steps::FIND_TOKEN, steps::DECODE_TOKEN].map(|step| steps.get(step)), [Some(&3), Some(&1)]);
}

#[tokio::test]
async fn a_refusal_is_a_response_to_outer_middleware_and_the_handler_is_not_reached() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let app = App::new()
        .default_service(web::to(|| async {
            panic!("reached");
            #[expect(unreachable_code, reason = "names the type")]
            ""
        }))
        .wrap(secure)
        .wrap(DefaultHeaders::new().add(("x-outer", "1")));
    let refused = answer!(app, "/anything", &[]);
    assert_eq!((refused.status.as_u16(), refused.challenge()), (401, Some("Bearer")));
    assert_eq!(refused.headers["x-outer"], "1");
}

#[tokio::test]
async fn a_certificate_in_the_extensions_of_a_request_is_judged() {
    let setup = Setup::new().await;
    let field = format!("Bearer {}", bound(&setup).sign());
    for (certificate, status) in [(Some(OWN), 200), (Some(OTHER), 401), (None, 401)] {
        let app = App::new()
            .route("/", web::get().to(who))
            .wrap(Secure::new(setup.jwks.clone()))
            // The last one is the outermost.
            .wrap_fn(move |request, service| {
                if let Some(certificate) = certificate {
                    request.extensions_mut().insert(certificate);
                }
                service.call(request)
            });
        assert_eq!(answer!(app, &[("authorization", field.as_str())]).status, status);
    }
}

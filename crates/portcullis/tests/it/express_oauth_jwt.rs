//! The promises of the README of express-oauth-jwt, sentence by sentence, each with the test that shows it.
//!
//! The sentences are in our own words, in the order of that README. A row names its test by path, so that no test can
//! go missing. The npm package tests the Express form of each in `test/express-oauth-jwt.test.js`.

use http::StatusCode;
use portcullis::{Claims, JwksService, Secure};
use portcullis_testkit::Endpoint;

use crate::{
    claims, extractors, hostile, https, layers, outages, refusals, rotation, single_flight,
    support::{Setup, answer, app, bearer, request},
};

/// Each promise with its test.
const PROMISES: &[(&str, fn())] = &[
    ("introduction 1: endpoints are secured with JWTs", an_endpoint_is_secured_in_five_lines),
    (
        "introduction 2: the keys come from the authorization server's JWKS endpoint",
        an_endpoint_is_secured_in_five_lines,
    ),
    (
        "service 1: the middleware takes a service that gets whatever keys a signature needs",
        every_algorithm_of_the_server,
    ),
    ("service 2: one call makes such a service from the endpoint's URI", the_simple_service_is_made_from_the_uri_alone),
    ("service 3: the keys are cached in memory", the_keys_are_fetched_once_and_kept),
    (
        "service 4: a key that is not cached makes the service ask again",
        rotation::a_rotation_is_picked_up_by_the_first_token_with_the_new_kid,
    ),
    (
        "service 5: only a key that is not in the new set either refuses the request",
        a_key_that_is_in_no_set_refuses_the_request,
    ),
    (
        "service 6: cache, client and URI can be given",
        https::keys_come_over_https_from_a_server_whose_authority_is_trusted,
    ),
    ("cache 1: a cache has an asynchronous get and set", outages::a_cache_outlives_the_process),
    ("cache 2: what is set is a key set", outages::a_rotation_while_the_process_was_down_is_picked_up_all_the_same),
    ("cache 3: by default the set is kept in memory", the_keys_are_fetched_once_and_kept),
    ("client 1: the client is one that can be replaced", outages::a_client_that_panics_is_an_outage_and_no_more),
    (
        "client 2: the client's options are the user's",
        https::a_server_with_a_certificate_of_another_authority_is_refused_and_the_reason_told,
    ),
    ("securing 1: the middleware is put before an endpoint", layers::the_layer_secures_a_router_and_a_route),
    (
        "securing 2: the endpoint then asks for a valid token in the Authorization field, as Bearer",
        only_a_valid_bearer_token_passes,
    ),
    ("securing 3: all claims of a valid token are there for the request", all_claims_are_there),
    ("securing 4: a token that is not valid gets 403", hostile_tokens_get_403),
    ("securing 5: no token gets 401", refusals::a_request_without_a_token_is_challenged_without_an_error),
    (
        "securing 6: the response says why in WWW-Authenticate, as RFC 6750 has it",
        refusals::a_bad_token_is_refused_with_403_or_401_as_configured,
    ),
    ("securing 7: the realm is there if it is set", the_realm_is_there_if_it_is_set),
    (
        "securing 8: realm, error and description make the challenge",
        refusals::a_bad_token_is_refused_with_403_or_401_as_configured,
    ),
    ("scopes 1: a list of scope values limits who passes", claims::scope_values_match_whole),
    ("claims 1: the presence or the value of claims limits who passes", claims::claims_match_by_presence_and_by_value),
    ("claims 2: a rule has a name at least", claims::claims_match_by_presence_and_by_value),
    ("claims 3: a rule may have a value", claims::claims_match_by_presence_and_by_value),
    ("claims 4: with a name only, the claim has to be there", claims::claims_match_by_presence_and_by_value),
    ("claims 5: with a value, the claim has to match it", claims::claims_match_by_presence_and_by_value),
    ("opaque 1: a JWT is decoded without asking anybody", the_keys_are_fetched_once_and_kept),
    ("opaque 2: what is no JWT is not passed", an_opaque_token_is_refused),
    (
        "claims in the request 1: the claims are put into the request",
        extractors::claims_come_as_json_and_as_a_type_of_yours,
    ),
    (
        "claims in the request 2: middleware and handlers behind can read them",
        middleware_and_handlers_behind_read_the_claims,
    ),
    ("known fault 1: a scope value is no substring", claims::scope_values_match_whole),
    ("known fault 2: an array claim does not end the rules", claims::claims_match_by_presence_and_by_value),
    ("known fault 3: a presence rule works for arrays", claims::claims_match_by_presence_and_by_value),
    ("known fault 4: inherited members are no claims", claims::claims_match_by_presence_and_by_value),
    ("known fault 5: the challenge is one field", refusals::a_missing_scope_names_the_scope),
    ("known fault 6: the realm is escaped", refusals::a_realm_cannot_break_out_of_its_quotes),
    (
        "known fault 7: an authorization server that is down is no bad token, and its address is not told",
        refusals::a_refusal_tells_nothing_of_our_insides,
    ),
    (
        "known fault 8: a key set that is no JSON ends nothing",
        outages::nonsense_from_the_endpoint_keeps_the_keys_at_hand,
    ),
    (
        "known fault 9: unknown kids do not each ask the endpoint",
        single_flight::a_thousand_forged_kids_make_six_fetches_and_good_tokens_pass_meanwhile,
    ),
    ("known fault 10: there are timeouts", outages::no_request_waits_longer_than_the_timeout),
];

#[test]
fn every_promise_is_told_once() {
    let mut told: Vec<_> = PROMISES.iter().map(|(promise, _)| promise).collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), PROMISES.len());
}

#[tokio::test]
async fn an_endpoint_is_secured_in_five_lines() {
    let server = portcullis_testkit::AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    let app = axum::Router::new()
        .route(
            "/",
            axum::routing::get(|claims: Claims| async move {
                claims.get("sub").map(|claim| claim.to_string()).unwrap_or_default()
            }),
        )
        .layer(Secure::new(jwks));
    assert_eq!(answer(&app, bearer(&server.token().sign())).await.body, "\"alice\"");
    assert_eq!(answer(&app, request(&[])).await.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn every_algorithm_of_the_server() {
    crate::key_sets::every_algorithm_verifies();
}

#[tokio::test]
async fn the_simple_service_is_made_from_the_uri_alone() {
    let server = portcullis_testkit::AuthorizationServer::start().await;
    let app = app(Secure::new(JwksService::new(&server.jwks_uri()).unwrap()));
    assert_eq!(answer(&app, bearer(&server.token().sign())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_keys_are_fetched_once_and_kept() {
    let setup = Setup::new().await;
    let app = setup.app();
    for _ in 0..20 {
        assert_eq!(setup.status(&app).await, StatusCode::OK);
    }
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn a_key_that_is_in_no_set_refuses_the_request() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    let unknown = setup.server.hostile(portcullis_testkit::Attack::UnknownKey);
    assert_eq!(answer(&app, bearer(&unknown)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(setup.server.requests(Endpoint::Jwks), 2, "the endpoint was asked before");
}

#[tokio::test]
async fn only_a_valid_bearer_token_passes() {
    let setup = Setup::new().await;
    let app = setup.app();
    let token = setup.server.token().sign();
    let table = [
        (format!("Bearer {token}"), StatusCode::OK),
        (format!("bearer {token}"), StatusCode::OK),
        (format!("Basic {token}"), StatusCode::UNAUTHORIZED),
        (token.clone(), StatusCode::UNAUTHORIZED),
        (format!("Bearer {token}x"), StatusCode::FORBIDDEN),
    ];
    for (field, status) in table {
        assert_eq!(answer(&app, request(&[("authorization", &field)])).await.status, status);
    }
}

#[tokio::test]
async fn all_claims_are_there() {
    let setup = Setup::new().await;
    let all = |claims: Claims| async move { serde_json::to_value(&*claims).unwrap().to_string() };
    let app = axum::Router::new().route("/", axum::routing::get(all)).layer(Secure::new(setup.jwks.clone()));
    let claims = r#"{"exp":9999999999,"a":[1,{"b":null}],"sub":"é"}"#;
    let body = answer(&app, bearer(&setup.server.token().claims_json(claims).sign())).await.body;
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(&body), read(claims));
}

#[test]
fn hostile_tokens_get_403() {
    hostile::every_class_of_hostile_token_is_refused_for_its_own_reason();
    refusals::a_bad_token_is_refused_with_403_or_401_as_configured();
}

#[tokio::test]
async fn the_realm_is_there_if_it_is_set() {
    let setup = Setup::new().await;
    let with = app(Secure::new(setup.jwks.clone()).realm("my-realm"));
    assert_eq!(answer(&with, request(&[])).await.challenge(), Some(r#"Bearer realm="my-realm""#));
    assert_eq!(answer(&setup.app(), request(&[])).await.challenge(), Some("Bearer"));
}

#[tokio::test]
async fn an_opaque_token_is_refused() {
    let setup = Setup::new().await;
    let opaque = setup.server.issue_opaque(serde_json::json!({ "sub": "alice" }));
    assert_eq!(answer(&setup.app(), bearer(&opaque)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn middleware_and_handlers_behind_read_the_claims() {
    use axum::{extract::Request, middleware::Next, response::Response};
    async fn middleware(claims: Claims, request: Request, next: Next) -> Response {
        let subject = claims.subject().unwrap().to_owned();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-subject", subject.parse().unwrap());
        response
    }
    let setup = Setup::new().await;
    let app = axum::Router::new()
        .route(
            "/",
            axum::routing::get(|claims: Claims| async move {
                claims.get("sub").map(|claim| claim.to_string()).unwrap_or_default()
            }),
        )
        .layer(axum::middleware::from_fn(middleware))
        .layer(Secure::new(setup.jwks.clone()));
    let answer = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!((answer.body.as_str(), &answer.headers["x-subject"]), ("\"alice\"", &"alice".parse().unwrap()));
}

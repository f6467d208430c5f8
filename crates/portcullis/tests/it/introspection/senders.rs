//! Opaque tokens that are bound to a key (RFC 7662, RFC 9449 section 6.2): the proof counts whatever is known of the token.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::Request;
use portcullis::{Dpop, IntrospectionForm, Secure};
use portcullis_testkit::{Algorithm, DpopClient, Endpoint, Fault};

use super::{FORMS, Shared, asked, introspector, verdict_of, verifier};
use crate::support::Setup;

const URL: &str = "https://api.example.com/";

/// A process that accepts bound tokens and others, and shares what it learns.
fn process(setup: &Setup, form: IntrospectionForm, shared: &Shared) -> Router {
    let introspector = introspector(setup, form).store(shared.clone(), &[7; 32]).build().unwrap();
    let secure = Secure::new(verifier(setup, introspector)).dpop(Dpop::allowed()).problem_json();
    Router::new().route("/", get(|| async { "made" })).layer(secure)
}

fn client(setup: &Setup) -> DpopClient {
    DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone())
}

/// The code of the answer to a request with these fields; `pass` if it passes.
async fn sent(app: &Router, fields: &[(&'static str, String)]) -> String {
    let request = Request::get("/").header("host", "api.example.com");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let (status, code) = verdict_of(app, request.body(Body::empty()).unwrap()).await;
    if status == 200 { "pass".to_owned() } else { code }
}

fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn a_bound_opaque_token_needs_its_proof_at_each_process_that_knows_it() {
    for form in FORMS {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let (client, thief) = (client(&setup), client(&setup));
        let token = setup.server.issue_opaque(setup.server.token().bound_to_key(client.thumbprint()));
        let other = setup.server.issue_opaque(setup.server.token().bound_to_key(client.thumbprint()));
        for number in 1..=2 {
            let app = process(&setup, form, &shared);
            // Each twice: the first time the token is asked about, or found in the store; then it is known.
            for _ in 0..2 {
                assert_eq!(sent(&app, &bearer(&token)).await, "sender_constrained_token", "{form:?} {number}");
                assert_eq!(sent(&app, &thief.fields("GET", URL, &token)).await, "dpop_wrong_key", "{form:?} {number}");
                let fields = client.fields("GET", URL, &token);
                assert_eq!(sent(&app, &fields).await, "pass", "{form:?} {number}");
                assert_eq!(sent(&app, &fields).await, "dpop_replayed", "{form:?} {number}");
                let of_other = client.proof("GET", URL).token(&other).sign();
                let fields = [("authorization", format!("DPoP {token}")), ("dpop", of_other)];
                assert_eq!(sent(&app, &fields).await, "dpop_wrong_token", "{form:?} {number}");
            }
            shared.until_it_has(1).await;
        }
        assert_eq!(asked(&setup), 1, "{form:?}");
        // Once it is revoked, the proof makes no difference.
        setup.server.revoke(&token);
        setup.clock.advance(Duration::from_secs(61));
        let app = process(&setup, form, &shared);
        for _ in 0..2 {
            assert_eq!(sent(&app, &client.fields("GET", URL, &token)).await, "inactive_token", "{form:?}");
        }
        let plain = setup.server.issue_opaque(setup.server.token());
        assert_eq!(sent(&app, &client.fields("GET", URL, &plain)).await, "unbound_token", "{form:?}");
        assert_eq!(sent(&app, &bearer(&plain)).await, "pass", "{form:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_judged_uses_no_proof_up() {
    for form in FORMS {
        let setup = Setup::new().await;
        let client = client(&setup);
        let app = process(&setup, form, &Shared::default());
        let token = setup.server.issue_opaque(setup.server.token().bound_to_key(client.thumbprint()));
        let fields = client.fields("GET", URL, &token);
        setup.server.fault_once(Endpoint::Introspection, Fault::Status(500));
        assert_eq!(sent(&app, &fields).await, "introspection_unavailable", "{form:?}");
        setup.clock.advance(Duration::from_secs(30));
        assert_eq!(sent(&app, &fields).await, "pass", "{form:?}");
        assert_eq!(sent(&app, &fields).await, "dpop_replayed", "{form:?}");
    }
}

#[tokio::test]
async fn one_of_a_hundred_requests_with_one_proof_passes_while_all_wait_for_the_same_answer() {
    for form in FORMS {
        let setup = Setup::new().await;
        let client = client(&setup);
        let app = process(&setup, form, &Shared::default());
        let token = setup.server.issue_opaque(setup.server.token().bound_to_key(client.thumbprint()));
        let fields = client.fields("GET", URL, &token);
        let mut sending = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (app, fields) = (app.clone(), fields.clone());
            sending.spawn(async move { sent(&app, &fields).await });
        }
        let passed = sending.join_all().await.into_iter().filter(|code| code == "pass").count();
        assert_eq!((passed, asked(&setup)), (1, 1), "{form:?}");
    }
}

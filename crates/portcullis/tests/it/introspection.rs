//! Opaque tokens behind a layer: every form of answer, faults of the server, and kept answers.

mod answers;
mod failures;
mod hits;
mod jwts;
mod senders;
mod sharing;
mod strangers;
mod variations;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::Request;
use portcullis::{
    ClientAddress, ClientAuthentication, ClientCertificate, IntrospectedTokens, IntrospectionForm, Introspector,
    IntrospectorBuilder, JwksService, Presented, Secure, TokenStore, Verifier,
};
use portcullis_testkit::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{Setup, answer, app, bearer, judge};

const FORMS: [IntrospectionForm; 3] = [IntrospectionForm::Json, IntrospectionForm::Jwt, IntrospectionForm::Phantom];

fn introspector(setup: &Setup, form: IntrospectionForm) -> IntrospectorBuilder {
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    Introspector::builder(&format!("{}/introspect", setup.server.issuer()), client)
        .form(form)
        .clock(move || clock.now())
}

fn verifier(setup: &Setup, introspector: Introspector) -> Verifier {
    let builder =
        Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).audience("https://api.example.com");
    builder.introspection(introspector).build().unwrap()
}

fn secured(setup: &Setup, form: IntrospectionForm) -> Router {
    app(Secure::new(verifier(setup, introspector(setup, form).build().unwrap())).problem_json())
}

/// The status, and the code of a refusal.
async fn verdict(app: &Router, token: &str) -> (u16, String) {
    verdict_of(app, bearer(token)).await
}

/// The same for a request from this address.
async fn verdict_from(app: &Router, token: &str, address: &str) -> (u16, String) {
    let mut request = bearer(token);
    request.extensions_mut().insert(ClientAddress::from(address.parse::<IpAddr>().unwrap()));
    verdict_of(app, request).await
}

async fn verdict_of(app: &Router, request: Request<Body>) -> (u16, String) {
    let answer = answer(app, request).await;
    let code = answer.body.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    (answer.status.as_u16(), code.to_owned())
}

/// An active opaque token.
fn opaque(setup: &Setup) -> String {
    setup.server.issue_opaque(setup.server.token().subject("alice"))
}

fn asked(setup: &Setup) -> u64 {
    setup.server.requests(Endpoint::Introspection)
}

#[tokio::test]
async fn every_form_of_answer_lets_an_active_token_pass_and_no_other() {
    for form in FORMS {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        let token = opaque(&setup);
        let passed = answer(&app, bearer(&token)).await;
        assert_eq!((passed.status.as_u16(), passed.body.as_str()), (200, "alice"), "{form:?}");
        assert_eq!(verdict(&app, "never-issued").await, (403, "inactive_token".into()), "{form:?}");
        // JWTs are still verified without a question.
        let before = asked(&setup);
        assert_eq!(setup.status(&app).await, 200, "{form:?}");
        assert_eq!(asked(&setup), before, "{form:?}");
    }
}

#[tokio::test]
async fn what_passed_and_what_was_refused_is_kept_for_its_time() {
    for form in FORMS {
        let setup = Setup::new().await;
        let app = secured(&setup, form);
        let token = opaque(&setup);
        for _ in 0..3 {
            assert_eq!(verdict(&app, &token).await.0, 200);
            assert_eq!(verdict(&app, "never-issued").await.0, 403);
        }
        assert_eq!(asked(&setup), 2, "{form:?}");
        setup.clock.advance(Duration::from_secs(6));
        assert_eq!(verdict(&app, "never-issued").await.0, 403);
        assert_eq!(asked(&setup), 3, "{form:?}: a refusal is remembered for 5 s");
        setup.clock.advance(Duration::from_secs(55));
        assert_eq!(verdict(&app, &token).await.0, 200);
        assert_eq!(asked(&setup), 4, "{form:?}: an answer is kept for 60 s");
    }
}

#[tokio::test]
async fn an_answer_without_times_is_kept_too() {
    let setup = Setup::new().await;
    let app = secured(&setup, IntrospectionForm::Json);
    let token = setup.server.issue_opaque(setup.server.token().without_claim("exp"));
    for _ in 0..3 {
        assert_eq!(verdict(&app, &token).await.0, 200);
    }
    assert_eq!(asked(&setup), 1);
}

#[tokio::test]
async fn many_with_one_new_token_cause_one_question() {
    let setup = Setup::new().await;
    let app = secured(&setup, IntrospectionForm::Phantom);
    let token = opaque(&setup);
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let (app, request) = (app.clone(), bearer(&token));
            tokio::spawn(async move { answer(&app, request).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(asked(&setup), 1);
}

#[tokio::test]
async fn a_server_that_fails_refuses_nobody_and_lets_nobody_pass() {
    let faults = [Fault::Status(500), Fault::CutOff, Fault::Refuse];
    for form in FORMS {
        for fault in &faults {
            let setup = Setup::new().await;
            let app = secured(&setup, form);
            let known = opaque(&setup);
            assert_eq!(verdict(&app, &known).await.0, 200);
            let new = opaque(&setup);
            setup.server.fault(Endpoint::Introspection, fault.clone());
            for _ in 0..10 {
                assert_eq!(verdict(&app, &new).await, (503, "introspection_unavailable".into()), "{form:?} {fault:?}");
            }
            assert_eq!(asked(&setup), 6, "{form:?} {fault:?}: after five failures it is not asked");
            let refused = answer(&app, bearer(&new)).await;
            assert!(refused.headers.contains_key("retry-after"));
            assert_eq!(verdict(&app, &known).await.0, 200, "{form:?} {fault:?}: a kept answer still counts");
            setup.server.heal(Endpoint::Introspection);
            setup.clock.advance(Duration::from_secs(2));
            assert_eq!(verdict(&app, &new).await.0, 200, "{form:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_in_another_form_is_not_believed() {
    for (asked_for, given) in [
        (IntrospectionForm::Json, "application/jwt"),
        (IntrospectionForm::Jwt, "application/json"),
        (IntrospectionForm::Jwt, "application/jwt"),
        (IntrospectionForm::Phantom, "application/json"),
        (IntrospectionForm::Phantom, "application/token-introspection+jwt"),
    ] {
        let setup = Setup::new().await;
        let client = Canned { media_type: given, body: r#"{"active":true,"sub":"mallory"}"#.into() };
        let introspector = introspector(&setup, asked_for).http_client(client).build().unwrap();
        let app = app(Secure::new(verifier(&setup, introspector)).problem_json());
        assert_eq!(verdict(&app, "opaque").await, (503, "introspection_unavailable".into()), "{asked_for:?} {given}");
    }
}

#[tokio::test]
async fn what_the_server_vouches_for_is_held_against_our_rules() {
    let aud = r#""aud":"https://api.example.com""#;
    for (answer, expected) in [
        (format!(r#"{{"active":true,"sub":"a",{aud}}}"#), (200, "")),
        (r#"{"active":true,"sub":"a"}"#.to_owned(), (403, "missing_claim")),
        (r#"{"active":true,"aud":"other"}"#.to_owned(), (403, "wrong_audience")),
        (format!(r#"{{"active":true,"iss":"https://evil.example",{aud}}}"#), (403, "wrong_issuer")),
        (format!(r#"{{"active":true,"exp":1,{aud}}}"#), (403, "expired")),
        (format!(r#"{{"active":true,"token_type":"refresh_token",{aud}}}"#), (403, "wrong_type")),
        (format!(r#"{{"active":true,"token_type":"DPoP",{aud}}}"#), (401, "sender_constrained_token")),
        (
            format!(
                r#"{{"active":true,"token_type":"dpop","cnf":{{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},{aud}}}"#
            ),
            (401, "sender_constrained_token"),
        ),
        (
            format!(
                r#"{{"active":true,"token_type":"Bearer","cnf":{{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},{aud}}}"#
            ),
            (401, "sender_constrained_token"),
        ),
        (
            format!(r#"{{"active":true,"cnf":{{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},{aud}}}"#),
            (401, "sender_constrained_token"),
        ),
        (format!(r#"{{"active":true,"cnf":{{"kid":"x"}},{aud}}}"#), (401, "unsupported_confirmation")),
        (format!(r#"{{"active":true,"cnf":null,{aud}}}"#), (403, "malformed_claim")),
        (format!(r#"{{"active":true,"cnf":{{}},{aud}}}"#), (403, "malformed_claim")),
        (format!(r#"{{"active":false,{aud}}}"#), (403, "inactive_token")),
        (format!(r#"{{"active":"true",{aud}}}"#), (503, "introspection_unavailable")),
        (format!(r#"{{"active":true,"active":false,{aud}}}"#), (503, "introspection_unavailable")),
        ("[]".to_owned(), (503, "introspection_unavailable")),
        (String::new(), (503, "introspection_unavailable")),
    ] {
        let setup = Setup::new().await;
        let client = Canned { media_type: "application/json; charset=utf-8", body: answer.clone() };
        let introspector = introspector(&setup, IntrospectionForm::Json).http_client(client).build().unwrap();
        let app = app(Secure::new(verifier(&setup, introspector)).problem_json());
        assert_eq!(verdict(&app, "opaque").await, (expected.0, expected.1.to_owned()), "{answer}");
    }
}

/// Some servers leave `cnf` out of their answers: a JWT of which they say that it is active is bound all the same.
#[tokio::test]
async fn a_jwt_that_is_introspected_stays_bound_to_its_key() {
    let certificate = ClientCertificate::from_der(b"certificate");
    let bound = json!({ "x5t#S256": certificate.thumbprint() });
    for (cnf, told, alone, with_certificate) in [
        (None, "", "passes", "passes"),
        (Some(bound.clone()), "", "sender_constrained_token", "passes"),
        (
            Some(json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
            "",
            "sender_constrained_token",
            "sender_constrained_token",
        ),
        (Some(json!({ "kid": "x" })), "", "unsupported_confirmation", "unsupported_confirmation"),
        (Some(json!({})), "", "malformed_claim", "malformed_claim"),
        // An answer that tells the binding counts.
        (None, r#","cnf":{"kid":"x"}"#, "unsupported_confirmation", "unsupported_confirmation"),
        (Some(bound), r#","cnf":{"kid":"x"}"#, "unsupported_confirmation", "unsupported_confirmation"),
    ] {
        let setup = Setup::new().await;
        let body = format!(r#"{{"active":true,"aud":"https://api.example.com"{told}}}"#);
        let client = Canned { media_type: "application/json", body };
        let introspector = introspector(&setup, IntrospectionForm::Json).introspect(IntrospectedTokens::All);
        let layer = Secure::new(verifier(&setup, introspector.http_client(client).build().unwrap()));
        let token = cnf.clone().into_iter().fold(setup.server.token(), |token, cnf| token.claim("cnf", cnf)).sign();
        for (certificate, expected) in [(None, alone), (Some(certificate), with_certificate)] {
            let field = format!("Bearer {token}");
            let fields = [("authorization", field.as_bytes())];
            let presented = Presented::new(&fields).client_certificate(certificate);
            let code =
                layer.judge(&presented).verdict().await.outcome.map_or_else(|refusal| refusal.code(), |_| "passes");
            assert_eq!(code, expected, "{cnf:?} {told}");
            let explained = layer.explain(&presented, setup.clock.now()).await;
            assert_eq!(explained.refusal().map_or("passes", |refusal| refusal.code()), expected, "{cnf:?} {told}");
        }
    }
}

/// A bound JWT with an unbound one behind it is refused: the proof could be held against neither.
#[tokio::test]
async fn a_bound_jwt_with_an_unbound_one_behind_it_is_refused() {
    let cnf = json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
    for (presented, behind, expected) in [
        (None, None, "passes"),
        (Some(&cnf), None, "sender_constrained_token"),
        (Some(&cnf), Some(&cnf), "sender_constrained_token"),
        (None, Some(&cnf), "sender_constrained_token"),
    ] {
        let setup = Setup::new().await;
        let signed = |cnf: Option<&Value>| {
            cnf.into_iter().fold(setup.server.token(), |token, cnf| token.claim("cnf", cnf.clone())).sign()
        };
        let client = Canned { media_type: "application/jwt", body: signed(behind) };
        let introspector = introspector(&setup, IntrospectionForm::Phantom).introspect(IntrospectedTokens::All);
        let layer = Secure::new(verifier(&setup, introspector.http_client(client).build().unwrap()));
        let judged = judge(&layer, &[format!("Bearer {}", signed(presented)).as_bytes()]).await;
        assert_eq!(judged.map_or_else(|refusal| refusal.code(), |_| "passes"), expected, "{presented:?} {behind:?}");
    }
}

/// An answer of a trust domain's own server still has to have the right subject.
#[tokio::test]
async fn an_answer_about_a_workload_of_another_trust_domain_does_not_pass() {
    for (members, expected) in [
        (r#""sub":"spiffe://example.org/orders""#, "passes"),
        (r#""sub":"spiffe://example.org/orders","iss":"https://spire.example.org""#, "passes"),
        (r#""sub":"spiffe://example.org/orders","iss":"spiffe://example.org/""#, "passes"),
        (r#""sub":"spiffe://evil.example/orders""#, "wrong_issuer"),
        (r#""sub":"spiffe://evil.example/orders","iss":"spiffe://example.org""#, "wrong_issuer"),
        (r#""sub":"spiffe://example.org""#, "wrong_issuer"),
        (r#""sub":null"#, "wrong_issuer"),
        (r#""client_id":"orders""#, "wrong_issuer"),
    ] {
        let setup = Setup::new().await;
        let body = format!(r#"{{"active":true,"aud":"https://api.example.com",{members}}}"#);
        let client = Canned { media_type: "application/json", body };
        let introspector = introspector(&setup, IntrospectionForm::Json).http_client(client).build().unwrap();
        let builder = Verifier::jwt_svid(setup.jwks.clone(), "example.org", "https://api.example.com");
        let verifier = builder.introspection(introspector).build().unwrap();
        let verdict = verifier.verify("opaque").await;
        assert_eq!(verdict.map_or_else(|refusal| refusal.code(), |_| "passes"), expected, "{members}");
    }
}

#[tokio::test]
async fn only_a_dangerous_verifier_takes_a_bound_token_of_which_a_server_tells() {
    let aud = r#""aud":"https://api.example.com""#;
    for (members, status) in [
        (r#""cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#, 200),
        (r#""token_type":"DPoP","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#, 200),
        (r#""token_type":"DPoP","token_use":"refresh_token""#, 403),
    ] {
        let setup = Setup::new().await;
        let client = Canned { media_type: "application/json", body: format!(r#"{{"active":true,{members},{aud}}}"#) };
        let introspector = introspector(&setup, IntrospectionForm::Json).http_client(client).build().unwrap();
        let builder = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
        let builder = builder.audience("https://api.example.com").introspection(introspector);
        let verifier = builder.dangerously_accept_sender_constrained_tokens().build().unwrap();
        let layer = Secure::new(verifier);
        let judged = judge(&layer, &[b"Bearer opaque"]).await;
        let actual = judged.as_ref().map_or_else(|refusal| layer.answer(refusal).status().as_u16(), |_| 200);
        assert_eq!(actual, status, "{members}");
    }
}

#[tokio::test]
async fn scopes_of_an_answer_are_read_as_those_of_a_token() {
    let aud = r#""aud":"https://api.example.com""#;
    for (scope, passes) in [
        (r#""scope":"read write""#, true),
        (r#""scope":["read","write"]"#, true),
        (r#""scp":"read write""#, true),
        (r#""scp":["read","write"]"#, true),
        (r#""scope":["read write"]"#, false),
        (r#""scope":"read""#, false),
    ] {
        let setup = Setup::new().await;
        let client = Canned { media_type: "application/json", body: format!(r#"{{"active":true,{scope},{aud}}}"#) };
        let introspector = introspector(&setup, IntrospectionForm::Json).http_client(client).build().unwrap();
        let layer = Secure::new(verifier(&setup, introspector)).scope(["read", "write"]);
        assert_eq!(judge(&layer, &[b"Bearer opaque"]).await.is_ok(), passes, "{scope}");
    }
}

#[tokio::test]
async fn processes_share_answers_and_believe_no_forged_one() {
    for form in FORMS {
        let setup = Setup::new().await;
        let shared = Shared::default();
        let of = |secret: &[u8; 32]| {
            let introspector = introspector(&setup, form).store(shared.clone(), secret).build().unwrap();
            app(Secure::new(verifier(&setup, introspector)))
        };
        let token = opaque(&setup);
        assert_eq!(answer(&of(&[7; 32]), bearer(&token)).await.status, 200);
        shared.until_it_has(1).await;
        assert_eq!(answer(&of(&[7; 32]), bearer(&token)).await.status, 200);
        assert_eq!(asked(&setup), 1, "{form:?}: the second process finds the first one's answer");
        assert_eq!(answer(&of(&[8; 32]), bearer(&token)).await.status, 200);
        assert_eq!(asked(&setup), 2, "{form:?}: an entry under another secret is none");
        // Write access to the store lets no token pass.
        let entries: Vec<Bytes> = shared.0.lock().unwrap().values().cloned().collect();
        shared.forge(entries[0].clone());
        assert_eq!(answer(&of(&[7; 32]), bearer("never-issued")).await.status, 403, "{form:?}");
    }
}

#[tokio::test]
async fn a_phantom_token_gives_the_jwt_to_hand_on() {
    let setup = Setup::new().await;
    let verifier = verifier(&setup, introspector(&setup, IntrospectionForm::Phantom).build().unwrap());
    let token = opaque(&setup);
    let verified = verifier.verify(&token).await.unwrap();
    let jwt = verified.phantom_jwt().unwrap().to_owned();
    assert_eq!(verifier.verify(&jwt).await.unwrap().phantom_jwt(), None);
    assert_eq!(verifier.opaque_cache_size().tokens, 1);
}

#[tokio::test]
async fn an_introspector_alone_secures_an_app() {
    let setup = Setup::new().await;
    let app = app(Secure::new(introspector(&setup, IntrospectionForm::Json).build().unwrap()));
    let token = opaque(&setup);
    assert_eq!(answer(&app, bearer(&token)).await.status, 200);
    assert_eq!(setup.status(&app).await, 403, "a JWT that no key is known for");
}

#[tokio::test]
async fn a_private_authority_of_the_endpoint_is_trusted_if_it_is_named() {
    let authority = portcullis_testkit::CertificateAuthority::new();
    let server = portcullis_testkit::AuthorizationServer::builder().tls(authority.clone()).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let asks = || {
        let client = ClientAuthentication::basic("test-client", "test-secret");
        Introspector::builder(&format!("{}/introspect", server.issuer()), client)
    };
    let token = server.issue_opaque(server.token());
    for (builder, passes) in [(asks().ca_file(&file), true), (asks().ca_pem(authority.pem()), true), (asks(), false)] {
        let verifier = Verifier::from(builder.build().unwrap());
        assert_eq!(verifier.verify(&token).await.is_ok(), passes);
    }
    let missing = asks().ca_file(folder.path().join("none.pem")).build().unwrap_err();
    assert!(missing.to_string().contains("none.pem"), "{missing}");
    let own = Canned { media_type: "application/json", body: String::new() };
    assert!(asks().ca_file(&file).http_client(own).build().is_err(), "one of the two would count for nothing");
}

/// Answers with the debug output of the question.
struct Shows;

impl portcullis::HttpClient for Shows {
    async fn send(&self, request: portcullis::HttpRequest) -> Answer {
        Err(format!("{request:?}").into())
    }
}

#[tokio::test]
async fn a_question_shows_neither_token_nor_secret_in_debug_output() {
    for client in [ClientAuthentication::post("a", "hunter2"), ClientAuthentication::basic("a", "hunter2")] {
        let asks = Introspector::builder("https://u:hunter3@as.example.com/introspect?key=hunter4", client);
        let introspector = asks.http_client(Shows).build().unwrap();
        Verifier::from(introspector.clone()).verify("opaque-hunter5").await.unwrap_err();
        let shown = introspector.status().last_error.unwrap();
        assert!(shown.contains("https://as.example.com/introspect") && !shown.contains("hunter"), "{shown}");
    }
}

#[test]
fn two_issuers_cannot_both_be_asked() {
    let issuer = |name: &str| {
        let client = ClientAuthentication::basic("a", "b");
        let introspector = Introspector::builder(&format!("https://{name}/introspect"), client).build().unwrap();
        let jwks = JwksService::new(&format!("https://{name}/jwks")).unwrap();
        Verifier::builder(jwks).issuer(format!("https://{name}")).introspection(introspector)
    };
    let error = Verifier::any_of([issuer("a.example"), issuer("b.example")]).unwrap_err();
    assert!(error.to_string().contains("opaque token"), "{error}");
}

/// Answers each question in the same way.
struct Canned {
    media_type: &'static str,
    body: String,
}

impl portcullis::HttpClient for Canned {
    async fn send(&self, _request: portcullis::HttpRequest) -> Answer {
        canned(200, self.media_type, self.body.clone())
    }
}

/// Answers a question by a function of the token.
struct By<F>(F);

impl<F: Fn(&str) -> Answer + Send + Sync + 'static> portcullis::HttpClient for By<F> {
    async fn send(&self, request: portcullis::HttpRequest) -> Answer {
        let mut form = url::form_urlencoded::parse(request.request.body());
        let (_, token) = form.find(|(name, _)| name == "token").unwrap();
        self.0(&token)
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Result<http::Response<Bytes>, BoxError>;

fn canned(status: u16, media_type: &str, body: impl Into<Bytes>) -> Answer {
    let response = http::Response::builder().status(status).header("content-type", media_type);
    Ok(response.body(body.into())?)
}

#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<HashMap<String, Bytes>>>, Arc<Mutex<Option<Bytes>>>);

impl Shared {
    /// Waits for this number of entries: they are written after the answer.
    pub(crate) async fn until_it_has(&self, entries: usize) {
        let written = async {
            while self.0.lock().unwrap().len() < entries {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), written).await.expect("an entry in the store");
    }

    /// All bytes of all entries.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().values().flatten().copied().collect()
    }

    /// Makes the store return this entry for every key without an entry.
    pub(crate) fn forge(&self, entry: Bytes) {
        *self.1.lock().unwrap() = Some(entry);
    }
}

impl TokenStore for Shared {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(self.0.lock().unwrap().get(key).cloned().or(self.1.lock().unwrap().clone()))
    }

    async fn set(&self, key: &str, entry: Bytes, _ttl: Duration) -> Result<(), BoxError> {
        self.0.lock().unwrap().insert(key.to_owned(), entry);
        Ok(())
    }
}

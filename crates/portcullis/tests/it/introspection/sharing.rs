//! The use of an answer that another process left in the store.

use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use metrics_util::debugging::DebuggingRecorder;
use portcullis::{
    Algorithm, ClientAuthentication, IntrospectionForm, Introspector, IntrospectorBuilder, Secure, Verifier,
    VerifierBuilder,
};

use super::{FORMS, Shared, asked, introspector, opaque, verdict, verifier};
use crate::{
    metrics::{Log, Metrics},
    support::{Setup, app},
};

/// A process that keeps answers for this time and shares them.
fn process(setup: &Setup, form: IntrospectionForm, shared: &Shared, keep_for: u64) -> Router {
    let introspector =
        introspector(setup, form).keep_for(Duration::from_secs(keep_for)).store(shared.clone(), &[7; 32]);
    app(Secure::new(verifier(setup, introspector.build().unwrap())).problem_json())
}

/// Lets a token pass in one process, and waits until its answer is in the store.
async fn pass_and_share(setup: &Setup, form: IntrospectionForm, shared: &Shared, keep_for: u64, token: &str) {
    assert_eq!(verdict(&process(setup, form, shared, keep_for), token).await.0, 200, "{form:?}");
    shared.until_it_has(1).await;
}

#[tokio::test]
async fn an_entry_whose_time_is_over_is_none() {
    for form in FORMS {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let token = opaque(&setup);
        pass_and_share(&setup, form, &shared, 60, &token).await;
        setup.server.revoke(&token);
        setup.clock.advance(Duration::from_secs(59));
        assert_eq!(verdict(&process(&setup, form, &shared, 60), &token).await.0, 200, "{form:?}: still in its time");
        // The store itself never forgets.
        setup.clock.advance(Duration::from_secs(2));
        let after = verdict(&process(&setup, form, &shared, 60), &token).await;
        assert_eq!(after, (403, "inactive_token".into()), "{form:?}");
        assert_eq!(asked(&setup), 2, "{form:?}");
    }
}

#[tokio::test]
async fn nobody_relies_on_an_entry_for_longer_than_on_an_answer_of_his_own() {
    for form in FORMS {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let token = setup.server.issue_opaque(setup.server.token().subject("alice"));
        pass_and_share(&setup, form, &shared, 3600, &token).await;
        setup.server.revoke(&token);
        let cautious = process(&setup, form, &shared, 60);
        assert_eq!(verdict(&cautious, &token).await.0, 200, "{form:?}");
        setup.clock.advance(Duration::from_secs(59));
        assert_eq!(verdict(&cautious, &token).await.0, 200, "{form:?}");
        setup.clock.advance(Duration::from_secs(2));
        let newcomer = process(&setup, form, &shared, 60);
        for process in [&cautious, &newcomer] {
            // Reading the entry again does not renew the answer.
            assert_eq!(verdict(process, &token).await, (403, "inactive_token".into()), "{form:?}");
        }
        assert_eq!(verdict(&process(&setup, form, &shared, 3600), &token).await.0, 200, "{form:?}: by its own rule");
    }
}

/// The question of one of two processes with the same store and secret, and nearly the same question: its endpoint, client,
/// form and rules.
type Asks = (
    &'static str,
    &'static str,
    fn() -> ClientAuthentication,
    fn(IntrospectorBuilder) -> IntrospectorBuilder,
    fn(VerifierBuilder, &Setup) -> VerifierBuilder,
);

fn us() -> ClientAuthentication {
    ClientAuthentication::basic("test-client", "test-secret")
}

const QUESTIONS: [Asks; 13] = [
    ("plain", "", us, |asks| asks, |rules, _| rules),
    ("tenant a", "?tenant=a", us, |asks| asks, |rules, _| rules),
    // The query counts by itself, not only as part of an assertion's audience.
    ("tenant b", "?tenant=b", us, |asks| asks.assertion_audience("aud"), |rules, _| rules),
    ("tenant c", "?tenant=c", us, |asks| asks.assertion_audience("aud"), |rules, _| rules),
    ("assertions for another", "?tenant=c", us, |asks| asks.assertion_audience("b"), |rules, _| rules),
    ("another client", "", || ClientAuthentication::basic("other", "s"), |asks| asks, |rules, _| rules),
    (
        "secret in the form",
        "",
        || ClientAuthentication::post("test-client", "test-secret"),
        |asks| asks,
        |rules, _| rules,
    ),
    ("signed", "", us, |asks| asks.form(IntrospectionForm::Jwt), |rules, _| rules),
    ("phantom", "", us, |asks| asks.form(IntrospectionForm::Phantom), |rules, _| rules),
    // With a further slash the server may be the same, but the rule is another.
    ("issuer", "", us, |asks| asks, |rules, setup| rules.issuer(format!("{}/", setup.server.issuer()))),
    ("another audience", "", us, |asks| asks, |rules, _| rules.audience("https://other.example.com")),
    ("algorithms", "", us, |asks| asks, |rules, _| rules.algorithms([Algorithm::ES256, Algorithm::RS256])),
    ("types", "", us, |asks| asks, |rules, _| rules.types(["at+jwt"])),
];

#[tokio::test]
async fn answers_to_different_questions_do_not_meet() {
    let clients =
        |server: portcullis_testkit::Builder| server.client("test-client", "test-secret").client("other", "s");
    let (setup, shared) = (Setup::with(clients, |jwks| jwks).await, Shared::default());
    let process = |(_, query, client, asks, rules): &Asks| {
        let endpoint = format!("{}/introspect{query}", setup.server.issuer());
        let clock = setup.clock.clone();
        let builder = asks(Introspector::builder(&endpoint, client())).clock(move || clock.now());
        let introspector = builder.store(shared.clone(), &[7; 32]).build().unwrap();
        let builder = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
        let builder = rules(builder.audience("https://api.example.com"), &setup).introspection(introspector);
        app(Secure::new(builder.build().unwrap()).problem_json())
    };
    let token = opaque(&setup);
    for (number, question) in (1_usize..).zip(&QUESTIONS) {
        assert_eq!(verdict(&process(question), &token).await.0, 200, "{}", question.0);
        assert_eq!(asked(&setup), number as u64, "{}: an answer to another question was taken", question.0);
        shared.until_it_has(number).await;
    }
    // Each process has its own entry: the server is not asked again.
    setup.server.revoke(&token);
    for question in &QUESTIONS {
        assert_eq!(verdict(&process(question), &token).await.0, 200, "{}", question.0);
    }
    assert_eq!(asked(&setup), QUESTIONS.len() as u64);
}

#[tokio::test]
async fn an_entry_from_the_future_is_none() {
    for (ahead, questions) in [(5, 1), (6, 2)] {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let token = setup.server.issue_opaque(setup.server.token().without_claim("iat"));
        pass_and_share(&setup, IntrospectionForm::Json, &shared, 60, &token).await;
        setup.clock.rewind(Duration::from_secs(ahead));
        assert_eq!(verdict(&process(&setup, IntrospectionForm::Json, &shared, 60), &token).await.0, 200);
        assert_eq!(asked(&setup), questions, "the clock of the answer is {ahead} s ahead");
    }
}

#[tokio::test]
async fn the_times_in_an_entry_are_judged_by_who_reads_it() {
    for form in FORMS {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let token = setup.server.issue_opaque(setup.server.token().not_before_in(Duration::ZERO));
        pass_and_share(&setup, form, &shared, 60, &token).await;
        setup.clock.rewind(Duration::from_secs(30));
        let verdict = verdict(&process(&setup, form, &shared, 60), &token).await;
        assert_eq!(verdict, (403, "inactive_token".into()), "{form:?}");
        assert_eq!(asked(&setup), 2, "{form:?}: an entry that does not pass is no reason to refuse anybody");
    }
}

#[test]
fn a_forged_entry_is_counted_and_told_once_a_minute() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let forge = async |log: &Log| {
        let (setup, shared) = (Setup::new().await, Shared::default());
        let process = process(&setup, IntrospectionForm::Json, &shared, 60);
        shared.forge(Bytes::from_static(&[1; 200]));
        for (after, expected) in [(0, 1), (6, 1), (30, 1), (30, 2)] {
            setup.clock.advance(Duration::from_secs(after));
            assert_eq!(verdict(&process, "never-issued").await, (403, "inactive_token".into()));
            let told = log.text();
            assert_eq!(told.matches("WARN portcullis: an entry of the token store").count(), expected, "{told}");
        }
    };
    let log =
        metrics::with_local_recorder(&recorder, || Log::of(tracing::Level::WARN, |log| runtime.block_on(forge(log))));
    let metrics = Metrics::read(metrics.snapshot());
    assert_eq!(metrics.sum("portcullis_token_store_forged_total", None), 4.0);
    assert_eq!(metrics.sum("portcullis_token_store_failures_total", None), 0.0);
    assert!(!log.text().contains("never-issued"));
}

//! DPoP (RFC 9449): each good and hostile request of the test kit, replays, nonces, layers, and challenges.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::Request;
use metrics_util::debugging::DebuggingRecorder;
use portcullis::{
    ClientAuthority, ClientCertificate, Dpop, Judging, Nonces, Presented, ProtectedResource, ReplayStore,
    ReplayStoreAway, Rules, Secure, Verifier,
};
use portcullis_testkit::{Algorithm, DpopCase, DpopClient};
use serde_json::{Value, json};

use crate::{
    metrics::Metrics,
    support::{Answer, Setup, answer, app},
};

const URL: &str = "https://api.example.com/notes/new";

fn asked(fields: &[(&'static str, String)]) -> Request<Body> {
    let request = Request::get("/notes/new?a=b").header("host", "api.example.com");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
    request.body(Body::empty()).unwrap()
}

fn notes(secure: Secure) -> Router {
    Router::new().route("/notes/new", get(|| async { "made" })).layer(secure.problem_json())
}

fn secure(setup: &Setup, dpop: Dpop) -> Secure {
    Secure::new(setup.jwks.clone()).dpop(dpop)
}

fn client(setup: &Setup) -> DpopClient {
    DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone())
}

fn schemes(answer: &Answer) -> Vec<String> {
    let fields = answer.headers.get_all("www-authenticate").iter();
    fields.map(|field| field.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_case_of_the_test_kit_is_judged_as_it_must_be() {
    let setup = Setup::new().await;
    let client = client(&setup);
    for dpop in [Dpop::allowed(), Dpop::required()] {
        let app = notes(secure(&setup, dpop));
        let mut wrong = Vec::new();
        for case in DpopCase::ALL {
            let attempt = client.attempt(*case, "GET", URL, &setup.server.token());
            for earlier in attempt.earlier() {
                assert_eq!(answer(&app, asked(earlier)).await.status, 200, "{case}");
            }
            let got = answer(&app, asked(attempt.fields())).await;
            let expected: &[u16] = if case.must_pass() { &[200] } else { &[400, 401] };
            if !expected.contains(&got.status.as_u16()) {
                wrong.push(format!("{case}: {} {}", got.status, got.body));
            }
            assert!(!got.body.contains("eyJ"), "{case}: no token in a body");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn one_of_a_hundred_requests_with_the_same_proof_passes() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let app = notes(secure(&setup, Dpop::required()));
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let fields = client.fields("GET", URL, &token);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (app, request) = (app.clone(), asked(&fields));
            tokio::spawn(async move { answer(&app, request).await.status.as_u16() })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        passed += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!(passed, 1);
}

#[tokio::test]
async fn layers_on_one_request_use_its_proof_once() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().scope("read").bound_to_key(client.thumbprint()).sign();
    let outer = secure(&setup, Dpop::allowed());
    let inner = outer.clone().scope(["read"]);
    let app = Router::new().route("/notes/new", get(|| async { "made" }).layer(inner)).layer(outer);
    let fields = client.fields("GET", URL, &token);
    assert_eq!(answer(&app, asked(&fields)).await.status, 200);
    assert_eq!(answer(&app, asked(&fields)).await.status, 401);
}

#[tokio::test]
async fn a_nonce_is_asked_for_and_given() {
    let setup = Setup::new().await;
    let app = notes(secure(&setup, Dpop::allowed().nonces(Nonces::random().unwrap())));
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let first = answer(&app, asked(&client.fields("GET", URL, &token))).await;
    assert_eq!(first.status, 401);
    assert!(schemes(&first)[0].starts_with("DPoP error=\"use_dpop_nonce\""), "{:?}", schemes(&first));
    let nonce = first.headers["dpop-nonce"].to_str().unwrap().to_owned();
    // A wrong clock of the client does not matter.
    let late = setup.clock.now() - Duration::from_secs(3600);
    let proof = || client.proof("GET", URL).token(&token).nonce(&nonce);
    let with = |proof: String| vec![("authorization", format!("DPoP {token}")), ("dpop", proof)];
    let second = answer(&app, asked(&with(proof().issued_at(late).sign()))).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert!(second.headers.contains_key("dpop-nonce"), "a nonce is given on success, too");
    for case in DpopCase::NONCES {
        let attempt = client.attempt(*case, "GET", URL, &setup.server.token());
        assert_eq!(answer(&app, asked(attempt.fields())).await.status, 401, "{case}");
    }
    setup.clock.advance(Duration::from_secs(400));
    let stale = answer(&app, asked(&with(proof().sign()))).await;
    assert!(stale.body.contains("dpop_nonce_stale") || stale.body.contains("expired"), "{}", stale.body);
}

#[tokio::test]
async fn a_proof_stays_a_replay_where_nonces_of_any_lifetime_are_switched_on() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().expires_in(Duration::from_secs(7200)).bound_to_key(client.thumbprint()).sign();
    for minutes in [4, 10, 55] {
        let without = Dpop::required();
        let lasting = Nonces::random().unwrap().lifetime(Duration::from_secs(3600));
        let with = notes(secure(&setup, without.clone().nonces(lasting)));
        let nonce = answer(&with, asked(&[])).await.headers["dpop-nonce"].to_str().unwrap().to_owned();
        setup.clock.advance(Duration::from_secs(minutes * 60));
        let proof = client.proof("GET", URL).token(&token).nonce(&nonce).sign();
        let fields = [("authorization", format!("DPoP {token}")), ("dpop", proof)];
        assert_eq!(answer(&notes(secure(&setup, without.clone())), asked(&fields)).await.status, 200);
        let again = answer(&with, asked(&fields)).await;
        assert!(
            again.status == 401 && again.body.contains("dpop_replayed"),
            "{minutes}: {} {}",
            again.status,
            again.body
        );
    }
}

#[tokio::test]
async fn challenges_name_the_schemes_that_are_accepted() {
    let setup = Setup::new().await;
    let table = [
        (Dpop::allowed(), vec!["Bearer", "DPoP algs="]),
        (Dpop::required().algorithms([portcullis::Algorithm::ES256]).unwrap(), vec!["DPoP algs=\"ES256\""]),
    ];
    for (dpop, expected) in table {
        let got = answer(&notes(secure(&setup, dpop)), asked(&[])).await;
        let got = schemes(&got);
        assert_eq!(got.len(), expected.len(), "{got:?}");
        assert!(got.iter().zip(expected).all(|(got, expected)| got.starts_with(expected)), "{got:?}");
    }
    let bearer = setup.server.token().sign();
    let refused =
        answer(&notes(secure(&setup, Dpop::required())), asked(&[("authorization", format!("Bearer {bearer}"))])).await;
    assert!(refused.body.contains("dpop_required"), "{}", refused.body);
}

#[tokio::test]
async fn a_bad_token_gets_401_where_dpop_is_required() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let bound = setup.server.token().bound_to_key(client.thumbprint());
    let expired = bound.expired_for(Duration::from_secs(60)).sign();
    for (dpop, status) in [(Dpop::allowed(), 403), (Dpop::required(), 401)] {
        let app = notes(secure(&setup, dpop));
        for fields in [client.fields("GET", URL, &expired), vec![("authorization", format!("Bearer {expired}"))]] {
            let got = answer(&app, asked(&fields)).await;
            assert!(got.status == status && got.body.contains("\"expired\""), "{} {}", got.status, got.body);
            assert!(schemes(&got).iter().all(|challenge| challenge.contains("error=\"invalid_token\"")));
        }
    }
}

#[tokio::test]
async fn rules_that_come_later_do_not_switch_it_off() {
    let setup = Setup::new().await;
    let bearer = format!("Bearer {}", setup.server.token().sign());
    let required: Rules = serde_json::from_str(r#"{ "dpop": "required" }"#).unwrap();
    let table = [
        (secure(&setup, Dpop::required()).rules(Rules::default()).unwrap(), 401),
        (Secure::new(setup.jwks.clone()).rules(required.clone()).unwrap().dpop(Dpop::allowed()), 401),
        (secure(&setup, Dpop::allowed()).rules(required.clone()).unwrap(), 401),
        (secure(&setup, Dpop::allowed()).rules(Rules::default()).unwrap(), 200),
        // Rules replace rules.
        (Secure::new(setup.jwks.clone()).rules(required).unwrap().rules(Rules::default()).unwrap(), 200),
    ];
    for (index, (secure, status)) in table.into_iter().enumerate() {
        let got = answer(&notes(secure), asked(&[("authorization", bearer.clone())])).await;
        assert_eq!(got.status, status, "{index}: {}", got.body);
    }
}

#[tokio::test]
async fn the_url_is_the_public_one_or_that_of_one_well_formed_host_field() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let public = notes(secure(&setup, Dpop::required().public_url("https://public.example.com/v1").unwrap()));
    let fields = client.fields("GET", "https://public.example.com/v1/notes/new", &token);
    assert_eq!(answer(&public, asked(&fields)).await.status, 200);
    let fields = client.fields("GET", URL, &token);
    assert!(answer(&public, asked(&fields)).await.body.contains("dpop_url"));
    let app = notes(secure(&setup, Dpop::required()));
    for hosts in
        [&[][..], &["api.example.com", "api.example.com"], &["api.example.com/x"], &["a b"], &["u@api.example.com"]]
    {
        let request = hosts.iter().fold(Request::get("/notes/new"), |request, host| request.header("host", *host));
        let fields = client.fields("GET", URL, &token);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let got = answer(&app, request.body(Body::empty()).unwrap()).await;
        assert!(got.body.contains("dpop_url_unknown"), "{hosts:?}: {}", got.body);
    }
    assert!(Dpop::required().public_url("ftp://a").is_err());
    assert!(Dpop::required().public_url("https://a?b").is_err());
}

#[tokio::test]
async fn the_scheme_is_the_one_that_the_door_knows() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = secure(&setup, Dpop::required());
    for (scheme, authority, url, expected) in [
        (None, "api.example.com", "https://api.example.com/notes", "pass"),
        (None, "api.example.com", "http://api.example.com/notes", "dpop_url"),
        (None, "localhost:3000", "http://localhost:3000/notes", "pass"),
        (Some("http"), "api.example.com", "http://api.example.com/notes", "pass"),
        (Some("http"), "api.example.com", "https://api.example.com/notes", "dpop_url"),
        (Some("https"), "localhost:3000", "https://localhost:3000/notes", "pass"),
        (Some("HTTPS"), "api.example.com", "https://api.example.com/notes", "pass"),
        (Some("ws"), "api.example.com", "https://api.example.com/notes", "dpop_url_unknown"),
        (Some(""), "api.example.com", "https://api.example.com/notes", "dpop_url_unknown"),
        (Some("https, http"), "api.example.com", "https://api.example.com/notes", "dpop_url_unknown"),
    ] {
        let fields = client.fields("GET", url, &token);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let presented = Presented::new(&fields)
            .request("GET", "/notes")
            .authority(ClientAuthority::Known(authority))
            .scheme(scheme);
        let outcome = secure.judge(&presented).verdict().await.outcome;
        assert_eq!(outcome.map_or_else(|refusal| refusal.code(), |_| "pass"), expected, "{scheme:?} {authority} {url}");
    }
}

#[tokio::test]
async fn the_document_about_a_resource_tells_of_dpop() {
    let setup = Setup::new().await;
    for (dpop, algorithms, required) in [
        (None, None, None),
        (Some(Dpop::allowed()), Some(json!(["ES256"])), None),
        (Some(Dpop::required()), Some(json!(["ES256"])), Some(json!(true))),
    ] {
        let resource = ProtectedResource::new("https://api.example.com/notes");
        let secure =
            Secure::protecting(resource.issuer(Verifier::builder(setup.jwks.clone()).issuer("https://as.example.com")));
        let secure = match dpop {
            Some(dpop) => secure.unwrap().dpop(dpop.algorithms([portcullis::Algorithm::ES256]).unwrap()),
            None => secure.unwrap(),
        };
        let document: Value = serde_json::from_slice(secure.resource_document().unwrap().body()).unwrap();
        assert_eq!(document.get("dpop_signing_alg_values_supported"), algorithms.as_ref(), "{document}");
        assert_eq!(document.get("dpop_bound_access_tokens_required"), required.as_ref(), "{document}");
    }
}

#[tokio::test]
async fn a_proof_stays_a_replay_where_a_store_or_other_rules_come_later() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let before = Dpop::required();
    let fields = client.fields("GET", URL, &token);
    assert_eq!(answer(&notes(secure(&setup, before.clone())), asked(&fields)).await.status, 200);
    let shared = before.clone().replay_store(Stubborn(Some(true)), ReplayStoreAway::JudgeLocally);
    for after in [before.clone().max_age(Duration::from_secs(60)).unwrap(), shared.clone(), before] {
        let answer = answer(&notes(secure(&setup, after)), asked(&fields)).await;
        assert!(answer.body.contains("dpop_replayed"), "{}", answer.body);
    }
    let fields = client.fields("GET", URL, &token);
    assert_eq!(answer(&notes(secure(&setup, shared)), asked(&fields)).await.status, 200);
}

/// A store that answers the same to everything, or never.
struct Stubborn(Option<bool>);

impl ReplayStore for Stubborn {
    async fn keep_new(&self, _: &str, _: Duration) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        self.0.ok_or_else(|| "away".into())
    }
}

#[tokio::test]
async fn a_shared_store_is_asked_and_its_absence_is_judged_as_configured() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let table = [
        (Some(true), ReplayStoreAway::JudgeLocally, 200),
        (Some(false), ReplayStoreAway::JudgeLocally, 401),
        (None, ReplayStoreAway::JudgeLocally, 200),
        (None, ReplayStoreAway::Refuse, 503),
    ];
    for (store, away, status) in table {
        let app = notes(secure(&setup, Dpop::required().replay_store(Stubborn(store), away)));
        let fields = client.fields("GET", URL, &token);
        assert_eq!(answer(&app, asked(&fields)).await.status, status, "{store:?} {away:?}");
        assert_ne!(answer(&app, asked(&fields)).await.status, 200, "{store:?}: known here, whatever the store says");
    }
}

#[tokio::test]
async fn a_full_memory_shortens_the_time_of_proofs_and_lets_no_replay_pass() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let app = notes(secure(&setup, Dpop::required().replay_memory_bytes(2_000)));
    let old = client.fields("GET", URL, &token);
    assert_eq!(answer(&app, asked(&old)).await.status, 200);
    for _ in 0..10 {
        setup.clock.advance(Duration::from_secs(1));
        let fields = client.fields("GET", URL, &token);
        assert_eq!(answer(&app, asked(&fields)).await.status, 200);
        assert!(answer(&app, asked(&fields)).await.body.contains("dpop_replayed"));
    }
    let forgotten = answer(&app, asked(&old)).await;
    assert!(forgotten.status == 401 && forgotten.body.contains("dpop_too_old"), "{}", forgotten.body);
    assert!(schemes(&forgotten)[0].contains("invalid_dpop_proof"), "{:?}", schemes(&forgotten));
    let nothing_fits = notes(secure(&setup, Dpop::required().replay_memory_bytes(0)));
    let got = answer(&nothing_fits, asked(&client.fields("GET", URL, &token))).await;
    assert!(got.body.contains("dpop_too_old"), "{}", got.body);
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_passes_with_it_alone() {
    let setup = Setup::new().await;
    let (own, other) = (ClientCertificate::from_der(b"own"), ClientCertificate::from_der(b"other"));
    let thumbprint = "Wzl1ZRw8q5LQRMCW3DChwtlSVJdFdHLeSMUeyzY9H0o";
    let token = setup.server.token().claim("cnf", serde_json::json!({ "x5t#S256": thumbprint })).sign();
    let app = app(Secure::new(setup.jwks.clone()).problem_json());
    for (certificate, status, code) in
        [(None, 401, "sender_constrained_token"), (Some(other), 401, "wrong_certificate"), (Some(own), 200, "alice")]
    {
        let mut request = crate::support::bearer(&token);
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        let got = answer(&app, request).await;
        assert_eq!(got.status, status, "{certificate:?}");
        assert!(got.body.contains(code), "{certificate:?}: {}", got.body);
    }
}

#[tokio::test]
async fn the_signature_of_a_proof_is_verified_later_where_a_door_asks_for_that() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let secure = secure(&setup, Dpop::allowed());
    let judging = |fields: &[(&'static str, String)], later: bool| {
        let (parts, _) = asked(fields).into_parts();
        secure.judge(&Presented::new(&parts.headers).request("GET", "/notes/new").verify_later(later))
    };
    let good = || client.fields("GET", URL, &token);
    assert!(judging(&good(), false).verdict().await.outcome.is_ok(), "fetches the keys");

    let Judging::Waits(pending) = judging(&good(), true) else { panic!("the signature is verified at once") };
    assert!(pending.await.outcome.is_ok());
    let Judging::Done(verdict) = judging(&good(), false) else { panic!("nothing has to be awaited") };
    assert!(verdict.outcome.is_ok());
    // Without a readable proof, there is no signature to verify.
    let missing = [("authorization", format!("DPoP {token}"))];
    let Judging::Done(verdict) = judging(&missing, true) else { panic!("nothing takes time") };
    assert_eq!(verdict.outcome.unwrap_err().code(), "missing_dpop_proof");
}

#[tokio::test]
async fn a_proof_by_any_algorithm_fits() {
    let setup = Setup::new().await;
    let app = notes(secure(&setup, Dpop::required()));
    for algorithm in Algorithm::ALL.iter().filter(|algorithm| !algorithm.name().starts_with("HS")) {
        let client = DpopClient::new(*algorithm).with_clock(setup.clock.clone());
        let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
        let got = answer(&app, asked(&client.fields("GET", URL, &token))).await;
        assert_eq!(got.status, 200, "{algorithm:?}: {}", got.body);
    }
}

#[tokio::test]
async fn where_tokens_have_to_be_bound_a_bearer_token_is_refused() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let app = notes(secure(&setup, Dpop::allowed()).sender_constrained());
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    assert_eq!(answer(&app, asked(&client.fields("GET", URL, &token))).await.status, 200);
    let bearer = [("authorization", format!("Bearer {}", setup.server.token().sign()))];
    let got = answer(&app, asked(&bearer)).await;
    assert!(got.status == 401 && got.body.contains("sender_constraint_required"), "{}", got.body);
}

#[tokio::test]
async fn layers_with_nonces_of_their_own_tell_the_one_that_is_missing() {
    let setup = Setup::new().await;
    let client = client(&setup);
    let token = setup.server.token().bound_to_key(client.thumbprint()).sign();
    let nonces = [Nonces::random().unwrap(), Nonces::random().unwrap()];
    let [outer, inner] = nonces.map(|nonces| secure(&setup, Dpop::allowed().nonces(nonces)).problem_json());
    let inner_alone = answer(&notes(inner.clone()), asked(&client.fields("GET", URL, &token))).await;
    let app = Router::new().route("/notes/new", get(|| async { "made" }).layer(inner)).layer(outer.clone());
    let nonce = answer(&app, asked(&client.fields("GET", URL, &token))).await.headers["dpop-nonce"].clone();
    let proof = client.proof("GET", URL).token(&token).nonce(nonce.to_str().unwrap()).sign();
    let refused = answer(&app, asked(&[("authorization", format!("DPoP {token}")), ("dpop", proof)])).await;
    assert!(refused.body.contains("dpop_nonce_stale"), "{}", refused.body);
    assert_eq!(refused.headers["dpop-nonce"], inner_alone.headers["dpop-nonce"], "that of the layer that refused");
}

/// As `docs/sender-constrained.md` shows it for the way from `allowed` to `required`.
#[test]
fn a_reporting_layer_counts_the_clients_that_send_bearer_tokens_yet() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let client = client(&setup);
            let soon = secure(&setup, Dpop::required()).report_only();
            let app = notes(soon).layer(secure(&setup, Dpop::allowed()).problem_json());
            let bound = setup.server.token().bound_to_key(client.thumbprint()).sign();
            let proven = client.fields("GET", URL, &bound);
            let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
            for (fields, status) in [
                (proven.clone(), 200),
                (bearer(&setup.server.token().sign()), 200),
                (bearer(&setup.server.token().sign()), 200),
                (proven, 401),
                (bearer(&bound), 401),
                (vec![], 401),
            ] {
                assert_eq!(answer(&app, asked(&fields)).await.status, status, "{fields:?}");
            }
        });
    });
    let metrics = Metrics::read(metrics.snapshot());
    assert_eq!(metrics.sum("portcullis_would_refuse_total", Some(("code", "dpop_required"))), 2.0);
    assert_eq!(metrics.sum("portcullis_would_refuse_total", None), 2.0);
    assert_eq!(metrics.sum("portcullis_dpop_proofs_total", Some(("outcome", "first"))), 1.0);
}

#[test]
fn every_hostile_case_is_named_in_the_security_page() {
    let page = include_str!("../../../../SECURITY.md");
    for case in DpopCase::ALL.iter().chain(DpopCase::NONCES).filter(|case| !case.must_pass()) {
        assert!(page.contains(&format!("`{}`", case.name())), "{case} is not in SECURITY.md");
    }
}

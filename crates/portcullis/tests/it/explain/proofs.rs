//! Explanations of requests with DPoP proofs (RFC 9449): they agree with the verdict, and use no proof up.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    CheckKind, ClientAuthority, Dpop, Explanation, HeaderFields, Outcome, Presented, ReplayStore, ReplayStoreAway,
    Secure,
};
use portcullis_testkit::{Algorithm, DpopCase, DpopClient};

use super::{actual, check, hint};
use crate::support::Setup;

const TARGET: &str = "/notes/new?a=b";
const URL: &str = "https://api.example.com/notes/new";

type Fields = Vec<(&'static str, String)>;

struct Scene {
    setup: Setup,
    client: DpopClient,
    secure: Secure,
}

impl Scene {
    async fn new(dpop: Dpop) -> Self {
        let setup = Setup::new().await;
        let client = DpopClient::new(Algorithm::ES256).with_clock(setup.clock.clone());
        let secure = Secure::new(setup.jwks.clone()).dpop(dpop);
        Self { setup, client, secure }
    }

    fn fields(&self) -> Fields {
        let token = self.setup.server.token().bound_to_key(self.client.thumbprint()).sign();
        self.client.fields("GET", URL, &token)
    }

    async fn explained(&self, method: &str, fields: &[(&'static str, String)]) -> Explanation {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        self.secure.explain(&presented(&fields, method), self.setup.clock.now()).await
    }

    /// Returns the code of the verdict on a request.
    async fn sent(&self, method: &str, fields: &[(&'static str, String)]) -> Option<&'static str> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let verdict = self.secure.judge(&presented(&fields, method)).verdict().await;
        verdict.outcome.err().map(|refusal| refusal.code())
    }
}

fn presented<'a>(fields: &'a dyn HeaderFields, method: &'a str) -> Presented<'a> {
    Presented::new(fields).request(method, TARGET).authority(ClientAuthority::Known("api.example.com"))
}

fn code(explanation: &Explanation) -> Option<&'static str> {
    explanation.refusal().map(|refusal| refusal.code())
}

#[tokio::test]
async fn each_case_of_the_test_kit_is_explained_as_it_is_judged() {
    for dpop in [Dpop::allowed(), Dpop::required()] {
        let scene = Scene::new(dpop).await;
        for case in DpopCase::ALL {
            let attempt = scene.client.attempt(*case, "GET", URL, &scene.setup.server.token());
            for earlier in attempt.earlier() {
                assert_eq!(scene.sent("GET", earlier).await, None, "{case}");
            }
            let (first, second) =
                (scene.explained("GET", attempt.fields()).await, scene.explained("GET", attempt.fields()).await);
            let judged = scene.sent("GET", attempt.fields()).await;
            assert_eq!(code(&first), judged, "{case}");
            assert_eq!(code(&second), judged, "{case}: an explanation used the proof up");
            let report = serde_json::to_string(&first).unwrap();
            for (_, value) in attempt.fields() {
                let secret = value.rsplit('.').next().unwrap_or_default();
                assert!(secret.len() < 20 || !report.contains(secret), "{case}: a signature is in the report");
            }
        }
    }
}

#[tokio::test]
async fn a_proof_is_a_row_for_each_check_and_a_replay_is_told() {
    let scene = Scene::new(Dpop::allowed()).await;
    let fields = scene.fields();
    let good = scene.explained("GET", &fields).await;
    assert_eq!(good.verdict(), "passed", "{good:?}");
    let rows: Vec<_> = good.checks.iter().filter(|check| check.kind.name().starts_with("proof_")).collect();
    assert_eq!(rows.len(), 13);
    for row in rows {
        let asked = row.kind != CheckKind::ProofNonce;
        assert_eq!(row.outcome, if asked { Outcome::Passed } else { Outcome::NotAsked }, "{}", row.kind);
    }
    assert_eq!(actual(&good, CheckKind::ProofReplay), "not used at this process");

    let other = scene.explained("DELETE", &fields).await;
    assert_eq!(code(&other), Some("dpop_method"));
    assert!(hint(&other).contains("another request"), "{}", hint(&other));
    let reason = other.refusal().map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains("the method of the request, DELETE,"), "{reason}");
    assert_eq!(actual(&other, CheckKind::ProofMethod), "GET");
    assert_eq!(check(&other, CheckKind::ProofReplay).outcome, Outcome::NotReached);

    assert_eq!(scene.sent("GET", &fields).await, None);
    let replayed = scene.explained("GET", &fields).await;
    assert_eq!(code(&replayed), Some("dpop_replayed"));
    assert_eq!(actual(&replayed, CheckKind::ProofReplay), "used before");
    assert!(hint(&replayed).contains("new proof for each request"), "{}", hint(&replayed));

    let later = scene.setup.clock.now() + Duration::from_secs(3600);
    let raw: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let later = scene.secure.explain(&presented(&raw, "GET"), later).await;
    let times = check(&later, CheckKind::ProofTime);
    assert_eq!(times.code(), Some("dpop_too_old"), "the time of the explanation counts for proofs, too");
}

#[tokio::test]
async fn without_a_proof_one_row_says_so() {
    let scene = Scene::new(Dpop::allowed()).await;
    let mut fields = scene.fields();
    fields.truncate(1);
    let missing = scene.explained("GET", &fields).await;
    assert_eq!(code(&missing), Some("missing_dpop_proof"));
    assert!(hint(&missing).contains("sign a proof for each request"), "{}", hint(&missing));
    assert_eq!(missing.checks.iter().filter(|check| check.kind.name().starts_with("proof_")).count(), 1);
    let bearer = vec![("authorization", fields[0].1.replace("DPoP", "Bearer"))];
    let bearer = scene.explained("GET", &bearer).await;
    assert_eq!(code(&bearer), Some("sender_constrained_token"));
    assert!(hint(&bearer).contains("DPoP proof"), "{}", hint(&bearer));
}

/// A store that counts its questions.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<usize>>);

impl ReplayStore for Counting {
    async fn keep_new(&self, _: &str, _: Duration) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        *self.0.lock().unwrap() += 1;
        Ok(true)
    }
}

#[tokio::test]
async fn a_shared_store_is_not_asked() {
    let store = Counting::default();
    let scene = Scene::new(Dpop::allowed().replay_store(store.clone(), ReplayStoreAway::Refuse)).await;
    let fields = scene.fields();
    let explained = scene.explained("GET", &fields).await;
    let row = check(&explained, CheckKind::ProofReplay);
    assert_eq!((explained.verdict(), &row.outcome), ("passed", &Outcome::NotChecked));
    assert_eq!(*store.0.lock().unwrap(), 0);
    assert_eq!(scene.sent("GET", &fields).await, None);
    assert_eq!(*store.0.lock().unwrap(), 1);
    assert_eq!(code(&scene.explained("GET", &fields).await), Some("dpop_replayed"));
}

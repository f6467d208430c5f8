//! Metrics and logs, for operators.

use std::sync::{Arc, Mutex};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshot};
use portcullis::{Secure, Verifier, names};
use portcullis_testkit::{Endpoint, Fault};

use crate::support::{Setup, answer, app, bearer, listen, request};

/// The metrics, by name and label; read once, since a snapshot resets the counts.
pub(crate) struct Metrics(Vec<(metrics_util::CompositeKey, f64)>);

impl Metrics {
    pub(crate) fn read(snapshot: Snapshot) -> Self {
        let number = |value| match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(gauge) => gauge.into_inner(),
            DebugValue::Histogram(_) => 0.0,
        };
        Self(snapshot.into_vec().into_iter().map(|(key, _, _, value)| (key, number(value))).collect())
    }

    /// Fails if a metric is not in the list of names, or has other labels or another kind there.
    fn are_named(&self) {
        for (key, _) in &self.0 {
            let name = key.key().name();
            let metric = names::metrics::ALL.iter().find(|metric| metric.name == name);
            let metric = metric.unwrap_or_else(|| panic!("{name} is not in names::metrics::ALL"));
            let labels: Vec<_> = key.key().labels().map(metrics::Label::key).collect();
            assert_eq!((labels, format!("{:?}", key.kind())), (metric.labels.to_vec(), format!("{:?}", metric.kind)));
        }
    }

    /// The sum over all metrics of this name that have the label.
    pub(crate) fn sum(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        let of_name = self.0.iter().filter(|(key, _)| key.key().name() == name);
        let of_label = of_name.filter(|(key, _)| {
            label.is_none_or(|wanted| key.key().labels().any(|label| (label.key(), label.value()) == wanted))
        });
        of_label.map(|(_, value)| value).sum()
    }
}

#[test]
fn decisions_and_fetches_are_counted_and_the_keys_age_is_told() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let app = app(Secure::new(setup.jwks.clone()).scope(["read"]));
            let good = setup.server.token().scope("read").sign();
            for token in [&good, &good, &setup.server.token().sign(), &format!("{good}x")] {
                answer(&app, bearer(token)).await;
            }
            answer(&app, request(&[])).await;
            let reporting = Secure::new(setup.jwks.clone()).scope(["write"]).report_only();
            let reporting = axum::Router::new().route("/", axum::routing::get(|| async {})).layer(reporting);
            answer(&reporting, bearer(&good)).await;
            setup.server.fault(Endpoint::Jwks, Fault::Status(500));
            setup.jwks.refresh().await.unwrap_err();
            setup.server.heal(Endpoint::Jwks);
            setup.jwks.refresh().await.unwrap();
        });
    });
    let table = [
        ("portcullis_verified_total", None, 2.0),
        ("portcullis_refused_total", Some(("code", "insufficient_scope")), 1.0),
        ("portcullis_refused_total", Some(("code", "no_credentials")), 1.0),
        ("portcullis_refused_total", None, 3.0),
        ("portcullis_would_refuse_total", Some(("code", "insufficient_scope")), 1.0),
        ("portcullis_jwks_fetches_total", Some(("outcome", "fetched")), 1.0),
        ("portcullis_jwks_fetches_total", Some(("outcome", "failed")), 1.0),
        ("portcullis_jwks_fetches_total", Some(("outcome", "not_modified")), 1.0),
        ("portcullis_jwks_keys", None, 1.0),
    ];
    let metrics = Metrics::read(metrics.snapshot());
    for (name, label, expected) in table {
        assert_eq!(metrics.sum(name, label), expected, "{name} {label:?}");
    }
    metrics.are_named();
    let fetched_at = metrics.sum("portcullis_jwks_fetched_timestamp_seconds", None);
    assert!(fetched_at > 1_700_000_000.0, "the age of the keys is known");
}

/// Collects log events.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The log of this thread during a function.
    pub(crate) fn of(level: tracing::Level, act: impl FnOnce(&Self)) -> Self {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        let _listening = listen(subscriber);
        act(&log);
        log
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_has_the_code_and_neither_token_nor_claims() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut secrets = Vec::new();
    let log = Log::of(tracing::Level::TRACE, |_| {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let app = app(Secure::new(setup.jwks.clone()));
            let tokens = [
                setup.server.token().subject("secret-subject").sign(),
                setup.server.token().subject("secret-subject").typ("secret-type").sign(),
                setup.server.token().kid("secret-kid").sign(),
                setup.server.token().expired_for(std::time::Duration::from_secs(90)).sign(),
            ];
            for token in &tokens {
                answer(&app, bearer(token)).await;
            }
            secrets.extend(tokens);
        });
    });
    let log = log.text();
    let ours = log.lines().filter(|line| line.contains("portcullis")).collect::<Vec<_>>().join("\n");
    for expected in ["access token verified", "wrong_type", "unknown_key", "code=\"expired\"", "90 s ago"] {
        assert!(ours.contains(expected), "{expected} is not in\n{ours}");
    }
    secrets.extend(["secret-subject", "secret-type", "secret-kid"].map(String::from));
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in\n{log}");
    }
}

#[test]
fn the_log_has_the_configured_issuer_and_that_of_the_token_cut_and_cleaned() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tenants = ["https://one.example", "https://two.example"];
    let hostile = format!("https://me:secret@evil.example/\u{1b}[2J\n{}?secret", "a".repeat(300));
    let log = Log::of(tracing::Level::INFO, |_| {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let issuers = tenants.map(|issuer| Verifier::builder(setup.jwks.clone()).issuer(issuer));
            let verifier = Verifier::any_of(issuers).unwrap();
            for secure in [Secure::new(verifier.clone()), Secure::new(verifier).report_only()] {
                let app = app(secure);
                for issuer in ["https://one.example/", "https://else.example", &hostile] {
                    answer(&app, bearer(&setup.server.token().issuer(issuer).sign())).await;
                }
            }
        });
    });
    let log = log.text();
    for event in ["request refused", "request would be refused"] {
        let told: Vec<_> =
            log.lines().filter(|line| line.contains(&format!(r#"{event} code="wrong_issuer""#))).collect();
        let [slash, other, cleaned] = told.as_slice() else { panic!("{log}") };
        assert!(slash.contains(r#"unverified_issuer="https://one.example/""#), "{slash}");
        assert!(slash.contains(r#"to be "https://one.example", to the letter"#) && slash.contains("slash"), "{slash}");
        assert!(other.contains(r#"unverified_issuer="https://else.example""#), "{other}");
        assert!(tenants.iter().all(|issuer| other.contains(issuer)), "{other}");
        assert!(cleaned.contains("evil.example") && cleaned.len() < 800, "{cleaned}");
        assert!(!log.contains("secret") && !log.contains('\u{1b}'), "{log}");
    }
}

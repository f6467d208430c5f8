//! The reload: a changed configuration replaces the old one, as a whole or not at all.
//!
//! - Files are read every two seconds and on SIGHUP, compared as values, and put in force by one swap of a pointer. One
//!   configuration judges a request from the question to the answer. Keys and caches of unchanged issuers stay.
//! - A changed file is taken once it reads the same twice, so that no half-written file is taken.
//! - A file that lacks parts of the current one may have been truncated (`config/cut.rs`): it is taken only on SIGHUP,
//!   or with a last line `# end`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use miette::{IntoDiagnostic, Report, miette};
use tokio::{
    signal::unix::Signal,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    config::{self, Config, Mistake},
    decision::Gateway,
    telemetry, terminal,
};

use super::certificates::Certificate;

/// The interval at which the files are read for changes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The time limit to fetch the keys of new issuers; after it the new configuration is in force without them.
const PREFETCH_TIME: Duration = Duration::from_secs(5);

/// The state of the file, if it is not the configuration in force.
#[derive(Debug, PartialEq)]
pub(super) enum Pending {
    /// It waits to be confirmed, since it lacks these parts.
    Waits(Vec<String>),
    /// It is refused for this reason: a restart would fail.
    Refused(String),
}

/// The state of the file, shared with the pages of the admin listener; none if it is in force.
pub(super) type OnDisk = Arc<ArcSwapOption<Pending>>;

/// Reads the configuration again on SIGHUP and when a file has changed.
pub(super) struct Reloader {
    path: PathBuf,
    /// The current configuration.
    config: Config,
    /// Its text.
    text: String,
    current: Arc<ArcSwap<Gateway>>,
    certificates: Vec<Certificate>,
    hangups: Signal,
    /// The configuration read last, if it is not in force: a file is taken once it is unchanged from one look to the
    /// next, so that no half-written file is taken.
    seen: Option<Config>,
    /// The problem that was logged last, so that it is logged once.
    told: Option<String>,
    on_disk: OnDisk,
}

/// The occasion to read a configuration again.
#[derive(Clone, Copy, PartialEq)]
enum Occasion {
    Asked,
    Looked,
}

impl Reloader {
    pub(super) fn new(
        path: PathBuf,
        (config, text): (Config, String),
        current: Arc<ArcSwap<Gateway>>,
        certificates: Vec<Certificate>,
        hangups: Signal,
    ) -> Self {
        Self { path, config, text, current, certificates, hangups, seen: None, told: None, on_disk: OnDisk::default() }
    }

    /// Returns the state of the file.
    pub(super) fn on_disk(&self) -> OnDisk {
        Arc::clone(&self.on_disk)
    }

    /// Watches the files and SIGHUP; never ends.
    pub(super) async fn run(mut self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let occasion = tokio::select! {
                _ = looks.tick() => Occasion::Looked,
                _ = self.hangups.recv() => Occasion::Asked,
            };
            self.look(occasion).await;
        }
    }

    async fn look(&mut self, occasion: Occasion) {
        let outcome = self.take(occasion).await;
        match outcome {
            Ok(false) => self.told = None,
            Ok(true) => {
                self.told = None;
                telemetry::reloaded(true);
                tracing::info!("the new configuration is in force");
            }
            Err(problem) => self.tell(&problem, occasion),
        }
    }

    /// Reads the files; returns true if a configuration was put in force.
    async fn take(&mut self, occasion: Occasion) -> Result<bool, Report> {
        // A disk or a network may take its time: the gateway answers meanwhile.
        let path = self.path.clone();
        let read = spawn_blocking(move || Config::load_with_text(&path)).await.into_diagnostic()??;
        let renewals = self.certificates.iter().map(Certificate::renewal).collect::<Result<Vec<_>, _>>()?;
        let gateway = self.replacement(read, occasion).await?;
        let changed = gateway.is_some() || renewals.iter().any(Option::is_some);
        if let Some(((config, text), gateway)) = gateway {
            self.current.store(Arc::new(gateway));
            (self.config, self.text) = (config, text);
        }
        for (certificate, renewal) in self.certificates.iter_mut().zip(renewals) {
            if let Some(renewal) = renewal {
                certificate.renew(renewal);
            }
        }
        Ok(changed)
    }

    /// Builds the gateway that replaces the current one, if the configuration differs.
    async fn replacement(
        &mut self,
        (config, text): (Config, String),
        occasion: Occasion,
    ) -> Result<Option<((Config, String), Gateway)>, Report> {
        if config == self.config {
            self.seen = None;
            self.text = text;
            self.show(None);
            return Ok(None);
        }
        if occasion == Occasion::Looked && self.seen.as_ref() != Some(&config) {
            self.seen = Some(config);
            return Ok(None);
        }
        stays(&self.config, &config)?;
        // The operator who sends SIGHUP vouches that the file is whole.
        let gone = if occasion == Occasion::Asked { Vec::new() } else { config::gone(&self.text, &text) };
        if !gone.is_empty() {
            self.wait_for(gone);
            return Ok(None);
        }
        let before = self.current.load_full();
        let gateway = Gateway::build(&config, Some(&before))?;
        // The old one answers meanwhile.
        drop(timeout(PREFETCH_TIME, gateway.issuers().prefetch()).await);
        self.show(None);
        Ok(Some(((config, text), gateway)))
    }

    /// Has the new configuration wait to be confirmed, since it lacks these parts; logs it once.
    fn wait_for(&self, gone: Vec<String>) {
        let missing = gone.join(", ");
        let pending = Pending::Waits(gone);
        if self.on_disk.load().as_deref() != Some(&pending) {
            tracing::warn!(
                gone = missing,
                "the changed configuration waits, the old one stays in force: it lacks parts of the old one, or ends \
                 in a new part, and may have been truncated. Send SIGHUP to take it as it is, or end the file with a \
                 line `# end`, below all parts"
            );
        }
        self.show(Some(pending));
    }

    /// Shows the state of the file on the pages of the admin listener.
    fn show(&self, pending: Option<Pending>) {
        telemetry::reload_waits(matches!(pending, Some(Pending::Waits(_))));
        telemetry::reload_refused(matches!(pending, Some(Pending::Refused(_))));
        self.on_disk.store(pending.map(Arc::new));
    }

    fn tell(&mut self, problem: &Report, occasion: Occasion) {
        let text = terminal::told(problem);
        if occasion == Occasion::Looked && self.told.as_ref() == Some(&text) {
            return;
        }
        self.show(Some(Pending::Refused(one_line(problem))));
        telemetry::reloaded(false);
        tracing::error!("the new configuration is refused, the old one stays in force:\n{text}");
        self.told = Some(text);
    }
}

/// Returns the first mistake of a report, without the text of the file; the log has all of them.
fn one_line(problem: &Report) -> String {
    let Some(Mistake { line, text, help }) = config::mistakes(problem).into_iter().next() else { return String::new() };
    let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("{line}{text}{help}")
}

/// Refuses changes that a reload cannot follow: sockets, the log and the connection to a collector are made once.
fn stays(old: &Config, new: &Config) -> Result<(), Report> {
    let same = [
        ("listen", old.forward_auth.is_same_socket(&new.forward_auth)),
        ("grpc", is_same_socket(old.grpc.as_ref(), new.grpc.as_ref())),
        ("admin", old.admin == new.admin),
        ("admin_hosts", old.admin_hosts == new.admin_hosts),
        ("console", old.console == new.console),
        ("limits", old.limits == new.limits),
        ("log.format", old.log.format == new.log.format),
        ("traces", old.traces == new.traces),
    ];
    match same.iter().find(|(_, same)| !same) {
        Some((key, _)) => Err(miette!(
            help = "restart the gateway, or undo the change",
            "expected the same `{key}` as before, got another: a reload cannot change it"
        )),
        None => Ok(()),
    }
}

fn is_same_socket(old: Option<&config::Listener>, new: Option<&config::Listener>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.is_same_socket(new),
        (old, new) => old.is_none() && new.is_none(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::path::Path;

    use tokio::signal::unix::{SignalKind, signal};

    use super::*;

    const KEYS: &str = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}]}"#;

    /// Writes a configuration with this realm.
    fn config(folder: &Path, realm: &str) -> (Config, String) {
        let issuer = "[[issuers]]\nissuer = \"https://as.example.com\"\njwks_file = \"keys.json\"\nalgorithms = [\"HS256\"]\naudience = \"api\"\n";
        let route = format!("[[routes]]\npath = \"/*\"\nrealm = \"{realm}\"\n");
        let text = format!("{issuer}{route}");
        (Config::read(&text, "portcullis.toml", folder).unwrap(), text)
    }

    #[test]
    fn a_socket_stays_and_its_certificate_field_may_change() {
        let issuer = "issuers = [{ issuer = \"https://as.example.com\", audience = \"api\" }]";
        let read = |listen: &str| {
            Config::read(&format!("listen = {listen}\n{issuer}"), "portcullis.toml", Path::new("")).unwrap()
        };
        let address = "address = \"127.0.0.1:9080\"";
        let field = |format: &str| {
            read(&format!("{{ {address}, client_certificate = {{ field = \"X-Cert\", format = \"{format}\" }} }}"))
        };
        let plain = read(&format!("{{ {address} }}"));
        for (old, new) in [(&plain, &field("xfcc")), (&field("xfcc"), &field("rfc9440")), (&field("xfcc"), &plain)] {
            assert!(stays(old, new).is_ok());
        }
        assert!(stays(&plain, &read("\"127.0.0.1:9082\"")).is_err());
    }

    #[tokio::test]
    async fn a_changed_file_is_taken_when_it_reads_the_same_twice_or_somebody_asks() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("keys.json"), KEYS).unwrap();
        let [old, half, new] = ["old", "half", "new"].map(|realm| config(folder.path(), realm));
        let gateway = Gateway::build(&old.0, None).unwrap();
        let current = Arc::new(ArcSwap::from_pointee(gateway));
        let hangups = signal(SignalKind::hangup()).unwrap();
        let mut reloader =
            Reloader::new(folder.path().join("portcullis.toml"), old.clone(), current, Vec::new(), hangups);
        for (read, occasion, is_taken) in [
            (&old, Occasion::Looked, false),
            (&half, Occasion::Looked, false),
            (&new, Occasion::Looked, false),
            (&half, Occasion::Looked, false),
            // The change was undone in between: that is no second look.
            (&old, Occasion::Looked, false),
            (&half, Occasion::Looked, false),
            (&new, Occasion::Looked, false),
            (&new, Occasion::Looked, true),
            (&half, Occasion::Asked, true),
        ] {
            let replacement = reloader.replacement(read.clone(), occasion).await.unwrap();
            assert_eq!(replacement.is_some(), is_taken);
        }
    }
}

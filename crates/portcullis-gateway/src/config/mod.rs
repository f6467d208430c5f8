//! `portcullis.toml`, read and checked.
//!
//! 1. Every mistake is shown on its line, with what to do; as many at once as can be found.
//! 2. A key that is not known is refused: a rule that was misspelled must not be no rule.
//! 3. Secrets come from files or from the environment. Where one stands in the text all the same, reports star it.
//! 4. What a library would refuse when it is built is refused here, as far as it can be pointed at.

mod bytes;
mod check;
mod claims;
mod cut;
mod duration;
mod fetching;
mod file;
mod files;
mod issuer;
mod listener;
mod network;
mod problem;
mod route;
mod secret;
mod starred;
mod store;
#[cfg(test)]
mod tests;
mod traces;
mod typed;
mod value;

pub(crate) use cut::gone;
pub(crate) use fetching::Fetching;
pub(crate) use route::default_rules;
pub(crate) use starred::without_secrets;
pub(crate) use typed::{Kind, fields, kind};

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use http::HeaderName;
use miette::Report;
use portcullis::{Algorithm, IntrospectionForm, IssuerRules, Rules};
use url::Url;

use crate::{routes::Pattern, terminal::visible};

/// A configuration that was checked: each value is one that the gateway can work with.
///
/// Relative paths of files were resolved against the folder of the configuration file; secrets were read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) forward_auth: Listener,
    pub(crate) grpc: Option<Listener>,
    pub(crate) admin: Option<Listener>,
    /// Names that the admin listener may be asked by, besides addresses and `localhost`.
    pub(crate) admin_hosts: Vec<String>,
    /// Whether the admin listener has the console.
    pub(crate) console: bool,
    pub(crate) limits: Limits,
    /// Peers whose word about the original request counts.
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) log: Log,
    /// What is asked for on every route that says nothing else, and where there are no routes.
    pub(crate) rules: Rules,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) routes: Vec<Route>,
    pub(crate) headers: Vec<HeaderRule>,
    pub(crate) store: Option<Store>,
    pub(crate) traces: Option<Traces>,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// A report of all that is wrong with it.
    pub(crate) fn load(path: &Path) -> Result<Self, Report> {
        Self::load_with_text(path).map(|(config, _)| config)
    }

    /// As [`Config::load`], and the text that was read.
    pub(crate) fn load_with_text(path: &Path) -> Result<(Self, String), Report> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let help = "name the configuration by `--config portcullis.toml`";
            miette::miette!(help = help, "cannot read {}: {error}", visible(&path.display().to_string()))
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        Ok((Self::read(&text, &path.display().to_string(), base)?, text))
    }

    /// Checks a text that is called `name`, with relative paths from the folder `base`.
    ///
    /// # Errors
    ///
    /// A report of all that is wrong with it.
    pub(crate) fn read(text: &str, name: &str, base: &Path) -> Result<Self, Report> {
        check::read(text, name, base)
    }
}

/// Reads an issuer's rules and a route's from one table, a text that is called `name`.
///
/// # Errors
///
/// A report of all that is wrong with them.
pub(crate) fn named(text: &str, name: &str) -> Result<(IssuerRules, Rules), Report> {
    check::named(text, name)
}

/// A socket to listen on: `"127.0.0.1:9080"`, or a table with `address` and `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Tls>,
}

/// Files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// If set, clients have to present a certificate of this authority.
    pub(crate) client_ca: Option<PathBuf>,
}

/// What a client may take up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections on each listener.
    pub(crate) connections: usize,
    /// Of these, those of one peer that is not trusted.
    pub(crate) connections_per_peer: usize,
    /// Requests in flight on one HTTP/2 connection.
    pub(crate) streams: u32,
    /// Bytes of the header section of a request.
    pub(crate) header_bytes: usize,
    /// Bytes of a check over gRPC.
    pub(crate) check_bytes: usize,
    /// Bytes of the path that a request is for.
    pub(crate) path_bytes: usize,
    /// How long the header section, and the TLS handshake before it, may take to arrive.
    pub(crate) header_time: Duration,
    /// How long a request may take, from its header section to its answer.
    pub(crate) request_time: Duration,
    /// The longest time that a connection is kept without a request.
    pub(crate) idle_time: Duration,
    /// How long requests in flight may go on after SIGTERM.
    pub(crate) drain_time: Duration,
}

/// Addresses, in the notation `192.0.2.0/24`, or one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: std::net::IpAddr,
    pub(crate) prefix: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) decisions: LoggedDecisions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// Which decisions get a line in the log: `refused` by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoggedDecisions {
    All,
    Refused,
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Issuer {
    /// What its tokens have as `iss`; of a SPIFFE trust domain its URI.
    pub(crate) name: String,
    /// What its tokens must be.
    pub(crate) rules: IssuerRules,
    pub(crate) keys: Keys,
    /// Values of `use` that its keys may have beside `sig`.
    pub(crate) key_uses: Vec<String>,
    pub(crate) fetching: Fetching,
    /// Whether plain http to other machines was asked for by `dangerously_allow_http = true`.
    pub(crate) dangerously_allow_http: bool,
    pub(crate) introspection: Option<Introspection>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Keys {
    Discovery,
    Uri(String),
    /// A JWK Set or PEM, and the file that it was read from.
    Local {
        file: PathBuf,
        text: Vec<u8>,
    },
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Discovery => f.write_str("Discovery"),
            Self::Uri(uri) => f.debug_tuple("Uri").field(uri).finish(),
            // There may be secrets in the text (`oct` keys).
            Self::Local { file, .. } => f.debug_struct("Local").field("file", file).finish_non_exhaustive(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Introspection {
    pub(crate) endpoint: String,
    pub(crate) client_id: String,
    pub(crate) client: Client,
    pub(crate) form: IntrospectionForm,
    pub(crate) timeout: Option<Duration>,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) cache_bytes: Option<usize>,
    pub(crate) remember_refusals_for: Option<Duration>,
    pub(crate) remember_refusals: Option<usize>,
    pub(crate) max_questions: Option<usize>,
    pub(crate) max_answer_bytes: Option<usize>,
    pub(crate) max_answer_age: Option<Duration>,
}

/// How the gateway authenticates at the introspection endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Client {
    Basic(Secret),
    Post(Secret),
    PrivateKeyJwt {
        algorithm: Algorithm,
        key_pem: Secret,
        kid: Option<String>,
        audience: Option<String>,
    },
    /// Certificate and key in PEM (RFC 8705).
    Tls {
        certificate_pem: String,
        key_pem: Secret,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) pattern: Pattern,
    /// Empty: every method.
    pub(crate) methods: Vec<String>,
    pub(crate) public: bool,
    /// What is asked for, unless it is public.
    pub(crate) rules: Rules,
}

/// A header field for the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    pub(crate) name: HeaderName,
    /// A claim's name, or a JSON Pointer if it starts with `/`.
    pub(crate) claim: String,
    /// Writes the claim as JSON, whatever it is.
    pub(crate) json: bool,
}

/// Redis or Valkey, for what several gateways share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// `redis://` or `rediss://`; several for a cluster.
    pub(crate) urls: Vec<String>,
    pub(crate) cluster: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    /// What entries are sealed with; 32 bytes or more.
    pub(crate) secret: Secret,
    /// The authority of the server's certificate, in PEM, if it is not a public one.
    pub(crate) ca_pem: Option<String>,
}

/// Where spans are sent, by OpenTelemetry's protocol over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traces {
    pub(crate) endpoint: Url,
    /// Of decisions whose request names no parent, how many are traced: from 0 to 1.
    pub(crate) sample: f64,
    pub(crate) service_name: String,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

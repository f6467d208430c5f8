//! `portcullis.toml`, read and checked.
//!
//! 1. Every mistake is shown on its line, with the remedy; as many at once as possible.
//! 2. An unknown key is refused: a misspelt rule must not be no rule.
//! 3. Secrets come from files or from the environment. Reports mask those that are in the text all the same.
//! 4. Values that a library would refuse later are refused here, if the mistake has a place in the text.

mod bytes;
mod certificate;
mod check;
mod claims;
mod cut;
mod dpop;
mod duration;
mod environment;
mod exchange;
mod fetching;
mod file;
mod files;
mod headers;
mod issuer;
mod key_algorithms;
mod listener;
mod network;
mod problem;
mod resource;
mod route;
mod secret;
mod server_url;
mod starred;
mod store;
#[cfg(test)]
mod tests;
mod traces;
mod typed;
mod value;
mod written;

pub(crate) use cut::gone;
pub(crate) use fetching::Fetching;
pub(crate) use file::nearest;
pub(crate) use key_algorithms::algorithms_of;
pub use problem::Mistake;
pub(crate) use problem::mistakes;
pub(crate) use resource::Resource;
pub(crate) use route::default_rules;
pub(crate) use secret::Secret;
pub(crate) use starred::without_secrets;
pub(crate) use typed::{Kind, fields, kind};
pub(crate) use written::line;

use std::{
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use miette::Report;
use portcullis::{
    Algorithm, DpopRules, DpopUse, IntrospectedTokens, IntrospectionForm, IssuerRules, ReplayStoreAway, Rules, Target,
};
use url::Url;

use crate::{
    routes::{Hosts, Pattern},
    terminal::visible,
};

/// A checked configuration: the gateway can work with each value.
///
/// Relative paths are resolved against the folder of the configuration file; secrets are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(crate) forward_auth: Listener,
    pub(crate) grpc: Option<Listener>,
    pub(crate) admin: Option<Listener>,
    /// The names by which the admin listener may be requested, besides addresses and `localhost`.
    pub(crate) admin_hosts: Vec<String>,
    /// True if the admin listener has the console.
    pub(crate) console: bool,
    pub(crate) limits: Limits,
    /// The peers that are answered, and whose descriptions of original requests count.
    pub(crate) trusted_proxies: Vec<Network>,
    /// True if they describe the client's connection in `Forwarded` (RFC 7239).
    pub(crate) forwarded: bool,
    pub(crate) log: Log,
    /// The rules of each route that has none of its own, and the rules where there are no routes.
    pub(crate) rules: Rules,
    /// True if the upstream gets the token where there are no routes.
    pub(crate) forward_authorization: bool,
    /// True if preflights pass where there are no routes.
    pub(crate) preflight: bool,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) routes: Vec<Route>,
    pub(crate) headers: Vec<HeaderRule>,
    pub(crate) store: Option<Store>,
    pub(crate) dpop: Option<Dpop>,
    pub(crate) traces: Option<Traces>,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// A report of every mistake in it.
    pub(crate) fn load(path: &Path) -> Result<Self, Report> {
        Self::load_with_text(path).map(|(config, _)| config)
    }

    /// Like [`Config::load`], and returns the text, too.
    pub(crate) fn load_with_text(path: &Path) -> Result<(Self, String), Report> {
        let text = text_of(path)?;
        Ok((Self::read(&text, &path.display().to_string(), folder_of(path))?, text))
    }

    /// Like [`Config::load`], and returns warnings, too: a line for each.
    pub(crate) fn load_with_warnings(path: &Path) -> Result<(Self, Vec<String>), Report> {
        Self::read_with_warnings(&text_of(path)?, &path.display().to_string(), folder_of(path))
    }

    /// Checks a text named `name` in reports, with relative paths from the folder `base`.
    ///
    /// # Errors
    ///
    /// A report of every mistake in it.
    pub(crate) fn read(text: &str, name: &str, base: &Path) -> Result<Self, Report> {
        Self::read_with_warnings(text, name, base).map(|(config, _)| config)
    }

    /// Like [`Config::read`], and returns warnings, too: a line for each.
    pub(crate) fn read_with_warnings(text: &str, name: &str, base: &Path) -> Result<(Self, Vec<String>), Report> {
        check::read(text, name, base)
    }

    /// Like [`Config::load`], with the mistakes one by one.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn load_or_mistakes(path: &Path) -> Result<Self, Vec<Mistake>> {
        Self::load(path).map_err(|report| problem::mistakes(&report))
    }

    /// Checks a text, with relative paths from the folder `base`, and tells the mistakes one by one.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn read_or_mistakes(text: &str, base: &Path) -> Result<Self, Vec<Mistake>> {
        Self::read(text, "", base).map_err(|report| problem::mistakes(&report))
    }

    /// Returns true if a route has this name.
    #[must_use]
    pub fn has_route(&self, name: &str) -> bool {
        self.routes.iter().any(|route| route.name.as_deref() == Some(name))
    }

    /// Returns the number of issuers that another configuration has, too.
    #[must_use]
    pub fn common_issuers(&self, other: &Self) -> usize {
        self.issuers.iter().filter(|issuer| other.issuers.contains(issuer)).count()
    }

    /// Returns the longest time that a request may take to be judged.
    #[must_use]
    pub fn request_time(&self) -> Duration {
        self.limits.request_time
    }

    /// Returns true if tokens pass at resources alone: no route that needs one has a path outside of them.
    pub(crate) fn has_only_resources(&self) -> bool {
        let is_within = |route: &Route| route.public || self.is_within_resource(route);
        !self.resources.is_empty() && self.routes.iter().all(is_within)
    }

    /// Returns true if each token that passes without an `audience` of its issuer is for a resource, or meets a rule about the
    /// API or the client that it is for.
    pub(crate) fn knows_each_audience(&self) -> bool {
        let is_bound =
            |route: &Route| route.public || self.is_within_resource(route) || claims::bind(&route.rules.claims);
        self.has_only_resources() || (!self.routes.is_empty() && self.routes.iter().all(is_bound))
    }

    /// Returns true if all requests of a route are to one resource.
    fn is_within_resource(&self, route: &Route) -> bool {
        let covers = |pattern| self.resources.iter().any(|resource| resource.paths.covers(pattern));
        route.pattern.as_ref().is_some_and(covers)
    }

    /// Returns true if some request to a resource is under a route.
    pub(crate) fn leads_to(&self, resource: &Resource) -> bool {
        let meets = |route: &Route| route.pattern.as_ref().is_none_or(|own| own.meets(&resource.paths));
        self.routes.is_empty() || self.routes.iter().any(meets)
    }
}

fn text_of(path: &Path) -> Result<String, Report> {
    crate::files::read_text(path).map_err(|error| {
        let help = match error.kind() {
            ErrorKind::NotFound => {
                "`portcullis init --issuer URL` writes one; `--config FILE` names one that is elsewhere"
            }
            _ => "name another file by `--config FILE`, or let the user of the gateway read this one",
        };
        miette::miette!(help = help, "cannot read {}: {error}", visible(&path.display().to_string()))
    })
}

/// Returns the folder from which relative paths start.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads an issuer's rules and a route's from one table, a text named `name` in reports.
///
/// # Errors
///
/// A report of every mistake in them.
pub(crate) fn named(text: &str, name: &str) -> Result<(IssuerRules, Rules), Report> {
    check::named(text, name)
}

/// A socket to listen on: `"127.0.0.1:9080"`, or a table with `address`, `tls` and `client_certificate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Tls>,
    /// The field in which proxies that ask here hand the client's certificate on.
    pub(crate) client_certificate: Option<CertificateField>,
}

impl Listener {
    /// Returns true if both are the same socket with the same TLS.
    pub(crate) fn is_same_socket(&self, other: &Self) -> bool {
        (self.address, &self.tls) == (other.address, &other.tls)
    }
}

/// A header field with the client's certificate, which the proxy sets in place of the client's own field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateField {
    pub(crate) name: HeaderName,
    pub(crate) format: CertificateFormat,
}

/// The notation of a certificate in a field; the library's [`ClientCertificate`](portcullis::ClientCertificate) reads each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateFormat {
    Rfc9440,
    EscapedPem,
    Base64Der,
    Xfcc,
}

/// The files of certificate and key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The authority of client certificates; if set, clients have to present one.
    pub(crate) client_ca: Option<PathBuf>,
}

/// The limits on clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The number of connections on each listener.
    pub(crate) connections: usize,
    /// The number of these for one untrusted peer.
    pub(crate) connections_per_peer: usize,
    /// The number of concurrent requests on one HTTP/2 connection.
    pub(crate) streams: u32,
    /// The bytes of the header section of a request.
    pub(crate) header_bytes: usize,
    /// The bytes of a check over gRPC.
    pub(crate) check_bytes: usize,
    /// The bytes of the path of a request.
    pub(crate) path_bytes: usize,
    /// The time for the header section, and the TLS handshake before it, to arrive.
    pub(crate) header_time: Duration,
    /// The time for a request, from its header section to its answer.
    pub(crate) request_time: Duration,
    /// The longest time that a connection is kept without a request.
    pub(crate) idle_time: Duration,
    /// The time for requests in progress after SIGTERM.
    pub(crate) drain_time: Duration,
}

/// Addresses, in the notation `192.0.2.0/24`, or one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: std::net::IpAddr,
    pub(crate) prefix: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) decisions: LoggedDecisions,
    /// True if the line of a decision has the request's method, host and path.
    pub(crate) requests: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// The decisions that get a line in the log: `refused` by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoggedDecisions {
    All,
    Refused,
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Issuer {
    /// The `iss` of its tokens; for a SPIFFE trust domain its URI.
    pub(crate) name: String,
    /// The rules for its tokens.
    pub(crate) rules: IssuerRules,
    pub(crate) keys: Keys,
    /// The values of `use` that its keys may have beside `sig`.
    pub(crate) key_uses: Vec<String>,
    pub(crate) fetching: Fetching,
    /// True if `dangerously_allow_http = true` allows plain http to other machines.
    pub(crate) dangerously_allow_http: bool,
    pub(crate) introspection: Option<Introspection>,
    pub(crate) exchange: Option<Exchange>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Keys {
    Discovery,
    Uri(String),
    /// A JWK Set or PEM, and its file.
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

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Introspection {
    pub(crate) endpoint: String,
    pub(crate) client_id: String,
    pub(crate) client: Client,
    pub(crate) form: IntrospectionForm,
    pub(crate) tokens: IntrospectedTokens,
    pub(crate) timeout: Option<Duration>,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) cache_bytes: Option<usize>,
    pub(crate) remember_refusals_for: Option<Duration>,
    pub(crate) remember_refusals: Option<usize>,
    pub(crate) max_questions: Option<usize>,
    pub(crate) max_answer_bytes: Option<usize>,
    pub(crate) max_answer_age: Option<Duration>,
}

/// The token endpoint where tokens of an issuer are exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// The URL of the token endpoint; by the issuer's metadata if there is none.
    pub(crate) endpoint: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client: Client,
    pub(crate) timeout: Option<Duration>,
    pub(crate) keep_for: Option<Duration>,
    pub(crate) cache_bytes: Option<usize>,
    pub(crate) remember_refusals_for: Option<Duration>,
    pub(crate) max_questions: Option<usize>,
    pub(crate) max_answer_bytes: Option<usize>,
    pub(crate) may_outlive: Option<Duration>,
    /// True if opaque tokens are handed on unverified.
    pub(crate) dangerously_accept_unverified_tokens: bool,
    pub(crate) dangerously_accept_other_subjects: bool,
}

/// The gateway's client authentication at the introspection or token endpoint.
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
    /// No credentials.
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// The name by which a proxy may choose the route.
    pub(crate) name: Option<String>,
    /// The path; none if the route is chosen by its name alone.
    pub(crate) pattern: Option<Pattern>,
    pub(crate) hosts: Hosts,
    /// The methods; empty: every method.
    pub(crate) methods: Vec<String>,
    pub(crate) public: bool,
    /// The rules; unused if the route is public.
    pub(crate) rules: Rules,
    /// True if the upstream gets the token.
    pub(crate) forward_authorization: bool,
    /// True if the preflights of browsers pass without a token.
    pub(crate) preflight: bool,
    pub(crate) token_places: TokenPlaces,
    /// The service that the token is exchanged for, if it is.
    pub(crate) exchange: Option<Target>,
}

/// The places of a token besides `Authorization`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenPlaces {
    /// The name of a cookie.
    pub(crate) cookie: Option<String>,
    /// The name of a header field.
    pub(crate) field: Option<HeaderName>,
}

impl std::fmt::Display for Route {
    /// Writes `orders`, `/orders/*`, or `GET,PUT api.example.com/orders/*`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.name {
            return f.write_str(name);
        }
        let methods = self.methods.join(",");
        write!(f, "{methods}{}{}", if methods.is_empty() { "" } else { " " }, self.hosts)?;
        self.pattern.iter().try_for_each(|pattern| pattern.fmt(f))
    }
}

/// A header field for the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    pub(crate) name: HeaderName,
    pub(crate) source: HeaderSource,
    /// The value on requests that pass without a token.
    pub(crate) anonymous: Option<HeaderValue>,
}

/// The origin of a field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderSource {
    /// A claim by its name, or by a JSON Pointer if it starts with `/`.
    Claim { claim: String, notation: Notation },
    /// All claims, as JSON in base64url.
    Claims,
    /// The scope values of the token, with this text between them.
    Scope { separator: String },
    /// A text that is always the same.
    Text(HeaderValue),
    /// Nothing, where a request has a token.
    Nothing,
}

/// The notation of a claim in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Text as it is, anything else as JSON.
    Plain,
    Json,
    /// The elements of an array, with this text between them.
    List {
        separator: String,
    },
}

impl HeaderRule {
    /// Returns the field's content, for people.
    pub(crate) fn content(&self) -> String {
        let of_token = match &self.source {
            HeaderSource::Claim { claim, .. } => Some(format!("claim {claim}")),
            HeaderSource::Claims => Some("all claims".to_owned()),
            HeaderSource::Scope { .. } => Some("scope".to_owned()),
            HeaderSource::Text(_) => Some("a text".to_owned()),
            HeaderSource::Nothing => None,
        };
        let of_none = self.anonymous.is_some().then(|| "a text without a token".to_owned());
        of_token.into_iter().chain(of_none).collect::<Vec<_>>().join(", ")
    }
}

/// Redis or Valkey, for the entries that several gateways share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// `redis://` or `rediss://`; several for a cluster.
    pub(crate) urls: Vec<String>,
    pub(crate) cluster: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    /// The secret that seals entries; 32 bytes or more.
    pub(crate) secret: Secret,
    /// The authority of the server's certificate, in PEM, if it is not a public one.
    pub(crate) ca_pem: Option<String>,
}

/// The proofs of possession (RFC 9449).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dpop {
    /// The use on routes without their own, and where there are no routes; none if only routes tell it.
    pub(crate) used: Option<DpopUse>,
    /// The rules for proofs.
    pub(crate) rules: DpopRules,
    /// The URL of the API as clients write it; else the proxy describes it.
    pub(crate) public_url: Option<String>,
    pub(crate) nonces: Nonces,
    pub(crate) store_away: ReplayStoreAway,
}

/// The nonces that proofs are made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Nonces {
    #[default]
    Off,
    /// By the secret of the shared store; without a store, by a random one.
    On,
    /// By this secret, 32 bytes or more.
    Secret(Secret),
}

/// The collector of spans, by OpenTelemetry's protocol over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traces {
    pub(crate) endpoint: Url,
    /// The share of decisions that are traced if their request names no parent: from 0 to 1.
    pub(crate) sample: f64,
    pub(crate) service_name: String,
}

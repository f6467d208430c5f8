//! The judge: the gateway of a configuration, or a layer by the command line.

use std::{path::Path, time::SystemTime};

use miette::{IntoDiagnostic, Report};
use portcullis::{Content, Explanation, JwksService, Presented, Secure, Verifier};

use super::Arguments;
use crate::{
    config::Config,
    decision::{Asked, CertificateIn, Fault, Gateway, Original},
    routes::Overrides,
};

/// The judge of a token.
pub(super) enum Judge {
    Gateway { gateway: Box<Gateway>, request: Option<Line> },
    Layer(Secure),
}

/// The request of a token: its method, and its path or URL.
pub(crate) struct Line {
    pub(crate) method: String,
    pub(crate) path: String,
}

/// The result.
pub(crate) enum Judged {
    /// The route needs no token.
    Public {
        route: String,
    },
    /// The gateway refuses the request, whatever its token is.
    Unrouted(Fault),
    Token {
        route: Option<Route>,
        explanation: Box<Explanation>,
    },
}

/// The route of a request.
pub(crate) struct Route {
    pub(crate) name: String,
    /// True if its refusals are only reported.
    pub(crate) report_only: bool,
}

impl Judge {
    /// Makes the judge by the command line.
    ///
    /// # Errors
    ///
    /// The mistake in the configuration, or in the options.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Report> {
        let Some(config) = &arguments.config else { return layer(arguments).map(Self::Layer) };
        let line = |path: &String| Line { method: arguments.method.clone(), path: path.clone() };
        Ok(Self::Gateway { gateway: Box::new(gateway(config)?), request: arguments.path.as_ref().map(line) })
    }

    pub(super) async fn judge(&self, token: &[u8], now: SystemTime) -> Judged {
        match self {
            Self::Gateway { gateway, request } => by_gateway(gateway, request.as_ref(), token, now).await,
            Self::Layer(secure) => {
                let fields = [("authorization", &field(token)[..])];
                of_token(secure, None, &Presented::new(&fields), now).await
            }
        }
    }
}

/// Judges a request with this token by a gateway; without a request, the token by its issuers.
pub(crate) async fn by_gateway(gateway: &Gateway, request: Option<&Line>, token: &[u8], now: SystemTime) -> Judged {
    let fields = [("authorization", &field(token)[..])];
    let presented = Presented::new(&fields);
    let Some(Line { method, path }) = request else {
        return of_token(&Secure::new(gateway.issuers().verifier().clone()), None, &presented, now).await;
    };
    let presented = presented.request(method, path);
    let (host, overriding) = (host(path), Overrides::NOTHING);
    let content = Content::Unseen;
    let (scheme, certificate, traceparent) = (None, CertificateIn::Nothing, None);
    let original = Original {
        method,
        target: path,
        host,
        scheme,
        overriding,
        route: None,
        fields: &fields,
        content,
        certificate,
        traceparent,
    };
    match gateway.asked(&original) {
        Err(fault) => Judged::Unrouted(fault),
        Ok(Asked { route, secure: None, .. }) => Judged::Public { route: route.to_owned() },
        Ok(Asked { route, secure: Some(secure) }) => {
            let report_only = secure.is_report_only();
            if let Some(fault) = unmapped(gateway, secure, &presented).await.filter(|_| !report_only) {
                return Judged::Unrouted(fault);
            }
            let route = (!route.is_empty()).then(|| Route { name: route.to_owned(), report_only });
            of_token(secure, route, &presented, now).await
        }
    }
}

/// Returns the reason to refuse a good token all the same: a claim for the upstream would not arrive unchanged.
async fn unmapped(gateway: &Gateway, secure: &Secure, presented: &Presented<'_>) -> Option<Fault> {
    let verdict = secure.judge(presented).verdict().await;
    gateway.maps(verdict.outcome.ok()?.access()?).err()
}

async fn of_token(secure: &Secure, route: Option<Route>, presented: &Presented<'_>, now: SystemTime) -> Judged {
    let explanation = secure.explain(presented, now).await;
    Judged::Token { route, explanation: Box::new(explanation) }
}

/// Returns the authority of a URL; none of a path.
fn host(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("://").filter(|_| !path.starts_with('/'))?;
    rest.split(['/', '?', '#']).next()
}

/// Returns the `Authorization` field of a request with this token.
fn field(token: &[u8]) -> Vec<u8> {
    [b"Bearer ", token].concat()
}

fn gateway(config: &Path) -> Result<Gateway, Report> {
    Ok(Gateway::build(&Config::load(config)?, None)?)
}

fn layer(arguments: &Arguments) -> Result<Secure, Report> {
    let (issuer, rules) = arguments.named.read(arguments.jwks_file.as_deref())?;
    let keys = keys(arguments, issuer.issuer.as_deref())?;
    let verifier = Verifier::builder(keys).rules(issuer).build().into_diagnostic()?;
    Secure::new(verifier).rules(rules).into_diagnostic()
}

fn keys(arguments: &Arguments, issuer: Option<&str>) -> Result<JwksService, Report> {
    match (&arguments.jwks_file, &arguments.jwks_uri, issuer) {
        (Some(file), _, _) => JwksService::from_file(file),
        (None, Some(uri), _) => JwksService::new(uri),
        (None, None, Some(issuer)) => JwksService::discover(issuer).build(),
        // The command line requires one of the three.
        (None, None, None) => Ok(JwksService::empty()),
    }
    .into_diagnostic()
}

//! The judge: the gateway of a configuration, or a layer by the command line.

use std::{path::Path, time::SystemTime};

use miette::{IntoDiagnostic, Report};
use portcullis::{ClientAuthority, Dpop, Explanation, JwksService, Presented, Secure, Verifier};

use super::{Arguments, Credentials, Line, elsewhere};
use crate::{
    config::Config,
    decision::{self, Asked, CertificateIn, Fault, Gateway, Original},
    keys::of_url,
    routes::Overrides,
};

/// The judge of a token, and the request that it comes with.
pub(super) struct Judge {
    by: By,
    request: Option<Line>,
}

enum By {
    Gateway(Box<Gateway>),
    Layer(Box<Secure>),
}

/// The result.
pub(crate) enum Judged {
    /// The route needs no token.
    Public { route: String },
    /// The gateway refuses the request, whatever its token is.
    Unrouted(Fault, Remark),
    Token {
        route: Option<Route>,
        /// True if the configuration has routes or resources, and the token alone was judged.
        without_route: bool,
        explanation: Box<Explanation>,
    },
}

/// The remarks about a request that the gateway refuses: the person who asks knows it, and the log does not tell it.
#[derive(Default)]
pub(crate) struct Remark {
    /// The request's method and path, if no route has them.
    pub(crate) got: Option<String>,
    /// The remedy.
    pub(crate) hint: Option<String>,
}

/// The route of a request.
pub(crate) struct Route {
    pub(crate) name: String,
    /// True if its refusals are only reported.
    pub(crate) report_only: bool,
    /// The questions for a token of the upstream's, one for each authorization server.
    pub(crate) exchanges: Vec<String>,
}

impl Judge {
    /// Makes the judge by the command line.
    ///
    /// # Errors
    ///
    /// The mistake in the configuration, or in the options.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Report> {
        let by = match arguments.configuration()? {
            Some(config) => By::Gateway(Box::new(gateway(&config)?)),
            None => By::Layer(Box::new(layer(arguments)?)),
        };
        let request = arguments.path.as_ref().or(arguments.url.as_ref());
        Ok(Self { by, request: request.map(|request| Line::new(&arguments.method, request)) })
    }

    pub(super) async fn judge(&self, credentials: &Credentials, now: SystemTime) -> Judged {
        let request = self.request.as_ref();
        let (mut judged, knows_nonces) = match &self.by {
            By::Gateway(gateway) => (by_gateway(gateway, request, credentials, now).await, gateway.shares_nonces()),
            By::Layer(secure) => (by_layer(secure, request, credentials, now).await, true),
        };
        if let Judged::Token { explanation, .. } = &mut judged {
            elsewhere::mark(explanation, knows_nonces);
        }
        judged
    }
}

/// The help for a URL over plain http.
const INSECURE: &str = "write https, or fetch the key set yourself and name its file by --jwks-file";

/// The usual methods (RFC 9110 section 9.1, RFC 5789).
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Judges a request with these credentials by a gateway; without a request, the token by its issuers. No proof is used up.
pub(crate) async fn by_gateway(
    gateway: &Gateway,
    request: Option<&Line>,
    credentials: &Credentials,
    now: SystemTime,
) -> Judged {
    let Some(line) = request else {
        let secure = Secure::new(gateway.issuers().verifier().clone());
        return alone(&secure, credentials, gateway.needs_paths(), now).await;
    };
    let fields = credentials.fields();
    let original = Original {
        method: &line.method,
        target: &line.target,
        host: line.host(),
        scheme: line.scheme(),
        overriding: Overrides::NOTHING,
        route: None,
        fields: &fields,
        content: line.content(),
        certificate: credentials.certificate.map_or(CertificateIn::Nothing, CertificateIn::Connection),
        before: None,
        traceparent: None,
    };
    match gateway.asked(&original) {
        Err(fault) => {
            let remark = remark(gateway, &original, &fault);
            Judged::Unrouted(fault, remark)
        }
        Ok(Asked { route, secure: None, .. }) => Judged::Public { route: route.to_owned() },
        Ok(Asked { route, secure: Some(secure) }) => {
            let presented = decision::presented(&original).client_certificate(credentials.certificate);
            let report_only = secure.is_report_only();
            let explanation = secure.explain(&presented, now).await;
            // A good token is refused all the same if a claim for the upstream would not arrive unchanged.
            if let Err(fault) = gateway.maps(&explanation)
                && !report_only
            {
                return Judged::Unrouted(fault, Remark::default());
            }
            let exchanges = secure.exchanges().map(|exchange| exchange.to_string()).collect();
            let route = (!route.is_empty()).then(|| Route { name: route.to_owned(), report_only, exchanges });
            Judged::Token { route, without_route: false, explanation: Box::new(explanation) }
        }
    }
}

/// Returns the remarks about a refused request.
fn remark(gateway: &Gateway, original: &Original<'_>, fault: &Fault) -> Remark {
    let path = original.target.split('?').next().unwrap_or_default();
    let leads = |original: &Original<'_>| gateway.asked(original).is_ok();
    match fault {
        Fault::NoRoute => {
            let others: Vec<_> =
                METHODS.into_iter().filter(|method| leads(&Original { method, ..*original })).collect();
            let hint = format!("the path has a route for {}: name the method by --method", others.join(", "));
            let origin = original.scheme.zip(original.host).map(|(scheme, host)| format!("{scheme}://{host}"));
            let got = format!("{} {}{path}", original.method, origin.unwrap_or_default());
            Remark { got: Some(got), hint: Some(hint).filter(|_| !others.is_empty()) }
        }
        Fault::WrongHost | Fault::UnknownHost if original.host.is_none() => {
            let host_of = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
            let fits = |origin: &String| leads(&Original { host: host_of(origin).as_deref(), ..*original });
            let origin = gateway.resource_origins().find(fits).unwrap_or_else(|| "https://HOST".to_owned());
            Remark { got: None, hint: Some(format!("no host was given: write --url {origin}{path}")) }
        }
        _ => Remark::default(),
    }
}

/// Judges a request with these credentials by a layer, which accepts DPoP if there is a proof.
async fn by_layer(secure: &Secure, request: Option<&Line>, credentials: &Credentials, now: SystemTime) -> Judged {
    let Some(line) = request else { return alone(secure, credentials, false, now).await };
    let fields = credentials.fields();
    let authority = line.host().map_or(ClientAuthority::Unknown, ClientAuthority::Known);
    let presented = Presented::new(&fields).request(&line.method, &line.target).authority(authority);
    let presented = presented.scheme(line.scheme()).client_certificate(credentials.certificate);
    let with_dpop = credentials.has_proof().then(|| secure.clone().dpop(Dpop::allowed()));
    of_token(with_dpop.as_ref().unwrap_or(secure), &presented, false, now).await
}

/// Judges a token without a request, as a bearer token: a proof is for one request.
async fn alone(secure: &Secure, credentials: &Credentials, without_route: bool, now: SystemTime) -> Judged {
    let field = credentials.bearer_field();
    let fields = [("authorization", field.as_slice())];
    let presented = Presented::new(&fields).client_certificate(credentials.certificate);
    of_token(secure, &presented, without_route, now).await
}

async fn of_token(secure: &Secure, presented: &Presented<'_>, without_route: bool, now: SystemTime) -> Judged {
    let explanation = secure.explain(presented, now).await;
    Judged::Token { route: None, without_route, explanation: Box::new(explanation) }
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
    .map_err(|error| of_url(error, INSECURE))
}

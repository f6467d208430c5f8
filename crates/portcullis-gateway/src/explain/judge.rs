//! Who judges: the gateway that a configuration makes, or a layer by the command line.

use std::{path::Path, time::SystemTime};

use miette::{IntoDiagnostic, Report};
use portcullis::{Explanation, JwksService, Secure, Verifier};

use super::Arguments;
use crate::{
    config::{ClaimRule, Config},
    decision::{Asked, Fault, Gateway, Original},
};

/// Who judges.
pub(super) enum Judge {
    Route { gateway: Box<Gateway>, method: String, path: String },
    Layer(Secure),
}

/// What came of it.
pub(super) enum Judged {
    /// No token is asked for.
    Public {
        route: String,
    },
    /// The gateway refuses the request before it looks at a token.
    Unrouted(Fault),
    Token {
        route: Option<Route>,
        explanation: Box<Explanation>,
    },
}

/// The route that a request is under.
pub(super) struct Route {
    pub(super) name: String,
    /// What is refused there is only reported.
    pub(super) report_only: bool,
}

impl Judge {
    /// The one that the command line names.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, or with what was named.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Report> {
        match (&arguments.config, &arguments.path) {
            (None, _) => layer(arguments).map(Self::Layer),
            (Some(config), None) => Ok(Self::Layer(Secure::new(gateway(config)?.issuers().verifier().clone()))),
            (Some(config), Some(path)) => {
                let (method, path) = (arguments.method.clone(), path.clone());
                Ok(Self::Route { gateway: Box::new(gateway(config)?), method, path })
            }
        }
    }

    pub(super) async fn judge(&self, token: &[u8], now: SystemTime) -> Judged {
        let field = [b"Bearer ", token].concat();
        let authorization: &[&[u8]] = &[&field];
        let (route, secure) = match self {
            Self::Layer(secure) => (None, secure),
            Self::Route { gateway, method, path } => {
                match gateway.asked(&Original { method, target: path, authorization, traceparent: None }) {
                    Err(fault) => return Judged::Unrouted(fault),
                    Ok(Asked { route, secure: None, .. }) => return Judged::Public { route: route.to_owned() },
                    Ok(Asked { route, secure: Some(secure), report_only }) => {
                        (Some(Route { name: route.to_owned(), report_only }), secure)
                    }
                }
            }
        };
        let explanation = Box::new(secure.explain(authorization, now).await);
        Judged::Token { route: route.filter(|route| !route.name.is_empty()), explanation }
    }
}

fn gateway(config: &Path) -> Result<Gateway, Report> {
    Ok(Gateway::build(&Config::load(config)?, None)?)
}

fn layer(arguments: &Arguments) -> Result<Secure, Report> {
    let secure = Secure::new(verifier(arguments)?).scope(arguments.scope.iter().filter(|scope| !scope.is_empty()));
    Ok(arguments.claim.iter().fold(secure, |secure, ClaimRule { name, value }| match value {
        Some(value) => secure.claim_value(name, value.clone()),
        None => secure.claim(name),
    }))
}

fn verifier(arguments: &Arguments) -> Result<Verifier, Report> {
    let jwks = keys(arguments)?;
    let mut audiences = arguments.audience.iter();
    let mut builder = match (&arguments.issuer, arguments.rfc9068) {
        (Some(issuer), true) => {
            Verifier::rfc9068(jwks, issuer, audiences.next().map(String::as_str).unwrap_or_default())
        }
        (Some(issuer), false) => Verifier::builder(jwks).issuer(issuer),
        (None, _) => Verifier::builder(jwks),
    };
    builder = audiences.fold(builder, |builder, audience| builder.audience(audience));
    if !arguments.algorithm.is_empty() {
        builder = builder.algorithms(arguments.algorithm.iter().copied());
    }
    if let Some(leeway) = arguments.leeway {
        builder = builder.leeway(leeway);
    }
    builder.build().into_diagnostic()
}

fn keys(arguments: &Arguments) -> Result<JwksService, Report> {
    match (&arguments.jwks_file, &arguments.jwks_uri, &arguments.issuer) {
        (Some(file), _, _) => JwksService::from_file(file),
        (None, Some(uri), _) => JwksService::new(uri),
        (None, None, Some(issuer)) => JwksService::discover(issuer).build(),
        // The command line is not accepted without one of the three.
        (None, None, None) => Ok(JwksService::empty()),
    }
    .into_diagnostic()
}

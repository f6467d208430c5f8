//! All that decides, of one configuration.

use std::net::IpAddr;

use http::{HeaderValue, header::AUTHORIZATION};
use portcullis::{
    Access, ConfigurationError, Ground, Judging, Pending, Presented, Refusal, Rules, Secure, Verdict, Verifier,
    names::steps,
};

use super::{
    BuildError, Decision, Fault, Issuers, Original, Pass, Refused, Reported, headers::Headers, telling::Counts,
};
use crate::{
    config::{Config, LoggedDecisions, Network, Route},
    routes::Routes,
};

/// All that decides, of one configuration; a reload makes another.
pub(crate) struct Gateway {
    issuers: Issuers,
    routes: Routes,
    /// What each route asks for, in the order of the routes.
    rules: Vec<Rule>,
    /// What is asked for where there are no routes: any valid token.
    anywhere: Option<Rule>,
    headers: Headers,
    trusted_proxies: Vec<Network>,
    problem_json: bool,
    pub(super) logged: LoggedDecisions,
    counts: Counts,
}

/// What a route asks for; without a layer, nothing.
struct Rule {
    name: String,
    secure: Option<Secure>,
}

impl Rule {
    fn new(name: String, rules: &Rules, verifier: &Verifier) -> Result<Self, BuildError> {
        let secure = Secure::new(verifier.clone()).rules(rules.clone());
        let refused = |error: ConfigurationError| BuildError { issuer: None, problem: error.to_string() };
        Ok(Self { name, secure: Some(secure.map_err(refused)?) })
    }
}

/// A request, judged as far as that is possible without waiting.
pub(super) enum Judged {
    /// The decision, and the ground of the verdict on its token.
    Done(Decision, Option<Ground>),
    /// The route of the request, and the verdict to wait for.
    Waits(Under, Pending),
}

/// The route that a request is under, and the judge there.
pub(super) struct Under {
    route: Option<usize>,
    secure: Secure,
}

/// What is asked for under the route that a request is under.
pub(crate) struct Asked<'a> {
    /// The route's name; empty where there are no routes.
    pub(crate) route: &'a str,
    /// None: nothing is asked for.
    pub(crate) secure: Option<&'a Secure>,
}

impl Gateway {
    /// Makes what decides by this configuration; issuers that are the same as before stay as they are.
    ///
    /// # Errors
    ///
    /// What of the configuration the library or the store refuses.
    pub(crate) fn build(config: &Config, before: Option<&Issuers>) -> Result<Self, BuildError> {
        let issuers = Issuers::new(config, before)?;
        let names: Vec<_> = config.routes.iter().map(name).collect();
        let counts = Counts::new(&names);
        let rule = |(route, name): (&Route, String)| match route.public {
            true => Ok(Rule { name, secure: None }),
            false => Rule::new(name, &route.rules, issuers.verifier()),
        };
        let rules = config.routes.iter().zip(names).map(rule).collect::<Result<_, _>>()?;
        let anywhere = || Rule::new(String::new(), &config.rules, issuers.verifier());
        let anywhere = config.routes.is_empty().then(anywhere).transpose()?;
        Ok(Self {
            issuers,
            rules,
            routes: Routes::new(config.routes.iter().map(|route| (&route.pattern, route.methods.as_slice())))
                .up_to(config.limits.path_bytes),
            anywhere,
            headers: Headers::new(&config.headers),
            trusted_proxies: config.trusted_proxies.clone(),
            problem_json: config.rules.problem_json,
            logged: config.log.decisions,
            counts,
        })
    }

    /// Finds the route of a request, and judges it as far as that is possible without waiting.
    pub(super) fn judge(&self, original: &Original<'_>) -> Judged {
        let (route, rule) = match self.rule(original) {
            Ok(found) => found,
            Err(fault) => return Judged::Done(self.faulty(&fault), None),
        };
        let Some(secure) = &rule.secure else { return Judged::Done(self.settle_public(route), None) };
        let presented = Presented::new(original.fields).request(original.method, original.target);
        match secure.judge(&presented) {
            Judging::Done(verdict) => {
                let ground = verdict.ground;
                Judged::Done(self.settle(route, secure, verdict), ground)
            }
            Judging::Waits(pending) => Judged::Waits(Under { route, secure: secure.clone() }, pending),
        }
    }

    /// The decision about a request whose verdict was waited for.
    pub(super) fn conclude(&self, Under { route, secure }: &Under, verdict: Verdict) -> Decision {
        self.settle(*route, secure, verdict)
    }

    /// The refusal of a request that has not come so far as to be judged.
    pub(crate) fn faulty(&self, fault: &Fault) -> Decision {
        Decision { route: None, outcome: Err(fault.refused(self.problem_json)) }
    }

    /// Tells whether this peer is answered, and its word about the original request counts.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(peer))
    }

    /// Whether any request has to say which route it is for.
    pub(crate) fn has_routes(&self) -> bool {
        self.anywhere.is_none()
    }

    /// Whether only the gateway may set a header field of this name, also with another mark for `-`.
    pub(crate) fn owns_header(&self, name: &str) -> bool {
        self.headers.owns(name)
    }

    /// Whether a header field of this name would pass for one of the gateway's, with another mark for `-`.
    pub(crate) fn is_forged_header(&self, name: &str) -> bool {
        self.headers.forges(name)
    }

    /// Tells whether all that the upstream is to get of a token arrives.
    ///
    /// # Errors
    ///
    /// Which claim does not.
    pub(crate) fn maps(&self, access: &Access) -> Result<(), Fault> {
        self.headers.of(Some(access)).map(drop)
    }

    /// Tells whether a `Connection` field names a field of the gateway's, or `Authorization`.
    pub(crate) fn is_dropped_by(&self, connection: &[u8]) -> bool {
        self.headers.are_dropped_by(connection)
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The name of each route, for people.
    pub(crate) fn route_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// The name of a route, for people.
    pub(super) fn name_of(&self, route: Option<usize>) -> Option<&str> {
        self.rules.get(route?).map(|rule| rule.name.as_str())
    }

    /// What is asked of a request, without a decision about it.
    ///
    /// # Errors
    ///
    /// Why it is under no route.
    pub(crate) fn asked(&self, original: &Original<'_>) -> Result<Asked<'_>, Fault> {
        let (_, rule) = self.rule(original)?;
        Ok(Asked { route: &rule.name, secure: rule.secure.as_ref() })
    }

    fn rule(&self, original: &Original<'_>) -> Result<(Option<usize>, &Rule), Fault> {
        if let Some(anywhere) = &self.anywhere {
            return Ok((None, anywhere));
        }
        tracing::trace!(name: steps::STEP, target: steps::TARGET, step = steps::FIND_ROUTE);
        let route = self.routes.find_with(original.method, original.overriding, original.target)?;
        let rule = self.rules.get(route).ok_or(Fault::NoRoute)?;
        Ok((Some(route), rule))
    }

    /// From the library's verdict to the answer for the proxy.
    fn settle(&self, route: Option<usize>, secure: &Secure, verdict: Verdict) -> Decision {
        let Verdict { outcome, would_refuse, .. } = verdict;
        let outcome = match outcome {
            Ok(admitted) => self.pass(admitted.into_access(), would_refuse.as_ref().map(Into::into)),
            Err(refusal) => return Decision { route, outcome: Err(refused(secure, &refusal)) },
        };
        let outcome = match outcome {
            Err(fault) if secure.is_report_only() => self.pass(None, Some((&fault).into())),
            outcome => outcome,
        };
        Decision { route, outcome: outcome.map_err(|fault| fault.refused(self.problem_json)) }
    }

    fn settle_public(&self, route: Option<usize>) -> Decision {
        Decision { route, outcome: self.pass(None, None).map_err(|fault| fault.refused(self.problem_json)) }
    }

    fn pass(&self, access: Option<Access>, would_refuse: Option<Reported>) -> Result<Pass, Fault> {
        let headers = self.headers.of(access.as_ref())?;
        let phantom = access.as_ref().and_then(|access| access.token().phantom_jwt());
        let authorization = phantom.map(bearer).transpose()?;
        Ok(Pass { headers, authorization, access, would_refuse })
    }
}

impl From<&Refusal> for Reported {
    fn from(refusal: &Refusal) -> Self {
        Self { code: refusal.code(), reason: refusal.to_string() }
    }
}

impl From<&Fault> for Reported {
    fn from(fault: &Fault) -> Self {
        Self { code: fault.code(), reason: fault.reason().into_owned() }
    }
}

/// `/orders/*`, or `GET,PUT /orders/*`.
fn name(route: &Route) -> String {
    let methods = route.methods.join(",");
    format!("{methods}{}{}", if methods.is_empty() { "" } else { " " }, route.pattern)
}

fn refused(secure: &Secure, refusal: &Refusal) -> Refused {
    Refused { code: refusal.code(), reason: refusal.to_string(), response: secure.answer(refusal) }
}

fn bearer(jwt: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(format!("Bearer {jwt}"))
        .map_err(|_| Fault::UnmappableClaim { field: AUTHORIZATION, got: "what is no token" })?;
    value.set_sensitive(true);
    Ok(value)
}

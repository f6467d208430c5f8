//! The deciding parts of one configuration.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderValue, header::AUTHORIZATION};
use metrics::gauge;
use portcullis::{
    Access, AccessRejection, ClientAddress, ClientAuthority, ExchangedToken, Exchanging, Explanation, Ground, Judging,
    Pending, Presented, Refusal, ResourceDocument, Secure, Verdict, names::steps,
};

use super::{
    Authorization, BuildError, CommonMemory, Decision, Door, Fault, Issuers, Original, Pass, Refused, Reported,
    challenges::with_challenges_in_one_field,
    headers::{Contents, Headers, JUDGED_FOR_MCP},
    layers::{self, Rule},
    places::{self, Moved},
    preflight,
    proofs::Proofs,
    resources::Resources,
    telling::Counts,
};
use crate::{
    config::{CertificateField, Config, Listener, Log, Network, Resource},
    routes::{Routes, Unrouted},
    telemetry::names,
};

/// The deciding parts of one configuration; a reload makes another.
pub struct Gateway {
    issuers: Issuers,
    proofs: Proofs,
    routes: Routes,
    /// The name by which a proxy may choose each route.
    names: Vec<Option<String>>,
    resources: Resources,
    /// The layer that describes each resource.
    described: Vec<Secure>,
    /// The rules of each route, in the order of the routes.
    rules: Vec<Rule>,
    /// The rules where there are no routes: any valid token passes, of a resource if there are resources.
    anywhere: Option<Rule>,
    headers: Headers,
    /// The fields with the client's certificate, of forward-auth and ext_authz.
    certificate_fields: [Option<CertificateField>; 2],
    trusted_proxies: Vec<Network>,
    forwarded: bool,
    moves_cookies: bool,
    problem_json: bool,
    content_bytes: usize,
    pub(super) log: Log,
    counts: Counts,
}

/// A request, judged as far as possible without waiting.
pub(super) enum Judged {
    /// The decision, and the ground of the verdict on its token.
    Done(Decision, Option<Ground>),
    /// The rules of the request, and the verdict to wait for.
    Waits(Under, Pending),
    /// The request is admitted, and its token is being exchanged.
    Exchanges(Box<Admission>),
}

/// A request that is admitted once its token is exchanged.
pub(super) struct Admission {
    under: Under,
    pub(super) verdict: Verdict,
    exchanging: Exchanging,
}

/// A request whose verdict is known.
pub(super) enum Concluded {
    Done(Decision),
    Exchanges(Box<Admission>),
}

/// The outcome of a token exchange.
type Exchanged = Result<ExchangedToken, AccessRejection>;

/// A route, and its layer that judges the request.
pub(super) struct Under {
    route: Option<usize>,
    layer: Secure,
    moved: Moved,
}

/// The rules for a request.
pub(crate) struct Asked<'a> {
    /// The route's name; empty where there are no routes.
    pub(crate) route: &'a str,
    /// The judge of the route; none if the route is public.
    pub(crate) secure: Option<&'a Secure>,
}

impl Gateway {
    /// Builds a configuration's deciding parts; issuers that did not change are taken over, and the memory of used proofs is in any
    /// case.
    ///
    /// # Errors
    ///
    /// The part of the configuration that the library or the store refuses.
    pub fn build(config: &Config, before: Option<&Self>) -> Result<Self, BuildError> {
        Self::sharing(config, before, None)
    }

    /// Like [`Gateway::build`], for one of several processes that have memory in common.
    ///
    /// # Errors
    ///
    /// Those of [`Gateway::build`].
    pub fn sharing(
        config: &Config,
        before: Option<&Self>,
        common: Option<&Arc<dyn CommonMemory>>,
    ) -> Result<Self, BuildError> {
        let issuers = Issuers::new(config, before.map(Self::issuers), common)?;
        let proofs = Proofs::new(config, issuers.store(), before.map(|before| &before.proofs), common)?;
        let names: Vec<_> = config.routes.iter().map(ToString::to_string).collect();
        let counts = Counts::new(&names);
        let rules = Rule::of_routes(config, names, &issuers, &proofs)?;
        let anywhere = || Rule::anywhere(config, &issuers, &proofs);
        let anywhere = config.routes.is_empty().then(anywhere).transpose()?;
        let all: Vec<_> = rules.iter().chain(&anywhere).collect();
        let described = layers::described(config, &all, &issuers, &proofs)?;
        let certificate_field = |listener: &Listener| listener.client_certificate.clone();
        let certificate_fields =
            [certificate_field(&config.forward_auth), config.grpc.as_ref().and_then(certificate_field)];
        let of_certificates = certificate_fields.iter().flatten().map(|field| &field.name);
        let of_tokens = config.routes.iter().filter_map(|route| route.token_places.field.as_ref());
        let has_mcp = config.resources.iter().any(|resource| resource.rules.mcp.is_some());
        let of_mcp = JUDGED_FOR_MCP.iter().filter(|_| has_mcp);
        let headers = Headers::new(&config.headers, of_certificates.chain(of_tokens).chain(of_mcp));
        Ok(Self {
            rules,
            routes: Routes::new(
                config.routes.iter().map(|route| (route.pattern.as_ref(), &*route.methods, route.hosts.clone())),
            )
            .up_to(config.limits.path_bytes),
            names: config.routes.iter().map(|route| route.name.clone()).collect(),
            resources: Resources::new(&config.resources, issuers.resources(), config.limits.path_bytes),
            anywhere,
            headers,
            certificate_fields,
            trusted_proxies: config.trusted_proxies.clone(),
            forwarded: config.forwarded,
            moves_cookies: config.routes.iter().any(|route| route.token_places.cookie.is_some()),
            problem_json: config.rules.problem_json,
            content_bytes: config.resources.iter().map(Resource::content_bytes).max().unwrap_or_default(),
            log: config.log,
            counts,
            described,
            proofs,
            issuers,
        })
    }

    /// Finds the rules for a request, and judges it as far as possible without waiting.
    pub(super) fn judge(&self, original: &Original<'_>) -> Judged {
        if let Some(route) = self.preflighted(original) {
            return Judged::Done(self.settle_public(route, original), None);
        }
        let (route, layer) = match self.rules(original) {
            Ok((route, Some(layer))) => (route, layer),
            Ok((route, None)) => return Judged::Done(self.settle_public(route, original), None),
            Err(fault) => return Judged::Done(self.faulty(&fault), None),
        };
        let moved = match self.rule_of(route).map(|rule| places::moved(&rule.token_places, original)).transpose() {
            Ok(moved) => moved.unwrap_or_default(),
            Err(fault) => return Judged::Done(self.settle_pass(route, layer, Err(fault)), None),
        };
        let certificate = match original.certificate.read(original.fields) {
            Ok(certificate) => certificate,
            Err(fault) => return Judged::Done(self.settle_pass(route, layer, Err(fault)), None),
        };
        let presented = presented(original).content(original.content).client_certificate(certificate);
        match layer.judge(&presented) {
            Judging::Done(verdict) => {
                let ground = verdict.ground;
                match self.conclude_by(route, layer, moved, verdict) {
                    Concluded::Done(decision) => Judged::Done(decision, ground),
                    Concluded::Exchanges(admission) => Judged::Exchanges(admission),
                }
            }
            Judging::Waits(pending) => Judged::Waits(Under { route, layer: layer.clone(), moved }, pending),
        }
    }

    /// Returns the decision about a request, given its verdict; it waits if the token has to be exchanged.
    pub(super) fn conclude(&self, Under { route, layer, moved }: Under, verdict: Verdict) -> Concluded {
        self.conclude_by(route, &layer, moved, verdict)
    }

    fn conclude_by(&self, route: Option<usize>, layer: &Secure, moved: Moved, verdict: Verdict) -> Concluded {
        let exchanged = match self.exchanging(route, &verdict).map(Exchanging::now).transpose() {
            Ok(exchanged) => exchanged,
            Err(exchanging) => {
                let under = Under { route, layer: layer.clone(), moved };
                return Concluded::Exchanges(Box::new(Admission { under, verdict, exchanging }));
            }
        };
        Concluded::Done(self.settle(route, layer, moved, verdict, exchanged))
    }

    /// Returns the decision about a request once its token is exchanged.
    pub(super) async fn exchanged(&self, admission: Admission, client: Option<ClientAddress>) -> Decision {
        let Admission { under: Under { route, layer, moved }, verdict, exchanging } = admission;
        let exchanged = exchanging.by_client(client).await;
        self.settle(route, &layer, moved, verdict, Some(exchanged))
    }

    /// Begins the exchange of an admitted request's token, if the route exchanges tokens.
    fn exchanging(&self, route: Option<usize>, verdict: &Verdict) -> Option<Exchanging> {
        let access = verdict.outcome.as_ref().ok()?.access()?;
        self.exchanges(route).then(|| access.exchange(layers::UPSTREAM))
    }

    /// Returns the refusal of a request that cannot be judged.
    pub(crate) fn faulty(&self, fault: &Fault) -> Decision {
        Decision { route: None, outcome: Err(fault.refused(self.problem_json)) }
    }

    /// Returns true if this peer is answered, and its description of the original request counts.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(peer))
    }

    /// Returns true if proxies describe the client's connection in `Forwarded` (RFC 7239): clients cannot write it then.
    pub(crate) fn reads_forwarded(&self) -> bool {
        self.forwarded
    }

    /// Returns true if the token of a request may come in a cookie, which then does not reach the upstream.
    pub(crate) fn moves_cookies(&self) -> bool {
        self.moves_cookies
    }

    /// Returns the field in which proxies at this door hand the client's certificate on.
    pub(crate) fn certificate_field(&self, door: Door) -> Option<&CertificateField> {
        let [forward_auth, ext_authz] = &self.certificate_fields;
        match door {
            Door::ForwardAuth => forward_auth.as_ref(),
            Door::ExtAuthz => ext_authz.as_ref(),
            Door::Nginx => None,
        }
    }

    /// Returns true if each request must name its path, since there are routes or resources.
    pub(crate) fn needs_paths(&self) -> bool {
        self.anywhere.is_none() || self.has_resources()
    }

    /// Returns true if there are protected resources.
    pub fn has_resources(&self) -> bool {
        !self.issuers.resources().is_empty()
    }

    /// Returns the length of the longest content that is judged; 0 if none is.
    pub(crate) fn content_bytes(&self) -> usize {
        self.content_bytes
    }

    /// Returns the metadata of each resource, in the order of the configuration.
    pub(crate) fn all_metadata(&self) -> impl Iterator<Item = ResourceDocument> {
        self.described.iter().filter_map(Secure::resource_document)
    }

    /// Returns the metadata of the resource that has them at this host and path.
    pub fn metadata(&self, host: Option<&str>, path: &str) -> Option<ResourceDocument> {
        let resource = self.resources.described_at(host?, path)?;
        self.described.get(resource)?.resource_document()
    }

    /// Returns true if only the gateway may set a header field of this name, also with another character for `-`.
    pub fn owns_header(&self, name: &str) -> bool {
        self.headers.owns(name)
    }

    /// Returns true if a header field of this name would pass for one of the gateway's, with another character for `-`.
    pub(crate) fn is_forged_header(&self, name: &str) -> bool {
        self.headers.forges(name)
    }

    /// Checks that every claim of a token that would pass survives as a header field for the upstream.
    ///
    /// # Errors
    ///
    /// The first claim that does not.
    pub(crate) fn maps(&self, explanation: &Explanation) -> Result<(), Fault> {
        let claims = explanation.vouched_claims().filter(|_| explanation.refusal().is_none());
        let token = claims.map(|claims| Contents::Explained(explanation, claims));
        token.map_or(Ok(()), |token| self.headers.of(Some(token)).map(drop))
    }

    /// Returns true if a `Connection` field names a field of the gateway's, or one that decisions depend on.
    pub fn is_dropped_by(&self, connection: &[u8]) -> bool {
        self.headers.are_dropped_by(connection)
    }

    /// Returns true if another process with the same configuration knows the nonces of this one.
    pub(crate) fn shares_nonces(&self) -> bool {
        self.proofs.shares_nonces()
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Fetches the keys of all issuers, so that the first requests find them.
    pub fn prefetch(&self) -> impl Future<Output = ()> + Send + 'static {
        let issuers = self.issuers.clone();
        async move { issuers.prefetch().await }
    }

    /// Sets the gauges of caches and keys to their values of now.
    pub fn refresh_gauges(&self) {
        for (kind, (tokens, bytes)) in self.issuers.caches() {
            gauge!(names::CACHE_TOKENS.name, "kind" => kind).set(float(tokens));
            gauge!(names::CACHE_BYTES.name, "kind" => kind).set(float(bytes));
        }
        for status in self.issuers.each().iter().map(|served| served.jwks.status()) {
            if let (Some(source), Some(age)) = (status.source, status.age) {
                gauge!(names::KEY_AGE.name, "source" => source).set(age.as_secs_f64());
            }
        }
    }

    /// Returns the name of each route, for people.
    pub(crate) fn route_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// Returns the scheme and host of each resource.
    pub(crate) fn resource_origins(&self) -> impl Iterator<Item = String> {
        let origin = |url: &str| url.split_once(ResourceDocument::WELL_KNOWN).map(|(origin, _)| origin.to_owned());
        self.all_metadata().filter_map(move |document| origin(document.url()))
    }

    /// Returns the name of a route, for people.
    pub(super) fn name_of(&self, route: Option<usize>) -> Option<&str> {
        self.rules.get(route?).map(|rule| rule.name.as_str())
    }

    /// Returns the rules for a request, without a decision about it.
    ///
    /// # Errors
    ///
    /// The fault, if it is under no route.
    pub(crate) fn asked(&self, original: &Original<'_>) -> Result<Asked<'_>, Fault> {
        let (route, layer) = self.rules(original)?;
        Ok(Asked { route: self.name_of(route).unwrap_or_default(), secure: layer })
    }

    /// Returns the route of a request and the layer that judges it, which depends on the resource; none if the route is
    /// public.
    fn rules(&self, original: &Original<'_>) -> Result<(Option<usize>, Option<&Secure>), Fault> {
        let (route, rule) = self.rule(original)?;
        let resource = self.resources.find(original);
        let Some(layers) = &rule.layers else {
            // An open route may name a resource's path, at any host. No route names one that is the resource's to some servers alone.
            return if resource == Err(Fault::AmbiguousPath) { Err(Fault::AmbiguousPath) } else { Ok((route, None)) };
        };
        let resource = resource?;
        layers.of(resource).map(|layer| (route, Some(layer))).ok_or_else(|| self.unrouted(Unrouted::NoRoute, original))
    }

    fn rule(&self, original: &Original<'_>) -> Result<(Option<usize>, &Rule), Fault> {
        if let Some(anywhere) = &self.anywhere {
            return Ok((None, anywhere));
        }
        tracing::trace!(name: steps::STEP, target: steps::TARGET, step = steps::FIND_ROUTE);
        let route = match original.route {
            Some(name) => {
                let route = self.named(name).ok_or(Fault::UnknownRoute)?;
                self.routes.check_named(route, original.line())?;
                route
            }
            None => self.routes.find_with(original.line()).map_err(|unrouted| self.unrouted(unrouted, original))?,
        };
        let rule = self.rules.get(route).ok_or(Fault::NoRoute)?;
        Ok((Some(route), rule))
    }

    /// Returns the index of the route with this name.
    fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own.as_deref() == Some(name))
    }

    /// Returns the route of the request that a preflight asks about, if preflights pass there.
    #[expect(clippy::option_option, reason = "there may be no routes")]
    fn preflighted(&self, original: &Original<'_>) -> Option<Option<usize>> {
        let method = preflight::method_of(original)?;
        let (route, layer) = self.rules(&Original { method, ..*original }).ok()?;
        let rule = self.rule_of(route)?;
        let is_allowed = layer.is_none_or(|layer| layer.allows_origin(original.fields));
        let has_token = places::has_field(&rule.token_places, original.fields);
        (rule.lets_preflights_pass && is_allowed && !has_token).then_some(route)
    }

    /// Returns the fault of a request under no route, which may be one for metadata that the proxy should have forwarded.
    fn unrouted(&self, unrouted: Unrouted, original: &Original<'_>) -> Fault {
        match unrouted {
            Unrouted::NoRoute if self.has_resources() && original.target.starts_with(ResourceDocument::WELL_KNOWN) => {
                Fault::MetadataNotForwarded
            }
            other => other.into(),
        }
    }

    /// Turns the library's verdict into the decision for the proxy.
    fn settle(
        &self,
        route: Option<usize>,
        secure: &Secure,
        moved: Moved,
        verdict: Verdict,
        exchanged: Option<Exchanged>,
    ) -> Decision {
        let would_refuse = verdict.would_refuse().map(Into::into);
        let exchanged = match exchanged.transpose() {
            Ok(exchanged) => exchanged,
            Err(rejection) => return Decision { route, outcome: Err(refused(secure, rejection.refusal())) },
        };
        let outcome = match verdict.outcome {
            Ok(admitted) => self.pass(admitted.into_access(), would_refuse),
            Err(refusal) => return Decision { route, outcome: Err(refused(secure, &refusal)) },
        };
        let outcome = outcome.map(|pass| Pass { dpop_nonce: secure.dpop_nonce(), ..pass.with(moved) });
        let Decision { route, outcome } = self.settle_pass(route, secure, outcome);
        Decision { route, outcome: outcome.map(|pass| self.with_exchanged(route, pass, exchanged.as_ref())) }
    }

    /// Gives the upstream the exchanged token where the route exchanges tokens, and never the client's.
    fn with_exchanged(&self, route: Option<usize>, pass: Pass, exchanged: Option<&ExchangedToken>) -> Pass {
        match exchanged {
            Some(token) => Pass { authorization: Authorization::Replaced(token.authorization()), ..pass },
            None if self.exchanges(route) => pass.without_token(),
            None => pass,
        }
    }

    /// Returns the decision about a request with a fault of the gateway's own, or none; in shadow mode the fault is reported alone.
    fn settle_pass(&self, route: Option<usize>, secure: &Secure, outcome: Result<Pass, Fault>) -> Decision {
        let outcome = match outcome {
            Err(fault) if secure.is_report_only() => self.pass(None, Some((&fault).into())),
            outcome => outcome,
        };
        let forwards = secure.forwards_authorization() && self.forwards_authorization(route);
        let outcome = outcome.map(|pass| if forwards { pass } else { pass.without_token() });
        Decision { route, outcome: outcome.map_err(|fault| fault.refused(self.problem_json)) }
    }

    fn settle_public(&self, route: Option<usize>, original: &Original<'_>) -> Decision {
        let outcome = self.pass(None, None).map_err(|fault| fault.refused(self.problem_json));
        let forwards =
            self.forwards_authorization(route) && !self.exchanges(route) && self.resource_gets_tokens(original);
        Decision { route, outcome: outcome.map(|pass| if forwards { pass } else { pass.without_token() }) }
    }

    /// Returns true if the resource of a request gets tokens: an MCP server does not. One that is not clearly of a resource may be of any.
    fn resource_gets_tokens(&self, original: &Original<'_>) -> bool {
        let resources = self.issuers.resources();
        match self.resources.find(original) {
            Ok(found) => found.and_then(|index| resources.get(index)).is_none_or(Secure::forwards_authorization),
            Err(_) => resources.iter().all(Secure::forwards_authorization),
        }
    }

    /// Returns true if the upstream gets the token of requests under this route.
    fn forwards_authorization(&self, route: Option<usize>) -> bool {
        self.rule_of(route).is_some_and(|rule| rule.forwards_authorization)
    }

    /// Returns true if requests under this route pass with an exchanged token, or without any.
    fn exchanges(&self, route: Option<usize>) -> bool {
        self.rule_of(route).is_some_and(|rule| rule.exchanges)
    }

    fn rule_of(&self, route: Option<usize>) -> Option<&Rule> {
        route.map_or(self.anywhere.as_ref(), |route| self.rules.get(route))
    }

    fn pass(&self, access: Option<Access>, would_refuse: Option<Reported>) -> Result<Pass, Fault> {
        let headers = self.headers.of(access.as_ref().map(Contents::Of))?;
        let phantom = access.as_ref().and_then(|access| access.token().phantom_jwt());
        let authorization = phantom.map(bearer).transpose()?.map_or(Authorization::AsSent, Authorization::Replaced);
        Ok(Pass { headers, authorization, access, would_refuse, dpop_nonce: None })
    }
}

/// Describes a request to its layer, by the method of the request line.
pub(crate) fn presented<'a>(original: &Original<'a>) -> Presented<'a> {
    let authority = original.host.map_or(ClientAuthority::Unknown, ClientAuthority::Known);
    let presented = Presented::new(original.fields).request(original.method, original.target);
    presented.authority(authority).scheme(original.scheme).after(original.before)
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

fn refused(secure: &Secure, refusal: &Refusal) -> Refused {
    let response = with_challenges_in_one_field(secure.answer(refusal));
    Refused { code: refusal.code(), reason: refusal.to_string(), response }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn float(count: usize) -> f64 {
    count as f64
}

pub(super) fn bearer(jwt: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(format!("Bearer {jwt}"))
        .map_err(|_| Fault::UnmappableClaim { field: AUTHORIZATION, got: "an unreadable token" })?;
    value.set_sensitive(true);
    Ok(value)
}

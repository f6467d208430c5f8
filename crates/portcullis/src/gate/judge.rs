//! The judge of requests: finds the token, verifies it and checks it against the policy.

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header::AUTHORIZATION};

use super::{
    Access, Admitted, Anonymous, Dpop, Judging, Pending, Presented, Verdict,
    access::UsedProof,
    dpop::not_first,
    exchanges::Exchanges,
    judging::{Asked, Facts, Stop},
};
use crate::{
    bearer::{self, BearerToken, CredentialRules, Credentials, TokenSource},
    challenge::{Challenge, Told},
    claims::VerifiedToken,
    mcp::{Mcp, Needed},
    names::steps,
    policy::{InvalidTokenStatus, Policy, Rules},
    proof::{DpopUse, Possession, PossessionRules, ProvenToken, Sender, ShownProof},
    refusal::{Refusal, RequestFault, TokenFault},
    replay::{Lookup, ReplayFault},
    resource::{RegisteredScopes, Resource, ResourceDocument},
    telemetry,
    verifier::{Ground, Verified, Verifier, Verifying},
};

/// The configuration of a gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    pub(super) rules: Rules,
    /// The mistake in the rules, which was logged.
    mistake: Option<String>,
    pub(crate) policy: Policy,
    pub(super) challenge: Challenge,
    pub(super) sources: Vec<TokenSource>,
    resource: Option<Arc<Resource>>,
    /// The rules of the resource, if it is an MCP server.
    pub(super) mcp: Option<Arc<Mcp>>,
    /// The rules for DPoP proofs, where DPoP is accepted.
    pub(super) dpop: Option<Dpop>,
    pub(super) exchanges: Exchanges,
    /// The scope of these rules in the resource's document, for as long as the gate lives.
    registered: Option<RegisteredScopes>,
}

impl Gate {
    pub(super) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            rules: Rules::default(),
            mistake: None,
            policy: Policy::default(),
            challenge: Challenge::default(),
            sources: vec![TokenSource::authorization()],
            resource: None,
            mcp: None,
            dpop: None,
            exchanges: Exchanges::default(),
            registered: None,
        }
    }

    /// The gate of a protected resource.
    pub(super) fn of_resource(verifier: Verifier, resource: Resource) -> Self {
        let mut gate = Self { resource: Some(Arc::new(resource)), ..Self::new(verifier) };
        gate.change_rules(|_| {});
        gate
    }

    /// Changes the rules, and makes policy and challenge anew from them. A mistake is logged once.
    pub(super) fn change_rules(&mut self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.rules);
        let mistake = self.rules.check().err().map(|error| error.to_string());
        if let Some(problem) = mistake.as_deref().filter(|_| mistake != self.mistake) {
            telemetry::rule_mistaken(problem);
        }
        self.mistake = mistake;
        if self.dpop_use() != DpopUse::Off && self.dpop.is_none() {
            self.dpop = Some(Dpop::by_rules());
        }
        self.policy = Policy::new(&self.rules, std::mem::take(&mut self.policy.own));
        self.mcp = self.resource.as_ref().and_then(|resource| resource.mcp(&self.policy)).map(Arc::new);
        if self.mcp.is_some() {
            // MCP asks for it ("Authorization", "Token Handling").
            self.rules.invalid_token_status = InvalidTokenStatus::Unauthorized;
        }
        let told =
            self.resource.as_ref().map(|resource| Told::new(resource.metadata_url(), self.policy.scope.values()));
        let dpop = self.accepted_dpop().map(|dpop| dpop.told(self.dpop_use()));
        self.challenge = Challenge::new(&self.rules, told, dpop, self.challenge.own_body.take());
        let of_operations = self.mcp.iter().flat_map(|mcp| mcp.scopes());
        let scopes = || self.policy.scope.values().chain(of_operations).map(str::to_owned).collect();
        self.registered = self.resource.as_ref().map(|resource| resource.register(scopes()));
    }

    /// The resource that the gate protects, if it has a description.
    pub(crate) fn resource(&self) -> Option<&Resource> {
        self.resource.as_deref()
    }

    /// The document about the resource as it is now.
    pub(super) fn resource_document(&self) -> Option<ResourceDocument> {
        let dpop = self.accepted_dpop().map(|dpop| dpop.in_document(self.dpop_use()));
        Some(self.resource.as_ref()?.document(self.sources.contains(&TokenSource::authorization()), dpop))
    }

    pub(crate) fn max_token_bytes(&self) -> usize {
        self.rules.max_token_bytes.unwrap_or_else(|| self.verifier.max_token_bytes())
    }

    /// The rules for the binding of tokens to keys.
    pub(crate) fn possession(&self) -> PossessionRules {
        PossessionRules { dpop: self.dpop_use(), sender_constrained: self.rules.sender_constrained }
    }

    /// Judges a request as far as that is possible without waiting.
    pub(super) fn judge(self: &Arc<Self>, presented: &Presented<'_>) -> Judging {
        let span = telemetry::judging();
        let judging = span.enter();
        let before = presented.used_proof();
        let needed = match self.needed(presented) {
            Ok(needed) => needed,
            Err(fault) => {
                let fault = self.said_first(fault, presented);
                return Judging::Done(self.verdict(Err(fault), before, None, &Needed::default()));
            }
        };
        let Credentials { token, scheme } = match self.find(presented, self.max_token_bytes()) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => {
                let outcome = self.without_credentials(before.clone(), &needed);
                return Judging::Done(self.verdict(outcome, before, None, &needed));
            }
            Err(refusal) => return Judging::Done(self.verdict(Err(refusal), before, None, &needed)),
        };
        let sender = self.sender(presented, Credentials { token, scheme });
        let verify_proof_later = presented.verify_later && sender.has_readable_proof();
        let facts = Facts { sender, before, subject: self.exchanges.subject(token) };
        let verifying = match self.verified_before(token, presented.before) {
            Some(verified) => Verifying::Done(Verified { token: Ok(verified), ground: Ground::Cached }),
            None => self.begin(token, presented.verify_later),
        };
        let stop = match verifying {
            Verifying::Done(verified) if verified.token.is_ok() && verify_proof_later => {
                Stop::Possession(verified, Box::new(facts))
            }
            Verifying::Done(verified) => match self.conclude(verified, facts, &needed) {
                Ok(verdict) => return Judging::Done(verdict),
                Err(asked) => Stop::Proof(asked),
            },
            Verifying::Waits(waiting) => Stop::Token(waiting, Box::new(facts)),
        };
        drop(judging);
        Judging::Waits(Pending::new(Arc::clone(self), stop, needed, span))
    }

    /// Judges a token as far as possible without waiting.
    fn begin(&self, token: BearerToken<'_>, verify_later: bool) -> Verifying {
        let verifying = self.verifier.begin(token, verify_later);
        if let Verifying::Done(Verified { token: Ok(verified), .. }) = &verifying {
            self.verifier.keep_shown_as(verified, token);
        }
        verifying
    }

    /// The stricter use of DPoP, of that of the rules and that of [`Secure::dpop`](super::Secure::dpop): neither switches the other off.
    fn dpop_use(&self) -> DpopUse {
        self.rules.dpop.max(self.dpop.as_ref().map_or(DpopUse::Off, Dpop::use_at_endpoint))
    }

    /// DPoP, where it is accepted.
    pub(crate) fn accepted_dpop(&self) -> Option<&Dpop> {
        self.dpop.as_ref().filter(|_| self.dpop_use() != DpopUse::Off)
    }

    /// The evidence that the request brings of its sender's keys.
    pub(crate) fn sender(&self, presented: &Presented<'_>, credentials: Credentials<'_>) -> Sender {
        let proof = self.accepted_dpop().and_then(|dpop| dpop.read(presented, credentials, self.verifier.time()));
        Sender { scheme: credentials.scheme, proof: proof.map(Box::new), certificate: presented.client_certificate }
    }

    /// The refusal of a request whose message is faulty, too: a client without a token learns first how to get one. The origin of a
    /// page comes before everything.
    fn said_first(&self, fault: Refusal, presented: &Presented<'_>) -> Refusal {
        if fault == Refusal::Request(RequestFault::McpOrigin) {
            return fault;
        }
        match self.find(presented, self.max_token_bytes()) {
            Err(
                missing @ Refusal::Request(
                    RequestFault::NoCredentials | RequestFault::OtherScheme | RequestFault::EmptyToken,
                ),
            ) => missing,
            _ => fault,
        }
    }

    /// Turns the verdict on a token into the verdict on its request, or into a question about its proof.
    pub(super) fn conclude(
        self: &Arc<Self>,
        Verified { token, ground }: Verified,
        Facts { sender, before, subject }: Facts,
        needed: &Needed,
    ) -> Result<Verdict, Box<Asked>> {
        let dpop = self.accepted_dpop();
        let possession = token.and_then(|token| self.possession().check(token, sender, dpop.map(Dpop::keys)));
        let outcome = match (possession, dpop) {
            (Ok(Possession::Proven(token)), _) => self.admit(token, None, subject, needed),
            (Ok(Possession::Shown(shown)), Some(dpop)) => {
                match dpop.look_up(&shown.proof, before.as_deref(), self.verifier.time()) {
                    Lookup::Done(first) => return Ok(self.conclude_asked(first, shown, subject, ground, needed)),
                    Lookup::Asks(answer) => {
                        return Err(Box::new(Asked { answer: Mutex::new(answer), shown, subject, ground }));
                    }
                }
            }
            (Ok(Possession::Shown(_)), None) => Err(Refusal::Token(TokenFault::SenderConstrained)),
            (Err(refusal), _) => Err(refusal),
        };
        Ok(self.verdict(outcome.map(Admitted::Bearer), before, Some(ground), needed))
    }

    /// The verdict on a request whose proof was looked up.
    pub(super) fn conclude_asked(
        self: &Arc<Self>,
        first: Result<(), ReplayFault>,
        shown: ShownProof,
        subject: Option<Arc<str>>,
        ground: Ground,
        needed: &Needed,
    ) -> Verdict {
        let proof = first.is_ok().then(|| Arc::new(shown.proof.id));
        let outcome =
            first.map_err(not_first).and_then(|()| self.admit(shown.used_first(), proof.clone(), subject, needed));
        self.verdict(outcome.map(Admitted::Bearer), proof, Some(ground), needed)
    }

    fn admit(
        self: &Arc<Self>,
        token: ProvenToken,
        proof: UsedProof,
        subject: Option<Arc<str>>,
        needed: &Needed,
    ) -> Result<Access, Refusal> {
        let token = self.policy.check(token, |token| self.verifier.now(token))?;
        self.check_operation(&token, needed)?;
        telemetry::verified(&token);
        Ok(Access::new(token, proof, subject, Arc::clone(self)))
    }

    /// The outcome for a request without credentials where these are optional: not for an operation that needs a scope.
    fn without_credentials(self: &Arc<Self>, proof: UsedProof, needed: &Needed) -> Result<Admitted, Refusal> {
        if needed.is_empty() {
            Ok(self.anonymous(proof, None))
        } else {
            Err(Refusal::Request(RequestFault::NoCredentials))
        }
    }

    fn anonymous(self: &Arc<Self>, proof: UsedProof, would_refuse: Option<Refusal>) -> Admitted {
        Admitted::Anonymous(Anonymous::new(proof, would_refuse, Arc::clone(self)))
    }

    /// The verdict; in shadow mode a refusal is reported, and the request passes as one without credentials. The proof that was used
    /// for it, by this layer or one before, is no replay at the layers within.
    fn verdict(
        self: &Arc<Self>,
        outcome: Result<Admitted, Refusal>,
        proof: UsedProof,
        ground: Option<Ground>,
        needed: &Needed,
    ) -> Verdict {
        let outcome = outcome.map_err(|refusal| self.at_operation(refusal, needed)).or_else(|refusal| {
            if !self.rules.report_only {
                return Err(refusal);
            }
            telemetry::would_refuse(&refusal);
            Ok(self.anonymous(proof, Some(refusal)))
        });
        Verdict { outcome, ground }
    }

    /// The time until which the credentials of a request that passed are good for others; none if each has to be judged.
    pub(super) fn holds_until(&self, access: &Access) -> Option<SystemTime> {
        let of_this_request = self.accepted_dpop().is_some()
            || self.mcp.is_some()
            || self.policy.depends_on_more()
            || access.token().confirmation().is_some();
        if of_this_request || !access.gate().verifier.is(&self.verifier) {
            return None;
        }
        self.verifier.holds_until(access.token())
    }

    /// Counts a refused request, and returns the response to it.
    pub(super) fn refuse(&self, refusal: &Refusal) -> Response<Bytes> {
        telemetry::refused(refusal);
        let mut response = self.challenge.response(refusal);
        if let Some((name, nonce)) = self.nonce() {
            response.headers_mut().insert(name, nonce);
        }
        response
    }

    /// The nonce for clients now, if nonces are asked for.
    pub(super) fn nonce(&self) -> Option<(HeaderName, HeaderValue)> {
        self.accepted_dpop()?.nonce(self.verifier.time())
    }

    /// The token that an outer layer with the same verifier has verified, if its bytes are those of the token found here.
    ///
    /// The outer layer may have other sources and limits, so this layer has to find the token by its own. Access may have been kept
    /// since another request, so its grounds have to hold still.
    fn verified_before(&self, token: BearerToken<'_>, before: Option<&Access>) -> Option<VerifiedToken> {
        let access = before?;
        let is_ours = access.gate().verifier.is(&self.verifier);
        let is_verdict = is_ours && self.verifier.is_verdict_on(access.token(), token);
        (is_verdict && self.verifier.upholds_within_request(access.token())).then(|| access.token().clone())
    }

    /// The one token of a request; none is fine where credentials are optional.
    pub(crate) fn find<'a>(
        &self,
        presented: &Presented<'a>,
        max_bytes: usize,
    ) -> Result<Option<Credentials<'a>>, Refusal> {
        telemetry::step(steps::FIND_TOKEN);
        let rules = CredentialRules { max_bytes, dpop: self.accepted_dpop().is_some() };
        match bearer::find(presented.fields, &self.sources, rules) {
            Err(Refusal::Request(RequestFault::NoCredentials)) if self.rules.optional => Ok(None),
            Err(Refusal::Request(RequestFault::OtherScheme))
                if self.rules.optional && no_server_finds_a_token(presented) =>
            {
                Ok(None)
            }
            found => found.map(Some),
        }
    }
}

/// Tells whether no `Authorization` field of a request may be taken for one with a token, however a server reads it.
fn no_server_finds_a_token(presented: &Presented<'_>) -> bool {
    let mut none = true;
    presented.fields.each(&AUTHORIZATION, &mut |field| none &= bearer::is_of_another_scheme(field));
    none
}

//! Whether a request may pass: the token found, verified and held against the policy.

use std::{sync::Arc, time::SystemTime};

use http::{Extensions, HeaderMap, Response};

use crate::{
    bearer::{self, BearerToken, TokenSource},
    challenge::Challenge,
    claims::VerifiedToken,
    introspection::ClientAddress,
    policy::{Access, Policy},
    refusal::{Refusal, RequestFault},
    telemetry,
    verifier::{Explanation, Verifier},
};

/// What a layer asks of a request.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) verifier: Verifier,
    pub(super) policy: Policy,
    pub(super) challenge: Challenge,
    pub(super) sources: Vec<TokenSource>,
    pub(super) optional: bool,
    pub(super) report_only: bool,
    pub(super) max_token_bytes: usize,
}

/// That a request may pass, and on what ground.
pub(super) struct Admission {
    gate: Arc<Gate>,
    /// None if the request came without credentials, and may.
    access: Option<Access>,
}

/// What a gate leaves in the extensions of a request that came without credentials, and may pass.
#[derive(Clone)]
#[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "only extractors ask who it was"))]
struct Anonymous(Arc<Gate>);

/// What the layer before a handler said of a request, for the extractors.
#[cfg(feature = "axum")]
pub(crate) struct Verdict<'a> {
    pub(crate) challenge: &'a Challenge,
    pub(crate) access: Option<&'a Access>,
}

impl Gate {
    pub(super) fn new(verifier: Verifier) -> Self {
        let max_token_bytes = verifier.max_token_bytes();
        Self {
            verifier,
            policy: Policy::default(),
            challenge: Challenge::default(),
            sources: vec![TokenSource::authorization()],
            optional: false,
            report_only: false,
            max_token_bytes,
        }
    }

    /// The verdict, if no wait for keys is needed to reach it.
    pub(super) fn judge_now(
        self: &Arc<Self>,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<Result<Admission, Refusal>> {
        let verdict = self.verdict_now(headers, extensions)?;
        Some(self.or_report(verdict, || Admission { gate: Arc::clone(self), access: None }))
    }

    fn verdict_now(
        self: &Arc<Self>,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<Result<Admission, Refusal>> {
        let _judging = telemetry::judging().entered();
        let token = match self.find(headers) {
            Ok(Some(token)) => token,
            Ok(None) => return Some(Ok(Admission { gate: Arc::clone(self), access: None })),
            Err(refusal) => return Some(Err(refusal)),
        };
        let verified = match self.verified_before(token, extensions) {
            Some(verified) => Ok(verified),
            None => self.verifier.verify_now(token)?,
        };
        Some(verified.and_then(|verified| self.admit(token, verified)))
    }

    /// The verdict on a request whose token needs a wait for keys.
    pub(super) async fn judge(
        self: Arc<Self>,
        headers: HeaderMap,
        client: Option<ClientAddress>,
    ) -> Result<Admission, Refusal> {
        let verdict = self.verdict(&headers, client).await;
        self.or_report(verdict, || Admission { gate: Arc::clone(&self), access: None })
    }

    async fn verdict(
        self: &Arc<Self>,
        headers: &HeaderMap,
        client: Option<ClientAddress>,
    ) -> Result<Admission, Refusal> {
        match self.find(headers)? {
            Some(token) => self.admit(token, self.verifier.verify_bearer(token, client).await?),
            None => Ok(Admission { gate: Arc::clone(self), access: None }),
        }
    }

    /// The verdict on a request of which only the `Authorization` fields are known, if no wait is needed to reach it.
    pub(super) fn judge_fields_now(&self, authorization: &[&[u8]]) -> Option<Result<Option<Access>, Refusal>> {
        self.judge_fields_by(authorization, |token| self.verifier.verify_now(token))
    }

    /// The same, if not even a signature has to be verified.
    pub(super) fn judge_known_fields(&self, authorization: &[&[u8]]) -> Option<Result<Option<Access>, Refusal>> {
        self.judge_fields_by(authorization, |token| self.verifier.known(token).map(Ok))
    }

    /// The same, with a wait for keys.
    pub(super) async fn judge_fields(
        &self,
        authorization: &[&[u8]],
        client: Option<ClientAddress>,
    ) -> Result<Option<Access>, Refusal> {
        if let Some(verdict) = self.judge_fields_now(authorization) {
            return verdict;
        }
        self.or_report(self.fields_verdict(authorization, client).await, || None)
    }

    async fn fields_verdict(
        &self,
        authorization: &[&[u8]],
        client: Option<ClientAddress>,
    ) -> Result<Option<Access>, Refusal> {
        match self.parse(authorization)? {
            Some(token) => self.access(self.verifier.verify_bearer(token, client).await?).map(Some),
            None => Ok(None),
        }
    }

    fn judge_fields_by<'a>(
        &self,
        authorization: &[&'a [u8]],
        verify: impl FnOnce(BearerToken<'a>) -> Option<Result<VerifiedToken, Refusal>>,
    ) -> Option<Result<Option<Access>, Refusal>> {
        let _judging = telemetry::judging().entered();
        let verdict = match self.parse(authorization) {
            Ok(Some(token)) => verify(token)?.and_then(|token| self.access(token)).map(Some),
            Ok(None) => Ok(None),
            Err(refusal) => Err(refusal),
        };
        Some(self.or_report(verdict, || None))
    }

    /// What would be refused is told, and passes, where nothing else is asked for.
    fn or_report<T>(&self, verdict: Result<T, Refusal>, anonymous: impl FnOnce() -> T) -> Result<T, Refusal> {
        match verdict {
            Err(refusal) if self.report_only => {
                telemetry::would_refuse(&refusal);
                Ok(anonymous())
            }
            verdict => verdict,
        }
    }

    /// Why a request passes or is refused, of which only the `Authorization` fields are known.
    pub(super) async fn explain(&self, authorization: &[&[u8]], now: SystemTime) -> Explanation {
        // Its size is a check of its own.
        let token = self.or_none(bearer::parse_only(authorization.iter().copied(), usize::MAX));
        let token = token.map(|token| token.map(BearerToken::as_bytes));
        self.verifier.explain_for(token, self.max_token_bytes, &self.policy, now).await
    }

    /// The response to a refused request; this is where it is counted.
    pub(super) fn refuse(&self, refusal: &Refusal) -> Response<bytes::Bytes> {
        telemetry::refused(refusal);
        self.challenge.response(refusal)
    }

    /// The header fields that `judge` reads.
    pub(super) fn relevant(&self, headers: &HeaderMap) -> HeaderMap {
        bearer::relevant(headers, &self.sources)
    }

    /// The token that an outer layer with the same verifier has verified, if it is to the byte the one that is found here.
    ///
    /// The outer layer may have other sources and limits: that it found a token makes none for this one.
    fn verified_before(&self, token: BearerToken<'_>, extensions: &Extensions) -> Option<VerifiedToken> {
        let access = extensions.get::<Access>()?;
        let is_ours = access.gate::<Self>()?.verifier.is(&self.verifier);
        (is_ours && self.verifier.is_verdict_on(access.token(), token)).then(|| access.token().clone())
    }

    fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<BearerToken<'a>>, Refusal> {
        self.or_none(bearer::find(headers, &self.sources, self.max_token_bytes))
    }

    fn parse<'a>(&self, authorization: &[&'a [u8]]) -> Result<Option<BearerToken<'a>>, Refusal> {
        self.or_none(bearer::parse_only(authorization.iter().copied(), self.max_token_bytes))
    }

    /// No token is no fault where none is asked for.
    fn or_none<'a>(&self, found: Result<BearerToken<'a>, Refusal>) -> Result<Option<BearerToken<'a>>, Refusal> {
        match found {
            Err(Refusal::Request(RequestFault::NoCredentials | RequestFault::OtherScheme)) if self.optional => Ok(None),
            found => found.map(Some),
        }
    }

    fn admit(self: &Arc<Self>, token: BearerToken<'_>, verified: VerifiedToken) -> Result<Admission, Refusal> {
        self.verifier.keep_shown_as(&verified, token);
        Ok(Admission { gate: Arc::clone(self), access: Some(self.access(verified)?) })
    }

    fn access(&self, token: VerifiedToken) -> Result<Access, Refusal> {
        let access = self.policy.check(token)?;
        telemetry::verified(access.token());
        Ok(access)
    }
}

impl Admission {
    /// One extension is all that an accepted request gets.
    pub(super) fn leave_in(self, extensions: &mut Extensions) {
        match self.access {
            Some(access) => {
                extensions.insert(access.admitted_by(self.gate));
            }
            None => {
                // One that an outer layer left by another verifier is not this layer's word.
                extensions.remove::<Access>();
                extensions.insert(Anonymous(self.gate));
            }
        }
    }
}

#[cfg(feature = "axum")]
impl<'a> Verdict<'a> {
    /// None where no layer has judged the request.
    pub(crate) fn find(extensions: &'a Extensions) -> Option<Self> {
        let access = extensions.get::<Access>();
        let gate = match access {
            Some(access) => access.gate::<Gate>()?,
            None => &extensions.get::<Anonymous>()?.0,
        };
        Some(Self { challenge: &gate.challenge, access })
    }
}

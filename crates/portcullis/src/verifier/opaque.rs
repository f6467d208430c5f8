//! The path of opaque tokens: introspection in place of a signature.
//!
//! A phantom JWT joins the straight line again at `token::parse`, by the keys and rules of the issuer that was asked.
//! Claims that the issuer vouches for go on to `rules.accept_introspected`.
//!
//! Faults: a client is refused only for a credible answer of the issuer about its token: the token is not active, or its
//! claims break a rule (expired, for another audience, …). After an answer that is not credible (empty, malformed, of
//! another type, signed by an unknown key) the token may still be good, and the client gets 503.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tracing::Instrument;

use super::{
    branch::Branch,
    issuers::Issuers,
    line::{Ground, Verified},
};
use crate::{
    bearer::BearerToken,
    claims::{IssuerRules, VerifiedToken},
    crypto::{Digest, sha256},
    introspection::{IntrospectionForm, Introspector, Reply},
    json::{self, Object},
    keys::KeySetId,
    names::steps,
    questions::{Attempt, ClientAddress, NoResult, Question, RefusedTokens, SingleFlight},
    refusal::{ConfigurationFault, Refusal, TokenFault, UnavailableFault},
    telemetry,
    token::{self, AnswerTime, HeaderRules, IntrospectedToken, NotAnAnswer, Types},
    token_cache::TokenCache,
};

/// An answer counts for so long where a layer stands in another, however short a time it may be kept: a request is asked about
/// once.
const SAME_REQUEST: Duration = Duration::from_secs(5);

/// The type of a signed answer (RFC 9701 section 5).
const SIGNED_ANSWER: &str = "token-introspection+jwt";

/// The path of opaque tokens through a verifier.
pub(super) struct Opaque {
    introspector: Introspector,
    /// The question: answers to other questions do not count.
    question: Question,
    /// The issuer that is asked, with the keys and rules that judge its answers.
    branch: Arc<Branch>,
    signed_answers: (HeaderRules, Arc<IssuerRules>),
    /// Accepted tokens, by their SHA-256, each with the end of its answer's time.
    passed: TokenCache<SystemTime>,
    /// The count of tokens that were put into `passed`.
    kept: AtomicU64,
    refused: RefusedTokens,
    flights: SingleFlight<Result<VerifiedToken, Refusal>>,
}

/// A question about a token that has to be asked.
pub(super) struct Unanswered {
    token: String,
    digest: Digest,
    /// The count of kept tokens at the time of the look that missed.
    kept: u64,
}

/// The reason why a token did not pass.
enum Doubt {
    /// A credible answer, by which the token is refused: it is inactive, or breaks a rule.
    Refused(Refusal),
    /// An answer that is not credible.
    NotBelieved(String),
}

impl Opaque {
    pub(super) fn new(introspector: Introspector, branch: Arc<Branch>) -> Self {
        let types = Types { accepted: vec![SIGNED_ANSWER.into()], absent: false };
        let header = HeaderRules { types, ..branch.header.clone() };
        // An answer is addressed to this resource server (RFC 9701 section 5): by its client id, or as the tokens' audience.
        let rules = IssuerRules {
            issuer: branch.issuer.clone(),
            audience: [&[introspector.client_id().to_owned()], branch.rules.audience.as_slice()].concat(),
            leeway: branch.rules.leeway,
            dangerously_accept_tokens_without_expiry: true,
            ..IssuerRules::default()
        };
        let passed = TokenCache::new(introspector.cache());
        let refused = introspector.refused_tokens();
        Self {
            question: introspector.question(branch.issuer.as_deref(), &branch.rules.audience, &branch.header),
            introspector,
            branch,
            signed_answers: (header, Arc::new(rules)),
            passed,
            kept: AtomicU64::new(0),
            refused,
            flights: SingleFlight::new(),
        }
    }

    /// Tells whether this JWT is introspected. Its unverified claims only choose the judge.
    #[inline(never)] // Most verifiers introspect no JWT: the look for the path of opaque tokens stays short.
    pub(super) fn takes_jwt(&self, token: BearerToken<'_>, issuers: &Issuers) -> bool {
        let jwts = self.introspector.jwts();
        if jwts.is_none() {
            return false;
        }
        let Some(claims) = token::unverified_claims(token) else { return false };
        let chosen = issuers.choose_by(|| token::claimed_issuer(&claims), || token::claimed_trust_domain(&claims));
        chosen.is_ok_and(|branch| Arc::ptr_eq(branch, &self.branch)) && jwts.include(&claims)
    }

    /// The verdict, if the issuer need not be asked; otherwise the question for it.
    pub(super) fn begin(&self, token: BearerToken<'_>) -> Result<Verified, Unanswered> {
        let digest = sha256(token.as_bytes());
        let kept = self.kept.load(Ordering::Acquire);
        telemetry::step(steps::LOOK_UP_TOKEN);
        if let Some(known) = self.known_by(&digest) {
            return Ok(Verified { token: Ok(known), ground: Ground::Cached });
        }
        if !token.is_token68() {
            return Ok(Verified { token: Err(Refusal::Token(TokenFault::Characters)), ground: Ground::Verified });
        }
        match self.refused.get(&digest, self.introspector.clock().now(), self.introspector.refused_for()) {
            Some(refusal) => Ok(Verified { token: Err(refusal), ground: Ground::Introspected }),
            // Characters of a token68 are ASCII.
            None => Err(Unanswered { token: String::from_utf8_lossy(token.as_bytes()).into_owned(), digest, kept }),
        }
    }

    /// The answer to a question, shared by all requests that have the same token at the same time.
    ///
    /// The question takes a turn of the client with the first request.
    pub(super) async fn answer(
        self: Arc<Self>,
        question: Unanswered,
        client: Option<ClientAddress>,
    ) -> Result<VerifiedToken, Refusal> {
        let digest = question.digest;
        let work = || {
            let opaque = Arc::clone(&self);
            let span = self.introspector.span();
            async move { opaque.introspect(question, client).await }.instrument(span)
        };
        let verified = self.flights.run(digest, work).await.unwrap_or_else(|why| Err(no_result(&why)));
        verified.inspect(|token| {
            token.keep_shown_as(|| digest.as_slice().into());
        })
    }

    /// The issuer that is asked.
    pub(super) fn branch(&self) -> &Arc<Branch> {
        &self.branch
    }

    pub(super) fn forget(&self, token: &[u8]) {
        let digest = sha256(token);
        self.passed.forget(&digest);
        self.refused.forget(&digest);
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.passed.size()
    }

    fn known_by(&self, digest: &Digest) -> Option<VerifiedToken> {
        self.passed.get(digest, |until, token| self.introspector.clock().now() < *until && self.branch.upholds(token))
    }

    async fn introspect(&self, question: Unanswered, client: Option<ClientAddress>) -> Result<VerifiedToken, Refusal> {
        let Unanswered { token, digest, kept } = question;
        // Another question may have been answered since the cache was looked at.
        let have_more = self.kept.load(Ordering::Acquire) != kept;
        if let Some(known) = have_more.then(|| self.known_by(&digest)).flatten() {
            return Ok(known);
        }
        if let Some(reply) = self.introspector.shared(&self.question, &digest).await {
            // A shared answer refuses no token: if it does not let the token pass, the issuer is asked.
            if let Ok(token) = self.judge(&token, &reply).await {
                return Ok(self.keep(digest, token, reply.until));
            }
        }
        let (reply, attempt) = self.introspector.ask(&token, client).await?;
        let verdict = self.judge(&token, &reply).await;
        self.conclude(digest, &reply, attempt, verdict)
    }

    fn conclude(
        &self,
        digest: Digest,
        reply: &Reply,
        attempt: Attempt,
        verdict: Result<VerifiedToken, Doubt>,
    ) -> Result<VerifiedToken, Refusal> {
        match verdict {
            Ok(token) => {
                attempt.succeed("active");
                self.introspector.share(&self.question, &digest, reply, token.claims().expiry());
                Ok(self.keep(digest, token, reply.until))
            }
            Err(Doubt::Refused(Refusal::Unavailable(fault))) => {
                // The keys of a phantom token are unavailable; the introspection itself succeeded.
                attempt.succeed("refused");
                Err(Refusal::Unavailable(fault))
            }
            Err(Doubt::Refused(refusal)) => {
                let inactive = refusal == Refusal::Token(TokenFault::Inactive);
                attempt.succeed(if inactive { "inactive" } else { "refused" });
                self.refused.remember(digest, refusal.clone(), self.introspector.clock().now());
                Err(refusal)
            }
            Err(Doubt::NotBelieved(why)) => Err(attempt.disbelieve(&why)),
        }
    }

    fn keep(&self, digest: Digest, token: VerifiedToken, until: SystemTime) -> VerifiedToken {
        if self.introspector.clock().now() < until {
            self.passed.insert(&digest, token.clone(), until);
            self.kept.fetch_add(1, Ordering::Release);
        }
        token
    }

    async fn judge(&self, token: &str, reply: &Reply) -> Result<VerifiedToken, Doubt> {
        let Some(text) = &reply.text else { return Err(Doubt::Refused(Refusal::Token(TokenFault::Inactive))) };
        let same_request = reply.until.max(self.introspector.clock().now() + SAME_REQUEST);
        let time = AnswerTime { until: reply.until, same_request };
        let jwt = BearerToken::bare(token.as_bytes(), usize::MAX).ok().and_then(token::unverified_claims);
        match self.introspector.form() {
            IntrospectionForm::Json => self.vouched(object(text.as_bytes().to_vec())?, jwt.as_ref(), None, time),
            IntrospectionForm::Jwt => self.signed_answer(text, jwt.as_ref(), reply.at, time).await,
            IntrospectionForm::Phantom => self.phantom(text, jwt.as_ref(), time).await,
        }
    }

    /// The members of an answer (RFC 7662 section 2.2) about a JWT or an opaque token, which these keys verified, if it is signed.
    fn vouched(
        &self,
        answer: Object,
        jwt: Option<&Object>,
        keys: Option<KeySetId>,
        time: AnswerTime,
    ) -> Result<VerifiedToken, Doubt> {
        let answer = token::bound_as(answer, jwt).map_err(|fault| Doubt::NotBelieved(format!("the answer {fault}")))?;
        let (answer, oddity) = token::plain(answer);
        if let Some(oddity) = oddity {
            self.introspector.remark(oddity);
        }
        let not_an_answer = |NotAnAnswer| Doubt::NotBelieved("expected an answer with the boolean `active`".to_owned());
        let token = IntrospectedToken::from_answer(answer, keys, time).map_err(not_an_answer)?;
        let token = token.ok_or(Refusal::Token(TokenFault::Inactive))?;
        token.check_kind(self.branch.rules.dangerously_accept_sender_constrained_tokens)?;
        Ok(self.branch.rules.accept_introspected(token, self.branch.clock.now())?)
    }

    /// A signed answer (RFC 9701), received at a time: it has to be from this issuer, for this server, and of that time.
    async fn signed_answer(
        &self,
        signed: &str,
        jwt: Option<&Object>,
        at: SystemTime,
        time: AnswerTime,
    ) -> Result<VerifiedToken, Doubt> {
        let not_believed = |refusal| not_believed("the signed answer", refusal);
        let (header, rules) = &self.signed_answers;
        let token = BearerToken::bare(signed.as_bytes(), usize::MAX).map_err(not_believed)?;
        let signed = self.branch.signed(token, header).await.map_err(not_believed)?;
        let answer = rules.accept(signed, self.branch.clock.now()).map_err(not_believed)?;
        self.check_age(answer.claims().issued_at(), at)?;
        let members = answer.claims().get("token_introspection").filter(|members| members.is_object());
        let members =
            members.ok_or_else(|| Doubt::NotBelieved("expected the claim `token_introspection`".to_owned()))?;
        self.vouched(object(members.to_string().into_bytes())?, jwt, answer.grounds().keys, time)
    }

    /// Refuses old answers: without `exp`, a recorded answer could be replayed for ever.
    fn check_age(&self, made: Option<SystemTime>, told: SystemTime) -> Result<(), Doubt> {
        let allowed = self.introspector.max_answer_age();
        let age = made.map(|made| told.duration_since(made).unwrap_or_default());
        if age.is_some_and(|age| age <= allowed.saturating_add(self.branch.rules.leeway)) {
            return Ok(());
        }
        let age = age.map_or_else(|| "without `iat`".to_owned(), |age| format!("{} s old", age.as_secs()));
        let allowed = allowed.as_secs();
        Err(Doubt::NotBelieved(format!(
            "expected a signed answer of at most {allowed} s ago (`max_answer_age`, by `iat`), got one {age}"
        )))
    }

    /// The JWT behind the token, verified like any other. A fault of its claims is the client's, and so is a token that is a bound JWT
    /// itself, with an unbound one behind it.
    async fn phantom(&self, phantom: &str, jwt: Option<&Object>, time: AnswerTime) -> Result<VerifiedToken, Doubt> {
        let not_believed = |refusal| not_believed("the phantom token", refusal);
        let token = BearerToken::bare(phantom.as_bytes(), self.branch.max_token_bytes()).map_err(not_believed)?;
        let signed = self.branch.signed(token, &self.branch.header).await.map_err(not_believed)?;
        let verified = self.branch.rules.accept(signed, self.branch.clock.now())?;
        let is_bound = jwt.is_some_and(|jwt| jwt.contains_key("cnf"));
        if is_bound
            && !verified.claims().contains_key("cnf")
            && !self.branch.rules.dangerously_accept_sender_constrained_tokens
        {
            return Err(Doubt::Refused(Refusal::Token(TokenFault::SenderConstrained)));
        }
        Ok(verified.behind_opaque(phantom, time))
    }
}

fn object(text: Vec<u8>) -> Result<Object, Doubt> {
    json::object(text).map_err(|fault| Doubt::NotBelieved(format!("the answer {fault}")))
}

/// A fault of a JWT in an answer: the server's, not the client's. Without keys the answer was not judged.
fn not_believed(what: &str, refusal: Refusal) -> Doubt {
    match refusal {
        Refusal::Unavailable(_) | Refusal::Configuration(_) => Doubt::Refused(refusal),
        _ => Doubt::NotBelieved(format!("{what} was refused: {refusal}")),
    }
}

fn no_result(why: &NoResult) -> Refusal {
    match why {
        NoResult::NoRuntime => Refusal::Configuration(ConfigurationFault::NoRuntime),
        NoResult::Interrupted => {
            let retry_after = std::time::Duration::from_secs(1);
            Refusal::Unavailable(UnavailableFault::Introspection { retry_after })
        }
    }
}

impl From<Refusal> for Doubt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

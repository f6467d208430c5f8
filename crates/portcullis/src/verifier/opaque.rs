//! The path of opaque tokens: introspection in place of a signature.
//!
//! A phantom JWT joins the straight line again at `token::parse`, by the keys and rules of the issuer that was asked.
//! Claims that the issuer vouches for go on to `rules.accept_introspected`.
//!
//! Who is to blame: a client is refused only by what the issuer says of its token, in an answer that is believed: that it is
//! not active, or by claims under a signature that verified (expired, for another audience, …). An answer that is not
//! believed, be it empty, malformed, of another type or signed by an unknown key, refuses nobody: the token may be good,
//! and the client gets 503.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use tracing::Instrument;

use super::{
    branch::Branch,
    line::{Ground, Verified},
};
use crate::{
    bearer::BearerToken,
    claims::{IssuerRules, VerifiedToken},
    crypto::{Digest, sha256},
    introspection::{
        Attempt, ClientAddress, IntrospectionForm, Introspector, NoResult, Question, RefusedTokens, Reply, SingleFlight,
    },
    json::{self, Object},
    keys::KeySet,
    names::steps,
    refusal::{ConfigurationFault, Refusal, TokenFault, UnavailableFault},
    telemetry,
    token::{self, HeaderRules, IntrospectedToken, NotAnAnswer, Types},
    token_cache::TokenCache,
};

/// The type of a signed answer (RFC 9701 section 5).
const SIGNED_ANSWER: &str = "token-introspection+jwt";

/// What a verifier does with tokens that are no JWTs.
pub(super) struct Opaque {
    introspector: Introspector,
    /// The question: answers to any other mean nothing here.
    question: Question,
    /// The issuer that is asked: its keys and rules are those that answers are judged by.
    branch: Arc<Branch>,
    signed_answers: (HeaderRules, Arc<IssuerRules>),
    /// What passed, by the SHA-256 of the token.
    passed: TokenCache<Grounds>,
    /// How often a token was put there.
    kept: AtomicU64,
    refused: RefusedTokens,
    flights: SingleFlight<Result<VerifiedToken, Refusal>>,
}

/// A question about a token that has to be asked.
pub(super) struct Unanswered {
    token: String,
    digest: Digest,
    /// The count of tokens that had been kept when this one was not among them.
    kept: u64,
}

/// What the verdict on a token rests on: an answer, and the keys that it was verified with, if it is a JWT.
struct Grounds {
    until: SystemTime,
    keys: Option<Weak<KeySet>>,
}

/// A token that passed, and what its verdict rests on besides the time.
struct Judged {
    token: VerifiedToken,
    keys: Option<Weak<KeySet>>,
}

/// Why a token did not pass.
enum Doubt {
    /// The answer can be believed, and says no, or our rules do.
    Refused(Refusal),
    /// It cannot be believed.
    NotBelieved(String),
}

impl Opaque {
    pub(super) fn new(introspector: Introspector, branch: Arc<Branch>) -> Self {
        let types = Types { accepted: vec![SIGNED_ANSWER.into()], absent: false };
        let header = HeaderRules { types, ..branch.header.clone() };
        // Us, by the name that the server knows us by (RFC 9701 section 5): as its client, or as what tokens are for.
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

    /// The verdict, if the issuer need not be asked; otherwise the question that has to be.
    pub(super) fn begin(&self, token: BearerToken<'_>) -> Result<Verified, Unanswered> {
        let digest = sha256(token.as_bytes());
        let kept = self.kept.load(Ordering::Acquire);
        telemetry::step(steps::LOOK_UP_TOKEN);
        if let Some(known) = self.known_by(&digest) {
            return Ok(Verified { token: Ok(known), ground: Ground::Cached });
        }
        let refusal = match token.is_token68() {
            false => Some(Refusal::Token(TokenFault::Characters)),
            true => self.refused.get(&digest, self.introspector.clock().now(), self.introspector.refused_for()),
        };
        match refusal {
            Some(refusal) => Ok(Verified { token: Err(refusal), ground: Ground::Introspected }),
            // Characters of a token68 are ASCII.
            None => Err(Unanswered { token: String::from_utf8_lossy(token.as_bytes()).into_owned(), digest, kept }),
        }
    }

    /// The answer to a question, shared by all requests that have the same token at the same time.
    ///
    /// It takes a turn of the client whose request is the first.
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
        self.passed.forget(&sha256(token));
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.passed.size()
    }

    fn known_by(&self, digest: &Digest) -> Option<VerifiedToken> {
        self.passed.get(digest, |grounds, token| self.hold(grounds, token))
    }

    fn hold(&self, grounds: &Grounds, token: &VerifiedToken) -> bool {
        let now = self.branch.clock.now();
        self.introspector.clock().now() < grounds.until
            && grounds.keys.as_ref().is_none_or(|keys| self.branch.still_uses(keys, now))
            && self.branch.rules.are_times_right(token.times(), now)
    }

    async fn introspect(&self, question: Unanswered, client: Option<ClientAddress>) -> Result<VerifiedToken, Refusal> {
        let Unanswered { token, digest, kept } = question;
        // Another question may have been answered since the cache was looked at.
        let have_more = self.kept.load(Ordering::Acquire) != kept;
        if let Some(known) = have_more.then(|| self.known_by(&digest)).flatten() {
            return Ok(known);
        }
        if let Some(reply) = self.introspector.shared(&self.question, &digest).await {
            // One that does not pass here and now is no reason to refuse anybody: the issuer is asked.
            if let Ok(judged) = self.judge(&reply).await {
                return Ok(self.keep(digest, judged, reply.until));
            }
        }
        let (reply, attempt) = self.introspector.ask(&token, client).await?;
        let verdict = self.judge(&reply).await;
        self.conclude(digest, &reply, attempt, verdict)
    }

    fn conclude(
        &self,
        digest: Digest,
        reply: &Reply,
        attempt: Attempt,
        verdict: Result<Judged, Doubt>,
    ) -> Result<VerifiedToken, Refusal> {
        match verdict {
            Ok(judged) => {
                attempt.succeed("active");
                self.introspector.share(&self.question, &digest, reply, judged.token.times().expiry());
                Ok(self.keep(digest, judged, reply.until))
            }
            Err(Doubt::Refused(Refusal::Unavailable(fault))) => {
                // The keys of a phantom token: of the introspection itself there is no complaint.
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

    fn keep(&self, digest: Digest, judged: Judged, until: SystemTime) -> VerifiedToken {
        let Judged { token, keys } = judged;
        if self.introspector.clock().now() < until {
            self.passed.insert(&digest, token.clone(), Grounds { until, keys });
            self.kept.fetch_add(1, Ordering::Release);
        }
        token
    }

    async fn judge(&self, reply: &Reply) -> Result<Judged, Doubt> {
        let Some(text) = &reply.text else { return Err(Doubt::Refused(Refusal::Token(TokenFault::Inactive))) };
        match self.introspector.form() {
            IntrospectionForm::Json => {
                Ok(Judged { token: self.vouched(object(text.as_bytes().to_vec())?)?, keys: None })
            }
            IntrospectionForm::Jwt => self.signed_answer(text, reply.at).await,
            IntrospectionForm::Phantom => self.phantom(text).await,
        }
    }

    /// The members of an answer (RFC 7662 section 2.2).
    fn vouched(&self, answer: Object) -> Result<VerifiedToken, Doubt> {
        let (answer, oddity) = token::plain(answer);
        if let Some(oddity) = oddity {
            self.introspector.remark(oddity);
        }
        let not_an_answer = |NotAnAnswer| Doubt::NotBelieved("expected an answer with the boolean `active`".to_owned());
        let token = IntrospectedToken::from_answer(answer).map_err(not_an_answer)?;
        let token = token.ok_or(Refusal::Token(TokenFault::Inactive))?;
        token.check_kind(self.branch.rules.dangerously_accept_sender_constrained_tokens)?;
        Ok(self.branch.rules.accept_introspected(token, self.branch.clock.now())?)
    }

    /// A signed answer (RFC 9701) that was told at a time: it has to be this issuer's, for us, and made then.
    async fn signed_answer(&self, jwt: &str, at: SystemTime) -> Result<Judged, Doubt> {
        let not_believed = |refusal| not_believed("the signed answer", refusal);
        let (header, rules) = &self.signed_answers;
        let token = BearerToken::bare(jwt.as_bytes(), usize::MAX).map_err(not_believed)?;
        let (signed, keys) = self.branch.signed(token, header).await.map_err(not_believed)?;
        let answer = rules.accept(signed, self.branch.clock.now()).map_err(not_believed)?;
        self.check_age(answer.times().issued_at(), at)?;
        let members = answer.claims().get("token_introspection").filter(|members| members.is_object());
        let members =
            members.ok_or_else(|| Doubt::NotBelieved("expected the claim `token_introspection`".to_owned()))?;
        Ok(Judged { token: self.vouched(object(members.to_string().into_bytes())?)?, keys: Some(keys) })
    }

    /// An answer is made when it is asked for: one of before that, without `exp`, would be good for ever.
    fn check_age(&self, made: Option<SystemTime>, told: SystemTime) -> Result<(), Doubt> {
        let allowed = self.introspector.max_answer_age();
        let age = made.map(|made| told.duration_since(made).unwrap_or_default());
        if age.is_some_and(|age| age <= allowed.saturating_add(self.branch.rules.leeway)) {
            return Ok(());
        }
        let age = age.map_or_else(|| "of no time".to_owned(), |age| format!("{} s old", age.as_secs()));
        let allowed = allowed.as_secs();
        Err(Doubt::NotBelieved(format!(
            "expected a signed answer made when it is asked for, at most {allowed} s ago (`max_answer_age`), got one {age}"
        )))
    }

    /// The JWT that the token stands for: it goes the way of any other, and from its claims on it speaks for itself.
    async fn phantom(&self, jwt: &str) -> Result<Judged, Doubt> {
        let not_believed = |refusal| not_believed("the phantom token", refusal);
        let token = BearerToken::bare(jwt.as_bytes(), self.branch.max_token_bytes()).map_err(not_believed)?;
        let (signed, keys) = self.branch.signed(token, &self.branch.header).await.map_err(not_believed)?;
        let verified = self.branch.rules.accept(signed, self.branch.clock.now())?;
        Ok(Judged { token: verified.behind_opaque(jwt), keys: Some(keys) })
    }
}

fn object(text: Vec<u8>) -> Result<Object, Doubt> {
    json::object(text).map_err(|fault| Doubt::NotBelieved(format!("the answer {fault}")))
}

/// What is wrong with a JWT of the server's is no fault of the client's; that no keys can be had is nobody's.
fn not_believed(what: &str, refusal: Refusal) -> Doubt {
    match refusal {
        Refusal::Unavailable(_) | Refusal::Configuration(_) => Doubt::Refused(refusal),
        _ => Doubt::NotBelieved(format!("{what} is not good: {refusal}")),
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
